"""Where a contribution stands in the CRM model, and what all of them have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from trellis.i18n import Text as Label

Rule = Mapping[str, Any]
"""A rule in the one language of rules, as JSON."""


class Direction(StrEnum):
    """The seven directions of the CRM model, in their fixed order."""

    MANAGEMENT = "management"
    MARKET = "market"
    CUSTOMERS = "customers"
    PRODUCTS = "products"
    MARKETING = "marketing"
    SALES = "sales"
    SERVICE = "service"


class Level(StrEnum):
    """The three levels on which each direction is run."""

    STRATEGY = "strategy"
    TACTICS = "tactics"
    OPERATIONS = "operations"


@dataclass(frozen=True)
class Cell:
    """A place in the CRM model; ``row`` names the row (``SA3``) where it is known."""

    direction: Direction
    level: Level
    row: str = ""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """Who a plugin is: the module-level ``manifest`` of its entry point.

    - ``name``: short name, prefix of all its contributions (``gym``);  ``kind``: ``vertical`` or ``capability``
    - ``core``: versions of the core it works with (``>=0.1,<1``);  ``requires``: other plugins, by name
    - ``package``: its import package; texts are translated and migrations found there
    - ``icon``: Lucide name;  ``tone``: chart colour slot (violet, rose, teal, warn, info, good)
    """

    name: str
    title: Label
    version: str
    package: str
    kind: str = "vertical"
    summary: Label | None = None
    vendor: str = ""
    core: str = ""
    requires: Sequence[str] = ()
    icon: str = "puzzle"
    tone: str = "info"


@dataclass(frozen=True, kw_only=True)
class Contribution:
    """Base of contributions. ``owner`` is filled in by the edition: ``core`` or the plugin's name."""

    name: str
    title: Label
    description: Label | None = None
    cell: Cell | None = None
    owner: str = "core"
