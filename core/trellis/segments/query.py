"""What the select of a segment is given: today, the organisation's settings, and the income rollup."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from trellis.kpi.income import INCOME_DAY, IncomeDay, counts
from trellis.kpi.periods import midnight, months_later
from trellis.records.entity import Entity

if TYPE_CHECKING:
    from trellis.edition import Edition, Settings


def one_of(ids: Any, among: sa.BindParameter[Any]) -> sa.ColumnElement[bool]:
    """A column of ids has one of the values of a parameter, or its only one."""
    return ids.in_(among) if among.expanding else ids == among  # type: ignore[no-any-return]


class SegmentQuery:
    """Given to ``Segment.select``, which returns a select of record ids."""

    def __init__(self, edition: Edition, today: date, among: sa.BindParameter[Any] | None = None) -> None:
        self.edition = edition
        self.today = today
        self._among = among

    def among(self, ids: Any) -> sa.ColumnElement[bool]:
        """Limits a column of ids of the segment's records to those that are asked about: all, or a few after a write.

        It belongs into the innermost select, on an indexed column, so that a few are found without reading all.
        """
        return sa.true() if self._among is None else one_of(ids, self._among)

    @property
    def settings(self) -> Settings:
        """What the organisation decided: currency, time zone ..."""
        return self.edition.settings

    def day(self, *, days: int = 0, months: int = 0) -> date:
        """Today moved by days and months: ``q.day(days=-30)``."""
        return months_later(self.today, months) + timedelta(days=days)

    def moment(self, *, days: int = 0, months: int = 0) -> datetime:
        """The moment at which :meth:`day` begins in the workspace's time zone."""
        return midnight(self.day(days=days, months=months), ZoneInfo(self.settings.timezone))

    def alive(self, entity: type[Entity]) -> sa.ColumnElement[bool]:
        """Records that are not in the bin."""
        return entity.deleted_at.is_(None)

    def income(self, since: date | None = None) -> sa.Subquery:
        """The income rollup since a day (or ever), as something to select from: customer_id, day, revenue, cost ..."""
        statement = sa.select(INCOME_DAY).where(counts(self.edition))
        return (statement.where(IncomeDay.day >= since) if since else statement).subquery()
