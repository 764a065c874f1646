"""A lead becomes a customer: nothing is typed again, nothing is lost, and it happens once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from trellis.contributions import Grant, Role, Scope
from trellis.crm.customers.entities import Customer
from trellis.crm.sales.conversion import Parts, alike, convert, offered
from trellis.errors import Conflict, PermissionRefused, RecordInvalid, StaleVersion
from trellis.i18n import Text
from trellis.quality.merging import merge, unmerge
from trellis.records import related
from trellis.records.door import Records
from trellis.security.actor import SYSTEM, Actor, merge_grants
from trellis.settings.fields import add_field
from trellis.workspace import Workspace

LEAD = {
    "name": "Olga Novak",
    "company": "Nordic Rooms Ltd",
    "email": "olga@nordic.test",
    "phone": "+420 777 123 456",
    "source": "Fair",
    "notes": "Wants 40 rooms",
}


def door(workspace: Workspace, session: Session, actor: Actor = SYSTEM) -> Records:
    return Records(session, workspace.edition(session), actor)


def regions(workspace: Workspace) -> None:
    """A field of the organisation that leads, customers and opportunities have alike."""
    with workspace.write() as session:
        for entity in ("lead", "customer", "opportunity"):
            declaration = {"type": "text", "label": "Region"}
            add_field(session, workspace.edition(session), entity, "region", declaration)


def test_a_lead_of_a_company_becomes_customer_contact_and_opportunity(workspace: Workspace) -> None:
    regions(workspace)
    with workspace.write() as session:
        records = door(workspace, session)
        lead = records.create("lead", {**LEAD, "own.region": "North"}).id
        call = records.create("activity", {"subject": "First call", "kind": "call", "lead": lead}).id
        done = convert(records, lead, Parts(opportunity={"amount": "14800"})).values
        customer = records.get("customer", done["converted_customer"]).values
        contact = records.get("contact", done["converted_contact"]).values
        deal = records.get("opportunity", done["converted_opportunity"]).values
        assert (done["stage"], done["customer"]) == ("qualified", done["converted_customer"])
        assert done["converted_at"] <= datetime.now(UTC)
        assert (customer["name"], customer["kind"]) == ("Nordic Rooms Ltd", "company")
        assert (customer["source"], customer["notes"], customer["own.region"]) == (
            "Fair",
            LEAD["notes"],
            "North",
        )
        assert (customer["email"], contact["email"]) == (None, "olga@nordic.test")
        assert (contact["name"], contact["customer"]) == ("Olga Novak", done["converted_customer"])
        assert (deal["name"], deal["amount"], deal["own.region"]) == ("Nordic Rooms Ltd", 14800, "North")
        assert deal["customer"] == done["converted_customer"]
        talk = records.get("activity", call).values
        assert [talk[one] for one in ("customer", "contact", "opportunity")] == [
            done[f"converted_{one}"] for one in ("customer", "contact", "opportunity")
        ]
        who = (session, workspace.edition(session), SYSTEM)
        times = [one.view.name for one in related.timeline(*who, "customer", done["customer"]) if one.view]
        assert sorted(times) == ["activity", "lead", "opportunity"]
        assert [
            one.view.name
            for one in related.related_lists(*who, "opportunity", done["converted_opportunity"])
            if one.count
        ] == ["lead", "activity"]
    with workspace.write() as session:
        with pytest.raises(Conflict, match="converted already"):
            convert(door(workspace, session), lead, Parts())
        with pytest.raises(RecordInvalid, match="kept by Trellis"):
            door(workspace, session).update("lead", lead, {"converted_at": None})
        assert session.scalar(sa.select(sa.func.count()).select_from(Customer)) == 1


def test_what_is_there_already_is_offered_and_used_and_merged_later(workspace: Workspace) -> None:
    with workspace.write() as session:
        records = door(workspace, session)
        same = records.create("customer", {"name": "Nordic Rooms", "kind": "company"}).id
        person = records.create(
            "contact", {"name": "O. Novak", "email": "olga@nordic.test", "customer": same}
        ).id
        lead = records.create("lead", LEAD)
        assert [one.record.id for one in alike(records, lead, "customer")] == [same]
        assert [one.record.id for one in alike(records, lead, "contact")] == [person]
        done = convert(records, lead.id, Parts(customer=same, contact=person)).values
        assert (done["converted_customer"], done["converted_contact"]) == (same, person)
        assert done["converted_opportunity"] is None
        again = records.create("lead", {"name": "Olga Novak", "customer": same}).id
        assert convert(records, again, Parts()).values["converted_customer"] == same  # the one that it names
        other = records.create("customer", {"name": "Nordic Rooms a.s."}).id
        merge(records, "customer", other, same)
        assert records.get("lead", lead.id).values["converted_customer"] == other
        unmerge(records, "customer", same)
        assert records.get("lead", lead.id).values["converted_customer"] == same


def test_what_is_wrong_is_named_and_changes_nothing(workspace: Workspace) -> None:
    with workspace.write() as session:
        lead = door(workspace, session).create("lead", LEAD)
    wrong: list[tuple[Parts, str]] = [
        (Parts(customer={"name": ""}), "customer.name"),
        (Parts(customer=987), "customer"),
        (Parts(contact={"email": "nobody"}), "contact.email"),
        (Parts(contact=987), "contact"),
        (Parts(opportunity={"amount": "much"}), "opportunity.amount"),
        (Parts(opportunity={"funnel": "moon", "stage": "orbit"}), "opportunity.stage"),
    ]
    for parts, field in wrong[:5]:
        with workspace.write() as session, pytest.raises(RecordInvalid) as caught:
            convert(door(workspace, session), lead.id, parts)
        assert list(caught.value.errors) == [field]
    with workspace.write() as session, pytest.raises(StaleVersion):
        convert(door(workspace, session), lead.id, Parts(), version=lead.version + 1)
    with workspace.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Customer)) == 0
        assert door(workspace, session).get("lead", lead.id).values["converted_at"] is None


def salesperson(user_id: int, **grants: Any) -> Actor:
    known = [Grant(name, **given) for name, given in grants.items()]
    role = Role(name="own.sam", title=Text("Sam"), grants=known)
    return Actor(user_id=user_id, name="Sam", grants=merge_grants([role]))


def test_who_may_not_make_customers_converts_nothing(workspace: Workspace) -> None:
    work = {"read": Scope.OWN, "create": True, "update": Scope.OWN}
    with workspace.write() as session:
        records = door(workspace, session)
        me = records.create("user", {"name": "Sam", "email": "sam@acme.test"}).id
        lead = records.create("lead", {**LEAD, "owner": me})
        unable = salesperson(me, lead=work, contact=work, customer={"read": Scope.OWN})
        assert not offered(door(workspace, session, unable), lead)
    reader = salesperson(me, lead={"read": Scope.ALL}, customer=work, contact=work)
    for actor in (unable, reader):
        with workspace.write() as session, pytest.raises(PermissionRefused):
            convert(door(workspace, session, actor), lead.id, Parts())
    able = salesperson(me, lead=work, contact=work, customer=work)
    with workspace.write() as session:
        records = door(workspace, session, able)
        assert offered(records, lead)
        done = convert(records, lead.id, Parts())
        assert records.get("customer", done.values["converted_customer"]).values["owner"] == me
        assert not offered(records, done)
