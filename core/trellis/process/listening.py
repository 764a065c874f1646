"""What happens to records starts instances, and ends waits: noted with the write, done by a job of its own.

A write that nobody listens to costs a look into a set. One that somebody does puts one job into the queue, in the same
transaction; the job and all that it starts are committed together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.contributions import Process
from trellis.edition import Edition
from trellis.errors import RecordNotFound, TrellisError
from trellis.guard import has_abandoned
from trellis.jobs.queue import enqueue
from trellis.process import events, versions
from trellis.process.diagram import Diagram
from trellis.process.doing import SOURCE
from trellis.process.elements import AWAITED, MATCH
from trellis.process.engine import Engine
from trellis.process.events import EVENT_JOB
from trellis.process.expressions import compile_expression
from trellis.process.runs import starting
from trellis.process.tables import OPEN, ProcessInstance, ProcessStep
from trellis.process.variables import InstanceFacts
from trellis.records.door import Records
from trellis.records.events import Change, Saved
from trellis.records.expressions import ExpressionFailed
from trellis.security.actor import SYSTEM
from trellis.segments.tables import SEGMENT_EVENT

MOST_AT_ONCE = 500
"""Records of a segment whose processes one job starts, and waits that one job ends."""


@dataclass
class Listeners:
    """Who listens to an entity: processes to be started, by event; and the fields that waits match by, by event."""

    starts: list[tuple[str, str]] = field(default_factory=list)
    waits: dict[str, set[tuple[str, ...]]] = field(default_factory=dict)

    @property
    def events(self) -> set[str]:
        """All that is listened to."""
        return {event for event, _process in self.starts} | self.waits.keys()


def note(event: Saved) -> None:
    """Keeps what processes listen to, with the write itself."""
    known = _listeners(event.session, event.edition).get(event.entity)
    if known is None:
        return
    occasions = [events.parse(event.edition, text) for text in known.events]
    heard = [change for change in event.changes if any(one.met_by(change) for one in occasions)]
    if not heard:
        return
    told = [
        {"id": change.id, "action": change.action, "changes": _wanted(change, occasions)} for change in heard
    ]
    by = (
        event.actor.roles[0].removeprefix(f"{SOURCE}:")
        if event.actor.source == SOURCE and event.actor.roles
        else ""
    )
    arguments = {"entity": event.entity, "changes": told, "by": by}
    enqueue(event.session, EVENT_JOB, arguments, None)


def is_heard(session: Session, edition: Edition, entity: str) -> bool:
    """Whether processes listen to records of an entity."""
    return entity in _listeners(session, edition)


def note_entries(session: Session, edition: Edition, at: datetime) -> None:
    """Keeps who entered and left segments that processes listen to, when they were brought up to date at a moment.

    Whoever is in a segment when it is counted for the first time has not entered it.
    """
    event = SEGMENT_EVENT.c
    for name, side in _segments(edition):
        before = sa.select(event.id).where(event.segment == name, event.at < at).limit(1)
        if session.scalar(before) is None:
            continue
        moved = sa.select(event.record_id).where(event.segment == name, event.at == at, event.change == side)
        _enqueue(session, name, side, session.scalars(moved.order_by(event.record_id)).all())


def note_moved(session: Session, edition: Edition, moves: Sequence[tuple[int, tuple[str, int]]]) -> None:
    """Keeps who entered (1) or left (-1) a segment that processes listen to, with the write that moved them."""
    for name, side in _segments(edition) if moves else ():
        records = [record for way, (segment, record) in moves if (segment, way) == (name, side)]
        _enqueue(session, name, side, records)


def _enqueue(session: Session, segment: str, side: int, ids: Sequence[int]) -> None:
    for first in range(0, len(ids), MOST_AT_ONCE):
        part = [int(one) for one in ids[first : first + MOST_AT_ONCE]]
        enqueue(session, EVENT_JOB, {"segment": segment, "side": side, "ids": part}, None)


def _segments(edition: Edition) -> dict[tuple[str, int], list[str]]:
    """The processes that start when a record enters (1) or leaves (-1) a segment."""
    found: dict[tuple[str, int], list[str]] = {}
    for process in starting(edition):
        for text in process.starts:
            if (moved := events.of_segment(text)) is not None:
                found.setdefault(moved, []).append(process.name)
    return found


def _wanted(change: Change, occasions: list[events.Occasion]) -> dict[str, Any]:
    """Only the fields whose values are listened to: a job is no second audit trail."""
    names = {one.field for one in occasions if one.field} & change.changes.keys()
    return {name: [None, change.changes[name][1]] for name in names}


def hear(session: Session, edition: Edition, job: int, arguments: Mapping[str, Any]) -> Records:
    """Starts and wakes what listens to the events of a job; the door that it wrote by."""
    door = Records(session, edition, SYSTEM)
    if "segment" in arguments:
        moved = arguments["segment"], arguments.get("side", 1)
        for process in _segments(edition).get(moved, ()):
            for record in arguments["ids"]:
                _start(door, process, record, f"event:{job}:{record}:{process}")
        return door
    if "told" in arguments:
        _hear_told(door, job, arguments)
        return door
    entity = arguments["entity"]
    known = _listeners(session, edition).get(entity)
    for place, told in enumerate(arguments["changes"] if known else ()):
        change = Change(
            told["id"], told["action"], {name: tuple(pair) for name, pair in told["changes"].items()}
        )
        for text, process in known.starts if known else ():
            if process != arguments.get("by") and events.parse(edition, text).met_by(change):
                _start(door, process, change.id, f"event:{job}:{place}:{process}")
        for text, shapes in known.waits.items() if known else ():
            if events.parse(edition, text).met_by(change):
                _wake(door, entity, text, shapes, change.id)
    return door


def _hear_told(door: Records, job: int, arguments: Mapping[str, Any]) -> None:
    """Starts and wakes what a message or a signal of a process is for, some at a time."""
    entity, record_id = arguments["record"]
    after = arguments.get("after", 0)
    for process in door.edition.all(Process).values() if not after else ():
        start = versions.present(door.edition, process).start
        fits = process.entity in (None, entity) and process.name != arguments["by"]
        if fits and start.event in AWAITED and events.told(start) == arguments["told"]:
            _start(door, process.name, record_id, f"event:{job}:{process.name}")
    found = sa.select(ProcessStep.id, ProcessStep.instance_id, ProcessStep.token).where(
        ProcessStep.awaits == arguments["awaits"],
        ProcessStep.left_at.is_(None),
        ProcessStep.id > after,
        ProcessStep.id <= arguments["until"],
    )
    rows = door.session.execute(found.order_by(ProcessStep.id).limit(MOST_AT_ONCE)).all()
    _wake_all(door, [(instance, token) for _step, instance, token in rows])
    if len(rows) == MOST_AT_ONCE:
        enqueue(door.session, EVENT_JOB, {**arguments, "after": rows[-1].id}, None)


def _start(door: Records, name: str, record_id: int | None, key: str) -> None:
    """Starts a process, where the condition of its start event is true."""
    process = door.edition.all(Process)[name]
    when = versions.present(door.edition, process).start.properties.get("when", "")
    about = record_id if process.entity is not None else None
    try:
        if when:
            record = (process.entity, record_id) if process.entity and record_id is not None else None
            facts = InstanceFacts(door.session, door.edition, {}, record, None)
            if not compile_expression(when.removeprefix("="))(facts):
                return
        with door.whole():
            Engine(door).start(name, about, key=key)
    except (RecordNotFound, ExpressionFailed):
        return  # the record is gone by now, or its fields are not what the condition compares


def _wake(door: Records, entity: str, event: str, shapes: set[tuple[str, ...]], record_id: int) -> None:
    """Ends the waits that a record answers."""
    try:
        values = {**door.get(entity, record_id).values, "id": record_id}
    except RecordNotFound:
        values = {"id": record_id}
    keys = list(events.keys_of(event, shapes, values))
    found = sa.select(ProcessStep.instance_id, ProcessStep.token).where(
        ProcessStep.awaits.in_(keys), ProcessStep.left_at.is_(None)
    )
    _wake_all(door, [(instance, token) for instance, token in door.session.execute(found)])


def _wake_all(door: Records, waits: Sequence[tuple[int, str]]) -> None:
    for instance, token in waits:
        try:
            with door.whole():
                Engine(door).catch(instance, token)
        except TrellisError as error:
            if has_abandoned(error):
                raise
            continue  # another instance must not wait for this one's fault


def _listeners(session: Session, edition: Edition) -> Mapping[str, Listeners]:
    """Who listens to what, with instances that run on older diagrams."""
    found: Mapping[str, Listeners] = edition.cached("process listeners", lambda: _gathered(session, edition))
    return found


def _gathered(session: Session, edition: Edition) -> dict[str, Listeners]:
    found: dict[str, Listeners] = {}
    for process in starting(edition):
        diagram = versions.present(edition, process)
        start = diagram.start.detail if diagram.start.event == "message" else ""
        for text in (*process.starts, *([start] if start else [])):
            if events.of_segment(text) is None and not text.startswith(events.MESSAGE):
                entity = events.parse(edition, text).entity
                found.setdefault(entity, Listeners()).starts.append((text, process.name))
    for diagram in _running(session, edition):
        for text, names in _waits(diagram):
            try:
                entity = events.parse(edition, text).entity
            except ValueError:  # of a plugin that is not enabled now
                continue
            found.setdefault(entity, Listeners()).waits.setdefault(text, set()).add(names)
    return found


def _running(session: Session, edition: Edition) -> Iterator[Diagram]:
    for process in edition.all(Process).values():
        yield versions.present(edition, process)
    used = sa.select(ProcessInstance.version_id).where(ProcessInstance.state.in_(OPEN)).distinct()
    for version in session.scalars(used).all():
        yield versions.of_version(session, edition, version)


def _waits(diagram: Diagram) -> Iterator[tuple[str, tuple[str, ...]]]:
    for element in diagram.elements.values():
        if element.event == "message" and element.kind != "startEvent" and not events.told(element):
            names = sorted(name.removeprefix(MATCH) for name in element.properties if name.startswith(MATCH))
            yield element.detail, tuple(names) or ("id",)
