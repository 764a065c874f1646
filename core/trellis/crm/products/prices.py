"""The price of a product on a day: from the price list that fits best, else its own, else that of the parts of a bundle."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.contributions import Segment
from trellis.crm.products.amounts import sum_of
from trellis.crm.products.entities import BundlePart, PriceList, PriceListItem, Product
from trellis.errors import Message, RecordInvalid
from trellis.i18n import translator
from trellis.records.entity import Entity
from trellis.records.events import MERGING, BeforeSave
from trellis.records.membership import SEGMENT_MEMBER

_ = translator("trellis")


@dataclass(frozen=True, kw_only=True)
class Sale:
    """For whom and when a price is asked for; ``own`` is the workspace's currency.

    With ``price_list`` only that one counts, as far as it is meant for this sale.
    """

    day: date
    currency: str
    own: str
    channel: str | None = None
    customer: int | None = None
    price_list: int | None = None


def price_of(session: Session, sale: Sale, product: int, quantity: Decimal) -> Decimal | None:
    """The price of one piece when ``quantity`` of them are bought; None where none is known in the currency."""
    return _price(session, sale, product, quantity, frozenset())


def _price(
    session: Session, sale: Sale, product: int, quantity: Decimal, above: frozenset[int]
) -> Decimal | None:
    """The price of a product that is a part of the bundles ``above``; a merge may have made it one of its own."""
    found = _known(session, sale, product, quantity)
    if found is not None or product in above:
        return found
    return _of_parts(session, sale, product, quantity, above | {product})


def _known(session: Session, sale: Sale, product: int, quantity: Decimal) -> Decimal | None:
    """The price in a list, else the product's own."""
    found = _listed(session, sale, product, quantity)
    if found is not None:
        return found
    own = sa.func.coalesce(Product.currency, sale.own) == sale.currency
    price: Decimal | None = session.scalar(sa.select(Product.price).where(Product.id == product, own))
    return price


def _listed(session: Session, sale: Sale, product: int, quantity: Decimal) -> Decimal | None:
    """The price in the list that is meant for this sale most of all; of its steps, the highest that is reached."""
    member = sa.exists().where(
        SEGMENT_MEMBER.c.segment == PriceList.segment, SEGMENT_MEMBER.c.record_id == sale.customer
    )
    conditions: list[Any] = [
        PriceListItem.product_id == product,
        PriceListItem.quantity_from <= quantity,
        PriceListItem.deleted_at.is_(None),
        PriceList.deleted_at.is_(None),
        PriceList.active,
        sa.func.coalesce(PriceList.currency, sale.own) == sale.currency,
        sa.or_(PriceList.valid_from.is_(None), PriceList.valid_from <= sale.day),
        sa.or_(PriceList.valid_to.is_(None), PriceList.valid_to >= sale.day),
        sa.or_(PriceList.channel.is_(None), PriceList.channel == sale.channel),
        sa.or_(PriceList.segment.is_(None), member),
    ]
    if sale.price_list is not None:
        conditions.append(PriceList.id == sale.price_list)
    meant = sa.case((PriceList.segment.is_(None), 0), else_=2) + sa.case(
        (PriceList.channel.is_(None), 0), else_=1
    )
    query = (
        sa.select(PriceListItem.price)
        .join_from(PriceListItem, PriceList, PriceList.id == PriceListItem.price_list_id)
        .where(*conditions)
        .order_by(
            meant.desc(),
            PriceList.valid_from.desc().nulls_last(),
            PriceList.id,
            PriceListItem.quantity_from.desc(),
        )
    )
    price: Decimal | None = session.scalar(query.limit(1))
    return price


def _of_parts(
    session: Session, sale: Sale, bundle: int, quantity: Decimal, above: frozenset[int]
) -> Decimal | None:
    """What the parts of a bundle cost together; None when it has none, or one of them has no price."""
    parts = sa.select(BundlePart.part_id, BundlePart.quantity).where(
        BundlePart.bundle_id == bundle, BundlePart.deleted_at.is_(None)
    )
    rows = session.execute(parts).all()
    prices = [_price(session, sale, part, sum_of((quantity, number)), above) for part, number in rows]
    if not rows or None in prices:
        return None
    return sum_of(*((price, row[1]) for price, row in zip(prices, rows, strict=True) if price is not None))


