"""What the select of a KPI is given: the period, the reader's rights, the settings, and the income rollup."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute

from trellis.kpi import rates
from trellis.kpi.arithmetic import average, product, ratio
from trellis.kpi.income import INCOME_DAY, IncomeDay, rows_of
from trellis.kpi.periods import Period, midnight, span
from trellis.records.days import local_day
from trellis.records.entity import Entity
from trellis.records.types import Money

if TYPE_CHECKING:
    from trellis.edition import Edition, Settings
    from trellis.security.actor import Actor

__all__ = ["KpiQuery", "average", "product", "ratio"]


class KpiQuery:
    """Given to ``Kpi.select``.

    The engine may ask for several periods at once and split the result by time; ``period`` is then the whole span. A
    select that is to be split holds only ``during(...)`` of the KPI's ``date``.
    """

    def __init__(
        self, edition: Edition, actor: Actor, periods: Sequence[Period], today: date, date_column: Any = None
    ) -> None:
        self._date_column = date_column
        self.edition = edition
        self.actor = actor
        self.periods = tuple(periods)
        self.today = today
        self.limited = False
        self.currencies: list[Any] = []
        self.segments: set[str] = set()
        """Those that the select asks for by name, through a rule."""
        self._foreign: list[sa.ColumnElement[bool]] = []

    @cached_property
    def _day(self) -> Any:
        """The day of a record, whose rates count for it."""
        if self._date_column is None or not self.settings.rated:
            return None
        return local_day(self._date_column, self.settings.timezone)

    @cached_property
    def period(self) -> Period:
        """The period asked for."""
        return self.periods[0] if len(self.periods) == 1 else span(self.periods)

    @property
    def settings(self) -> Settings:
        """What the organisation decided: currency, time zone ..."""
        return self.edition.settings

    @property
    def currency(self) -> str:
        """The workspace's currency."""
        return self.settings.currency

    @cached_property
    def zone(self) -> ZoneInfo:
        """The workspace's time zone."""
        return ZoneInfo(self.settings.timezone)

    @property
    def end(self) -> datetime:
        """The moment at which the period ends: for states, as in "open at the end of the period"."""
        return midnight(self.period.end, self.zone)

    def during(self, date_column: Any, period: Period | None = None) -> sa.ColumnElement[bool]:
        """The column (moments or days) lies in the period asked for, or in ``period``."""
        start, end = (period or self.period).bounds(date_column, self.zone)
        return sa.and_(date_column >= start, date_column < end)

    def before_end(self, date_column: Any) -> sa.ColumnElement[bool]:
        """The column lies before the end of the period."""
        return date_column < self.period.bounds(date_column, self.zone)[1]  # type: ignore[no-any-return]

    def visible(self, entity: type[Entity]) -> sa.ColumnElement[bool]:
        """Records that are not in the bin and that the reader may see. Each KPI limits itself by this."""
        self.limited = True
        return sa.and_(entity.deleted_at.is_(None), self.actor.visible(entity))

    def money(self, amount: Any, currency: Any = None) -> sa.ColumnElement[Decimal]:
        """``amount`` in the workspace's currency: others at the rate of the day (the KPI's ``date``), NULL where there is none.

        The engine reports how many were left out. The currency stands beside the amount (its field names it), or is given.
        """
        column = currency if currency is not None else _currency_beside(amount)
        self._foreign.append(rates.is_foreign(self.edition, column, self._day))
        self.currencies.append(column)
        return rates.converted(self.edition, amount, column, self._day)

    def total(self, amount: Any, currency: Any = None) -> sa.ColumnElement[Decimal]:
        """The sum of :meth:`money`; 0 where there is nothing to sum."""
        return sa.func.coalesce(sa.func.sum(self.money(amount, currency)), 0)

    def earned(self, income: Any = IncomeDay) -> sa.ColumnElement[bool]:
        """Rows of the income rollup that count: own currency, sales and customers that the reader may see."""
        return sa.and_(self._of_edition(income), income.currency == self.currency)

    def _of_edition(self, income: Any) -> sa.ColumnElement[bool]:
        self.limited = True
        return sa.and_(*rows_of(self.edition, self.actor, income))

    def bought(self, income: Any = IncomeDay) -> sa.ColumnElement[bool]:
        """Rows of the income rollup with a purchase, in any currency; otherwise as :meth:`earned`."""
        return sa.and_(self._of_edition(income), income.occasions > 0)

    def income(self, period: Period | None = None) -> sa.Subquery:
        """The income rollup of the period asked for (or of ``period``), as something to select from."""
        statement = sa.select(INCOME_DAY).where(self.during(IncomeDay.day, period), self.earned())
        return statement.subquery()

    @property
    def foreign(self) -> sa.ColumnElement[int]:
        """How many rows were left out because of their currency."""
        if not self._foreign:
            return sa.literal_column("0", sa.Integer)
        return sa.func.count().filter(sa.or_(*dict.fromkeys(self._foreign)))


def _currency_beside(amount: Any) -> Any:
    if not isinstance(amount, InstrumentedAttribute):
        raise TypeError("q.money needs a column of an entity, or the currency as its second argument")
    field_type = amount.property.columns[0].info["field"]["type"]
    assert isinstance(field_type, Money)
    return getattr(amount.parent.entity, field_type.currency)
