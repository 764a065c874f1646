"""Quotes whose discount needs approval: those who may give it are told, and then the owner what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from trellis.contributions import NotificationKind, Role, Scope
from trellis.crm.sales.entities import Quote
from trellis.crm.sales.quotes import APPROVAL, DRAFT, SENT, limit_of
from trellis.i18n import translator
from trellis.notifications.kinds import PEOPLE_AND_PROCESSES
from trellis.notifications.notify import notify
from trellis.records.bulk import among
from trellis.records.events import Saved
from trellis.security.actor import Actor
from trellis.security.people import User
from trellis.security.recognition import actor_by_id

_ = translator("trellis")

ASKED, APPROVED, RETURNED = "quote_approval", "quote_approved", "quote_returned"
KINDS = [
    NotificationKind(
        name=ASKED,
        title=_("A quote waits for my approval"),
        text=_("%(who)s asks for approval of “%(title)s”"),
        icon="badge-percent",
        mail=True,
    ),
    NotificationKind(
        name=APPROVED,
        title=_("A quote of mine is approved"),
        text=_("%(who)s approved “%(title)s” and sent it"),
        icon="badge-check",
    ),
    NotificationKind(
        name=RETURNED,
        title=_("A quote of mine is not approved"),
        text=_("%(who)s returned “%(title)s” as a draft"),
        icon="undo-2",
    ),
]
_BECAME = {SENT: APPROVED, DRAFT: RETURNED}


def follow(event: Saved) -> None:
    """Tells of quotes that came to approval, or left it."""
    if event.actor.source not in PEOPLE_AND_PROCESSES:
        return
    moved = {change.id: change.changes["stage"] for change in event.changes if "stage" in change.changes}
    asked = {number for number, (_before, after) in moved.items() if after == APPROVAL}
    decided = {
        number: _BECAME[after]
        for number, (before, after) in moved.items()
        if before == APPROVAL and after in _BECAME
    }
    if not (asked or decided):
        return
    columns = sa.select(Quote.id, Quote.owner_id, Quote.unit_id, Quote.discount)
    rows = event.session.execute(columns.where(among(event.session, Quote.id, asked | decided.keys()))).all()
    able = _who_may_approve(event) if asked else []
    for quote in rows:
        kind = ASKED if quote.id in asked else decided[quote.id]
        people = _those_for(quote, able) if quote.id in asked else [quote.owner_id]
        notify(event.session, event.edition, kind, people, about=("quote", quote.id), by=event.actor)


def _those_for(quote: Any, able: Sequence[tuple[Actor, Decimal | None]]) -> list[int | None]:
    """Those who could send this quote; administrators only where nobody else can."""
    reach, offered = {"owner": quote.owner_id, "unit": quote.unit_id}, quote.discount or Decimal(0)
    found = [
        actor
        for actor, most in able
        if actor.reaches("quote", "update", reach) and (most is None or most >= offered)
    ]
    return [one.user_id for one in [one for one in found if not one.administrator] or found]


def _who_may_approve(event: Saved) -> list[tuple[Actor, Decimal | None]]:
    """Those but the one who asks who change quotes of others, each with the limit of their discounts."""
    known = (
        actor_by_id(event.session, event.edition, person) for person in _who_changes_those_of_others(event)
    )
    return [(actor, limit_of(event.session, actor)) for actor in known if actor is not None]


def _who_changes_those_of_others(event: Saved) -> list[int]:
    """People with a role that reaches quotes which somebody else owns."""
    roles = {name for name, role in event.edition.all(Role).items() if _is_wide(role)}
    people = sa.select(User.id, User.roles).where(User.active, User.deleted_at.is_(None)).order_by(User.id)
    known = event.session.execute(people.where(User.id != event.actor.user_id))
    return [person for person, held in known if roles.intersection(held)]


def _is_wide(role: Role) -> bool:
    grants = {grant.entity: grant for grant in role.grants}
    grant = grants.get("quote") or grants.get("*")
    return role.administrator or (grant is not None and grant.update in (Scope.UNIT, Scope.ALL))