def check_list(event: BeforeSave) -> None:
    """A price list names a segment that there is, and ends after it begins. Raises RecordInvalid.

    It keeps its currency as long as there are prices in it.
    """
    values = {**event.before, **event.values}
    errors: dict[str, list[Message]] = {}
    if _changes_currency(event):
        errors["currency"] = [_("The prices of this list are in the present currency; remove them first")]
    known = [name for name, one in event.edition.all(Segment).items() if one.entity == "customer"]
    if event.values.get("segment") and values["segment"] not in known:
        told = ", ".join(known) or "–"
        errors["segment"] = [_("There is no such segment of customers; there are: %(known)s", known=told)]
    if values.get("valid_from") and values.get("valid_to") and values["valid_to"] < values["valid_from"]:
        errors["valid_to"] = [_("The last day must not lie before the first")]
    if errors:
        raise RecordInvalid(errors)


def _changes_currency(event: BeforeSave) -> bool:
    """Whether prices that are there would be in another currency."""
    own = event.edition.settings.currency
    before, after = event.before.get("currency"), {**event.before, **event.values}.get("currency")
    if event.action == "created" or (before or own) == (after or own):
        return False
    items = sa.select(PriceListItem.id).where(
        PriceListItem.price_list_id == event.id, PriceListItem.deleted_at.is_(None)
    )
    return event.session.scalar(items.limit(1)) is not None


def fill_item(event: BeforeSave) -> None:
    """A price is in the currency of its list, and the only one there from its quantity on. Raises RecordInvalid."""
    item = {**event.before, **event.values}
    one = PriceListItem
    place = {
        "price_list": one.price_list_id,
        "product": one.product_id,
        "quantity_from": one.quantity_from,
    }
    if _is_taken(event, one, place):
        text = _("This list has a price of the product from this quantity on; change that one")
        raise RecordInvalid({"quantity_from": [text]})
    event.taken.add(_key(one, item, place))
    query = sa.select(PriceList.currency).where(PriceList.id == item.get("price_list"))
    event.values["currency"] = event.session.scalar(query) or event.edition.settings.currency


def check_part(event: BeforeSave) -> None:
    """A bundle is no part of itself, nor of one of its parts, and has each part once. Raises RecordInvalid."""
    place = {"bundle": BundlePart.bundle_id, "part": BundlePart.part_id}
    if _is_taken(event, BundlePart, place):
        raise RecordInvalid({"part": [_("This is a part of the bundle already; change its quantity")]})
    made = {**event.before, **event.values}
    bundle, part = made.get("bundle"), made.get("part")
    if bundle is None or part is None or event.session.info.get(MERGING):
        return
    if part == bundle or bundle in _inside(event, part):
        raise RecordInvalid({"part": [_("A bundle is no part of itself")]})
    event.taken.add(_key(BundlePart, made, place))


def _inside(event: BeforeSave, bundle: int) -> set[int]:
    """All parts of a bundle and of these, also those that are written together with this one."""
    together = [
        key[1:] for key in event.taken if isinstance(key, tuple) and key[0] == BundlePart.__tablename__
    ]
    found: set[int] = set()
    bundles = {bundle}
    while bundles:
        parts = sa.select(BundlePart.part_id).where(
            BundlePart.bundle_id.in_(bundles), BundlePart.deleted_at.is_(None)
        )
        below = {*event.session.scalars(parts), *(part for whole, part in together if whole in bundles)}
        bundles = below - found
        found |= below
    return found


def _is_taken(event: BeforeSave, entity: type[Entity], place: Mapping[str, Any]) -> bool:
    """Whether another record has the same values there, or is about to; one that stays where it is may, since a merge lets two meet."""
    made = {**event.before, **event.values}
    stays = event.action == "updated" and all(made.get(name) == event.before.get(name) for name in place)
    if stays or event.session.info.get(MERGING):
        return False
    if _key(entity, made, place) in event.taken:
        return True
    same = [column == made.get(name) for name, column in place.items()]
    found = sa.select(entity.id).where(*same, entity.id != (event.id or 0), entity.deleted_at.is_(None))
    return event.session.scalar(found.limit(1)) is not None


def _key(entity: type[Entity], made: Mapping[str, Any], place: Iterable[str]) -> tuple[Any, ...]:
    """By which records that are written together tell that they have the same place."""
    return (entity.__tablename__, *(made.get(name) for name in place))
