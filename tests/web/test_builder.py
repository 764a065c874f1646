"""What the rule builder offers, and that it offers nothing the reader may not ask for."""

from __future__ import annotations

from typing import Any

import pytest
from trellis.contributions import FieldRight, Grant, Scope, Segment
from trellis.edition import Edition
from trellis.errors import RuleInvalid
from trellis.i18n import Text
from trellis.records.door import Records
from trellis.records.saying import in_words
from trellis.security.actor import SYSTEM, Actor
from trellis.security.field_rights import FieldRule
from trellis.segments.own import with_segment
from trellis.web.filters import builder_fields, builder_words
from trellis.workspace import Workspace

CITY = {"field": "customer.city", "op": "eq", "value": "Brno"}


def offered(edition: Edition, actor: Actor) -> dict[str, dict[str, Any]]:
    seen = actor.sees(edition)
    return {one["name"]: one for one in builder_fields(seen.entity("order"), seen, actor, "/acme")}


def reader(*entities: str, **options: Any) -> Actor:
    return Actor(user_id=1, grants={name: Grant(name, read=Scope.ALL) for name in entities}, **options)


def test_figures_of_related_records_and_segments_are_offered_within_rights(workspace: Workspace) -> None:
    with workspace.read() as session:
        edition = workspace.edition(session)

    def of_customers(actor: Actor) -> dict[str, dict[str, Any]]:
        seen = actor.sees(edition)
        return {one["name"]: one for one in builder_fields(seen.entity("customer"), seen, actor, "/acme")}

    found = of_customers(SYSTEM)
    number = found["order.customer|count|"]
    assert (number["label"], number["group"], number["kind"]) == ("Orders: number", "Orders", "integer")
    assert number["where"]["value"] == {"period": "day", "from": -89, "to": 0}
    assert number["fields_url"] == "/acme/order/rule-fields"
    assert found["order.customer|max|ordered_at"]["label"] == "Orders: latest Ordered"
    assert "order.customer|share|" in found and "order.customer|sum|amount" in found
    assert "agreement.customer|sum|value" in found
    for senseless in ("agreement.customer|sum|document_version", "survey_answer.customer|sum|nps"):
        assert senseless not in found
    assert not any(name.startswith("order.") for name in of_customers(reader("customer")))
    with_one = Segment(name="own.vip", title=Text("VIP"), rule={"all": []})
    edition = with_segment(edition, with_one)
    assert of_customers(SYSTEM)["@segment"]["options"][-1] == ("own.vip", "VIP")
    amount = frozenset({FieldRule("order", "amount", FieldRight.NONE)})
    assert "order.customer|sum|amount" not in of_customers(reader("customer", "order", fields=amount))


def test_a_rule_in_words_has_the_titles_of_its_values(workspace: Workspace) -> None:
    with workspace.write() as session:
        records = Records(session, workspace.edition(session), SYSTEM)
        customer = records.create("customer", {"name": "Lind"})
        rule = {
            "all": [
                {"field": "customer", "op": "in", "value": [customer.id, 999]},
                {"field": "stage", "op": "eq", "value": "won"},
                {"any": [{"field": "channel", "op": "eq", "value": one} for one in ("mail", "moon")]},
            ]
        }
        view = records.edition.entity("opportunity")
        words = "Customer is one of: Lind, #999 and Stage is Won and (Channel is E-mail or Channel is “moon”)"
        assert in_words(records, view, rule) == words
        blind = Records(session, records.edition, reader("opportunity"))
        assert in_words(blind, view, rule["all"][0]) == f"Customer is one of: #{customer.id}, #999"
        channel = offered(records.edition, SYSTEM)["channel"]
        assert ("mail", "E-mail") in channel["options"]
        assert [one for one, _title in channel["ops"]] == [
            "eq",
            "ne",
            "in",
            "not_in",
            "is_empty",
            "is_not_empty",
        ]


def test_fields_of_the_records_referred_to_are_offered_within_rights(workspace: Workspace) -> None:
    with workspace.read() as session:
        edition = workspace.edition(session)
        assert offered(edition, SYSTEM)["customer.city"]["label"] == "Customer › City"
        ordered = dict(offered(edition, SYSTEM)["ordered_at"]["ops"])
        assert (ordered["gte"], ordered["eq"]) == ("on or after", "is")
        assert "customer.city" in offered(edition, reader("order", "customer"))
        assert "customer.city" not in offered(edition, reader("order"))
        city = frozenset({FieldRule("customer", "city", FieldRight.NONE)})
        blind = reader("order", "customer", fields=city)
        assert "customer.city" not in offered(edition, blind)
        assert "customer.name" in offered(edition, blind)
        with pytest.raises(RuleInvalid):
            Records(session, edition, blind).list("order", rule=CITY)


def test_every_period_that_is_offered_can_be_asked_for(workspace: Workspace) -> None:
    with workspace.read() as session:
        records = Records(session, workspace.edition(session), SYSTEM)
        periods = builder_words()["periods"]
        assert len(periods) >= 20
        for period, _title in periods:
            records.list("order", rule={"field": "ordered_at", "op": "eq", "value": period})
