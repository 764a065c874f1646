"""What each KPI comes to on a handful of receipts."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from shop import Shop
from trellis.contributions import Kpi


def lines(shop: Shop, order: int, *rows: tuple[Any, Any, Any]) -> None:
    for quantity, price, cost in rows:
        shop.records.create(
            "order_line", {"order": order, "quantity": quantity, "price": price, "cost": cost}
        )


def test_the_average_check_counts_returns_in_the_revenue_alone(shop: Shop) -> None:
    for amount in ("100", "50", "-30"):
        shop.receipt(None, "2026-10-05", amount)
    shop.receipt(None, "2026-09-30", "999")
    assert shop.kpi("average_check", "2026-10") == Decimal("60.00")


def test_units_come_from_lines_or_from_the_receipt_itself(shop: Shop) -> None:
    lines(shop, shop.receipt(None, "2026-10-05", None), (2, "10", "4"), ("1.5", "20", None))
    shop.receipt(None, "2026-10-06", "25", retail_units=4)
    shop.receipt(None, "2026-10-07", "7")
    lines(shop, shop.receipt(None, "2026-10-08", None), (-1, "10", "4"))
    assert shop.kpi("units_per_receipt", "2026-10") == pytest.approx((3.5 + 4) / 2)
    assert shop.kpi("items_price", "2026-10") == Decimal("10.00")  # (50 + 25) / 7.5


def test_shares_are_of_revenue(shop: Shop) -> None:
    shop.receipt(None, "2026-10-05", "75", retail_card_number="1", channel="online", retail_discount="25")
    shop.receipt(None, "2026-10-06", "25", retail_coupon="ADVENT")
    shop.receipt(None, "2026-10-07", "-10")
    assert shop.kpi("share_of_sales_with_card", "2026-10") == pytest.approx(75 / 90)
    assert shop.kpi("online_share", "2026-10") == pytest.approx(75 / 90)
    assert shop.kpi("discount_share", "2026-10") == pytest.approx(25 / 125)
    assert shop.kpi("return_rate", "2026-10") == pytest.approx(10 / 100)
    assert shop.kpi("coupon_share", "2026-10") == pytest.approx(1 / 2)


def test_shares_of_nothing_are_unknown_and_shares_without_a_card_are_zero(shop: Shop) -> None:
    assert shop.kpi("share_of_sales_with_card", "2026-10") is None
    shop.receipt(None, "2026-10-05")
    assert shop.kpi("share_of_sales_with_card", "2026-10") == 0
    assert shop.kpi("return_rate", "2026-10") == 0


def test_margin_is_of_receipts_whose_cost_is_known(shop: Shop) -> None:
    shop.receipt(None, "2026-10-05", "100", cost="60")
    shop.receipt(None, "2026-10-06", "100", cost="80")
    shop.receipt(None, "2026-10-07", "500")
    assert shop.kpi("margin_share", "2026-10") == pytest.approx(0.3)


def test_the_repeat_rate_looks_90_days_back_from_the_end_of_the_period(shop: Shop) -> None:
    often, same_day, once, before = (shop.customer(name) for name in ("often", "same day", "once", "before"))
    for customer, days in (
        (often, ("2026-08-03", "2026-10-31")),
        (same_day, ("2026-10-01", "2026-10-01")),
        (once, ("2026-10-10",)),
        (before, ("2026-08-01", "2026-08-02")),
    ):
        for day in days:
            shop.receipt(customer, day)
    assert shop.kpi("repeat_purchase_rate_90", "2026-10") == pytest.approx(1 / 3)
    assert shop.kpi("active_customers_90", "2026-10") == 3


def test_a_running_period_looks_back_from_today(shop: Shop) -> None:
    inside, outside = shop.customer("inside"), shop.customer("outside")
    shop.receipt(inside, shop.ago(89))
    shop.receipt(outside, shop.ago(90))
    assert shop.kpi("active_customers_90", "2026-11") == 1


def test_sales_per_m2_are_of_the_stores_that_sold(shop: Shop) -> None:
    big, small, idle = (
        shop.store("S1", area_m2=100),
        shop.store("S2", area_m2=50),
        shop.store("S3", area_m2=900),
    )
    shop.receipt(None, "2026-10-05", "300", retail_store=big)
    shop.receipt(None, "2026-10-06", "450", retail_store=small)
    shop.receipt(None, "2026-10-07", "-150", retail_store=small)
    shop.receipt(None, "2026-09-07", "900", retail_store=idle)
    assert shop.kpi("sales_per_m2", "2026-10") == Decimal("4.00")
    assert shop.kpi("sales_per_m2", "2026-10", "store") == {
        "Store S1": Decimal("3.00"),
        "Store S2": Decimal("6.00"),
    }


def test_like_for_like_leaves_new_and_closed_stores_out(shop: Shop) -> None:
    old, new, closed = shop.store("S1"), shop.store("S2"), shop.store("S3")
    for store, day, amount in (
        (old, "2025-10-05", 100),
        (old, "2026-10-05", 120),
        (new, "2026-10-05", 500),
        (closed, "2025-10-05", 700),
    ):
        shop.receipt(None, day, amount, retail_store=store)
    assert shop.kpi("like_for_like", "2026-10") == pytest.approx(0.2)


def test_like_for_like_of_a_running_month_compares_the_days_that_are_gone(shop: Shop) -> None:
    store = shop.store()
    shop.receipt(None, "2025-11-20", 100, retail_store=store)
    shop.receipt(None, "2025-11-28", 900, retail_store=store)
    shop.receipt(None, "2026-11-20", 150, retail_store=store)
    assert shop.kpi("like_for_like", "2026-11") == pytest.approx(0.5)


def test_kpis_of_receipts_are_shown_by_store(shop: Shop) -> None:
    store = shop.store("S7")
    shop.receipt(None, "2026-10-05", "80", retail_store=store)
    shop.receipt(None, "2026-10-06", "20")
    assert shop.kpi("average_check", "2026-10", "store") == {
        "Store S7": Decimal("80.00"),
        "Not set": Decimal("20.00"),
    }


def test_days_to_settle_are_of_returns_settled_in_the_period(shop: Shop) -> None:
    moment = [datetime(2026, 10, day, tzinfo=UTC) for day in (1, 3, 7)]
    for number, (received, settled) in enumerate(
        ((moment[0], moment[1]), (moment[0], moment[2]), (moment[1], None))
    ):
        values = {"number": f"B{number}", "reason": "size", "amount": 5, "received_at": received}
        if settled:
            values |= {"stage": "settled", "resolution": "refund", "settled_at": settled}
        shop.records.create("retail.return", values)
    assert shop.kpi("return_days", "2026-10") == pytest.approx((2 + 6) / 2)
    assert shop.kpi("open_returns", "2026-10") == 1


def test_every_kpi_says_how_it_is_counted_and_where_it_stands(shop: Shop) -> None:
    ours = [one for one in shop.edition.all(Kpi).values() if one.owner == "retail"]
    assert len(ours) >= 10
    for one in ours:
        assert one.formula and one.cell and one.cell.row
