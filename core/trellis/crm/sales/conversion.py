"""A lead becomes a customer, with a contact where it names a company and an opportunity where one is wished.

What is known of the lead is carried over, so that nothing is typed again: fields of the same name go to each record that
has them, those of plugins and of the organisation too. All of it is written through the door, in one transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from trellis.crm.sales.entities import Lead
from trellis.crm.service.entities import Activity
from trellis.errors import Conflict, PermissionRefused, RecordInvalid, RecordNotFound
from trellis.i18n import format_datetime, translator
from trellis.quality.duplicates import Likeness, find
from trellis.records.door import Records, Write
from trellis.records.entity import SYSTEM_FIELDS
from trellis.records.query import Record
from trellis.records.reach import with_all_rights

_ = translator("trellis")

Part = int | Mapping[str, Any] | bool
"""The id of a record that is there, values that differ from the proposal, or whether to make it as proposed."""

AT_ONCE = 500
_OF_A_PERSON = ("email", "phone")
_OF_THE_LEAD = frozenset({"name", "customer", *_OF_A_PERSON, *SYSTEM_FIELDS})
"""Fields that are not carried over by their name alone."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What a lead is to become; by default what is proposed, without an opportunity."""

    customer: int | Mapping[str, Any] | None = None
    contact: Part | None = None
    opportunity: Mapping[str, Any] | bool = False


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """The values that new records would have, and the customer that the lead names already, if any."""

    customer: Mapping[str, Any]
    contact: Mapping[str, Any]
    opportunity: Mapping[str, Any]
    known: int | None
    of_company: bool


def offered(records: Records, lead: Record) -> bool:
    """Whether the actor may convert this lead, and it was not converted yet."""
    actor, reach = records.actor, {**lead.values, "id": lead.id}
    return (
        lead.values.get("converted_at") is None
        and actor.reaches("lead", "update", reach)
        and actor.may("customer", "create")
    )


def proposal(records: Records, lead: Record) -> Proposal:
    """What the lead would become, of the fields that the actor reads there and may write here."""
    company = lead.values.get("company")
    person = {name: lead.values[name] for name in _OF_A_PERSON if lead.values.get(name)}
    named = {"name": company or lead.values.get("name"), "kind": "company" if company else "person"}
    return Proposal(
        customer={**_carried(records, lead, "customer"), **named, **({} if company else person)},
        contact={
            **_carried(records, lead, "contact", but=("notes",)),
            "name": lead.values.get("name"),
            **person,
        },
        opportunity={**_carried(records, lead, "opportunity"), "name": named["name"]},
        known=lead.values.get("customer"),
        of_company=bool(company),
    )


def alike(records: Records, lead: Record, entity: str) -> list[Likeness]:
    """Records of ``entity`` that the lead may be already, the likeliest first."""
    offer = proposal(records, lead)
    person = {name: lead.values.get(name) for name in _OF_A_PERSON}
    values = {**person, **(offer.customer if entity == "customer" else offer.contact)}
    return find(records.session, records.edition, records.actor, entity, values)


def convert(records: Records, lead_id: int, parts: Parts, version: int | None = None) -> Record:
    """Makes the parts, links the lead to them and moves it to the stage of success; returns the lead.

    Raises RecordNotFound, PermissionRefused, StaleVersion, Conflict for a lead that was converted before, and RecordInvalid
    whose fields are named ``customer.name``.
    """
    lead = records.get("lead", lead_id)
    if not records.actor.reaches("lead", "update", {**lead.values, "id": lead.id}):
        raise PermissionRefused()
    _refuse_again(records, lead)
    offer = proposal(records, lead)
    with records.whole():
        customer = _made(records, "customer", _customer(offer, parts), offer.customer)
        contact = _made(
            records,
            "contact",
            offer.of_company if parts.contact is None else parts.contact,
            {**offer.contact, "customer": customer},
        )
        deal = _with_stage(records, {**offer.opportunity, "customer": customer}, parts.opportunity)
        opportunity = _made(records, "opportunity", parts.opportunity, deal)
        made = {"customer": customer, "contact": contact, "opportunity": opportunity}
        _link(records, lead, made, version)
        _hand_on(records, lead, made)
    return records.get("lead", lead_id)


