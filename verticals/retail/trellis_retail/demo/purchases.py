"""Two years of receipts: seasons, Saturdays, sales, loyal and lost customers, and what comes back."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import trellis

from trellis_retail.demo.goods import CENT, Product, Shelf
from trellis_retail.demo.people import YEARS, Buyer
from trellis_retail.demo.places import ONLINE_CODE, Site

SEASONS = (0.86, 0.72, 0.85, 0.92, 0.94, 0.9, 0.95, 0.84, 0.98, 1.02, 1.24, 1.5)
WEEKDAYS = (0.82, 0.84, 0.9, 0.96, 1.16, 1.5, 0.78)
PEAK = max(SEASONS) * max(WEEKDAYS)
SALE_MONTHS = (1, 7)
COUPONS = {11: "BLACKLINEN", 12: "ADVENT", 5: "MAYGARDEN", 9: "NEWSEASON"}
ANONYMOUS = 0.16
RETURNED = 0.05


@dataclass(frozen=True, kw_only=True)
class Line:
    """One product on a receipt, at the price that was paid."""

    product: Product
    quantity: int
    price: Decimal


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """A receipt before it is written. ``returns`` is the place of the receipt whose goods come back."""

    number: str
    at: datetime
    site: Site
    buyer: Buyer | None
    lines: tuple[Line, ...]
    coupon: str | None = None
    returns: int | None = None

    @property
    def amount(self) -> Decimal:
        return sum((line.price * line.quantity for line in self.lines), Decimal(0))

    @property
    def discount(self) -> Decimal:
        """What the lines would have cost more at shelf prices."""
        return sum(((line.product.price - line.price) * line.quantity for line in self.lines), Decimal(0))


def make(
    context: trellis.DemoContext, buyers: Sequence[Buyer], sites: Sequence[Site], shelves: Sequence[Shelf]
) -> tuple[list[Receipt], list[int]]:
    """Writes receipts with their lines; returns them with their ids."""
    receipts = _with_returns(context, sorted(_receipts(context, buyers, sites, shelves), key=_moment))
    ids = context.create("order", (_order(one) for one in receipts))
    context.create("order_line", _lines(receipts, ids))
    return receipts, ids


def _receipts(
    context: trellis.DemoContext, buyers: Sequence[Buyer], sites: Sequence[Site], shelves: Sequence[Shelf]
) -> Iterator[Receipt]:
    dice, numbers = context.random, Counter[str]()
    for buyer in buyers:
        for day in _days(dice, buyer, context.today):
            site = _site(dice, buyer, sites)
            yield _receipt(context, numbers, day, site, buyer, shelves)
            if dice.random() < ANONYMOUS and site.code != ONLINE_CODE:
                yield _receipt(context, numbers, day, site, None, shelves)


def _moment(receipt: Receipt) -> datetime:
    return receipt.at


def _days(dice: random.Random, buyer: Buyer, today: date) -> Iterator[date]:
    """The days on which a customer buys: about as often as usual, more in season and on Saturdays."""
    day, last = buyer.joined, min(buyer.leaves, today)
    mean = sum(SEASONS) / 12 * sum(WEEKDAYS) / 7
    while day <= last:
        if dice.random() < _busy(day) / PEAK:
            yield day
        day += timedelta(days=max(1, round(dice.expovariate(buyer.yearly / 365 * PEAK / mean))))


def _busy(day: date) -> float:
    return SEASONS[day.month - 1] * WEEKDAYS[day.weekday()]


def _site(dice: random.Random, buyer: Buyer, sites: Sequence[Site]) -> Site:
    if dice.random() < buyer.online:
        return sites[-1]
    return buyer.home if dice.random() < 0.88 else dice.choice(sites[:-1])


def _receipt(
    context: trellis.DemoContext,
    numbers: Counter[str],
    day: date,
    site: Site,
    buyer: Buyer | None,
    shelves: Sequence[Shelf],
) -> Receipt:
    dice = context.random
    bargain = dice.random() < (
        0.6 if day.month in SALE_MONTHS else 0.02 + 0.55 * (buyer.bargains if buyer else 0.3)
    )
    cut = Decimal(dice.choice((10, 15, 20, 30) if bargain else (0,))) / 100
    coupon = COUPONS.get(day.month) if bargain and dice.random() < 0.5 else None
    purse = buyer.purse if buyer else 0.8
    lines = tuple(
        _line(dice, dice.choice(shelves) if buyer is None else _shelf(dice, buyer, shelves), cut)
        for _ in range(_size(dice, purse))
    )
    key = f"{site.code}-{day:%y%m%d}"
    numbers[key] += 1
    hour = dice.randint(6, 8) if day == context.today else None
    return Receipt(
        number=f"{key}-{numbers[key]}",
        at=context.moment(day, hour),
        site=site,
        buyer=buyer,
        lines=lines,
        coupon=coupon,
    )


def _size(dice: random.Random, purse: float) -> int:
    """How many lines: one to six, more for those who spend more."""
    return min(6, 1 + int(dice.expovariate(0.75 / purse)))


def _shelf(dice: random.Random, buyer: Buyer, shelves: Sequence[Shelf]) -> Shelf:
    return shelves[buyer.shelf] if dice.random() < 0.5 else dice.choice(shelves)


def _line(dice: random.Random, shelf: Shelf, cut: Decimal) -> Line:
    product = dice.choices(shelf.products, shelf.weights)[0]
    quantity = 1 if product.price > 60 else dice.choices((1, 2, 4, 6), (62, 24, 9, 5))[0]
    return Line(product=product, quantity=quantity, price=(product.price * (1 - cut)).quantize(CENT))


def _with_returns(context: trellis.DemoContext, sold: list[Receipt]) -> list[Receipt]:
    """Some receipts come back within three weeks, one line of them, as a receipt with a negative quantity."""
    dice, returned = context.random, []
    for place, receipt in enumerate(sold):
        day = receipt.at.date() + timedelta(days=dice.randint(1, 20))
        if receipt.buyer is not None and dice.random() < RETURNED and day <= context.today:
            line = dice.choice(receipt.lines)
            back = Line(product=line.product, quantity=-line.quantity, price=line.price)
            at = context.moment(day, dice.randint(6, 8) if day == context.today else None)
            returned.append(
                Receipt(
                    number=f"{receipt.number}-R",
                    at=at,
                    site=receipt.site,
                    buyer=receipt.buyer,
                    lines=(back,),
                    returns=place,
                )
            )
    return [*sold, *returned]


def _order(receipt: Receipt) -> Mapping[str, Any]:
    buyer, online = receipt.buyer, receipt.site.code == ONLINE_CODE
    return {
        "number": receipt.number,
        "customer": buyer.id if buyer else None,
        "ordered_at": receipt.at,
        "channel": "online" if online else "store",
        "unit": receipt.site.unit,
        "owner": receipt.site.manager,
        "amount": receipt.amount,
        "cost": sum((line.product.cost * line.quantity for line in receipt.lines), Decimal(0)),
        "retail.store": receipt.site.id,
        "retail.till": None if online else f"{1 + len(receipt.number) % 4}",
        "retail.discount": max(receipt.discount, Decimal(0)),
        "retail.coupon": receipt.coupon,
        "retail.card_number": buyer.card if buyer else None,
    }


def _lines(receipts: Sequence[Receipt], ids: Sequence[int]) -> Iterator[Mapping[str, Any]]:
    for receipt, order in zip(receipts, ids, strict=True):
        for line in receipt.lines:
            yield {
                "order": order,
                "product": line.product.id,
                "quantity": line.quantity,
                "price": line.price,
                "cost": line.product.cost,
                "unit": receipt.site.unit,
                "owner": receipt.site.manager,
            }


def first_day(context: trellis.DemoContext) -> date:
    """The day on which the history of the demo begins."""
    return context.today - timedelta(days=365 * YEARS)
