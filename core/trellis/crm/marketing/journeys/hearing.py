"""What happens to records brings customers in and is the goal of others: noted with the write, done by a job (MC5).

A write that no journey listens to costs a look into a dictionary. The events are those of processes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.crm.marketing.journeys.entering import enter
from trellis.crm.marketing.journeys.entities import RUNNING, Journey
from trellis.crm.marketing.journeys.kept import course_of, version_of
from trellis.crm.marketing.journeys.reaching import fits, reach, versions_under_way
from trellis.edition import Edition
from trellis.jobs import Work
from trellis.jobs.queue import enqueue
from trellis.journeys.checking import customer_field
from trellis.process import events
from trellis.records.bulk import among
from trellis.records.events import Saved, SegmentEntered

KIND = "journey_event"
RULE = "customer"
"""Among what is heard: customers were written, which may make the rule of a goal true."""
AT_ONCE = 1_000

_journey = Journey.__table__.c


@dataclass
class Heard:
    """What journeys listen to: the journeys that an event brings customers into, and the versions whose goal it is."""

    entries: dict[str, list[int]] = field(default_factory=dict)
    goals: dict[str, list[int]] = field(default_factory=dict)
    rules: list[int] = field(default_factory=list)

    @property
    def texts(self) -> set[str]:
        """All that is listened to."""
        return self.entries.keys() | self.goals.keys()


def heard(session: Session, edition: Edition) -> Heard:
    """What journeys listen to; read once for an edition, which is another one when a journey starts or ends."""
    found: Heard = edition.cached("journey events", lambda: _gathered(session, edition))
    return found


def _gathered(session: Session, edition: Edition) -> Heard:
    found = Heard()
    running = sa.select(_journey.id, _journey.published_id).where(
        _journey.state == RUNNING, _journey.deleted_at.is_(None)
    )
    for journey, number in session.execute(running.order_by(_journey.id)):
        entry = version_of(session, edition, number).plan["entry"]
        if entry:
            found.entries.setdefault(entry, []).append(journey)
    for version in versions_under_way(session, edition):
        goal = version.plan["goal"]
        if not isinstance(goal, str):
            found.rules.append(version.id)
        elif goal:
            found.goals.setdefault(goal, []).append(version.id)
    return found


def note(event: Saved) -> None:
    """Keeps what journeys listen to, with the write itself."""
    known = heard(event.session, event.edition)
    for text, occasion in _occasions(event.edition, known).get(event.entity, ()):
        _enqueue(event.session, text, [change.id for change in event.changes if occasion.met_by(change)])
    if known.rules and event.entity == "customer":
        _enqueue(event.session, RULE, event.ids)


def note_entered(event: SegmentEntered) -> None:
    """Keeps who entered a segment that journeys listen to."""
    text = f"{events.SEGMENT}{event.segment}"
    if text in heard(event.session, event.edition).texts:
        _enqueue(event.session, text, event.ids)


def _occasions(edition: Edition, known: Heard) -> Mapping[str, list[tuple[str, events.Occasion]]]:
    """The events of records that are listened to, by entity. Those of a plugin that is not enabled now happen to nobody."""

    def make() -> dict[str, list[tuple[str, events.Occasion]]]:
        found: dict[str, list[tuple[str, events.Occasion]]] = {}
        for text in sorted(known.texts):
            if text.startswith(events.SEGMENT):
                continue
            try:
                occasion = events.parse(edition, text)
            except ValueError:
                continue
            found.setdefault(occasion.entity, []).append((text, occasion))
        return found

    return edition.cached("journey occasions", make)  # type: ignore[no-any-return]


def _enqueue(session: Session, text: str, ids: Sequence[int]) -> None:
    at = datetime.now(UTC).isoformat()
    for first in range(0, len(ids), AT_ONCE):
        part = [int(one) for one in ids[first : first + AT_ONCE]]
        enqueue(session, KIND, {"event": text, "ids": part, "at": at}, None)


def work(work: Work) -> None:
    """The job: who came in by an event, and who has reached a goal by it."""
    text, at = str(work.arguments["event"]), datetime.fromisoformat(work.arguments["at"])
    with work.workspace.write() as session:
        edition = work.workspace.edition(session)
        customers = list(_customers(session, edition, text, work.arguments["ids"]))
        known = heard(session, edition)
        for number in known.rules if text == RULE else ():
            version = version_of(session, edition, number)
            reach(session, version, fits(session, edition, version.plan["goal"], customers), at)
        for number in known.goals.get(text, ()):
            reach(session, version_of(session, edition, number), customers, at)
        for journey in known.entries.get(text, ()):
            course = course_of(session, edition, journey, held=True)
            if course is not None and course.state == RUNNING:
                enter(session, edition, course, customers, datetime.now(UTC))
        work.finish(session, {})


def _customers(session: Session, edition: Edition, text: str, ids: Sequence[int]) -> Iterator[int]:
    """The customers whom an event is about."""
    if text == RULE or text.startswith(events.SEGMENT):
        yield from ids
        return
    try:
        view = edition.entity(events.parse(edition, text).entity)
    except ValueError:
        return
    if customer_field(edition, view.name) == "id":
        yield from ids
        return
    leads = view.references["customer"].of(view.entity)
    found = sa.select(leads).where(among(session, view.entity.id, list(ids)), leads.is_not(None))
    yield from session.scalars(found.distinct())
