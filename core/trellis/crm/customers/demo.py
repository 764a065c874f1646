"""Customers of a demo: who wants to be reached how, who was asked for an opinion, and what was agreed with whom."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from trellis.crm.customers.agreeing import later
from trellis.crm.customers.agreements import ACTIVE, APPROVAL, CLOSED, DRAFT, RENEWAL, SIGNED
from trellis.crm.customers.entities import CONSENT, WAYS, Customer
from trellis.crm.customers.invitations import ANSWERED, SENT, SurveyInvitation
from trellis.crm.customers.relations import GROUP, HOUSEHOLD, PARTNER
from trellis.i18n import Text, translator

if TYPE_CHECKING:
    from trellis.demo import DemoContext

_ = translator("trellis")

_DAYS = 60
_LASTS = timedelta(days=30)
_LOW = (_("I waited for a week and nobody called"), _("It came broken"), _("The bill was wrong twice"))
_HIGH = (_("All as promised"), _("Friendly and quick"), _("Best advice in town"))


def agree(context: DemoContext, customers: Sequence[int]) -> None:
    """Notes of some customers whether they want mail and calls, and how they are best reached."""
    dice = random.Random("consent")
    consents, ways = [one.value for one in CONSENT], [one.value for one in WAYS]
    rows = []
    for customer in customers:
        mail, phone = dice.choices(consents, (3, 6, 1), k=2)
        way = dice.choices(ways, (6, 4, 3, 1))[0] if dice.random() < 0.6 else None
        rows.append({"to": customer, "by_mail": mail, "by_phone": phone, "way": way})
    columns = {"consent_mail": "by_mail", "consent_phone": "by_phone", "preferred_channel": "way"}
    told: dict[str, Any] = {column: sa.bindparam(name) for column, name in columns.items()}
    update = sa.update(Customer.__table__).where(Customer.id == sa.bindparam("to"))  # type: ignore[arg-type]
    if rows:  # as if it had been told when they came: the door would note a change of today
        context.records.session.execute(update.values(told), rows)


def relate(context: DemoContext, customers: Sequence[int]) -> None:
    """Writes which customers belong together: people of a household, companies of a group, partners."""
    dice = random.Random("relations")
    known = sa.select(Customer.id, Customer.kind).where(Customer.id.in_(customers)).order_by(Customer.id)
    alike: dict[str, list[int]] = {}
    for row in context.records.session.execute(known):
        alike.setdefault(row.kind, []).append(row.id)
    kinds = {"person": (HOUSEHOLD,), "company": (GROUP, GROUP, PARTNER)}
    context.create(
        "customer_relation",
        (
            {"customer": one, "other": other, "kind": dice.choice(kinds[kind])}
            for kind, ids in alike.items()
            for one, other in list(zip(ids[::2], ids[1::2], strict=False))[::6]
        ),
    )


def invite(context: DemoContext, survey: int, customers: Sequence[int]) -> None:
    """Asks a third of the customers with a mail address, as if by a rolling survey; some of them have answered."""
    session = context.records.session
    mailed = sa.select(Customer.id).where(Customer.email.is_not(None), Customer.consent_mail != "refused")
    wanted = mailed.where(Customer.id.in_(customers)).order_by(Customer.id)
    asked = [one for one in session.scalars(wanted) if one % 3 == 0]
    made = context.create("survey_invitation", ({"survey": survey, "customer": one} for one in asked))
    dice = random.Random("invitations")
    now = datetime.now(UTC)
    rows = []
    for invitation, customer in zip(made, asked, strict=True):
        sent = now - timedelta(days=dice.randrange(1, _DAYS), minutes=dice.randrange(600))
        answered = sent + timedelta(hours=dice.randrange(1, 48)) if dice.random() < 0.4 else None
        answered = None if answered is None or answered > now else answered
        row = {"number": invitation, "now": ANSWERED if answered else SENT, "customer": customer}
        rows.append(row | {"sent": sent, "ends": sent + _LASTS, "answered": answered})
    if rows:
        session.execute(_sent(), [{name: row[name] for name in row if name != "customer"} for row in rows])
    context.create("survey_answer", _answers(context, survey, [row for row in rows if row["answered"]]))


def bind(context: DemoContext, customers: Sequence[int], subjects: Sequence[Text], value: int) -> None:
    """Writes agreements with some of the customers, in every stage; ``value`` is that of a usual one for a year."""
    dice = random.Random("agreements")
    policy, staff = _level(context), list(context.users.values())
    rows = []
    for place, customer in enumerate(customers):
        months = dice.choice((12, 12, 24, 36))
        row: dict[str, Any] = {
            "title": context.text(dice.choice(subjects)),
            "customer": customer,
            "kind": dice.choice(("service", "service", "supply", "framework")),
            "value": value * months // 12 * dice.randrange(6, 18) // 10,
            "owner": dice.choice(staff),
            "notice_days": dice.choice((30, 60, 90)),
            "sla_policy": policy if place % 3 == 0 else None,
        }
        ahead = place % 8 == 0
        row["starts"] = context.today + timedelta(days=14 if ahead else -dice.randrange(30, 700))
        row["ends"] = later(row["starts"], months) - timedelta(days=1)
        row.update(_to_come(context, dice) if ahead else _as_it_stands(row, context, dice))
        rows.append(row)
    made = context.create("agreement", rows)
    moments = {}
    for number, row in zip(made, rows, strict=True):
        longest = 12 if row["stage"] in (DRAFT, APPROVAL) else 40
        moments[number] = context.moment(context.today - timedelta(days=dice.randrange(1, longest)))
    context.backdate("agreement", "stage_since", moments)
    ended = [(number, row) for number, row in zip(made, rows, strict=True) if row["stage"] == CLOSED]
    following = [
        {"renews": number, "stage": ACTIVE, "signed_on": row["ends"], "owner": row["owner"]}
        for number, row in ended
        if dice.random() < 0.7
    ]
    context.create("agreement", following)


def _level(context: DemoContext) -> int:
    """A service level that agreements name."""
    zone = context.records.edition.settings.timezone
    hours = {"name": context.text(_("Agreed hours")), "timezone": zone}
    (calendar,) = context.create("business_calendar", [hours])
    minutes = {"first_response_minutes": 120, "resolution_minutes": 960}
    level = {"name": context.text(_("As agreed")), "calendar": calendar, "only_agreed": True, **minutes}
    return context.create("sla_policy", [level])[0]


def _to_come(context: DemoContext, dice: random.Random) -> Mapping[str, Any]:
    """The stage of an agreement that has not begun."""
    stage = dice.choice((DRAFT, APPROVAL, SIGNED))
    return {"stage": stage, "signed_on": context.today if stage == SIGNED else None}


def _as_it_stands(row: Mapping[str, Any], context: DemoContext, dice: random.Random) -> Mapping[str, Any]:
    """The stage that an agreement is in by its days."""
    signed = {"signed_on": row["starts"] - timedelta(days=dice.randrange(1, 30))}
    if row["ends"] < context.today:
        return signed | {"stage": CLOSED, "closed_on": row["ends"]}
    due = row["ends"] - timedelta(days=row["notice_days"]) <= context.today
    if dice.random() < 0.4:
        signed |= {"auto_renew": True, "term_months": 12}
    return signed | {"stage": RENEWAL if due else ACTIVE}


def _sent() -> sa.Update:
    """The door knows no invitation that was sent before it was made."""
    found = SurveyInvitation.__table__.c
    return (
        sa.update(SurveyInvitation.__table__)  # type: ignore[arg-type]
        .where(found.id == sa.bindparam("number"))
        .values(
            state=sa.bindparam("now"),
            created_at=sa.bindparam("sent", type_=found.sent_at.type),
            sent_at=sa.bindparam("sent", type_=found.sent_at.type),
            expires_at=sa.bindparam("ends", type_=found.expires_at.type),
            answered_at=sa.bindparam("answered", type_=found.answered_at.type),
        )
    )


def _answers(
    context: DemoContext, survey: int, rows: Sequence[Mapping[str, Any]]
) -> Iterator[Mapping[str, Any]]:
    dice = random.Random("recommend")
    for row in rows:
        score = min(10, max(0, round(dice.gauss(8.2, 1.9))))
        said = dice.choice(_LOW if score < 7 else _HIGH) if dice.random() < 0.4 else None
        yield {
            "customer": row["customer"],
            "survey": "nps",
            "asked_in": survey,
            "invitation": row["number"],
            "answered_at": row["answered"],
            "channel": "mail",
            "nps": score,
            "comment": context.text(said) if said else None,
        }
