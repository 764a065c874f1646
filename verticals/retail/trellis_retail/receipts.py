"""What follows from a receipt and from a return, before they are written."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import sqlalchemy as sa
import trellis
from trellis.crm.customers.entities import Customer
from trellis.crm.sales.entities import Order

from trellis_retail.entities import REFUSED, Return
from trellis_retail.fields import CARD_NUMBER, IS_RETURN, RECEIPT_CARD, STORE

_ = trellis.translator("trellis_retail")


def complete_receipt(event: trellis.BeforeSave) -> None:
    """The card says whose receipt it is; a negative amount says that it is a return."""
    values = event.values
    card = values.get(RECEIPT_CARD.name)
    if card and _now(event, "customer") is None:
        values["customer"] = holder_of(event, card)
    amount = values.get("amount")
    if amount is not None and values.get(IS_RETURN.name) is None:
        values[IS_RETURN.name] = True if amount < 0 else None


def holder_of(event: trellis.BeforeSave, card: str) -> int | None:
    """The customer who holds a card; none for a card that is not known (yet), or that two people share."""
    holders = sa.select(Customer.id).where(CARD_NUMBER.of(Customer) == card, Customer.deleted_at.is_(None))
    found = event.session.scalars(holders.limit(2)).all()
    return found[0] if len(found) == 1 else None


def complete_return(event: trellis.BeforeSave) -> None:
    """Customer, store and currency are those of the receipt; more than was paid cannot be given back."""
    receipt = _now(event, "receipt")
    if receipt is None or not event.values.keys() & {"receipt", "amount", "resolution"}:
        return
    query = sa.select(Order.customer_id, STORE.of(Order), Order.currency, Order.amount)
    found = event.session.execute(query.where(Order.id == receipt)).first()
    if found is None:
        return  # the door will say that there is no such receipt
    customer, store, currency, paid = found
    for field, value in (("customer", customer), ("store", store), ("currency", currency)):
        if _now(event, field) is None and value is not None:
            event.values[field] = value
    if _now(event, "resolution") != REFUSED:
        _check_amount(event, receipt, paid, currency or event.edition.settings.currency)


def _check_amount(event: trellis.BeforeSave, receipt: int, paid: Decimal | None, currency: str) -> None:
    """Refuses to give back more than what is left of a receipt."""
    amount = _now(event, "amount")
    if amount is None or paid is None:
        return
    left = max(paid - _given_back(event, receipt), Decimal(0))
    if amount > left:
        shown = trellis.format_money(left, currency)
        raise trellis.RecordInvalid(
            {"amount": [_("Of this receipt %(left)s can still be returned", left=shown)]}
        )


def _given_back(event: trellis.BeforeSave, receipt: int) -> Decimal:
    """What other returns of the same receipt come to; refused ones give nothing back."""
    kept = sa.or_(Return.resolution.is_(None), Return.resolution != REFUSED)
    others = sa.and_(Return.receipt_id == receipt, Return.deleted_at.is_(None), kept)
    if event.id is not None:
        others = sa.and_(others, Return.id != event.id)
    return event.session.scalar(sa.select(sa.func.sum(Return.amount)).where(others)) or Decimal(0)


def _now(event: trellis.BeforeSave, field: str) -> Any:
    """The value that a field will have after the write."""
    return event.values.get(field, event.before.get(field))
