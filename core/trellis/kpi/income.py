"""Income: revenue, cost and purchases per customer and day, gathered from all income sources of an edition.

The rollup ``income_day`` is what loyalty, pyramid, RFM and lifetime value count on, alike for receipts, bank margins
and invoices. It follows each write inside its transaction (:mod:`trellis.kpi.following`) and can be made anew
(:func:`rebuild`). Records without a customer, and customers in the bin, are not in it. Amounts in a
currency that has a rate of their day are kept in the workspace's own, the others as they are; figures sum the workspace's own.
Whose the sales are goes with them, so that a figure counts those that its reader may see (:func:`rows_of`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import TypeEngine

from trellis.contributions import IncomeSource, Scope
from trellis.errors import PermissionRefused
from trellis.guard import limited
from trellis.i18n import translator
from trellis.kpi import rates
from trellis.kpi.periods import midnight
from trellis.plugins import CORE
from trellis.records.bulk import notice_growth
from trellis.records.days import is_moment, local_day
from trellis.records.entity import Base
from trellis.records.given import given_rows
from trellis.records.types import BigId, FixedPoint, UtcDateTime
from trellis.security.field_rights import sources_of

if TYPE_CHECKING:
    from trellis.edition import Edition, Settings
    from trellis.security.actor import Actor

_ = translator("trellis")

_DAY = timedelta(days=1)
_MOST = 500
"""Days or customers counted anew by one statement."""


class IncomeDay(Base):
    """What one customer brought on one day (of the workspace's time zone), by source, currency, and whose sales it was.

    ``owner_id`` and ``unit_id`` are those of the sales, 0 where they have none: a part of a key has a value. ``cost`` is empty
    where it is not known; ``occasions`` counts purchases, so that a day with returns only has none.
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
    owner_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    unit_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    revenue: Mapped[Decimal] = mapped_column(FixedPoint())
    cost: Mapped[Decimal | None] = mapped_column(FixedPoint())
    occasions: Mapped[int] = mapped_column(sa.Integer)


INCOME_DAY = cast(sa.Table, IncomeDay.__table__)
_income = INCOME_DAY.c


@dataclass(frozen=True, kw_only=True)
class Touched:
    """What is to be counted anew: single days of customers, or ``customers`` with all their days."""

    days: tuple[tuple[int, date], ...] = ()
    customers: tuple[int, ...] = ()

    @property
    def ids(self) -> list[int]:
        """All customers concerned."""
        return sorted({*self.customers, *(customer for customer, _day in self.days)})


class IncomeQuery:
    """Given to ``IncomeSource.select``: days, currencies, and the limit to what is counted now."""

    def __init__(self, settings: Settings, touched: Touched | None = None) -> None:
        self.settings = settings
        self._touched = touched
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
        touched = self._touched
        if touched is None:
            return customer.is_not(None)  # type: ignore[no-any-return]
        if touched.customers:
            return customer.in_(touched.customers)  # type: ignore[no-any-return]
        if len(touched.days) == 1:  # the usual single write; with plain parameters it is compiled only once
            ((one, its_day),) = touched.days
            start, end = _bounds(its_day, self._zone) if is_moment(day) else (its_day, its_day + _DAY)
            return sa.and_(customer == one, day >= start, day < end)
        table = _touched_table(touched, self._zone).c
        if is_moment(day):
            return sa.and_(customer == table.customer_id, day >= table.starts_at, day < table.ends_at)
        return sa.and_(customer == table.customer_id, day == table.day)


def income_sources(edition: Edition) -> list[str]:
    """The names of the sources that count in this edition."""
    return sorted(edition.all(IncomeSource))


class IncomeWithheld(PermissionRefused):
    """Figures of income, for a reader who may not read a part of what they are made of at all."""

    def __init__(self, edition: Edition) -> None:
        sources = ", ".join(str(one.title) for one in edition.whole.all(IncomeSource).values())
        super().__init__(
            _(
                "These figures are made of what customers brought (%(sources)s), and your role does not open each of these "
                "kinds of records with its amounts. An administrator can change it under Users and roles.",
                sources=sources,
            )
        )


def withholds_income(edition: Edition) -> bool:
    """Whether income is withheld from an edition, because records or a field it is computed from are."""
    return len(edition.all(IncomeSource)) < len(edition.whole.all(IncomeSource))


def require_income(edition: Edition) -> None:
    """Raises IncomeWithheld for an edition from which income is withheld."""
    if withholds_income(edition):
        raise IncomeWithheld(edition)


def rows_of(edition: Edition, actor: Actor, income: Any = _income) -> list[sa.ColumnElement[bool]]:
    """The rows of the rollup that figures of a reader are made of: sales and customers that they may see.

    Raises IncomeWithheld for a reader who may not read what they are made of.
    """
    require_income(actor.sees(edition))
    # Of a unit are its customers, as the KPIs of income are broken down: what was sold to them from elsewhere is with it.
    rows = [_sales(edition, replace(actor, within=()), income)]
    if not actor.sees_all("customer"):
        customer = edition.entity("customer").entity
        known = sa.select(customer.id).where(customer.deleted_at.is_(None), actor.visible(customer))
        rows.append(income.customer_id.in_(known))
    return rows


def _sales(edition: Edition, actor: Actor, income: Any) -> sa.ColumnElement[bool]:
    """Sources of this edition, and of each the sales in the reader's scope."""
    of_scope: dict[Scope, list[str]] = {}
    for name, (sale, entities) in sources_of(edition.whole).items():
        whole = all(actor.sees_all(one) for one in entities)
        if name in edition.all(IncomeSource) and (whole or sale is not None):
            scope = Scope.ALL if sale is None else actor.scope(sale, "read")
            of_scope.setdefault(scope, []).append(name)
    return sa.or_(
        sa.false(),
        *(
            sa.and_(income.source.in_(sorted(names)), actor.held(income.owner_id, income.unit_id, scope))
            for scope, names in sorted(of_scope.items())
        ),
    )


def counts(edition: Edition, income: Any = IncomeDay) -> sa.ColumnElement[bool]:
    """The rows of the rollup that figures sum: sources of this edition, amounts in the workspace's currency."""
    return sa.and_(income.source.in_(income_sources(edition)), income.currency == edition.settings.currency)


def rebuild(session: Session, edition: Edition) -> None:
    """Makes the whole rollup anew from the records."""
    _lock(session, "pg_advisory_xact_lock")
    session.execute(sa.delete(INCOME_DAY))
    sources = list(edition.all(IncomeSource).values())
    for entity in sorted({"customer", *(name for source in sources for name in source.watches)}):
        notice_growth(session, cast(sa.Table, edition.entity(entity).entity.__table__))
    for source in sources:
        session.execute(_insert(edition, source, None))
    notice_growth(session, INCOME_DAY)


def refresh(session: Session, edition: Edition, touched: Touched, sources: Sequence[IncomeSource]) -> None:
    """Counts anew what was touched, in ``sources``."""
    if not touched.ids:
        return
    _lock(session, "pg_advisory_xact_lock_shared")
    _lock_customers(session, edition, touched.ids)
    for part in _parts(touched):
        for source in sources:
            session.execute(_delete(source, part))
            session.execute(_insert(edition, source, part))


def _parts(touched: Touched) -> Iterator[Touched]:
    for start in range(0, len(touched.days), _MOST):
        yield Touched(days=touched.days[start : start + _MOST])
    for start in range(0, len(touched.customers), _MOST):
        yield Touched(customers=touched.customers[start : start + _MOST])


def _insert(edition: Edition, source: IncomeSource, touched: Touched | None) -> sa.Insert:
    query = IncomeQuery(edition.settings, touched)
    statement = source.select(query) if source.owner == CORE else limited(lambda: source.select(query))
    keys, sale = list(statement.selected_columns)[:3], source.entity
    whose = [] if sale is None else [sale.owner_id.label("owner"), sale.unit_id.label("unit")]
    rows = statement.add_columns(*whose).group_by(*keys, *whose).subquery("rows")
    if edition.settings.rated:
        rows = _in_own_currency(edition, rows)
    customer, day, currency, revenue, cost, occasions, *held = rows.c
    nobody = sa.literal(0, BigId)
    owner, unit = (sa.func.coalesce(one, nobody) for one in held) if held else (nobody, nobody)
    customers = edition.entity("customer").entity.__table__.c
    living = sa.select(
        day,
        customer,
        sa.literal(source.name),
        currency,
        owner,
        unit,
        sa.func.coalesce(revenue, 0),
        sa.cast(cost, FixedPoint()),  # a plain NULL has no type
        sa.func.coalesce(occasions, 0),
    ).where(customers.id == customer, customers.deleted_at.is_(None))
    if touched is None:
        living = living.order_by(day, customer)
    return sa.insert(INCOME_DAY).from_select(list(INCOME_DAY.columns), living)


def _in_own_currency(edition: Edition, rows: sa.Subquery) -> sa.Subquery:
    """The rows with the amounts of currencies that have a rate of their day in the workspace's own; the others as they are."""
    customer, day, currency, revenue, cost, occasions, *held = rows.c
    left_out = rates.is_foreign(edition, currency, day)
    amounts = [
        sa.case((left_out, amount), else_=rates.converted(edition, amount, currency, day))
        for amount in (sa.func.coalesce(revenue, 0), sa.type_coerce(cost, FixedPoint()))
    ]
    own = sa.literal(edition.settings.currency)
    each = sa.select(
        customer.label("customer_id"),
        day.label("day"),
        sa.case((left_out, currency), else_=own).label("currency"),
        amounts[0].label("revenue"),
        amounts[1].label("cost"),
        occasions.label("occasions"),
        *held,
    ).subquery("each_currency")
    known = sa.case((sa.func.count(each.c.cost) == sa.func.count(), sa.func.sum(each.c.cost)))
    keys, whose = [each.c.customer_id, each.c.day, each.c.currency], [each.c[one.key] for one in held]
    together = sa.select(*keys, sa.func.sum(each.c.revenue), known, sa.func.sum(each.c.occasions), *whose)
    return together.group_by(*keys, *whose).subquery("together")


def _delete(source: IncomeSource, touched: Touched) -> sa.Delete:
    stretch: sa.ColumnElement[bool]
    if touched.customers:
        stretch = _income.customer_id.in_(touched.customers)
    elif len(touched.days) == 1:
        ((customer, day),) = touched.days
        stretch = sa.and_(_income.customer_id == customer, _income.day == day)
    else:
        table = _touched_table(touched, None).c
        keys = sa.select(table.customer_id, table.day)
        stretch = sa.tuple_(_income.customer_id, _income.day).in_(keys)
    return sa.delete(INCOME_DAY).where(_income.source == source.name, stretch)


def _touched_table(touched: Touched, zone: ZoneInfo | None) -> sa.CTE:
    """The touched days as a table of the statement; with ``zone`` also their bounds as moments."""
    columns: dict[str, TypeEngine[Any]] = {"customer_id": BigId, "day": sa.Date()}
    rows: list[tuple[Any, ...]] = list(touched.days)
    if zone is not None:
        columns |= {"starts_at": UtcDateTime(), "ends_at": UtcDateTime()}
        rows = [(*row, *_bounds(row[1], zone)) for row in rows]
    # By the limit databases know how few these are; else SQLite would scan all purchases for a Bloom filter, and PostgreSQL
    # all customers. As a power of two, so that there are few statements.
    limit = 1 << (len(rows) - 1).bit_length()
    return given_rows(columns, rows).limit(sa.literal_column(str(limit))).cte("touched")


def _bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    return midnight(day, zone), midnight(day + _DAY, zone)


def _lock(session: Session, function: str) -> None:
    """Single updates may run side by side, but none beside a rebuild. SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.text(f"SELECT {function}(hashtext(current_schema()), hashtext('income'))"))


def _lock_customers(session: Session, edition: Edition, ids: Sequence[int]) -> None:
    """Two writes for one customer follow each other, so that the later one counts what the earlier one wrote."""
    if session.get_bind().dialect.name == "postgresql":
        customer = edition.entity("customer").entity.__table__.c
        locked = sa.select(customer.id).where(customer.id.in_(ids)).order_by(customer.id)
        session.execute(locked.with_for_update(key_share=True))
