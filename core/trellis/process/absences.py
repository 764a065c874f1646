"""Who stands in for whom: while somebody is away, their tasks are also those of their substitute.

A substitute gets the tasks of a person and of the positions that the person holds, and does them under their own name, with their
own rights. Whoever stands in for a substitute that is away too gets nothing: absences are not followed further.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.edition import Edition
from trellis.errors import RecordInvalid
from trellis.i18n import translator
from trellis.process.tables import Absence
from trellis.records.rules.context import today_in
from trellis.security.people import User

_ = translator("trellis")

_absence = cast(sa.Table, Absence.__table__).c
_NOW = sa.bindparam("today").between(_absence.starts, _absence.ends)
_AWAY = (
    sa.select(_absence.user_id)
    .where(_absence.substitute_id == sa.bindparam("substitute"), _NOW)
    .order_by(_absence.user_id)
)
_SUBSTITUTES = (
    sa.select(_absence.substitute_id)
    .where(_absence.user_id.in_(sa.bindparam("people", expanding=True)), _NOW)
    .order_by(_absence.user_id)
)


def away(session: Session, edition: Edition, substitute: int) -> Sequence[int]:
    """The people whom somebody stands in for today."""
    return session.scalars(_AWAY, {"substitute": substitute, "today": today_in(edition)}).all()


def substitutes(session: Session, edition: Edition, people: Collection[int]) -> Sequence[int]:
    """Those who stand in for some people today."""
    return session.scalars(_SUBSTITUTES, {"people": list(people), "today": today_in(edition)}).all()


def of(session: Session, user: int) -> Absence | None:
    """The absence of somebody, past, present or planned."""
    return session.get(Absence, user)


def keep(
    session: Session,
    edition: Edition,
    user: int,
    starts: date | None,
    ends: date | None,
    substitute: int | None,
) -> None:
    """Plans the absence of somebody, instead of the one before. Raises RecordInvalid that names what is wrong."""
    errors = {
        name: [_("This field needs a value")]
        for name, value in (("starts", starts), ("ends", ends), ("substitute", substitute))
        if value is None
    }
    if starts is not None and ends is not None and ends < max(starts, today_in(edition)):
        errors["ends"] = [_("The last day is over before the absence begins, or in the past")]
    known = sa.select(User.id).where(User.id == substitute, User.active, User.deleted_at.is_(None))
    if substitute is not None and (substitute == user or session.scalar(known) is None):
        errors["substitute"] = [_("Choose somebody else who works here")]
    if errors:
        raise RecordInvalid(errors)
    clear(session, user)
    values = {"user_id": user, "starts": starts, "ends": ends, "substitute_id": substitute}
    session.execute(sa.insert(Absence).values(**values))


def clear(session: Session, user: int) -> None:
    """Somebody is there."""
    session.execute(sa.delete(Absence).where(Absence.user_id == user))
