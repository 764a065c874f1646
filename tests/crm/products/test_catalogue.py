"""The catalogue: a tree of categories, price lists with one price each, and bundles of bundles."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from trellis.crm.products.panels import DEEPEST, MOST, tree
from trellis.crm.products.prices import Sale, price_of
from trellis.errors import RecordInvalid
from trellis.records.door import BatchInvalid, Records, Write
from trellis.security.actor import SYSTEM
from trellis.workspace import Workspace


def refused(act: Callable[..., Any], *given: Any) -> list[str]:
    with pytest.raises(RecordInvalid) as found:
        act(*given)
    return list(found.value.errors)


def test_a_tree_has_no_circles_and_is_asked_for_with_all_below(workspace: Workspace) -> None:
    with workspace.write() as session:
        door = Records(session, workspace.edition(session), SYSTEM)
        goods = door.create("category", {"name": "Goods"}).id
        bath = door.create("category", {"name": "Bath", "parent": goods}).id
        towels = door.create("category", {"name": "Towels", "parent": bath}).id
        sofas = door.create("category", {"name": "Sofas", "parent": goods}).id
        named = {"Hand towel": towels, "Soap dish": bath, "Sofa": sofas, "Voucher": None}
        for name, category in named.items():
            door.create("product", {"name": name, "category": category})

        def within(category: int, op: str = "within") -> list[str]:
            rule = {"field": "category", "op": op, "value": category}
            return [one.values["name"] for one in door.list("product", rule=rule, sort=["name"]).items]

        assert within(bath) == ["Hand towel", "Soap dish"]
        assert within(goods) == ["Hand towel", "Soap dish", "Sofa"]
        assert within(bath, "eq") == ["Soap dish"]
        assert door.count("category", rule={"field": "parent", "op": "within", "value": goods}) == 3
        for parent in (towels, bath):
            assert refused(door.update, "category", bath, {"parent": parent}) == ["parent"]
        swap = [Write(id=bath, values={"parent": sofas}), Write(id=sofas, values={"parent": bath})]
        with pytest.raises(BatchInvalid) as found:
            door.save("category", swap)
        assert sorted(found.value.errors) == ["0.parent", "1.parent"]
        door.delete("category", bath)
        assert within(goods) == ["Sofa"]  # the way to the towels leads through the bin


def test_a_wide_and_a_deep_tree_are_drawn_as_far_as_they_fit(workspace: Workspace) -> None:
    with workspace.write() as session:
        door = Records(session, workspace.edition(session), SYSTEM)
        wide = door.create("category", {"name": "Wide"}).id
        below = door.save("category", [Write(values={"name": "A", "parent": wide}) for _one in range(MOST)])
        deep = last = below[-1]
        for _one in range(DEEPEST):
            (last,) = door.save("category", [Write(values={"name": "A", "parent": last})])
        door.create("product", {"name": "Far below", "category": last})
        drawn = tree(door, wide)
        assert drawn["top"]["title"] == "Wide" and len(drawn["top"]["parts"]) == MOST - 1
        assert (drawn["top"]["products"], drawn["more"]) == ("1", True)
        drawn, levels = tree(door, deep), 0
        part = drawn["top"]
        while part["parts"]:
            (part,), levels = part["parts"], levels + 1
        assert (levels, drawn["more"], part["products"]) == (DEEPEST - 1, True, "1")
        assert [one["title"] for one in tree(door, last)["above"]][:2] == ["Wide", "A"]


def test_a_list_has_one_price_from_a_quantity_and_bundles_are_made_of_bundles(workspace: Workspace) -> None:
    with workspace.write() as session:
        door = Records(session, workspace.edition(session), SYSTEM)
        towel = door.create("product", {"name": "Towel", "price": "9"}).id
        bundle, gift = (door.create("product", {"name": name}).id for name in ("Bath set", "Gift"))
        lone = door.create("product", {"name": "Soap"}).id
        prices = door.create("price_list", {"name": "2026"}).id
        price = {"price_list": prices, "product": towel, "price": "8"}
        first = door.create("price_list_item", price).id
        step = door.create("price_list_item", {**price, "quantity_from": 10, "price": "7"}).id
        assert refused(door.create, "price_list_item", price) == ["quantity_from"]
        assert refused(door.update, "price_list_item", step, {"quantity_from": 1}) == ["quantity_from"]
        door.update("price_list_item", first, {"price": "8.50"})
        part = {"bundle": bundle, "part": towel, "quantity": 2}
        door.create("bundle_part", part)
        assert refused(door.create, "bundle_part", part) == ["part"]
        door.create("bundle_part", {"bundle": gift, "part": bundle, "quantity": 5})
        for inside in (bundle, gift):
            assert refused(door.create, "bundle_part", {"bundle": bundle, "part": inside}) == ["part"]
        together = {
            "price_list_item": [{**price, "quantity_from": 50}] * 2,
            "bundle_part": [
                {"bundle": towel, "part": lone, "quantity": 1},
                {"bundle": lone, "part": towel, "quantity": 1},  # part of its part
                {"bundle": towel, "part": lone, "quantity": 1},
            ],
        }
        told = {}
        for entity, writes in together.items():
            with pytest.raises(
                BatchInvalid
            ) as found:  # none is in the database when the others are looked at
                door.save(entity, [Write(values=one) for one in writes])
            told[entity] = {place: list(one.errors) for place, one in found.value.failures.items()}
        assert told == {"price_list_item": {1: ["quantity_from"]}, "bundle_part": {1: ["part"], 2: ["part"]}}
        sale = Sale(day=date(2026, 6, 1), currency="EUR", own="EUR")
        assert price_of(session, sale, bundle, Decimal(1)) == Decimal("17.00")
        assert price_of(session, sale, gift, Decimal(1)) == Decimal(
            "70.00"
        )  # ten towels, at the price for ten
