"""Keeping what is computed for all customers together up to date: tier, RFM scores, segments.

Nothing is computed after each write. Whoever shows such figures calls :func:`freshen`: it computes them anew when
records, plugins or the day have changed since, but spends on it no more than a small part of the time.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from trellis.contributions import IncomeSource
from trellis.crm.analytics.figures import refresh_customer_value
from trellis.crm.customers import standing
from trellis.edition import Edition
from trellis.errors import SumTooLarge
from trellis.jobs import Work
from trellis.kpi import income, rates
from trellis.kpi.periods import today_in
from trellis.process import listening
from trellis.records.entity import Base
from trellis.records.events import ENTERED, LEFT
from trellis.records.types import UtcDateTime
from trellis.security.actor import SYSTEM
from trellis.segments import engine as segments
from trellis.segments import telling
from trellis.system import Event, PluginState
from trellis.workspace import Workspace

log = logging.getLogger(__name__)

CUSTOMER_VALUE = "customer_value"
KIND = "daily_figures"
_PATIENCE = 20
"""Figures may be as old as this many times what it takes to compute them."""


class Measured(Base):
    """When derived figures were last computed: for which day, after which event, in which edition, how long it took."""

    __tablename__ = "measured"

    name: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    day: Mapped[date] = mapped_column(sa.Date)
    event_id: Mapped[int] = mapped_column(sa.BigInteger)
    sources: Mapped[str] = mapped_column(sa.Text)
    revision: Mapped[int] = mapped_column(sa.Integer)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    seconds: Mapped[float] = mapped_column(sa.Float)


@dataclass(frozen=True)
class Freshness:
    """How old the figures are. ``at`` is None when they were never computed."""

    at: datetime | None
    stale: bool
    seconds: float = 0.0

    def is_due(self, now: datetime | None = None) -> bool:
        """Stale, and older than it is worth waiting."""
        age = ((now or datetime.now(UTC)) - self.at).total_seconds() if self.at else None
        return self.stale and (age is None or age >= self.seconds * _PATIENCE)


def freshness(session: Session, edition: Edition) -> Freshness:
    """Whether tier, scores and segments still say what the records do."""
    known = session.get(Measured, CUSTOMER_VALUE)
    if known is None:
        return Freshness(None, True)
    today = today_in(ZoneInfo(edition.settings.timezone))
    now = (today, _last_event(session), edition.revision)
    return Freshness(known.at, now != (known.day, known.event_id, known.revision), known.seconds)


def income_is_behind(session: Session, edition: Edition) -> bool:
    """Whether the rollup was made of other sources, rates or time zone than there are now; each write it follows itself."""
    known = session.get(Measured, CUSTOMER_VALUE)
    return known.sources != _sources(session, edition) if known else bool(edition.settings.rated)


def refresh(
    session: Session, edition: Edition, as_of: date | None = None, at: datetime | None = None
) -> segments.Refreshed:
    """Computes tier, scores, stages and segments anew, whatever their age; the rollup too when its sources have changed.

    ``at`` is when customers move and records enter and leave segments; now, but for a history that is made up.
    """
    segments.lock(session)
    began, at = time.perf_counter(), at or datetime.now(UTC)
    event = _last_event(session)
    as_of = as_of or today_in(ZoneInfo(edition.settings.timezone))
    sources = _sources(session, edition)
    known = session.get(Measured, CUSTOMER_VALUE)
    if known is None or known.sources != sources:
        income.rebuild(session, edition)
    refresh_customer_value(session, edition, as_of)
    standing.refresh(session, edition, as_of, at)
    done = segments.refresh(session, edition, today=as_of, now=at)
    if not _written_after(session, event, at):
        event = _last_event(
            session
        )  # what came after are customers and members of segments, who moved just now
    listening.note_entries(session, edition, at)
    telling.tell_entries(session, edition, at)
    measured = Measured(
        name=CUSTOMER_VALUE,
        day=as_of,
        event_id=event,
        sources=sources,
        revision=edition.revision,
        at=at,
        seconds=time.perf_counter() - began,
    )
    session.merge(measured)
    session.flush()
    return done


def freshen(workspace: Workspace) -> bool:
    """Refreshes what is due, in a transaction of its own; returns whether it did. Cheap when nothing is.

    Where others keep the database busy, or a figure is too large to be kept, the figures stay as old as they are: whoever
    only reads is not refused for that.
    """
    with workspace.read() as session:
        edition = workspace.edition(session)
        due = freshness(session, edition).is_due()
    if not due:
        return False
    try:
        with workspace.write() as session:
            edition = workspace.edition(session)
            done = refresh(session, edition)
    except (sa.exc.OperationalError, SumTooLarge) as error:
        why = error if isinstance(error, SumTooLarge) else "the database is busy"
        log.info("the figures of %s could not be refreshed: %s", workspace.name, why)
        return False
    workspace.record_faults(done.faults)
    return True


def work(work: Work) -> None:
    """The daily job: counts what is not up to date."""
    with work.workspace.write() as session:
        edition = work.workspace.edition(session)
        faults = refresh(session, edition).faults if freshness(session, edition).stale else []
        work.finish(session, {})
    work.workspace.record_faults(faults)


def _sources(session: Session, edition: Edition) -> str:
    """What the rollup was made of: the time zone, the rates of currencies, and each source with the moment its plugin was enabled."""
    owners = {source.owner for source in edition.all(IncomeSource).values()}
    query = sa.select(PluginState.name, PluginState.changed_at).where(PluginState.name.in_(owners))
    enabled = {row[0]: row[1].isoformat() for row in session.execute(query)}
    sources = sorted(f"{one.name}@{enabled.get(one.owner, '')}" for one in edition.all(IncomeSource).values())
    written = rates.fingerprint(
        session
    )  # also of rates that are gone: income of a day may still be at theirs
    rated = [f"{edition.settings.currency} {written}"] if written else []
    return " ".join([edition.settings.timezone, *rated, *sources])


def _written_after(session: Session, event_id: int, at: datetime) -> bool:
    """Whether something was written that is not of the refresh of this moment."""
    moved = sa.and_(Event.entity == "customer", Event.source == SYSTEM.source, Event.at == at)
    later = sa.exists().where(Event.id > event_id, Event.action.not_in((ENTERED, LEFT)), sa.not_(moved))
    return bool(session.scalar(sa.select(later)))


def _last_event(session: Session) -> int:
    return session.scalar(sa.select(sa.func.coalesce(sa.func.max(Event.id), 0))) or 0
