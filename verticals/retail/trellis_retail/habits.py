"""The card “Buying habits” beside a customer: what the receipts of twelve months say."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
import trellis
from trellis import average, ratio
from trellis.crm.products.entities import Category, Product
from trellis.crm.sales.entities import Order, OrderLine

from trellis_retail.entities import Store
from trellis_retail.fields import DISCOUNT, ONLINE, STORE
from trellis_retail.model import SIGNIFICANCE

_ = trellis.translator("trellis_retail")
_n = trellis.plural_translator("trellis_retail")

DAYS = 365
MOST_CATEGORIES = 3


def habits(records: trellis.Records, customer: int) -> Mapping[str, Any]:
    """What ``habits.html`` shows: three queries, within the reader's rights."""
    figures = _figures(records, customer)
    if not figures.receipts:
        return {"nothing": _("No receipts in the last 12 months")}
    return {
        "check": trellis.format_money(figures.check, records.edition.settings.currency),
        "receipts": _n("%(num)s receipt in 12 months", "%(num)s receipts in 12 months", figures.receipts),
        "measures": [
            (_("Online"), figures.online or 0.0),
            (_("With discount"), figures.discounted or 0.0),
            *_categories(records, customer),
        ],
        "rhythm": _rhythm(figures),
        "place": _place(records, customer),
    }


def _receipts(records: trellis.Records, customer: int) -> sa.ColumnElement[bool]:
    own = sa.or_(Order.currency.is_(None), Order.currency == records.edition.settings.currency)
    since = datetime.now(UTC) - timedelta(days=DAYS)
    mine = sa.and_(Order.customer_id == customer, Order.deleted_at.is_(None), records.actor.visible(Order))
    return sa.and_(mine, Order.ordered_at >= since, Order.amount >= 0, own)


def _figures(records: trellis.Records, customer: int) -> Any:
    number = sa.func.count()
    query = sa.select(
        number.label("receipts"),
        average(sa.func.sum(Order.amount), number).label("check"),
        ratio(number.filter(Order.channel == ONLINE), number).label("online"),
        ratio(number.filter(DISCOUNT.of(Order) > 0), number).label("discounted"),
        sa.func.min(Order.ordered_at).label("first"),
        sa.func.max(Order.ordered_at).label("last"),
    )
    return records.session.execute(query.where(_receipts(records, customer))).one()


def _categories(records: trellis.Records, customer: int) -> list[tuple[str, float]]:
    """The categories on which most was spent, each with its share."""
    if not records.actor.may("category", "read"):
        return []
    spent = sa.func.sum(OrderLine.amount)
    share = ratio(spent, sa.func.sum(spent).over())
    query = (
        sa.select(Category.name, share.label("share"))
        .join(Product, Product.category_id == Category.id)
        .join(OrderLine, OrderLine.product_id == Product.id)
        .join(Order, Order.id == OrderLine.order_id)
        .where(OrderLine.deleted_at.is_(None), _receipts(records, customer))
        .group_by(Category.id, Category.name)
        .order_by(spent.desc(), Category.name)
        .limit(MOST_CATEGORIES)
    )
    return [(row.name, row.share or 0.0) for row in records.session.execute(query)]


def _rhythm(figures: Any) -> Any:
    """How often the customer comes."""
    if figures.receipts < 2:
        return _("One receipt so far")
    days = max(1, round((figures.last - figures.first).days / (figures.receipts - 1)))
    return _n("Comes every %(num)s day on average", "Comes every %(num)s days on average", days)


def _place(records: trellis.Records, customer: int) -> Any:
    """The store of most receipts."""
    visits = sa.func.count()
    query = (
        sa.select(Store.name, visits)
        .join(Order, STORE.of(Order) == Store.id)
        .where(_receipts(records, customer), records.actor.visible(Store))
        .group_by(Store.id, Store.name)
        .order_by(visits.desc(), Store.name)
        .limit(1)
    )
    found = records.session.execute(query).first()
    return _("Mostly at %(store)s", store=found[0]) if found else ""


PANELS = [
    trellis.Panel(
        name="retail.habits",
        title=_("Buying habits"),
        cell=SIGNIFICANCE,
        entity="customer",
        load=habits,
        template="trellis_retail/habits.html",
    )
]
