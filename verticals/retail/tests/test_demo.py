"""The demo tells a believable story, the same each time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from shop import TODAY, Shop, load, open_shop
from trellis.config import Config
from trellis.crm.analytics.pyramid import pyramid
from trellis.crm.analytics.window import Window
from trellis.installation import Installation
from trellis.testing.templates import Prepare


def tell(config: Config) -> None:
    """A shop with the whole story; the tests only read it."""
    open_shop(config)
    installation = Installation(config)
    workspace = installation.workspace("acme")
    with workspace.write() as session:
        shop = Shop(session, workspace.edition(session))
        load(shop, 120)
        shop.measured()
    installation.close()


@pytest.fixture
def prepare() -> Prepare:
    return tell


def receipts(shop: Shop, **options: Any) -> Iterator[Any]:
    cursor: str | None = None
    while True:
        page = shop.records.list("order", limit=500, cursor=cursor, **options)
        yield from page.items
        if page.next is None:
            return
        cursor = page.next


def test_the_home_page_has_something_to_say(shop: Shop) -> None:
    for kpi in (
        "average_check",
        "units_per_receipt",
        "share_of_sales_with_card",
        "discount_share",
        "margin_share",
    ):
        assert shop.kpi(kpi, "2026-10")
    assert 0.2 < shop.kpi("repeat_purchase_rate_90", "2026-10") < 0.9
    found = pyramid(shop.session, shop.edition, shop.actor, Window.until(TODAY))
    assert found.measure == "margin" and found.customers > 40 and found.prospects and found.inactive
    assert found.tiers[0].amount / found.tiers[0].customers > found.tiers[3].amount / found.tiers[3].customers
    for segment in ("champions", "loyal", "at_risk", "hibernating", "lost", "one_timers", "reachable"):
        assert shop.members(segment), segment


def test_nothing_lies_in_the_future_and_december_sells_best(shop: Shop) -> None:
    days = [one.values["ordered_at"].date() for one in receipts(shop)]
    assert max(days) <= TODAY
    assert (TODAY - min(days)).days <= 732
    monthly = {month: sum(day.month == month for day in days) for month in (2, 12)}
    assert monthly[12] > monthly[2]


def test_lines_add_up_to_what_was_paid_and_taken_off(shop: Shop) -> None:
    for one in receipts(shop):
        assert one.values["amount"] is not None
        assert one.values["lines_count"] >= 1
        assert (one.values["amount"] < 0) is bool(one.values["retail.is_return"])


def test_the_faces_of_the_demo_are_there_with_names_in_two_scripts(shop: Shop) -> None:
    people = [one.values["name"] for one in shop.records.list("customer", sort=("id",), limit=100).items]
    assert people[0] == "Marta Lindqvist"
    assert people[2] == "Hotel Adria"
    assert any("а" <= letter <= "я" for name in people for letter in name)
