"""A workspace with purchases to measure, written through the door."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from trellis.contributions import Contribution
from trellis.edition import Edition
from trellis.kpi import engine
from trellis.kpi.income import INCOME_DAY, rebuild, rows_of
from trellis.kpi.periods import parse
from trellis.kpi.results import KpiResult
from trellis.records.door import Records
from trellis.security.actor import SYSTEM, Actor
from trellis.workspace import Workspace

LATER = date(2030, 1, 1)
"""A day after all periods of the tests, so that none of them still runs."""


@dataclass
class Book:
    """The door of a workspace, with short words for what tests of measures need."""

    session: Session
    edition: Edition
    actor: Actor = SYSTEM

    @property
    def records(self) -> Records:
        return Records(self.session, self.edition, self.actor)

    def customer(self, name: str = "Anna", **values: Any) -> int:
        return self.records.create("customer", {"name": name, **values}).id

    def person(self, name: str) -> int:
        return self.records.create("user", {"name": name, "email": f"{name.lower()}@acme.test"}).id

    def customers(self, number: int) -> list[int]:
        return [self.customer(f"Customer {index}") for index in range(number)]

    def order(self, customer: int | None, day: str, amount: Any = "10", **values: Any) -> int:
        moment = datetime.fromisoformat(day)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        given = {"number": "R-1", "customer": customer, "ordered_at": moment, "amount": amount, **values}
        return self.records.create("order", given).id

    def kpi(self, name: str, period: str, by: str | None = None, today: date = LATER) -> KpiResult:
        return engine.value(self.session, self.edition, self.actor, name, parse(period), by, today)

    def value(self, name: str, period: str) -> Any:
        return self.kpi(name, period).value

    def breakdown(self, name: str, period: str, by: str) -> dict[str, Any]:
        return {share.title: share.value for share in self.kpi(name, period, by).breakdown}

    def rollup(self) -> list[tuple[Any, ...]]:
        """The rows of the income rollup; whose the sales are stands at the end."""
        whose = INCOME_DAY.c.owner_id, INCOME_DAY.c.unit_id
        columns = [*(one for one in INCOME_DAY.c if one not in set(whose)), *whose]
        query = sa.select(*columns).order_by(*INCOME_DAY.primary_key)
        return [tuple(row) for row in self.session.execute(query)]

    def income(self) -> Decimal:
        """What the rollup comes to for this reader, in euros."""
        rows = rows_of(self.edition, self.actor)
        query = sa.select(sa.func.coalesce(sa.func.sum(INCOME_DAY.c.revenue), 0))
        return Decimal(self.session.scalar(query.where(*rows, INCOME_DAY.c.currency == "EUR")) or 0)

    def rebuilt(self) -> list[tuple[Any, ...]]:
        rebuild(self.session, self.edition)
        return self.rollup()

    def seen_by(self, actor: Actor) -> Book:
        """The same book in other eyes; owners of records written so are the actor's."""
        return replace(self, actor=actor)

    def assuming(self, analytics: str, **values: Any) -> Book:
        """The same book of an organisation that decided so."""
        decided = {**self.edition.settings.analytics, analytics: values}
        settings = replace(self.edition.settings, analytics=decided)
        return replace(self, edition=replace(self.edition, settings=settings, _cache={}))

    def with_own(self, *contributions: Contribution) -> Book:
        """The same book in an edition that has these contributions too."""
        added = {kind: dict(named) for kind, named in self.edition.contributions.items()}
        for one in contributions:
            added[type(one)][one.name] = one
        return replace(self, edition=replace(self.edition, contributions=added, _cache={}))


@contextmanager
def counted(book: Book) -> Iterator[list[str]]:
    """The statements run in the block."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    engine_ = book.session.get_bind().engine
    sa.event.listen(engine_, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        sa.event.remove(engine_, "before_cursor_execute", note)


@pytest.fixture
def book(workspace: Workspace) -> Iterator[Book]:
    """A book of the workspace ``acme``, in one writing transaction."""
    with workspace.write() as session:
        yield Book(session, workspace.edition(session))
