"""Dashboards, reports, menus, pages and endpoints."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trellis.contributions.base import Contribution, Direction, Level, Rule
from trellis.i18n import Text as Label

if TYPE_CHECKING:
    from trellis.records.door import Records


@dataclass(frozen=True, kw_only=True)
class Widget:
    """A card of a dashboard.

    ``kind``: ``kpi_strip`` (``kpis``), ``kpi_trend`` (``kpis``), ``pyramid``, ``rfm``, ``retention``, ``segments``
    (``names``), ``tasks``, ``list`` (``entity``, ``rule``, ``sort``, ``fields``), ``board`` (``entity``), ``changes``.
    ``width`` in columns of twelve.
    """

    kind: str
    title: Label | None = None
    width: int = 4
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Dashboard(Contribution):
    """A page of widgets. ``home`` makes it the home page of the edition (for ``roles``, or for all)."""

    widgets: Sequence[Widget]
    home: bool = False
    roles: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Report(Contribution):
    """A report definition over records: columns, rule, groups and totals."""

    entity: str
    fields: Sequence[str]
    rule: Rule | None = None
    group_by: Sequence[str] = ()
    totals: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class MenuItem(Contribution):
    """A way into a screen, inside the group of its direction. ``path`` is relative to the workspace; ``entity`` guards it."""

    path: str
    direction: Direction
    level: Level = Level.OPERATIONS
    icon: str = "file"
    entity: str | None = None
    position: int = 100


@dataclass(frozen=True, kw_only=True)
class Panel(Contribution):
    """A card at the right of a record page.

    ``load(records, record_id)`` returns the variables for ``template`` (a template of the plugin's package); it is called
    only when the panel is shown and a failure leaves the rest of the page as it is.
    """

    entity: str
    load: Callable[[Records, int], Mapping[str, Any]]
    template: str


@dataclass(frozen=True, kw_only=True)
class Page(Contribution):
    """A page of its own at ``/<workspace>/x/<plugin>/<slug>``. ``load(records)`` returns the variables for ``template``."""

    slug: str
    load: Callable[[Records], Mapping[str, Any]]
    template: str


@dataclass(frozen=True, kw_only=True)
class RestEndpoint(Contribution):
    """A REST call at ``/api/v1/<workspace>/x/<plugin>/<slug>``. ``call(records, arguments)`` returns JSON data."""

    slug: str
    call: Callable[[Records, Mapping[str, Any]], Any]
    method: str = "GET"
