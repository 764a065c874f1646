"""Whether somebody may be written to or called: consent, an address, and how often others have done so (MC5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.crm.customers.entities import Customer
from trellis.crm.customers.invitations import SurveyInvitation
from trellis.crm.marketing.journeys.tables import FAILED, MESSAGES
from trellis.i18n import Text, translator
from trellis.records.bulk import among

_ = translator("trellis")

NO_ADDRESS, REFUSED, NOT_GRANTED, LIMIT = "no_address", "refused", "not_granted", "limit"
QUIET = "quiet"
"""Why a message waits; the others are why it is left out."""
REASONS: Mapping[str, Text] = {
    NO_ADDRESS: _("No mail address"),
    REFUSED: _("Refused consent"),
    NOT_GRANTED: _("Consent was not granted"),
    LIMIT: _("Got enough messages of late"),
    QUIET: _("Waits for the end of quiet hours"),
    "nobody": _("Nobody to give it to"),
    "customer_gone": _("The customer is in the bin"),
    "journey_stopped": _("The journey was stopped"),
    "taken_out": _("Taken out by hand"),
}
"""Reasons as they are kept, and in words. What else is kept as a reason is a text itself."""

_customer = Customer.__table__.c
_message = MESSAGES.c
COLUMNS = (
    _customer.id,
    _customer.email,
    _customer.language,
    _customer.consent_mail,
    _customer.consent_phone,
    _customer.owner_id,
)


def people(session: Session, ids: Sequence[int], *, held: bool = False) -> dict[int, Any]:
    """What decides whether customers may be contacted, by id.

    ``held``: other journeys that would write to them wait until this transaction ends, and then see what it did.
    """
    query = sa.select(*COLUMNS).where(among(session, _customer.id, sorted(ids))).order_by(_customer.id)
    rows = session.execute(query.with_for_update(key_share=True) if held else query)
    return {row.id: row for row in rows}


def reason(plan: Mapping[str, Any], consent: str, address: str | None) -> str:
    """Why somebody may not be contacted; empty when they may."""
    if not address:
        return NO_ADDRESS
    if consent == REFUSED:
        return REFUSED
    return NOT_GRANTED if plan["consent"] == "granted" and consent != "granted" else ""


def full(session: Session, plan: Mapping[str, Any], ids: Sequence[int], now: datetime) -> set[int]:
    """Those who got so many messages of late, of all journeys and mailings, that they get no more now."""
    since = now - timedelta(days=plan["limit_days"])
    mine = sa.select(_message.customer_id).where(
        among(session, _message.customer_id, sorted(ids)),
        _message.created_at > since,
        _message.state != FAILED,
    )
    invitation = SurveyInvitation.__table__.c
    surveys = sa.select(invitation.customer_id).where(
        among(session, invitation.customer_id, sorted(ids)), invitation.sent_at > since
    )
    got = sa.union_all(mine, surveys).subquery("got").c
    many = sa.select(got.customer_id).group_by(got.customer_id).having(sa.func.count() >= plan["limit"])
    return set(session.scalars(many))


def worded(kept: str) -> str:
    """A reason in words."""
    return str(REASONS.get(kept, kept))
