"""The demo of a workspace that speaks Russian."""

from __future__ import annotations

from shop import Shop, load


def test_names_are_in_the_language_of_the_workspace(shop: Shop) -> None:
    load(shop, 40, "ru")
    names = {one.values["name"] for one in shop.records.list("category", limit=50).items}
    assert {"Постельное бельё", "Ванная"} <= names
    assert {one.values["city"] for one in shop.records.list("retail.store").items} >= {"Гётеборг", "Прага"}
