"""Income: revenue, cost and purchases per customer and day, gathered from all income sources of an edition.

The rollup ``income_day`` is what loyalty, pyramid, RFM and lifetime value count on, alike for receipts, bank margins
and invoices. It follows each write inside its transaction (:mod:`trellis.kpi.following`) and can be made anew
(:func:`rebuild`). Records without a customer, and customers in the bin, are not in it. Amounts keep their currency;
figures sum the workspace's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from trellis.contributions import IncomeSource
from trellis.kpi.days import is_moment, local_day
from trellis.kpi.periods import midnight
from trellis.records.entity import Base
from trellis.records.types import BigId, FixedPoint, UtcDateTime

if TYPE_CHECKING:
    from trellis.edition import Edition, Settings

BEGINNING, END = date(1, 1, 1), date(9999, 12, 31)


class IncomeDay(Base):
    """What one customer brought on one day (of the workspace's time zone), by source and currency.

    ``cost`` is empty where it is not known; ``occasions`` counts purchases, so that a day with returns only has none.
    """

    __tablename__ = "income_day"
    __table_args__ = (
        sa.Index("ix_income_day_customer_id_day", "customer_id", "day"),
        {"sqlite_with_rowid": False},  # kept in the order of the key: a period is one stretch of it
    )

    day: Mapped[date] = mapped_column(sa.Date, primary_key=True)
    customer_id: Mapped[int] = mapped_column(
        BigId, sa.ForeignKey("customer.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    source: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    currency: Mapped[str] = mapped_column(sa.String(3), primary_key=True)
    revenue: Mapped[Decimal] = mapped_column(FixedPoint())
    cost: Mapped[Decimal | None] = mapped_column(FixedPoint())
    occasions: Mapped[int] = mapped_column(sa.Integer)


INCOME_DAY = cast(sa.Table, IncomeDay.__table__)
_income = INCOME_DAY.c


@dataclass(frozen=True, slots=True)
class Touch:
    """A stretch of one customer's days whose income is to be counted anew."""

    customer_id: int
    first: date
    end: date


class IncomeQuery:
    """Given to ``IncomeSource.select``: days, currencies, and the limit to what is counted now."""

    def __init__(self, settings: Settings, touches: Sequence[Touch] = ()) -> None:
        self.settings = settings
        self._touches = touches
        self._zone = ZoneInfo(settings.timezone)

    def day(self, moment: Any) -> sa.ColumnElement[date]:
        """The day of a moment in the workspace's time zone (a column of days is taken as it is)."""
        return local_day(moment, self.settings.timezone)

    def currency(self, column: Any) -> sa.ColumnElement[str]:
        """The currency of a record; the workspace's where it names none."""
        return sa.func.coalesce(column, self.settings.currency)

    def known_sum(self, amount: Any) -> sa.ColumnElement[Decimal]:
        """The sum of ``amount``, or NULL where one of the rows has none: for costs."""
        return sa.case((sa.func.count(amount) == sa.func.count(), sa.func.sum(amount)))

    def purchases(self, amount: Any) -> sa.ColumnElement[int]:
        """How many rows are purchases; those with a negative amount are returns."""
        return sa.func.sum(sa.case((amount < 0, 0), else_=1))

    def touched(self, customer: Any, day: Any) -> sa.ColumnElement[bool]:
        """Limits the select to what is counted now: all customers, or some days of some of them.

        ``day`` is a column of moments or of days. Both columns should be indexed together.
        """
        if not self._touches:
            return customer.is_not(None)  # type: ignore[no-any-return]
        if (
            len(self._touches) == 1
        ):  # the usual single write; as plain parameters its statement is compiled once
            touch = self._touches[0]
            bounds = [_bound(one, self._zone) if is_moment(day) else one for one in (touch.first, touch.end)]
            return sa.and_(customer == touch.customer_id, day >= bounds[0], day < bounds[1])
        table = _touched_table(self._touches, self._zone).c
        start, end = (table.starts_at, table.ends_at) if is_moment(day) else (table.first, table.end)
        return sa.and_(customer == table.customer_id, day >= start, day < end)


def income_sources(edition: Edition) -> list[str]:
    """The names of the sources that count in this edition."""
    return sorted(edition.all(IncomeSource))


def counts(edition: Edition, income: Any = IncomeDay) -> sa.ColumnElement[bool]:
    """The rows of the rollup that figures sum: sources of this edition, amounts in the workspace's currency."""
    return sa.and_(income.source.in_(income_sources(edition)), income.currency == edition.settings.currency)


def rebuild(session: Session, edition: Edition) -> None:
    """Makes the whole rollup anew from the records."""
    _lock(session, "pg_advisory_xact_lock")
    session.execute(sa.delete(INCOME_DAY))
    for source in edition.all(IncomeSource).values():
        session.execute(_insert(edition, source, ()))


def refresh(
    session: Session, edition: Edition, touches: Sequence[Touch], sources: Sequence[IncomeSource]
) -> None:
    """Counts anew what ``touches`` name, in ``sources``. They must not overlap; :func:`merged` sees to that."""
    if not touches:
        return
    _lock(session, "pg_advisory_xact_lock_shared")
    _lock_customers(session, edition, {touch.customer_id for touch in touches})
    for start in range(0, len(touches), 500):
        part = touches[start : start + 500]
        for source in sources:
            session.execute(_delete(source, part), execution_options={"synchronize_session": False})
            session.execute(_insert(edition, source, part))


def merged(touches: set[Touch]) -> list[Touch]:
    """The same days without overlaps, by customer."""
    united: list[Touch] = []
    for touch in sorted(touches, key=lambda one: (one.customer_id, one.first, one.end)):
        before = united[-1] if united else None
        if before is not None and before.customer_id == touch.customer_id and touch.first <= before.end:
            united[-1] = Touch(before.customer_id, before.first, max(before.end, touch.end))
        else:
            united.append(touch)
    return united


def _insert(edition: Edition, source: IncomeSource, touches: Sequence[Touch]) -> sa.Insert:
    statement = source.select(IncomeQuery(edition.settings, touches))
    rows = statement.group_by(*list(statement.selected_columns)[:3]).subquery("rows")
    customer, day, currency, revenue, cost, occasions = rows.c
    customers = edition.entity("customer").entity.__table__.c
    living = sa.select(
        day,
        customer,
        sa.literal(source.name),
        currency,
        sa.func.coalesce(revenue, 0),
        sa.cast(cost, FixedPoint()),  # a plain NULL has no type
        sa.func.coalesce(occasions, 0),
    ).where(customers.id == customer, customers.deleted_at.is_(None))
    if not touches:
        living = living.order_by(day, customer)
    columns = ["day", "customer_id", "source", "currency", "revenue", "cost", "occasions"]
    return sa.insert(INCOME_DAY).from_select(columns, living)


def _delete(source: IncomeSource, touches: Sequence[Touch]) -> sa.Delete:
    if len(touches) == 1:
        stretch = _within(touches[0])
    else:
        customers = sorted({touch.customer_id for touch in touches})
        table = _touched_table(touches, None)
        inside = sa.and_(
            table.c.customer_id == _income.customer_id,
            _income.day >= table.c.first,
            _income.day < table.c.end,
        )
        stretch = sa.and_(
            _income.customer_id.in_(customers), sa.exists(sa.select(1).select_from(table).where(inside))
        )
    return sa.delete(INCOME_DAY).where(_income.source == source.name, stretch)


def _within(touch: Touch) -> sa.ColumnElement[bool]:
    return sa.and_(
        _income.customer_id == touch.customer_id, _income.day >= touch.first, _income.day < touch.end
    )


def _touched_table(touches: Sequence[Touch], zone: ZoneInfo | None) -> sa.CTE:
    """The touches as a table of the statement; with ``zone`` their bounds also as moments."""
    columns: list[sa.ColumnClause[Any]] = [
        sa.column("customer_id", BigId),
        sa.column("first", sa.Date),
        sa.column("end", sa.Date),
    ]
    rows: list[tuple[Any, ...]] = [(touch.customer_id, touch.first, touch.end) for touch in touches]
    if zone is not None:
        columns += [sa.column("starts_at", UtcDateTime()), sa.column("ends_at", UtcDateTime())]
        rows = [(*row, _bound(row[1], zone), _bound(row[2], zone)) for row in rows]
    return sa.values(*columns, name="touched").data(rows).cte("touched")


def _bound(day: date, zone: ZoneInfo) -> datetime:
    if BEGINNING < day < END:
        return midnight(day, zone)
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _lock(session: Session, function: str) -> None:
    """Single updates may run side by side, but none beside a rebuild. SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.text(f"SELECT {function}(hashtext(current_schema()), hashtext('income'))"))


def _lock_customers(session: Session, edition: Edition, ids: set[int]) -> None:
    """Two writes for one customer follow each other, so that the later one counts what the earlier one wrote."""
    if session.get_bind().dialect.name == "postgresql":
        customer = edition.entity("customer").entity.__table__.c
        locked = sa.select(customer.id).where(customer.id.in_(sorted(ids))).order_by(customer.id)
        session.execute(locked.with_for_update(key_share=True))
