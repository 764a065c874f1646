"""Escalating cases when their time has come: each is waited for by a job, and takes each step once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from trellis.contributions import NotificationKind
from trellis.crm.service.calendars import SlaEscalation
from trellis.crm.service.cases import Case, CaseEscalation
from trellis.crm.service.escalation import upcoming
from trellis.crm.service.levels import Levels, Step
from trellis.crm.service.options import (
    NOTIFY_HEAD,
    NOTIFY_OWNER,
    PAUSED,
    PRIORITIES,
    RAISE,
    REASSIGN,
    RUNNING,
)
from trellis.errors import RecordNotFound
from trellis.i18n import translator
from trellis.jobs import Work, enqueue
from trellis.notifications.notify import notify
from trellis.records.door import BatchInvalid, Records, Write
from trellis.records.events import Saved
from trellis.records.query import Record
from trellis.security.actor import Actor
from trellis.security.people import Position, Unit, User

_ = translator("trellis")

KIND, ANEW = "case_escalation", "case_escalation_anew"
ESCALATION = "escalation"
NOTIFICATION = NotificationKind(
    name=ESCALATION,
    title=_("A case escalates"),
    text=_("“%(title)s” escalates: %(step)s %(due)s"),
    icon="siren",
    mail=True,
)
AT_ONCE = 500
"""Cases that are reckoned anew in one transaction."""


def follow(event: Saved) -> None:
    """Puts the next escalation of cases that were written into the queue."""
    for change in event.changes:
        written = change.changes.get("escalates_at", (None, None))[1]
        if written is not None:
            at = datetime.fromisoformat(written)
            enqueue(event.session, KIND, {"case": change.id, "at": at.isoformat()}, None, at)


def follow_steps(event: Saved) -> None:
    """Has open cases reckoned anew when the steps of their service level were written."""
    policies = sa.select(SlaEscalation.policy_id).where(SlaEscalation.id.in_(event.ids)).distinct()
    for policy in event.session.scalars(policies).all():
        enqueue(event.session, ANEW, {"policy": policy}, None)


def work(work: Work) -> None:
    """Takes the steps of a case that are due; of no effect when it has been put off, solved or taken away meanwhile."""
    number, at = int(work.arguments["case"]), datetime.fromisoformat(work.arguments["at"])
    with work.workspace.write() as session:
        door = Records(session, work.workspace.edition(session), _actor())
        for step in _due(door, number, at):
            _take(door, door.get("case", number), step)
        work.finish(session, {})
    door.committed()
    work.workspace.record_faults(door.faults)


def work_anew(work: Work) -> None:
    """Reckons the open cases of a service level anew, as if each had been saved."""
    policy, last = int(work.arguments["policy"]), 0
    while True:
        with work.workspace.write() as session:
            door = Records(session, work.workspace.edition(session), _actor())
            ids = session.scalars(_open(policy, last).limit(AT_ONCE)).all()
            _reckon(door, ids, policy)
        door.committed()
        work.workspace.record_faults(door.faults)
        if len(ids) < AT_ONCE:
            return
        last = ids[-1]


def _open(policy: int, last: int) -> sa.Select[int]:
    """The open cases of a service level behind one, in order."""
    of_level = (Case.policy_id == policy, Case.state.in_((*RUNNING, *PAUSED)), Case.deleted_at.is_(None))
    return sa.select(Case.id).where(*of_level, Case.id > last).order_by(Case.id)


def _reckon(door: Records, ids: Sequence[int], policy: int) -> None:
    """Saves cases as they are; one that is not whole any more waits until somebody completes it."""
    writes = [Write(id=one, values={"policy": policy}) for one in ids]
    try:
        door.save("case", writes)
    except BatchInvalid as error:
        door.save("case", [one for place, one in enumerate(writes) if place not in error.failures])


def _actor() -> Actor:
    """Who escalates, as histories name it."""
    return Actor(name=str(_("Escalation")), administrator=True)


def _due(door: Records, number: int, at: datetime) -> list[Step]:
    """The steps whose moment has come with ``at``."""
    try:
        case = door.get("case", number).values
    except RecordNotFound:
        return []
    if case["escalates_at"] != at:
        return []
    level = Levels.of(door.session).named(case["policy"])
    return [step for moment, step in upcoming(door.session, number, case, level) if moment <= at]


def _take(door: Records, case: Record, step: Step) -> None:
    session = door.session
    taken = {"case_id": case.id, "step_id": step.id, "at": datetime.now(UTC)}
    session.execute(sa.insert(CaseEscalation).values(**taken))
    values = _values(session, case.values, step)
    written = door.update("case", case.id, values, kept={"escalation": step.name})
    due = written.values[f"{step.clock}_due"]
    told: dict[str, Any] = {"step": step.name, "due": _("(due %(moment)s)", moment=due) if due else ""}
    people = list(_people(session, written.values, step))
    notify(session, door.edition, ESCALATION, people, about=("case", case.id), told=told)


def _values(session: Session, case: Mapping[str, Any], step: Step) -> dict[str, Any]:
    """What a step changes of a case."""
    if step.act == REASSIGN:
        holder = _holder(session, step.position)
        return {"owner": holder} if holder is not None else {}
    if step.act == RAISE:
        order = [one.value for one in PRIORITIES]
        return {"priority": order[max(order.index(case["priority"]) - 1, 0)]}
    return {}


def _people(session: Session, case: Mapping[str, Any], step: Step) -> Iterator[int]:
    """Whom a step is told: a new owner, too."""
    owner = case["owner"]
    if step.act in (NOTIFY_OWNER, REASSIGN, RAISE) and owner is not None:
        yield owner
    if step.act == NOTIFY_HEAD:
        head = head_of(session, _unit(session, case), owner)
        if head is not None:
            yield head


def _holder(session: Session, position: int | None) -> int | None:
    """Who holds a position and works here."""
    query = sa.select(User.id).join(Position, Position.holder_id == User.id)
    working = (User.active, User.deleted_at.is_(None), Position.deleted_at.is_(None))
    return session.scalar(query.where(Position.id == position, *working))


def _unit(session: Session, case: Mapping[str, Any]) -> int | None:
    """The unit of a case, or that of its owner."""
    if case["unit"] is not None or case["owner"] is None:
        return case["unit"]  # type: ignore[no-any-return]
    return session.scalar(sa.select(User.unit_id).where(User.id == case["owner"]))


def head_of(session: Session, unit: int | None, other_than: int | None) -> int | None:
    """Who leads a unit: holds its position that reports to none inside it; of the unit above where that is nobody else."""
    above = aliased(Position)
    seen: set[int] = set()
    while unit is not None and unit not in seen:
        seen.add(unit)
        query = (
            sa.select(Position.holder_id)
            .join(User, User.id == Position.holder_id)
            .outerjoin(above, above.id == Position.reports_to_id)
            .where(
                Position.unit_id == unit,
                Position.deleted_at.is_(None),
                User.active,
                User.deleted_at.is_(None),
                sa.or_(above.unit_id.is_(None), above.unit_id != unit),
            )
        )
        heads = session.scalars(query.order_by(Position.id)).all()
        found = next((one for one in heads if one != other_than), None)
        if found is not None:
            return found
        unit = session.scalar(sa.select(Unit.parent_id).where(Unit.id == unit))
    return None
