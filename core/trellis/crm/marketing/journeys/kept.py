"""Journeys as the engine reads them: the row of one that runs, the plans of its versions, and who writes for it (MC5)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.crm.marketing.journeys.entities import PAUSED, RUNNING, Journey
from trellis.crm.marketing.journeys.tables import VERSIONS
from trellis.edition import Edition
from trellis.journeys.program import Node, program
from trellis.records.door import Records
from trellis.security.actor import Actor

SOURCE = "journey"
_journey, _version = Journey.__table__.c, VERSIONS.c


@dataclass(frozen=True)
class Version:
    """A version of a journey, with its steps by key."""

    id: int
    journey: int
    number: int
    plan: Mapping[str, Any]

    @cached_property
    def program(self) -> dict[str, Node]:
        """The steps by key, in their order."""
        return program(self.plan)

    @property
    def first(self) -> str:
        """The key of the first step."""
        return next(iter(self.program), "")


@dataclass(frozen=True, kw_only=True)
class Course:
    """A journey that is not over: its name, state, owner, and the version with which customers begin now."""

    id: int
    name: str
    state: str
    owner: int | None
    version: Version


def version_of(session: Session, edition: Edition, number: int) -> Version:
    """A version, read once for an edition: what is published is never changed."""
    known: dict[int, Version] = edition.cached("journey versions", dict)
    if number not in known:
        columns = (_version.id, _version.journey_id, _version.number, _version.plan)
        row = session.execute(sa.select(*columns).where(_version.id == number)).one()
        known[number] = Version(*row)
    return known[number]


def course_of(session: Session, edition: Edition, journey: int, *, held: bool = False) -> Course | None:
    """A journey that customers can be on; None when it has not begun, has ended or is gone.

    ``held``: nobody else starts, pauses or enters it until the transaction ends.
    """
    query = sa.select(
        _journey.id, _journey.name, _journey.state, _journey.owner_id, _journey.published_id
    ).where(_journey.id == journey, _journey.deleted_at.is_(None), _journey.state.in_((RUNNING, PAUSED)))
    row = session.execute(query.with_for_update(key_share=True) if held else query).first()
    if row is None:
        return None
    version = version_of(session, edition, row.published_id)
    return Course(id=row.id, name=row.name, state=row.state, owner=row.owner_id, version=version)


def zone_of(edition: Edition) -> ZoneInfo:
    """The time zone by whose clock messages leave."""
    return ZoneInfo(edition.settings.timezone)


def door_of(session: Session, edition: Edition, name: str) -> Records:
    """The door through which a journey writes records, as histories name it."""
    actor = Actor(name=name, roles=(SOURCE,), administrator=True, source=SOURCE)
    return Records(session, edition, actor)


def part_of(*what: object) -> int:
    """A number from 0 to 9999 that is always the same for the same things, and even over all: who comes into which share."""
    text = "/".join(map(str, what)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") % 10_000
