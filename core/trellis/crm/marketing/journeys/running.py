"""What people do with a journey: make one's own, publish, pause, go on, stop, bring customers in, take them out (MC5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.contributions import Journey as Brought
from trellis.crm.marketing import contacting
from trellis.crm.marketing.journeys import mailing
from trellis.crm.marketing.journeys.entering import enter
from trellis.crm.marketing.journeys.entities import PAUSED, RUNNING, STOPPED, Journey
from trellis.crm.marketing.journeys.kept import course_of
from trellis.crm.marketing.journeys.tables import ACTIVE, ENDED, MEMBERS, PASSAGES, VERSIONS
from trellis.crm.marketing.journeys.waking import wake_next
from trellis.errors import Conflict, PermissionRefused, RecordInvalid, RecordNotFound
from trellis.i18n import translator
from trellis.jobs import Work, enqueue
from trellis.journeys.brought import plan_of
from trellis.journeys.checking import faults
from trellis.journeys.plan import EMPTY, shaped
from trellis.letters.templates import templates_for
from trellis.records.bulk import among
from trellis.records.door import Records
from trellis.records.events import BeforeSave, Saved
from trellis.records.joins import Joins
from trellis.records.query import ListQuery, Record
from trellis.segments import engine as segments
from trellis.workspace_state import raise_revision

_ = translator("trellis")

ENTRY = "journey_entry"
AT_ONCE = 1_000
STOPPED_REASON, TAKEN_OUT = "journey_stopped", "taken_out"

_member, _version, _journey = MEMBERS.c, VERSIONS.c, Journey.__table__.c


def adopt(records: Records, brought: Brought) -> Record:
    """Makes a journey that the edition brings the organisation's own, as a draft."""
    values = {"name": str(brought.title), "about": str(brought.description or "") or None}
    return records.create("journey", {**values, "plan": plan_of(brought)}, kept={"brought_as": brought.name})


def complete(event: BeforeSave) -> None:
    """A plan has one shape, whoever wrote it. Raises RecordInvalid."""
    if event.action == "created" and event.values.get("plan") is None:
        event.values["plan"] = {**EMPTY, **contacting.usual(event.edition)}
    elif event.values.get("plan") is not None:
        event.values["plan"] = shaped(event.values["plan"])
    elif "plan" in event.values:
        raise RecordInvalid({"plan": [_("This field needs a value")]})


def follow(event: Saved) -> None:
    """What journeys listen to is another thing when one goes to the bin; who waits there goes on when it comes back."""
    moved = [change for change in event.changes if change.action in ("deleted", "restored")]
    if moved:
        raise_revision(event.session.connection())
    for change in moved:
        if change.action == "restored":
            wake_next(event.session, change.id, datetime.now(UTC))


def problems(records: Records, plan: Mapping[str, Any]) -> dict[str, list[Any]]:
    """All that keeps a plan from running, by name; templates are those that the reader may use."""
    return faults(records.edition, plan, {one.name for one in templates_for(records, "customer")})


def publish(records: Records, journey: int) -> Record:
    """Starts a journey by its draft, or has customers who come in now begin with it. Raises RecordInvalid."""
    record = mine(records, journey)
    wrong = problems(records, record.values["plan"])
    if wrong:
        raise RecordInvalid(wrong)
    number = _keep_version(records, journey, record.values["plan"])
    records.session.execute(
        sa.update(Journey.__table__).where(_journey.id == journey).values(published_id=number)  # type: ignore[arg-type]
    )
    state = PAUSED if record.values["state"] == PAUSED else RUNNING
    return _to(records, record, state)


def pause(records: Records, journey: int) -> Record:
    """Lets everybody stand where they are, and nobody in. Raises Conflict for one that does not run."""
    record = mine(records, journey)
    _require_state(record, RUNNING)
    return _to(records, record, PAUSED)


def resume(records: Records, journey: int) -> Record:
    """Lets a paused journey go on. Raises Conflict."""
    record = mine(records, journey)
    _require_state(record, PAUSED)
    found = _to(records, record, RUNNING)
    wake_next(records.session, journey, datetime.now(UTC))
    mailing.start(records.session, journey)
    return found


def stop(records: Records, journey: int) -> Record:
    """Ends a journey for all who are on it. It can be started again, for others. Raises Conflict."""
    record = mine(records, journey)
    _require_state(record, RUNNING, PAUSED)
    found = _to(records, record, STOPPED)
    _end(records.session, STOPPED_REASON, _member.journey_id == journey)
    mailing.start(records.session, journey)
    return found


def take_out(records: Records, journey: int, customer: int) -> None:
    """Ends the journey of one customer. Raises RecordNotFound when they are not on it."""
    mine(records, journey)
    records.get("customer", customer)
    if not _end(records.session, TAKEN_OUT, _member.journey_id == journey, _member.customer_id == customer):
        raise RecordNotFound()


