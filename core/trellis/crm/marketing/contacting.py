"""Whether somebody may get a mail that goes to many now: consent, an address, quiet hours, and how many came of late.

The one place that decides it, for journeys (MC5) and surveys (CU6). ``terms`` are those of the plan of a journey, or the usual
ones of the organisation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.crm.customers.entities import Customer
from trellis.crm.customers.invitations import SENDING, SurveyInvitation
from trellis.crm.marketing.journeys.tables import FAILED, MESSAGES
from trellis.edition import Edition
from trellis.i18n import known_timezone
from trellis.journeys.plan import EMPTY, SENT_BY
from trellis.journeys.times import allowed_from
from trellis.reasons import LIMIT, NO_ADDRESS, NOT_GRANTED, REFUSED
from trellis.records.bulk import among

Terms = Mapping[str, Any]

_customer = Customer.__table__.c
_message, _invitation = MESSAGES.c, SurveyInvitation.__table__.c
COLUMNS = (
    _customer.id,
    _customer.email,
    _customer.language,
    _customer.time_zone,
    _customer.consent_mail,
    _customer.consent_phone,
    _customer.owner_id,
)


@dataclass(frozen=True)
class Verdict:
    """What is decided of a customer: left out for the reason ``why``, not before ``at``, or, without both, now."""

    customer: Any
    why: str = ""
    at: datetime | None = None


def usual(edition: Edition) -> Terms:
    """The terms of the organisation: those of surveys, and those with which a new journey begins."""
    return {name: EMPTY[name] for name in (*SENT_BY, "consent")} | dict(edition.settings.mailing)


def people(session: Session, ids: Sequence[int], *, held: bool = False) -> dict[int, Any]:
    """What decides whether customers may be contacted, by id.

    ``held``: others that would write to them wait until this transaction ends, and then see what it did.
    """
    query = sa.select(*COLUMNS).where(among(session, _customer.id, sorted(ids))).order_by(_customer.id)
    rows = session.execute(query.with_for_update(key_share=True) if held else query)
    return {row.id: row for row in rows}


def decide(
    session: Session,
    edition: Edition,
    terms: Terms,
    ids: Sequence[int],
    now: datetime,
    *,
    held: bool = False,
    limited: bool = True,
    email: str | None = None,
) -> dict[int, Verdict]:
    """Whether customers may get a mail now, by id.

    ``limited`` is False for mails that are counted already; ``email`` is where it goes when that is not the customer's address.
    """
    found: dict[int, Verdict] = {}
    opens = _opening(edition, terms, now)
    for number, who in people(session, ids, held=held).items():
        why = reason(terms, who.consent_mail, email or who.email)
        at = opens(who.time_zone)
        found[number] = Verdict(who, why, at if at > now and not why else None)
    open_now = [number for number, one in found.items() if not one.why and one.at is None]
    for number in _over_limit(session, terms, open_now, now) if limited and open_now else ():
        found[number] = Verdict(found[number].customer, LIMIT)
    return found


def _opening(edition: Edition, terms: Terms, now: datetime) -> Callable[[str | None], datetime]:
    """From when on mails may leave, by the clock of a customer, or that of the organisation for who has none."""
    quiet = terms["quiet_from"], terms["quiet_to"], terms["quiet_days"]

    @cache
    def opens(zone: str | None) -> datetime:
        return allowed_from(now, *quiet, ZoneInfo(known_timezone(zone) or edition.settings.timezone))

    return opens


def reason(terms: Terms, consent: str, address: str | None) -> str:
    """Why somebody may not be contacted; empty when they may."""
    if not address:
        return NO_ADDRESS
    if consent == REFUSED:
        return REFUSED
    return NOT_GRANTED if terms["consent"] == "granted" and consent != "granted" else ""


def full(terms: Terms, now: datetime, *those: Callable[[Any], sa.ColumnElement[bool]]) -> sa.Select[Any]:
    """Those who got so many mails of late, of all journeys and surveys, that they get no more now.

    ``those`` are conditions on the column of customers.
    """
    since = now - timedelta(days=terms["limit_days"])
    mine = sa.select(_message.customer_id).where(_message.created_at > since, _message.state != FAILED)
    surveys = sa.select(_invitation.customer_id).where(
        sa.or_(_invitation.sent_at > since, _invitation.state == SENDING)
    )
    mine = mine.where(*(one(_message.customer_id) for one in those))
    surveys = surveys.where(*(one(_invitation.customer_id) for one in those))
    got = sa.union_all(mine, surveys).subquery("got").c
    return sa.select(got.customer_id).group_by(got.customer_id).having(sa.func.count() >= terms["limit"])


def _over_limit(session: Session, terms: Terms, ids: Sequence[int], now: datetime) -> set[int]:
    return set(session.scalars(full(terms, now, lambda column: among(session, column, sorted(ids)))))
