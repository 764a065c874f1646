"""Totals of a list: exact, by currency, over all that the reader may see and no more."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from trellis.contributions import FieldRight, Grant, Scope
from trellis.records.door import Records, Write
from trellis.records.query import ListQuery
from trellis.records.totals import Total, totals
from trellis.security.actor import SYSTEM, Actor
from trellis.security.field_rights import FieldRule
from trellis.workspace import Workspace

AMOUNTS = [("10.10", None), ("20.25", "EUR"), ("0.05", "EUR"), ("7", "USD"), ("5", "USD")]


@pytest.fixture
def records(workspace: Workspace) -> Iterator[Records]:
    """Five orders, some in dollars; the one of ten is the user's own."""
    with workspace.write() as session:
        records = Records(session, workspace.edition(session), SYSTEM)
        own = records.create("user", {"name": "Anna", "email": "anna@acme.test"}).id
        orders = [
            {"number": str(n), "ordered_at": "2026-01-01", "amount": amount, "currency": currency}
            for n, (amount, currency) in enumerate(AMOUNTS)
        ]
        ids = records.save("order", [Write(values=one) for one in orders])
        records.update("order", ids[0], {"owner": own})
        yield records


def found(records: Records, actor: Actor = SYSTEM, **options: Any) -> dict[tuple[str, str], Total]:
    query = ListQuery(records.edition.entity("order"), records.edition, actor, **options)
    all_ = totals(records.session, query, ["amount", "number", "nothing"], "EUR")
    return {(one.field, one.currency): one for one in all_}


def test_money_is_totalled_by_currency(records: Records) -> None:
    by = found(records)
    assert by.keys() == {("amount", "EUR"), ("amount", "USD")}
    euros = by["amount", "EUR"]
    assert (euros.sum, euros.least, euros.most) == (Decimal("30.40"), Decimal("0.05"), Decimal("20.25"))
    assert (euros.count, round(euros.mean, 2)) == (3, Decimal("10.13"))
    assert by["amount", "USD"].mean == 6


def test_totals_are_of_what_the_list_finds_and_its_reader_sees(records: Records) -> None:
    above = {"field": "amount", "op": "gt", "value": 6}
    assert found(records, rule=above)["amount", "USD"].sum == 7
    own = Actor(user_id=1, grants={"order": Grant("order", read=Scope.OWN)})
    assert {key: one.sum for key, one in found(records, own).items()} == {("amount", "EUR"): Decimal("10.10")}
    rule = FieldRule("order", "currency", FieldRight.NONE)
    blind = Actor(user_id=1, grants={"order": Grant("order", read=Scope.ALL)}, fields=frozenset({rule}))
    assert found(records, blind) == {}  # euros and dollars would be added up