def bring_in(records: Records, journey: int, segment: str = "", customers: Sequence[int] = ()) -> int:
    """Has those of a segment, or these, come in, as far as the actor sees them; the number of the job.

    Raises Conflict for a journey that does not run.
    """
    record = mine(records, journey)
    _require_state(record, RUNNING)
    records.actor.require("customer", "read")
    if segment and segments.find(records.actor.sees(records.edition), segment).entity != "customer":
        raise RecordInvalid({"segment": [_("Choose a segment of customers")]})
    if not segment and not customers:
        raise RecordInvalid({"segment": [_("Choose a segment of customers")]})
    arguments = {"journey": journey, "segment": segment, "customers": list(customers)}
    return enqueue(records.session, ENTRY, arguments, records.actor.user_id)


def work_entry(work: Work) -> None:
    """The job of :func:`bring_in`, some at a time; done again, it finds those who are in already."""
    journey, entered = int(work.arguments["journey"]), 0
    last: int | None = 0
    while last is not None:
        with work.workspace.write() as session:
            edition = work.workspace.edition(session)
            records = Records(session, edition, work.actor)
            course = course_of(session, edition, journey, held=True)
            if course is None or course.state != RUNNING:
                raise Conflict(_("This journey does not run any more"))
            ids = _next_of(records, work.arguments, last)
            entered += enter(session, edition, course, ids, datetime.now(UTC))
            last = ids[-1] if len(ids) == AT_ONCE else None
            if last is None:
                work.finish(session, {"entered": entered})
        if last is not None:
            work.tell(entered, entered)


def _next_of(records: Records, chosen: Mapping[str, Any], after: int) -> Sequence[int]:
    """The next customers that were chosen and that the actor sees, by id."""
    view = records.edition.entity("customer")
    ids = list(chosen["customers"]) if not chosen["segment"] else None
    query = ListQuery(view, records.edition, records.actor, ids=ids)
    found = query.selecting(_ids)
    column = found.selected_columns[0]
    if chosen["segment"]:
        inside = segments.members(records.actor.sees(records.edition), records.actor, chosen["segment"])
        found = found.where(column.in_(inside))
    return records.session.scalars(found.where(column > after).order_by(column).limit(AT_ONCE)).all()


def _ids(joins: Joins) -> list[sa.ColumnElement[Any]]:
    column: Any = joins.root.id
    return [column]


def mine(records: Records, journey: int) -> Record:
    """A journey that the actor may change. Raises RecordNotFound, PermissionRefused."""
    record = records.get("journey", journey)
    if not records.actor.reaches("journey", "update", {**record.values, "id": record.id}):
        raise PermissionRefused()
    return record


def _require_state(record: Record, *states: str) -> None:
    if record.values["state"] not in states:
        raise Conflict(_("The journey is not in a state for this; look at it again"))


def _to(records: Records, record: Record, state: str) -> Record:
    """Brings a journey into a state, by the door; whoever listens for it does so anew."""
    kept: dict[str, Any] = {"state": state}
    if record.values["state"] not in (RUNNING, PAUSED) and state == RUNNING:
        kept["started_at"] = datetime.now(UTC)
    raise_revision(records.session.connection())
    return records.update("journey", record.id, {}, kept=kept)


def _keep_version(records: Records, journey: int, plan: Mapping[str, Any]) -> int:
    """The version with this plan: the last one, or a new one."""
    session = records.session
    held = sa.select(_journey.id).where(_journey.id == journey).with_for_update()
    session.execute(held)
    last = session.execute(
        sa.select(_version.id, _version.number, _version.plan)
        .where(_version.journey_id == journey)
        .order_by(_version.number.desc())
        .limit(1)
    ).first()
    if last is not None and last.plan == plan:
        return int(last.id)
    values = {
        "journey_id": journey,
        "number": (last.number if last else 0) + 1,
        "plan": dict(plan),
        "created_at": datetime.now(UTC),
        "created_by_id": records.actor.user_id,
    }
    return int(session.scalar(sa.insert(VERSIONS).values(**values).returning(_version.id)) or 0)


def _end(session: Session, reason: str, *which: sa.ColumnElement[bool]) -> int:
    """Ends the journey of all who are on it, and what their steps wait for; how many they were."""
    now, number = datetime.now(UTC), 0
    going = sa.select(_member.id).where(*which, _member.state == ACTIVE).order_by(_member.id)
    while ids := session.scalars(going.limit(AT_ONCE).with_for_update()).all():
        at_step = sa.select(
            _member.id,
            _member.version_id,
            _member.step,
            _member.since,
            sa.literal(now, _member.since.type),
            sa.literal(ENDED),
            sa.literal(reason),
        ).where(among(session, _member.id, ids), _member.step != "")
        columns = ["member_id", "version_id", "step", "entered_at", "left_at", "outcome", "reason"]
        session.execute(sa.insert(PASSAGES).from_select(columns, at_step))
        over = {"state": ENDED, "step": "", "due_at": None, "ended_at": now}
        session.execute(sa.update(MEMBERS).where(among(session, _member.id, ids)).values(**over))
        number += len(ids)
    return number
