"""For whom the steps of an approval are: those of a route, or of people who are chosen when a document is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.contributions import Role
from trellis.crm.customers.circulation.entities import APPROVE, ROUTE, SIGN, ApprovalStep
from trellis.crm.customers.circulation.files import PERSON
from trellis.edition import Edition
from trellis.errors import Message, RecordInvalid
from trellis.i18n import translator
from trellis.process.assignment import POSITION, ROLE
from trellis.records.door import Records
from trellis.records.events import BeforeSave
from trellis.security.people import Position, User

_ = translator("trellis")

MOST = 50
"""Steps of one approval."""


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A step that is to come."""

    turn: int
    name: str
    action: str
    assigned: str
    days: int | None = None


def of_route(records: Records, route: int) -> list[Planned]:
    """The steps of a route in their order. Raises RecordNotFound, RecordInvalid for one without steps, or with nobody behind one."""
    found = records.get(ROUTE, route)
    columns = ApprovalStep.deleted_at.is_(None), ApprovalStep.route_id == found.id
    query = sa.select(ApprovalStep).where(*columns).order_by(ApprovalStep.turn, ApprovalStep.id)
    steps = [_of_row(one) for one in records.session.scalars(query.limit(MOST))]
    if not steps:
        raise RecordInvalid({"route": [_("This route has no steps yet")]})
    _require_people(records, steps, "route")
    return steps


def of_people(records: Records, people: Sequence[int], action: str, days: int | None) -> list[Planned]:
    """Steps for chosen people, one after the other. Raises RecordInvalid."""
    if not people or len(people) > MOST:
        raise RecordInvalid({"people": [_("Choose a route, or at least one person")]})
    if action not in (APPROVE, SIGN):
        raise RecordInvalid({"action": [_("Choose one of: %(known)s", known=f"{APPROVE}, {SIGN}")]})
    steps = [
        Planned(turn=turn, name="", action=action, assigned=f"{PERSON}{one}", days=days)
        for turn, one in enumerate(dict.fromkeys(people), start=1)
    ]
    _require_people(records, steps, "people")
    return steps


def check_step(event: BeforeSave) -> None:
    """A step is for a person, a position or a role, and for one of them only. Raises RecordInvalid."""
    if event.action not in ("created", "updated"):
        return
    step = {**event.before, **event.values}
    given = [name for name in ("person", "position", "role") if step.get(name)]
    if len(given) != 1:
        raise RecordInvalid({"person": [_("Name a person, a position or a role, and one of them only")]})
    if step.get("role") and step["role"] not in event.edition.all(Role):
        known = ", ".join(event.edition.all(Role))
        raise RecordInvalid({"role": [_("There is no such role; there are: %(known)s", known=known)]})


def words(session: Session, edition: Edition, assigned: Sequence[str]) -> Mapping[str, str]:
    """What those are called whom steps are for."""
    people = _numbers(assigned, PERSON)
    positions = _numbers(assigned, POSITION)
    named = {f"{PERSON}{id}": name for id, name in _names(session, User, people).items()}
    named |= {f"{POSITION}{id}": name for id, name in _names(session, Position, positions).items()}
    for one in assigned:
        role = edition.all(Role).get(one.removeprefix(ROLE)) if one.startswith(ROLE) else None
        named.setdefault(one, str(role.title) if role is not None else one.partition(":")[2])
    return named


def problem_of(session: Session, edition: Edition, assigned: str) -> Message | None:
    """Why a step can reach nobody; None when it can."""
    kind, _colon, value = assigned.partition(":")
    if assigned.startswith(ROLE):
        known = value in edition.all(Role)
        return None if known else _("There is no role “%(role)s”", role=value)
    if kind == "position" and holder(session, int(value)) is None:
        return _("Nobody holds the position “%(name)s”", name=words(session, edition, [assigned])[assigned])
    active = User.id == int(value), User.active, User.deleted_at.is_(None)
    if kind == "person" and session.scalar(sa.select(User.id).where(*active)) is None:
        return _("Choose somebody who works here")
    return None


def holder(session: Session, position: int) -> int | None:
    """Who holds a position now."""
    query = (
        sa.select(User.id)
        .join(Position, Position.holder_id == User.id)
        .where(Position.id == position, Position.deleted_at.is_(None), User.active, User.deleted_at.is_(None))
    )
    return session.scalar(query)


def _of_row(row: ApprovalStep) -> Planned:
    assigned = (
        f"{PERSON}{row.person_id}"
        if row.person_id
        else f"{POSITION}{row.position_id}"
        if row.position_id
        else f"{ROLE}{row.role}"
    )
    return Planned(turn=row.turn, name=row.name, action=row.action, assigned=assigned, days=row.days)


def _require_people(records: Records, steps: Sequence[Planned], field: str) -> None:
    found = (problem_of(records.session, records.edition, one.assigned) for one in steps)
    problems = [one for one in found if one is not None]
    if problems:
        raise RecordInvalid({field: problems})


def _numbers(assigned: Sequence[str], kind: str) -> list[int]:
    return [int(one.removeprefix(kind)) for one in assigned if one.startswith(kind)]


def _names(session: Session, entity: type[User | Position], ids: Sequence[int]) -> dict[int, str]:
    rows = session.execute(sa.select(entity.id, entity.name).where(entity.id.in_(ids)))
    return {row.id: row.name for row in rows}
