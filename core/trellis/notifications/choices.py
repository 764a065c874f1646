"""How people want to be told: for each kind in the app, by mail, both, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.contributions import NotificationKind
from trellis.edition import Edition
from trellis.errors import RecordInvalid
from trellis.i18n import translator
from trellis.notifications.tables import NotificationChoice

_ = translator("trellis")


@dataclass(frozen=True)
class Chosen:
    """A kind, and how somebody wants to be told of it."""

    kind: NotificationKind
    in_app: bool
    mail: bool


def chosen_by(session: Session, edition: Edition, user_id: int) -> list[Chosen]:
    """All kinds of the edition, as somebody chose or as they come."""
    query = sa.select(NotificationChoice).where(NotificationChoice.user_id == user_id)
    known = {one.kind: one for one in session.scalars(query)}
    return [_chosen(kind, known.get(name)) for name, kind in edition.all(NotificationKind).items()]


def chosen_for(session: Session, kind: NotificationKind, user_id: int) -> Chosen:
    """How somebody wants to be told of one kind."""
    return _chosen(kind, session.get(NotificationChoice, (user_id, kind.name)))


def choose(session: Session, edition: Edition, user_id: int, given: Mapping[str, Mapping[str, Any]]) -> None:
    """Keeps what somebody chose, as kind -> ``in_app``, ``mail``; what is not named stays. Raises RecordInvalid."""
    present = {one.kind.name: one for one in chosen_by(session, edition, user_id)}
    errors: dict[str, list[Any]] = {
        name: [_("There is no such kind of notification")] for name in given.keys() - present.keys()
    }
    for name, ways in given.items():
        unknown = ways.keys() - {"in_app", "mail"}
        if unknown or not all(isinstance(one, bool) for one in ways.values()):
            errors[name] = [_("Say for “in_app” and “mail” whether it is true or false")]
    if errors:
        raise RecordInvalid(errors)
    for name, ways in given.items():
        before = present[name]
        values = {"in_app": ways.get("in_app", before.in_app), "mail": ways.get("mail", before.mail)}
        session.merge(NotificationChoice(user_id=user_id, kind=name, **values))
    session.flush()


def _chosen(kind: NotificationKind, known: NotificationChoice | None) -> Chosen:
    if known is None:
        return Chosen(kind, kind.in_app, kind.mail)
    return Chosen(kind, known.in_app, known.mail)
