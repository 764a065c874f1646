"""Which opportunities the figures of a funnel count, and what closed ones come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.contributions import Lifecycle, Stage
from trellis.crm.sales.entities import Opportunity
from trellis.edition import Edition
from trellis.errors import PermissionRefused, TrellisError
from trellis.i18n import translator
from trellis.kpi import rates
from trellis.kpi.arithmetic import days_between
from trellis.kpi.periods import Grain, Period, containing, midnight
from trellis.records.days import local_day
from trellis.security.actor import Actor

_ = translator("trellis")

MONTHS = 12
READ = (
    "stage",
    "stage_since",
    "funnel",
    "outcome",
    "begun_on",
    "closed_at",
    "amount",
    "currency",
    "probability",
    "lost_reason",
    "channel",
)
"""The fields that the figures are made of: who may not read one of them reads none of the figures."""


class FunnelUnknown(TrellisError):
    """There is no funnel of this name."""

    code = "funnel_unknown"


def funnels(edition: Edition) -> Mapping[str, Lifecycle]:
    """The funnels of opportunities by name."""
    return {one.name: one for one in edition.entity("opportunity").lifecycles}


def funnel_named(session: Session, edition: Edition, actor: Actor, name: str | None) -> Lifecycle:
    """The funnel of that name, by default the one that has most of what the actor sees. Raises FunnelUnknown."""
    known = funnels(edition)
    if name is not None and name not in known:
        told = {"name": name[:80], "known": ", ".join(known)}
        raise FunnelUnknown(_("There is no funnel “%(name)s”; there are: %(known)s", **told))
    if name is not None:
        return known[name]
    return _usual(session, actor, list(known.values()))


def _usual(session: Session, actor: Actor, known: Sequence[Lifecycle]) -> Lifecycle:
    if len(known) == 1:
        return known[0]
    query = sa.select(Opportunity.funnel, sa.func.count()).group_by(Opportunity.funnel)
    seen = query.where(Opportunity.deleted_at.is_(None), actor.visible(Opportunity))
    numbers = {name: number for name, number in session.execute(seen)}
    return max(known, key=lambda one: numbers.get(one.when[1], 0) if one.when else 0)


def last_months(today: date, fiscal_month: int, months: int = MONTHS) -> Period:
    """So many whole months, the running one being the last."""
    ending = containing(today, Grain.MONTH, fiscal_month)
    return Period(Grain.RANGE, ending.shifted(1 - months).first, ending.end, fiscal_month)


@dataclass(frozen=True, kw_only=True)
class Scope:
    """The opportunities of a funnel that ``actor`` may see, and the days that are looked at."""

    session: Session
    edition: Edition
    actor: Actor
    lifecycle: Lifecycle
    period: Period
    today: date

    def require(self) -> None:
        """Raises PermissionRefused unless the actor reads all that the figures are made of."""
        self.actor.require("opportunity", "read")
        known = self.actor.sees(self.edition).entity("opportunity").fields
        if any(name not in known for name in READ):
            raise PermissionRefused(_("These figures are made of fields that your role does not open"))

    @property
    def whole(self) -> bool:
        """Whether no opportunity is out of sight."""
        return self.actor.sees_all("opportunity")

    @cached_property
    def mine(self) -> sa.ColumnElement[bool]:
        """The opportunities that are counted."""
        conditions = [Opportunity.deleted_at.is_(None), self.actor.visible(Opportunity)]
        if self.lifecycle.when is not None:
            conditions.append(Opportunity.funnel == self.lifecycle.when[1])
        return sa.and_(*conditions)

    @property
    def stages(self) -> list[Stage]:
        """The open stages in their order."""
        return [one for one in self.lifecycle.stages if one.kind == "open"]

    @property
    def zone(self) -> str:
        """The time zone of the workspace."""
        return self.edition.settings.timezone

    def moments(self) -> tuple[datetime, datetime]:
        """When the period begins and ends."""
        zone = ZoneInfo(self.zone)
        return midnight(self.period.first, zone), midnight(self.period.end, zone)

    def during(self, moment: Any) -> sa.ColumnElement[bool]:
        """The column of moments lies in the period."""
        start, end = self.moments()
        return sa.and_(moment >= start, moment < end)

    def closed(self) -> sa.ColumnElement[bool]:
        """Opportunities that were won or lost in the period."""
        return sa.and_(
            self.mine, Opportunity.outcome.in_(("won", "lost")), self.during(Opportunity.closed_at)
        )

    def open_at_end(self) -> sa.ColumnElement[bool]:
        """Those that had begun and were not closed when the period ended, or are open now while it runs."""
        _start, end = self.moments()
        begun = sa.func.coalesce(Opportunity.begun_on, local_day(Opportunity.created_at, self.zone))
        closed_later = sa.and_(Opportunity.outcome != "open", Opportunity.closed_at >= end)
        return sa.and_(
            self.mine, begun < self.period.end, sa.or_(Opportunity.outcome == "open", closed_later)
        )

    def amount(self, day: Any) -> sa.ColumnElement[Decimal]:
        """The amount in the workspace's currency at the rate of a day; NULL where there is none."""
        rated = day if self.edition.settings.rated else None
        return rates.converted(self.edition, Opportunity.amount, Opportunity.currency, rated)

    @property
    def closing_day(self) -> sa.ColumnElement[date]:
        """The day on which an opportunity was closed."""
        return local_day(Opportunity.closed_at, self.zone)

    @property
    def cycle(self) -> sa.ColumnElement[float]:
        """The days from the beginning of an opportunity to its end; NULL for one that ended before."""
        days = days_between(Opportunity.begun_on, self.closing_day)
        return sa.case((days >= 0, days))


@dataclass(frozen=True, kw_only=True)
class Closed:
    """What was closed: ``priced`` are the won ones whose amount counts, ``cycle`` the mean days of the won ones."""

    won: int = 0
    lost: int = 0
    amount: Decimal = Decimal(0)
    priced: int = 0
    cycle: float | None = None
    left_out: int = 0
    """Won ones whose currency has no rate for the day."""

    @property
    def win_rate(self) -> float | None:
        """Won by closed ones."""
        closed = self.won + self.lost
        return self.won / closed if closed else None

    @property
    def average(self) -> Decimal | None:
        """The mean amount of a won one."""
        return self.amount / self.priced if self.priced else None

    def velocity(self, open_now: int) -> Decimal | None:
        """What the funnel brings a day: open ones times win rate times mean amount by the days of the cycle."""
        if self.win_rate is None or self.average is None or not self.cycle:
            return None
        return open_now * Decimal(str(self.win_rate)) * self.average / Decimal(str(self.cycle))


def closed_columns(scope: Scope) -> list[Any]:
    """The columns of :func:`closed_of`: aggregates over opportunities that were closed."""
    won, amount = Opportunity.outcome == "won", scope.amount(scope.closing_day)
    return [
        sa.func.count().filter(won),
        sa.func.count().filter(Opportunity.outcome == "lost"),
        sa.func.sum(sa.case((won, amount))),
        sa.func.count(sa.case((won, amount))),
        sa.func.avg(sa.case((won, scope.cycle))),
        sa.func.count(sa.case((sa.and_(won, amount.is_(None)), Opportunity.amount))),
    ]


def closed_of(row: Any) -> Closed:
    """What a row of :func:`closed_columns` says."""
    won, lost, amount, priced, cycle, left_out = row
    return Closed(
        won=won,
        lost=lost,
        amount=amount or Decimal(0),
        priced=priced,
        cycle=None if cycle is None else float(cycle),
        left_out=left_out,
    )
