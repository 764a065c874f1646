"""Quotes whose discount needs approval: those who may give it are told, and then the owner what became of it."""

from __future__ import annotations

from decimal import Decimal

import sqlalchemy as sa

from trellis.contributions import NotificationKind, Role, Scope
from trellis.crm.sales.entities import Quote
from trellis.crm.sales.quotes import APPROVAL, DRAFT, SENT, limit_of
from trellis.i18n import translator
from trellis.notifications.kinds import PEOPLE_AND_PROCESSES
from trellis.notifications.notify import notify
from trellis.records.events import Saved
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
    for change in event.changes:
        before, after = change.changes.get("stage", (None, None))
        if after == APPROVAL:
            people = _who_may_approve(event, change.id)
            notify(event.session, event.edition, ASKED, people, about=("quote", change.id), by=event.actor)
        elif before == APPROVAL and after in _BECAME:
            owner = event.session.scalar(sa.select(Quote.owner_id).where(Quote.id == change.id))
            kind = _BECAME[after]
            notify(event.session, event.edition, kind, [owner], about=("quote", change.id), by=event.actor)


def _who_may_approve(event: Saved, quote: int) -> list[int]:
    """Those but the one who asks who could send this quote; administrators only where nobody else can."""
    columns = sa.select(Quote.owner_id, Quote.unit_id, Quote.discount).where(Quote.id == quote)
    owner, unit, offered = event.session.execute(columns).one()
    able = []
    for person in _who_changes_those_of_others(event):
        actor = actor_by_id(event.session, event.edition, person)
        if actor is not None and actor.reaches("quote", "update", {"owner": owner, "unit": unit}):
            most = limit_of(event.session, actor)
            if most is None or most >= (offered or Decimal(0)):
                able.append(actor)
    chosen = [one for one in able if not one.administrator] or able
    return [one.user_id for one in chosen if one.user_id is not None]


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
