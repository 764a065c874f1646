"""What each kind of step does for those who stand at it (MC5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.crm.customers.inviting import language_of
from trellis.crm.marketing import contacting
from trellis.crm.marketing.journeys.kept import part_of
from trellis.crm.marketing.journeys.riders import Batch, Rider
from trellis.crm.marketing.journeys.tables import FAILED, HELD, LEFT
from trellis.errors import RuleInvalid, TrellisError
from trellis.guard import has_abandoned
from trellis.journeys.program import Node
from trellis.journeys.times import days_on, waited_until
from trellis.letters.templates import all_contributed, templates_for
from trellis.process.assignment import OWNER, PERSON, ROLE
from trellis.process.engine import Engine
from trellis.process.runs import process_of
from trellis.records.door import BatchInvalid, Write
from trellis.security.people import User

NOBODY = "nobody"


def act(batch: Batch, node: Node, riders: Sequence[Rider]) -> None:
    """Does a step for all riders who stand at it."""
    _ACTS[node.step["kind"]](batch, node, riders)


def _message(batch: Batch, node: Node, riders: Sequence[Rider]) -> None:
    plan, customers = batch.version.plan, [rider.customer for rider in riders]
    decided = contacting.decide(batch.session, batch.edition, plan, customers, batch.now, held=True)
    template = _by_language(batch, node.step)
    for rider in riders:
        found = decided[rider.customer]
        if found.at is not None:
            batch.stay(rider, found.at)
        elif found.why:
            batch.passed(rider, node, HELD, found.why)
        else:
            batch.send(rider, node, template(found.customer.language))
            batch.passed(rider, node)


def _by_language(batch: Batch, step: Mapping[str, Any]) -> Callable[[str | None], str]:
    """The template for somebody who speaks a language, as it is noted."""
    first, other = step["template"], step["other"]
    if not other:
        return lambda _spoken: first
    templates = [*all_contributed(batch.edition), *templates_for(batch.door, "customer")]
    language = next((one.language for one in templates if one.name == other), "")
    return lambda spoken: other if language_of(spoken, batch.edition) == language else first


def _wait(batch: Batch, node: Node, riders: Sequence[Rider]) -> None:
    until = waited_until(node.step, batch.now, batch.zone)
    for rider in riders:
        if rider.waited or until <= batch.now:
            batch.passed(rider, node)
        else:
            batch.stay(rider, until)


def _split(batch: Batch, node: Node, riders: Sequence[Rider]) -> None:
    left = {rider.customer: rider for rider in riders}
    try:
        for way, branch in enumerate(node.step["branches"]):
            for customer in batch.fitting(branch["rule"], left):
                batch.passed(left.pop(customer), node, reason=str(way), to=node.ways[way])
    except RuleInvalid as error:  # a field of a plugin that is not enabled now
        for rider in left.values():
            batch.passed(rider, node, FAILED, str(error), to=node.ways[-1])
        return
    for rider in left.values():
        batch.passed(rider, node, reason=str(len(node.ways) - 1), to=node.ways[-1])


def _random(batch: Batch, node: Node, riders: Sequence[Rider]) -> None:
    shares = [branch["share"] * 100 for branch in node.step["branches"]]
    for rider in riders:
        part = part_of(batch.course.id, node.key, rider.customer, rider.round)
        way = next(place for place in range(len(shares)) if part < sum(shares[: place + 1]))
        batch.passed(rider, node, reason=str(way), to=node.ways[way])


def _task(batch: Batch, node: Node, riders: Sequence[Rider]) -> None:
    step, plan = node.step, batch.version.plan
    known = contacting.people(batch.session, [rider.customer for rider in riders])
    doers = _doers(batch.session, step["to"])
    writes: list[tuple[Rider, Write]] = []
    for rider in riders:
        who = known[rider.customer]
        to = doers[rider.customer % len(doers)] if doers else None
        to = (who.owner_id or batch.course.owner) if step["to"] == OWNER else to
        why = contacting.reason(plan, who.consent_phone, "phone") if step["act"] == "call" else ""
        if why or to is None:
            batch.passed(rider, node, HELD if why else FAILED, why or NOBODY)
            continue
        values = {"kind": step["act"], "subject": step["subject"], "body": step["text"] or None}
        due = days_on(batch.now, step["days"], batch.zone)
        writes.append(
            (rider, Write(values={**values, "customer": rider.customer, "owner": to, "due_at": due}))
        )
    _save(batch, node, "activity", writes)


def _doers(session: Session, to: str) -> list[int]:
    """The ids of a person, or of the people of a role."""
    working = sa.select(User.id, User.email, User.roles).where(User.active, User.deleted_at.is_(None))
    people = session.execute(working.order_by(User.id)).all()
    if to.startswith(ROLE):
        return [one.id for one in people if to.removeprefix(ROLE) in one.roles]
    return [one.id for one in people if one.email == to.removeprefix(PERSON).strip().lower()]


def _change(batch: Batch, node: Node, riders: Sequence[Rider]) -> None:
    value = node.step["value"] if node.step["value"] != "" else None
    field = node.step["field"]
    _save(
        batch,
        node,
        "customer",
        [(rider, Write(id=rider.customer, values={field: value})) for rider in riders],
    )


def _save(batch: Batch, node: Node, entity: str, writes: Sequence[tuple[Rider, Write]]) -> None:
    """Writes records by the door; what is refused is told of whom it concerns, and all others are written."""
    if not writes:
        return
    refused: Mapping[int, str] = {}
    try:
        with batch.door.whole():
            batch.door.save(entity, [write for _rider, write in writes])
    except BatchInvalid as error:
        refused = {place: _told(one) for place, one in error.failures.items()}
    except TrellisError as error:
        if has_abandoned(error):
            raise
        refused = dict.fromkeys(range(len(writes)), str(error))
    for place, text in refused.items():
        batch.passed(writes[place][0], node, FAILED, text)
    rest = [one for place, one in enumerate(writes) if place not in refused]
    if refused:
        _save(batch, node, entity, rest)
        return
    for rider, _write in rest:
        batch.passed(rider, node)


def _told(error: TrellisError) -> str:
    errors = getattr(error, "errors", {})
    return " ".join(f"{name}: {' '.join(map(str, found))}" for name, found in errors.items()) or str(error)


def _process(batch: Batch, node: Node, riders: Sequence[Rider]) -> None:
    """Starts a process for each; one that was started for them already is not started again."""
    name = node.step["process"]
    for rider in riders:
        try:
            about = rider.customer if process_of(batch.edition, name).entity else None
            with batch.door.whole():
                Engine(batch.door).start(name, about, key=f"journey:{rider.id}:{node.key}")
        except TrellisError as error:
            if has_abandoned(error):
                raise
            batch.passed(rider, node, FAILED, _told(error))
        else:
            batch.passed(rider, node)


def _leave(batch: Batch, _node: Node, riders: Sequence[Rider]) -> None:
    for rider in riders:
        batch.end(rider, LEFT, at_step=True)


_ACTS: Mapping[str, Callable[[Batch, Node, Sequence[Rider]], None]] = {
    "message": _message,
    "wait": _wait,
    "split": _split,
    "random": _random,
    "task": _task,
    "change": _change,
    "process": _process,
    "leave": _leave,
}
