"""Quotes: what lines come to with discount and tax, when a discount needs approval, and the order of an accepted one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal as Number
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.contributions import Role
from trellis.crm.products.amounts import sum_of
from trellis.crm.products.entities import Product
from trellis.crm.products.prices import Sale, price_of
from trellis.crm.sales.entities import DiscountLimit, Opportunity, OpportunityLine, Quote, QuoteLine
from trellis.crm.sales.lines import CURRENCY_STAYS, Totals, net, require_currency, rounded
from trellis.errors import Conflict, PermissionRefused, RecordInvalid
from trellis.i18n import format_date, format_percent, translator
from trellis.kpi.periods import today_in
from trellis.records.door import Records, Write
from trellis.records.events import BeforeSave
from trellis.records.query import Record
from trellis.records.types import Money
from trellis.security.actor import Actor

_ = translator("trellis")

DRAFT, APPROVAL, SENT, ACCEPTED = "draft", "approval", "sent", "accepted"
FIXED = (SENT, ACCEPTED, "declined")
"""Stages in which the lines stay as they are."""

_COPIED = ("product", "quantity", "price", "discount")
_FARTHEST = Number(10) ** 6
"""A price is not told to be further below the list: against a tiny price in the list no field would hold it."""

OPPORTUNITY_TOTALS = Totals(
    of=Opportunity,
    lines=OpportunityLine,
    field="opportunity",
    sums={"amount": sa.func.sum(OpportunityLine.amount)},
    stays=True,
)
TOTALS = Totals(
    of=Quote,
    lines=QuoteLine,
    field="quote",
    sums={
        "net": sa.func.sum(QuoteLine.net),
        "tax": sa.func.sum(QuoteLine.tax_amount),
        "amount": sa.func.sum(QuoteLine.amount),
        "discount": sa.func.max(QuoteLine.reduction),
        "lines_count": sa.func.count(),
    },
)


def fill_opportunity_line(event: BeforeSave) -> None:
    """The price of the day where none is given, and what the line comes to. Raises RecordInvalid."""
    line = {**event.before, **event.values}
    if event.action == "restored":
        query = sa.select(Opportunity.currency).where(Opportunity.id == line.get("opportunity"))
        require_currency(event, line, event.session.scalar(query))
    if event.action not in ("created", "updated"):
        return
    columns = Opportunity.currency, Opportunity.channel, Opportunity.customer_id
    found = event.session.execute(
        sa.select(*columns).where(Opportunity.id == line.get("opportunity"))
    ).first()
    currency, channel, customer = found if found is not None else (None, None, None)
    own = event.edition.settings.currency
    sale = Sale(day=_today(event), currency=currency or own, own=own, channel=channel, customer=customer)
    _price(event, line, sale)
    event.values.update(amount=net(line, sale.currency), currency=sale.currency)


def fill_line(event: BeforeSave) -> None:
    """The same for a quote, with tax; refuses what would change a quote that the customer has."""
    line = {**event.before, **event.values}
    quotes = {line.get("quote"), event.before.get("quote")} - {None}
    _require_open(event, quotes)
    if event.action == "restored":
        query = sa.select(Quote.currency).where(Quote.id == line.get("quote"))
        require_currency(event, line, event.session.scalar(query))
    if event.action not in ("created", "updated"):
        return
    sale = _sale(event, line.get("quote"))
    listed = _price(event, line, sale)
    without = net(line, sale.currency)
    tax = rounded(sale.currency, without, line.get("tax") or Number(0)) if without is not None else None
    total = sum_of((without,), (tax,)) if without is not None and tax is not None else None
    event.values.update(net=without, tax_amount=tax, amount=total, currency=sale.currency)
    event.values.update(list_price=listed, reduction=_reduction(line, listed))


def _require_open(event: BeforeSave, quotes: set[Any]) -> None:
    fixed = sa.select(Quote.number).where(Quote.id.in_(quotes), Quote.stage.in_(FIXED))
    number = event.session.scalar(fixed)
    if number is not None:
        text = _("The quote %(number)s is with the customer; take it back to change its lines", number=number)
        raise RecordInvalid({"quote": [text]})


def _sale(event: BeforeSave, quote: int | None) -> Sale:
    columns = Quote.issued_on, Quote.currency, Quote.channel, Quote.customer_id, Quote.price_list_id
    found = event.session.execute(sa.select(*columns).where(Quote.id == quote)).first()
    day, currency, channel, customer, price_list = found if found is not None else (None,) * 5
    own = event.edition.settings.currency
    return Sale(
        day=day or _today(event),
        currency=currency or own,
        own=own,
        channel=channel,
        customer=customer,
        price_list=price_list,
    )


def _price(event: BeforeSave, line: dict[str, Any], sale: Sale) -> Number | None:
    """Gives a line its price when it has none; returns the one in the list.

    A line whose product is taken away is still measured by the price that this had.
    """
    listed: Number | None = None if line.get("product") else event.before.get("list_price")
    if line.get("product") and line.get("quantity") is not None:
        listed = price_of(event.session, sale, line["product"], line["quantity"])
    if line.get("price") is None:
        line["price"] = event.values["price"] = listed
    return listed


def _reduction(line: Mapping[str, Any], listed: Number | None) -> Number | None:
    """How far a line is below the list, whether by its discount or by its price."""
    discount = line.get("discount") or Number(0)
    if not listed or line.get("price") is None:
        return discount
    below = 1 - line["price"] * (1 - discount) / listed
    checked: Number | None = Money().check(min(max(below, discount), _FARTHEST))
    return checked


def _today(event: BeforeSave) -> date:
    return today_in(ZoneInfo(event.edition.settings.timezone))


def follow(event: BeforeSave) -> None:
    """Completes a quote, and holds it to its stages. Raises RecordInvalid."""
    if event.action not in ("created", "updated"):
        return
    values = event.values
    if event.action == "created":
        _begin(event)
    quote = {**event.before, **values}
    if event.action == "created":
        return
    if quote["currency"] != event.before.get("currency") and event.before.get("lines_count"):
        raise RecordInvalid({"currency": [CURRENCY_STAYS]})
    if quote["stage"] == event.before.get("stage"):
        return
    if quote["stage"] in (DRAFT, APPROVAL):
        values["approved_by"] = None
    elif quote["stage"] == SENT:
        _send(event, quote)
    elif quote["stage"] == ACCEPTED:
        until = quote.get("valid_until")
        if until is not None and until < _today(event):
            text = _(
                "The quote was valid until %(day)s; take it back and send it anew", day=format_date(until)
            )
            raise RecordInvalid({"stage": [text]})


def _begin(event: BeforeSave) -> None:
    """What a new quote has. Only what is imported is beyond the draft already. Raises RecordInvalid."""
    values = event.values
    if values.get("stage") != DRAFT and event.actor.source != "import":
        raise RecordInvalid({"stage": [_("A new quote is a draft; move it when it has its lines")]})
    values["issued_on"] = values.get("issued_on") or _today(event)
    columns = Opportunity.customer_id, Opportunity.currency, Opportunity.channel
    found = event.session.execute(
        sa.select(*columns).where(Opportunity.id == values.get("opportunity"))
    ).first()
    for name, known in zip(("customer", "currency", "channel"), found or (), strict=False):
        if values.get(name) is None:
            values[name] = known


def _send(event: BeforeSave, quote: Mapping[str, Any]) -> None:
    """A quote is sent when its lines have prices, and its discounts are within the limit of who sends it."""
    lines = sa.select(sa.func.count(), sa.func.count(QuoteLine.amount)).where(
        QuoteLine.quote_id == event.id, QuoteLine.deleted_at.is_(None)
    )
    number, priced = event.session.execute(lines).one()
    if not number or priced < number:
        raise RecordInvalid({"stage": [_("A quote needs lines, and each line a price")]})
    allowed, offered = limit_of(event.session, event.actor), quote.get("discount") or Number(0)
    if allowed is not None and offered > allowed:
        text = _(
            "A discount of %(offered)s needs approval: your limit is %(allowed)s. Move the quote to “Approval”",
            offered=format_percent(offered),
            allowed=format_percent(allowed),
        )
        raise RecordInvalid({"stage": [text]})
    if event.before.get("stage") == APPROVAL:
        event.values["approved_by"] = event.actor.user_id


def limit_of(session: Session, actor: Actor) -> Number | None:
    """The largest discount that the actor may offer by itself: the widest of its roles. None where nothing limits it."""
    if actor.administrator or actor.user_id is None:
        return None
    query = sa.select(DiscountLimit.role, DiscountLimit.limit).where(DiscountLimit.deleted_at.is_(None))
    limits = {role: limit for role, limit in session.execute(query)}
    if any(role not in limits for role in actor.roles):
        return None
    return max((limits[role] for role in actor.roles), default=None)


def check_limit(event: BeforeSave) -> None:
    """Limits are set by administrators, for roles that there are. Raises PermissionRefused, RecordInvalid."""
    if not event.actor.administrator:
        raise PermissionRefused()
    limit = {**event.before, **event.values}
    known = event.edition.all(Role)
    if event.action in ("created", "updated") and limit.get("role") not in known:
        text = _("There is no such role; there are: %(known)s", known=", ".join(known))
        raise RecordInvalid({"role": [text]})


def order(records: Records, quote_id: int) -> Record:
    """Makes an order of an accepted quote, with its lines; it comes to the same, without tax. Returns the order.

    Raises RecordNotFound, PermissionRefused also where lines are withheld, Conflict for a quote that is not accepted or has its order.
    """
    quote = records.get("quote", quote_id)
    if not records.actor.reaches("quote", "update", {**quote.values, "id": quote.id}):
        raise PermissionRefused()
    row = records.session.get_one(Quote, quote.id, populate_existing=True)
    if row.order_id is not None:
        raise Conflict(_("This quote has its order already"))
    if row.stage != ACCEPTED:
        raise Conflict(_("Only a quote that was accepted becomes an order"))
    with records.whole():
        kept = {name: getattr(row, name) for name in ("number", "currency", "channel")}
        kept |= {"customer": row.customer_id, "ordered_at": datetime.now(UTC)}
        made = records.create("order", _carried(quote), kept).id
        lines = _lines(records, QuoteLine, QuoteLine.quote_id == quote.id)
        records.save("order_line", [Write(values={**one, "order": made}) for one in lines])
        records.update("quote", quote.id, {}, quote.version, {"order": made})
    return records.get("order", made)


def offer(records: Records, opportunity_id: int) -> Record:
    """Makes a draft of a quote of an opportunity, with its products. Returns the quote.

    Raises RecordNotFound, PermissionRefused also where products are withheld.
    """
    deal = records.get("opportunity", opportunity_id)
    with records.whole():
        made = records.create("quote", {**_carried(deal), "opportunity": deal.id}).id
        lines = _lines(records, OpportunityLine, OpportunityLine.opportunity_id == deal.id)
        records.save("quote_line", [Write(values={**one, "quote": made}) for one in lines])
    return records.get("quote", made)


def _carried(record: Record) -> dict[str, Any]:
    return {name: record.values[name] for name in ("owner", "unit") if record.values.get(name) is not None}


def _lines(records: Records, lines: type[QuoteLine | OpportunityLine], mine: Any) -> list[dict[str, Any]]:
    """What is sold by these lines; a discount is told also where there is none, so that each comes to whole coins.

    A product that is in the bin is left out: what was agreed on holds without it.
    Raises PermissionRefused where some of it is withheld from the actor: a part of the lines would be another offer.
    """
    seen = records.actor.visible(lines).label("seen")
    query = (
        sa.select(Product.id.label("product_id"), lines.quantity, lines.price, lines.discount, seen)
        .select_from(lines)
        .outerjoin(Product, sa.and_(Product.id == lines.product_id, Product.deleted_at.is_(None)))
        .where(mine, lines.deleted_at.is_(None))
    )
    rows = records.session.execute(query.order_by(lines.id)).all()
    opened = records.actor.sees(records.edition).entity(lines.__entity__.name).fields
    if rows and not (opened.keys() >= set(_COPIED) and all(row.seen for row in rows)):
        raise PermissionRefused()
    return [
        {"product": row.product_id, "quantity": row.quantity, "price": row.price}
        | {"discount": row.discount or Number(0)}
        for row in rows
    ]


def orderable(records: Records, quote: Record) -> bool:
    """Whether the actor may make an order of this quote now."""
    reach = {**quote.values, "id": quote.id}
    ready = quote.values.get("stage") == ACCEPTED and quote.values.get("order") is None
    return ready and records.actor.may("order", "create") and records.actor.reaches("quote", "update", reach)
