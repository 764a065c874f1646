"""What a retailer measures on receipts, stores, cards, discounts and returns."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
import trellis
from trellis import Unit, average, days_between, ratio
from trellis.crm.sales.entities import Order, OrderLine

from trellis_retail.entities import Return, Store
from trellis_retail.fields import COUPON, DISCOUNT, ONLINE, RECEIPT_CARD, STORE, UNITS
from trellis_retail.model import LIFECYCLE, RESPONSE, RETURNS, SALES

_ = trellis.translator("trellis_retail")

SOLD = Order.amount >= 0
SOLD_RULE = {"field": "amount", "op": "gte", "value": 0}
RETURNED = Order.amount < 0
BY_STORE = {"store": STORE}
RECENT_DAYS = 90


def _orders(q: trellis.KpiQuery, value: Any) -> sa.Select[Any]:
    return sa.select(value).where(q.during(Order.ordered_at), q.visible(Order))


def _sum(amount: Any, condition: Any = None) -> Any:
    """A sum that is 0 where nothing fits, so that shares of it are 0 and not unknown."""
    total = sa.func.sum(amount)
    return sa.func.coalesce(total if condition is None else total.filter(condition), 0)


def _average_check(q: trellis.KpiQuery) -> sa.Select[Any]:
    return _orders(q, average(sa.func.sum(q.money(Order.amount)), sa.func.count().filter(SOLD)))


def _units() -> sa.ColumnElement[Any]:
    """The units of a receipt: as the receipt says, or as its lines do."""
    lines = sa.select(sa.func.sum(OrderLine.quantity)).where(
        OrderLine.order_id == Order.id, OrderLine.deleted_at.is_(None)
    )
    return sa.func.coalesce(UNITS.of(Order), lines.correlate(Order).scalar_subquery())


def _units_per_receipt(q: trellis.KpiQuery) -> sa.Select[Any]:
    units = _units()
    return _orders(q, ratio(sa.func.avg(units, type_=units.type), 1)).where(SOLD)


def _items_price(q: trellis.KpiQuery) -> sa.Select[Any]:
    units = _units()
    paid = sa.func.sum(q.money(Order.amount)).filter(units.is_not(None))
    return _orders(q, average(paid, sa.func.sum(units))).where(SOLD)


def _with_card(q: trellis.KpiQuery) -> sa.Select[Any]:
    amount = q.money(Order.amount)
    return _orders(q, ratio(_sum(amount, RECEIPT_CARD.of(Order).is_not(None)), _sum(amount)))


def _online(q: trellis.KpiQuery) -> sa.Select[Any]:
    amount = q.money(Order.amount)
    return _orders(q, ratio(_sum(amount, Order.channel == ONLINE), _sum(amount)))


def _discount_share(q: trellis.KpiQuery) -> sa.Select[Any]:
    discount = _sum(q.money(DISCOUNT.of(Order), Order.currency))
    return _orders(q, ratio(discount, discount + _sum(q.money(Order.amount)))).where(SOLD)


def _return_rate(q: trellis.KpiQuery) -> sa.Select[Any]:
    amount = q.money(Order.amount)
    return _orders(q, ratio(-_sum(amount, RETURNED), _sum(amount, SOLD)))


def _margin_share(q: trellis.KpiQuery) -> sa.Select[Any]:
    known = Order.cost.is_not(None)
    margin = _sum(q.money(Order.amount - Order.cost, Order.currency), known)
    return _orders(q, ratio(margin, _sum(q.money(Order.amount), known)))


def _coupon_share(q: trellis.KpiQuery) -> sa.Select[Any]:
    used = sa.func.count().filter(COUPON.of(Order).is_not(None))
    return _orders(q, ratio(used, sa.func.count())).where(SOLD)


def _recently(q: trellis.KpiQuery) -> sa.ColumnElement[bool]:
    """Purchase days in the 90 days up to the end of the period, or up to today where it still runs."""
    end = min(q.period.end, q.today + timedelta(days=1))
    window = dataclasses.replace(q.period, first=end - timedelta(days=RECENT_DAYS), end=end)
    return sa.and_(q.during(trellis.IncomeDay.day, window), q.bought())


def _active(q: trellis.KpiQuery) -> sa.Select[Any]:
    return sa.select(sa.func.count(trellis.IncomeDay.customer_id.distinct())).where(_recently(q))


def _repeated(q: trellis.KpiQuery) -> sa.Select[Any]:
    day = trellis.IncomeDay
    days = sa.func.count(day.day.distinct()).label("days")
    buyers = sa.select(days).where(_recently(q)).group_by(day.customer_id).subquery()
    return sa.select(ratio(sa.func.count().filter(buyers.c.days >= 2), sa.func.count())).select_from(buyers)


def _bought_recently(q: trellis.KpiQuery) -> sa.Select[Any]:
    return sa.select(trellis.IncomeDay.customer_id).where(_recently(q)).distinct()


def _sales_by_store(q: trellis.KpiQuery, during: sa.ColumnElement[bool]) -> sa.Subquery:
    own = sa.or_(Order.currency.is_(None), Order.currency == q.currency)
    store = STORE.of(Order).label("store")
    sales = sa.func.sum(Order.amount).label("sales")
    return sa.select(store, sales).where(during, own, q.visible(Order)).group_by(store).subquery()


def _sales_per_m2(q: trellis.KpiQuery) -> sa.Select[Any]:
    sold = _sales_by_store(q, q.during(Order.ordered_at))
    value = average(sa.func.sum(sold.c.sales), sa.func.sum(Store.area_m2))
    joined = sa.select(value).select_from(Store).join(sold, sold.c.store == Store.id)
    return joined.where(Store.area_m2 > 0, q.visible(Store))


def _like_for_like(q: trellis.KpiQuery) -> sa.Select[Any]:
    """Stores that sold in both years, on the same days: of a period that still runs, those that are gone."""
    period = q.period.elapsed(q.today)
    now = _sales_by_store(q, q.during(Order.ordered_at, period))
    before = _sales_by_store(q, q.during(Order.ordered_at, period.year_before.beginning(period.days)))
    growth = ratio(sa.func.sum(now.c.sales) - sa.func.sum(before.c.sales), sa.func.sum(before.c.sales))
    joined = sa.select(growth).select_from(Store).join(now, now.c.store == Store.id)
    return joined.join(before, before.c.store == Store.id).where(q.visible(Store))


def _return_days(q: trellis.KpiQuery) -> sa.Select[Any]:
    days = sa.func.avg(days_between(Return.received_at, Return.settled_at))
    return sa.select(days).where(q.during(Return.settled_at), q.visible(Return))


def _open_returns(q: trellis.KpiQuery) -> sa.Select[Any]:
    unsettled = sa.or_(Return.settled_at.is_(None), Return.settled_at >= q.end)
    return sa.select(sa.func.count()).where(q.before_end(Return.received_at), unsettled, q.visible(Return))


ON_STORES = {"store": Store.name, "format": Store.format, "region": Store.region_id}
ON_RETURNS = {"reason": Return.reason, "store": Return.store_id, "product": Return.product_id}

KPIS = [
    trellis.Kpi(
        name="retail.average_check",
        title=_("Average check"),
        formula=_(
            "Revenue divided by the number of receipts; returns reduce the revenue and are not counted"
        ),
        cell=SALES,
        unit=Unit.MONEY,
        entity=Order,
        date=Order.ordered_at,
        select=_average_check,
        breakdowns=BY_STORE,
    ),
    trellis.Kpi(
        name="retail.units_per_receipt",
        title=_("Units per receipt"),
        formula=_(
            "Mean number of pieces on a receipt, as its lines or the receipt itself say; returns are left out"
        ),
        cell=SALES,
        unit=Unit.RATIO,
        entity=Order,
        date=Order.ordered_at,
        select=_units_per_receipt,
        rule=SOLD_RULE,
        breakdowns=BY_STORE,
    ),
    trellis.Kpi(
        name="retail.items_price",
        title=_("Price of a piece"),
        formula=_("What was paid on receipts divided by the pieces on them; returns are left out"),
        cell=SALES,
        unit=Unit.MONEY,
        entity=Order,
        date=Order.ordered_at,
        select=_items_price,
        rule=SOLD_RULE,
        breakdowns=BY_STORE,
    ),
    trellis.Kpi(
        name="retail.repeat_purchase_rate_90",
        title=_("Repeat rate"),
        formula=_(
            "Of the customers who bought in the 90 days up to the end of the period, those who did on two days or more"
        ),
        cell=LIFECYCLE,
        unit=Unit.PERCENT,
        select=_repeated,
        behind=trellis.Behind(select=_bought_recently),
    ),
    trellis.Kpi(
        name="retail.active_customers_90",
        title=_("Active in 90 days"),
        formula=_("Customers with at least one purchase in the 90 days up to the end of the period"),
        cell=LIFECYCLE,
        entity=trellis.IncomeDay,
        select=_active,
    ),
    trellis.Kpi(
        name="retail.share_of_sales_with_card",
        title=_("Sales with a card"),
        formula=_("Revenue of receipts on which a loyalty card was shown, divided by revenue"),
        cell=LIFECYCLE,
        unit=Unit.PERCENT,
        entity=Order,
        date=Order.ordered_at,
        select=_with_card,
        breakdowns=BY_STORE,
    ),
    trellis.Kpi(
        name="retail.online_share",
        title=_("Online share"),
        formula=_("Revenue of the online channel divided by revenue"),
        cell=SALES,
        unit=Unit.PERCENT,
        entity=Order,
        date=Order.ordered_at,
        select=_online,
    ),
    trellis.Kpi(
        name="retail.discount_share",
        title=_("Discount share"),
        formula=_("Discounts on receipts divided by what the goods would have cost without them"),
        cell=RESPONSE,
        unit=Unit.PERCENT,
        entity=Order,
        date=Order.ordered_at,
        select=_discount_share,
        rule=SOLD_RULE,
        breakdowns=BY_STORE,
        higher_is_better=False,
    ),
    trellis.Kpi(
        name="retail.coupon_share",
        title=_("Receipts with a coupon"),
        formula=_("Receipts on which a coupon was redeemed, divided by all receipts"),
        cell=RESPONSE,
        unit=Unit.PERCENT,
        entity=Order,
        date=Order.ordered_at,
        select=_coupon_share,
        rule=SOLD_RULE,
        breakdowns={**BY_STORE, "coupon": COUPON},
    ),
    trellis.Kpi(
        name="retail.margin_share",
        title=_("Margin rate"),
        formula=_("Revenue minus cost, divided by revenue, over the receipts whose cost is known"),
        cell=SALES,
        unit=Unit.PERCENT,
        entity=Order,
        date=Order.ordered_at,
        select=_margin_share,
        breakdowns=BY_STORE,
    ),
    trellis.Kpi(
        name="retail.sales_per_m2",
        title=_("Sales per m²"),
        formula=_("Revenue of the stores that sold in the period, divided by their sales area"),
        cell=SALES,
        unit=Unit.MONEY,
        entity=Store,
        select=_sales_per_m2,
        breakdowns=ON_STORES,
    ),
    trellis.Kpi(
        name="retail.like_for_like",
        title=_("Like-for-like growth"),
        formula=_("Growth of revenue against the same days a year before, over the stores that sold in both"),
        cell=SALES,
        unit=Unit.PERCENT,
        entity=Store,
        select=_like_for_like,
        breakdowns=ON_STORES,
    ),
    trellis.Kpi(
        name="retail.return_rate",
        title=_("Return rate"),
        formula=_("Value of what was returned in the period divided by the value of what was sold in it"),
        cell=RETURNS,
        unit=Unit.PERCENT,
        entity=Order,
        date=Order.ordered_at,
        select=_return_rate,
        breakdowns=BY_STORE,
        higher_is_better=False,
    ),
    trellis.Kpi(
        name="retail.return_days",
        title=_("Days to settle a return"),
        formula=_("Mean days from receiving a return to settling it, of those settled in the period"),
        cell=RETURNS,
        unit=Unit.DAYS,
        entity=Return,
        date=Return.settled_at,
        select=_return_days,
        breakdowns={**ON_RETURNS, "resolution": Return.resolution},
        higher_is_better=False,
    ),
    trellis.Kpi(
        name="retail.open_returns",
        title=_("Open returns"),
        formula=_("Returns received before the end of the period and not settled by then"),
        cell=RETURNS,
        entity=Return,
        select=_open_returns,
        breakdowns={**ON_RETURNS, "stage": Return.stage},
        higher_is_better=False,
    ),
]
