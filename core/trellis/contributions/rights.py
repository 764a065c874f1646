"""Roles and what they may."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from trellis.contributions.base import Contribution


class Scope(StrEnum):
    """Which records a right covers."""

    NONE = "none"
    OWN = "own"
    UNIT = "unit"
    ALL = "all"


class FieldRight(StrEnum):
    """What a role may do with one field of the records it reaches."""

    NONE = "none"
    READ = "read"
    WRITE = "write"


@dataclass(frozen=True)
class Grant:
    """Rights on one entity (``*`` for all entities not named). ``fields`` limits single fields; the others are open."""

    entity: str
    read: Scope = Scope.ALL
    create: bool = False
    update: Scope = Scope.NONE
    delete: Scope = Scope.NONE
    fields: Mapping[str, FieldRight] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Role(Contribution):
    """A set of rights. ``administrator`` roles may change settings, people and plugins and reach every record.

    With ``personal_data`` one may take out all that is kept about a person, whatever else the role reaches, and erase it;
    administrators may.
    """

    grants: Sequence[Grant] = ()
    administrator: bool = False
    personal_data: bool = False