def _customer(offer: Proposal, parts: Parts) -> Part:
    if parts.customer is not None:
        return parts.customer
    return True if offer.known is None else offer.known


def _refuse_again(records: Records, lead: Record) -> None:
    """Raises Conflict when the lead was converted, whether or not the actor may read that."""
    at = records.session.scalar(sa.select(Lead.converted_at).where(Lead.id == lead.id))
    if at is not None:
        raise Conflict(
            _(
                "This lead was converted already, %(when)s; it leads to what came of it",
                when=format_datetime(at),
            )
        )


def _carried(records: Records, lead: Record, entity: str, but: Sequence[str] = ()) -> dict[str, Any]:
    """The values of the lead that a record of ``entity`` has a field of the same name and type for."""
    seen = records.actor.sees(records.edition)
    source, target = seen.entity("lead"), seen.entity(entity)
    staged = {one.field for one in target.lifecycles}
    found = {}
    for name, field in source.fields.items():
        there, value = target.fields.get(name), lead.values.get(name)
        if there is None or there.read_only or value is None or name in _OF_THE_LEAD | staged or name in but:
            continue
        if type(there.type) is type(field.type):
            found[name] = value
    whose = {name: lead.values.get(name) for name in ("owner", "unit")}
    if records.actor.reaches(entity, "read", whose):  # else who converts it could not see it any more
        found |= {name: value for name, value in whose.items() if value is not None}
    return found


def _with_stage(records: Records, proposed: dict[str, Any], part: Mapping[str, Any] | bool) -> dict[str, Any]:
    """The proposal with the first stage of the funnel that is chosen."""
    chosen = part if isinstance(part, Mapping) else {}
    view = records.edition.entity("opportunity")
    funnel = chosen.get("funnel") or view.fields["funnel"].default
    lifecycle = view.lifecycle({**proposed, "funnel": funnel})
    if lifecycle is None or lifecycle.stages[0].value == view.fields[lifecycle.field].default:
        return proposed
    return {**proposed, lifecycle.field: lifecycle.stages[0].value}


def _made(records: Records, entity: str, part: Part, proposed: Mapping[str, Any]) -> int | None:
    """The id of the record that is there or was made; None for a part that is not wished."""
    if part is False:
        return None
    try:
        if isinstance(part, int) and part is not True:
            return records.get(entity, part).id
        values = proposed if part is True else {**proposed, **part}
        return records.create(entity, values).id
    except RecordNotFound:
        raise RecordInvalid({entity: [RecordNotFound.title]}) from None
    except RecordInvalid as error:
        raise RecordInvalid({f"{entity}.{name}": found for name, found in error.errors.items()}) from None


def _link(records: Records, lead: Record, made: Mapping[str, int | None], version: int | None) -> None:
    lifecycle = records.edition.entity("lead").lifecycle(lead.values)
    won = (
        next((one.value for one in lifecycle.stages if one.kind in ("won", "done")), None)
        if lifecycle
        else None
    )
    values = {lifecycle.field: won} if lifecycle and won else {}
    kept: dict[str, Any] = {f"converted_{name}": record_id for name, record_id in made.items()}
    kept |= {"customer": made["customer"], "converted_at": datetime.now(UTC)}
    records.update("lead", lead.id, values, version or lead.version, kept)


def _hand_on(records: Records, lead: Record, made: Mapping[str, int | None]) -> None:
    """Talks and tasks of the lead stand with what came of it too, whoever they belong to."""
    wide = with_all_rights(records)
    writes = list(_belonging(records, lead, made))
    for start in range(0, len(writes), AT_ONCE):
        wide.save("activity", writes[start : start + AT_ONCE])
    records.take_over(wide)


def _belonging(records: Records, lead: Record, made: Mapping[str, int | None]) -> Iterator[Write]:
    query = sa.select(Activity.id, Activity.customer_id, Activity.contact_id, Activity.opportunity_id).where(
        Activity.lead_id == lead.id, Activity.deleted_at.is_(None)
    )
    for row in records.session.execute(query):
        known = {"customer": row.customer_id, "contact": row.contact_id, "opportunity": row.opportunity_id}
        new = {name: made[name] for name, value in known.items() if value is None and made[name] is not None}
        if new:
            yield Write(id=row.id, values=new)
