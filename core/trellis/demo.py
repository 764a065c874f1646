"""What a demo of an edition is given to write its records with."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from itertools import islice
from typing import Any, cast

import sqlalchemy as sa

from trellis.i18n import Text, use_locale
from trellis.kpi.periods import parse
from trellis.kpi.targets import set_target
from trellis.records.door import Records, Write

SIZES: Mapping[str, int] = {"small": 300, "medium": 3_000, "large": 30_000}
"""Customers in a demo workspace of each size."""


@dataclass(frozen=True, kw_only=True)
class DemoContext:
    """Given to ``Demo.load``: the door, a seeded random source (the same data each time), the size, and today.

    ``customers`` is how many customers to make; all other numbers follow from it. ``users`` are the ids of the demo
    users by role: administrator, manager, agent; ``language`` is that of names and texts.
    """

    records: Records
    random: random.Random
    today: date
    customers: int
    users: Mapping[str, int]
    language: str = "en"
    ids: dict[str, list[int]] = field(default_factory=dict)

    def create(self, entity: str, rows: Iterable[Mapping[str, Any]]) -> list[int]:
        """Writes many records through the door and returns their ids; ``ids[entity]`` gathers them."""
        made: list[int] = []
        remaining = iter(rows)
        while part := [Write(values=row) for row in islice(remaining, 500)]:
            made += self.records.save(entity, part)
        self.ids.setdefault(entity, []).extend(made)
        return made

    def moment(self, day: date, hour: int | None = None) -> datetime:
        """A moment on ``day`` in shop hours, as UTC."""
        at = time(hour if hour is not None else self.random.randint(8, 18), self.random.randint(0, 59))
        return datetime.combine(day, at, UTC)

    def text(self, label: Text) -> str:
        """``label`` in the language of the demo: for names that are stored."""
        with use_locale(self.language):
            return str(label)

    def backdate(self, entity: str, field: str, moments: Mapping[int, datetime]) -> None:
        """Moves what Trellis keeps itself (``created_at``, ``stage_since``) into the past, by id of the record.

        The door knows only now, and a demo needs a history.
        """
        table = cast(sa.Table, self.records.edition.entity(entity).entity.__table__)
        rows = [{"record_id": record_id, "moment": moment} for record_id, moment in moments.items()]
        if rows:
            update = sa.update(table).where(table.c.id == sa.bindparam("record_id"))
            self.records.session.execute(
                update.values({field: sa.bindparam("moment", type_=table.c[field].type)}), rows
            )

    def plan(self, kpi: str, period: str, value: Decimal | int) -> None:
        """Sets the target of a KPI of this edition in a period (``2026-11``, ``2026``)."""
        set_target(self.records.session, self.records.edition, kpi, parse(period), Decimal(value))
