"""What people at Linen & Oak work on: promotions, returns, tasks and calls, leads and projects, and the plans."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import trellis

from trellis_retail.demo.goods import Shelf
from trellis_retail.demo.people import Buyer
from trellis_retail.demo.purchases import COUPONS, SEASONS, Receipt

_ = trellis.translator("trellis_retail")


def promotions(context: trellis.DemoContext, shelves: Sequence[Shelf]) -> None:
    """Offers in every stage, the running ones around today."""
    plans = (
        (_("Summer sale"), "finished", "percent_off", -150, -120, 30, None, None, 9000),
        (_("New season, new linen"), "finished", "coupon", -70, -45, 15, COUPONS[9], 0, 4500),
        (_("Two lamps, one price"), "finished", "bundle", -40, -26, 20, None, 3, 3000),
        (_("Winter evenings"), "running", "percent_off", -6, 8, 15, None, 0, 6000),
        (_("Bed set and throw"), "running", "bundle", -12, 18, 10, None, 0, 5200),
        (_("Gifts from the table"), "approved", "gift", 9, 30, 0, None, 2, 4000),
        (_("Coupon for the second purchase"), "margin_check", "coupon", 14, 60, 15, "AGAIN15", None, 3500),
        (_("Members' weekend"), "draft", "percent_off", 45, 47, 20, None, None, 8000),
        (_("Rug festival"), "cancelled", "amount_off", -20, -10, 10, None, 4, 2500),
    )
    day = context.today
    context.create(
        "retail.promotion",
        [
            {
                "name": context.text(name),
                "stage": stage,
                "mechanic": mechanic,
                "starts": day + timedelta(days=first),
                "ends": day + timedelta(days=last),
                "discount": Decimal(percent) / 100 if percent else None,
                "coupon": coupon,
                "category": None if shelf is None else shelves[shelf].category,
                "budget": budget,
                "owner": context.users["manager"],
            }
            for name, stage, mechanic, first, last, percent, coupon, shelf, budget in plans
        ],
    )


def returns(
    context: trellis.DemoContext, buyers: Sequence[Buyer], receipts: Sequence[Receipt], ids: Sequence[int]
) -> None:
    """A return for each receipt that came back, settled in a few days; and the latest, which are still open."""
    rows = [
        _return(context, one, ids[one.returns], number)
        for number, one in enumerate(receipts, 1)
        if one.returns is not None
    ]
    context.create("retail.return", [*rows, *_open_returns(context, buyers, len(receipts))])


def _return(context: trellis.DemoContext, receipt: Receipt, sold: int, number: int) -> Mapping[str, Any]:
    dice = context.random
    age = (context.today - receipt.at.date()).days
    reason = dice.choices(
        ("damaged", "not_as_described", "wrong_item", "size", "changed_mind", "late"), (30, 14, 9, 26, 16, 5)
    )[0]
    waiting = ("received", "checked", "approval", "checked", "settled", "settled")
    stage = dice.choice(waiting) if age < 12 else "refused" if dice.random() < 0.05 else "settled"
    resolution = dice.choices(("refund", "replacement", "voucher", "repair"), (55, 25, 16, 4))[0]
    settled = receipt.at + timedelta(days=dice.randint(0, min(age, 6)), hours=dice.randint(0, 3))
    if stage == "refused":
        resolution = "refused"
    return {
        "number": f"R-{number:06}",
        "stage": stage,
        "receipt": sold,
        "product": receipt.lines[0].product.id,
        "reason": reason,
        "amount": -receipt.amount,
        "received_at": receipt.at,
        "resolution": None if stage in ("received", "checked") else resolution,
        "settled_at": settled if stage in ("settled", "refused") else None,
        "unit": receipt.site.unit,
        "owner": receipt.site.manager,
    }


def _open_returns(
    context: trellis.DemoContext, buyers: Sequence[Buyer], number: int
) -> Iterator[Mapping[str, Any]]:
    """Goods that were brought in these days; the receipt of some is still looked for."""
    dice = context.random
    for place in range(max(6, context.customers // 40)):
        buyer = dice.choice(buyers)
        stage = ("received", "checked", "approval")[place % 3]
        yield {
            "number": f"R-{number + 1 + place:06}",
            "stage": stage,
            "customer": buyer.id,
            "store": buyer.home.id,
            "reason": dice.choice(("damaged", "not_as_described", "size", "changed_mind")),
            "amount": Decimal(dice.randint(12, 90)) + Decimal("0.95") + (110 if stage == "approval" else 0),
            "received_at": context.moment(context.today - timedelta(days=dice.randint(1, 5))),
            "resolution": "refund" if stage == "approval" else None,
            "unit": buyer.home.unit,
            "owner": buyer.home.manager,
        }


def activities(context: trellis.DemoContext, buyers: Sequence[Buyer]) -> None:
    """Tasks of today for the demo users, and what was done before."""
    context.create("activity", [*_tasks(context, buyers), *_done(context, buyers)])


def _tasks(context: trellis.DemoContext, buyers: Sequence[Buyer]) -> Iterator[Mapping[str, Any]]:
    faces: Mapping[str, Sequence[tuple[Any, str, int, time, int | None]]] = {
        "administrator": (
            (_("Call about the damaged lamp"), "call", 0, time(7, 30), 0),
            (_("Approve the refund over the limit"), "task", 0, time(21), 1),
            (_("Plan-fact review with the store managers"), "meeting", 1, time(11, 15), None),
            (_("Check whom the win-back mail goes to"), "task", 1, time(13), None),
            (_("Read the instruction on returns without a receipt"), "task", 2, time(15, 30), None),
            (_("Renew the terms for the next season"), "call", 3, time(17), 2),
            (_("Look at the new window of the flagship store"), "task", 4, time(9), None),
        ),
        "manager": (
            (_("Agree the dates of the members' weekend"), "meeting", 0, time(9), None),
            (_("Check the margin of the coupon for the second purchase"), "task", 1, time(14), None),
            (_("Call back about the delivery"), "call", 1, time(10), 3),
        ),
        "agent": (
            (_("Call about the damaged lamp"), "call", 0, time(8), 6),
            (_("Ask for the receipt of the return"), "mail", 1, time(12), 4),
            (_("Tell the customer about the replacement"), "call", 1, time(9), 5),
        ),
    }
    for role, tasks in faces.items():
        for subject, kind, days, at, buyer in tasks:
            yield {
                "kind": kind,
                "subject": context.text(subject),
                "due_at": datetime.combine(context.today + timedelta(days=days), at, UTC),
                "customer": None if buyer is None else buyers[buyer].id,
                "owner": context.users[role],
            }


def _done(context: trellis.DemoContext, buyers: Sequence[Buyer]) -> Iterator[Mapping[str, Any]]:
    dice = context.random
    subjects = (
        (_("Asked how the curtains fit"), "call"),
        (_("Sent the spring catalogue"), "mail"),
        (_("Helped to choose a rug"), "meeting"),
        (_("Told about the sale before the others"), "mail"),
        (_("Prefers to be called after five"), "note"),
        (_("Win-back call: comes again in the autumn"), "call"),
    )
    for buyer in buyers:
        for _again in range(dice.choices((0, 1, 2, 3), (60, 22, 12, 6))[0]):
            subject, kind = dice.choice(subjects)
            at = context.moment(context.today - timedelta(days=dice.randint(1, 400)))
            yield {
                "kind": kind,
                "subject": context.text(subject),
                "due_at": at,
                "done_at": at,
                "customer": buyer.id,
                "owner": buyer.home.manager,
                "unit": buyer.home.unit,
            }


def projects(context: trellis.DemoContext, buyers: Sequence[Buyer]) -> None:
    """Furnishing for companies: leads and opportunities of the head office."""
    dice, today = context.random, context.today
    leads = (
        ("Lenka Horová", "Pension Mirabell", "new", _("Web form")),
        ("Pavel Král", "Bistro Karlín", "new", _("Fair")),
        ("Ingrid Dahl", "Nordic Rooms", "contacted", _("Recommendation")),
        ("Tomáš Sova", "Atelier Sova", "qualified", _("Web form")),
        ("Jiří Vlk", "Camping Jezero", "rejected", _("Fair")),
    )
    made = context.create(
        "lead",
        [
            {
                "name": name,
                "company": company,
                "email": f"lead{place}@example.com",
                "stage": stage,
                "source": context.text(source),
                "owner": context.users["agent"],
            }
            for place, (name, company, stage, source) in enumerate(leads)
        ],
    )
    context.backdate(
        "lead",
        "created_at",
        {one: context.moment(today - timedelta(days=3 + 9 * place)) for place, one in enumerate(made)},
    )
    deals = (
        (_("Bed linen for 40 rooms"), 2, "negotiate", 14800, 12),
        (_("Table linen for the terrace"), 3, "propose", 3600, 20),
        (_("Lighting of the studio"), 4, "discover", 5200, 35),
        (_("Towels for the season"), 5, "qualify", 2900, 45),
        (_("Curtains for 12 rooms"), 6, "propose", 7400, 9),
        (_("Reading corner of the office"), 7, "won", 4100, -14),
        (_("Rugs for the lobby"), 2, "won", 9800, -60),
        (_("Breakfast china"), 3, "lost", 2200, -30),
    )
    opened = context.create(
        "opportunity",
        [
            {
                "name": context.text(name),
                "customer": buyers[customer].id,
                "stage": stage,
                "amount": amount,
                "expected_close": today + timedelta(days=days),
                "closed_at": context.moment(today + timedelta(days=days)) if days < 0 else None,
                "lost_reason": context.text(_("Price")) if stage == "lost" else None,
                "next_step": context.text(_("Send samples")) if days > 0 and dice.random() < 0.7 else None,
                "owner": context.users["manager"],
            }
            for name, customer, stage, amount, days in deals
        ],
    )
    begun = {
        one: context.moment(today + timedelta(days=min(days, 0) - dice.randint(15, 40)))
        for one, (_name, _customer, _stage, _amount, days) in zip(opened, deals, strict=True)
    }
    closed = {
        one: context.moment(today + timedelta(days=days))
        for one, (_name, _customer, _stage, _amount, days) in zip(opened, deals, strict=True)
        if days < 0
    }
    context.stages({one: (at, closed.get(one, at + timedelta(days=9))) for one, at in begun.items()})
    context.create(
        "lost_reason",
        [{"name": context.text(one)} for one in (_("Price"), _("Assortment"), _("Delivery time"))],
    )


def plans(context: trellis.DemoContext, receipts: Sequence[Receipt]) -> None:
    """Targets of the last twelve months and of this one: revenue a little above the season, shares that do not move."""
    sales: dict[str, Decimal] = defaultdict(Decimal)
    for receipt in receipts:
        sales[f"{receipt.at:%Y-%m}"] += receipt.amount
    check = sum(sales.values(), Decimal(0)) / sum(1 for one in receipts if one.returns is None)
    months = _months(context.today)
    for place, month in enumerate(months):
        usual = [sales[one] / _season(one) for one in months[max(0, place - 3) : place] or months[:1]]
        revenue = sum(usual, Decimal(0)) / len(usual) * _season(month) * Decimal("1.04")
        context.plan("revenue", month, _round(revenue, 100))
        for kpi, value in {"retail.average_check": _round(check, 1), **_steady(context.customers)}.items():
            context.plan(kpi, month, value)


def _season(month: str) -> Decimal:
    return Decimal(str(SEASONS[int(month[5:]) - 1]))


def _steady(customers: int) -> Mapping[str, Decimal]:
    return {
        "retail.repeat_purchase_rate_90": Decimal("0.65"),
        "retention": Decimal("0.52"),
        "retail.active_customers_90": Decimal(round(customers * 0.36)),
        "retail.return_rate": Decimal("0.02"),
    }


def _months(today: date) -> list[str]:
    """The codes of the last twelve months and of this one."""
    count = today.year * 12 + today.month - 1
    return [f"{number // 12:04}-{number % 12 + 1:02}" for number in range(count - 12, count + 1)]


def _round(amount: Decimal, step: int) -> Decimal:
    return (amount / step).quantize(Decimal(1)) * step


_CHECKED = ("agent", 3, {"resolution": "refund"})
_COURSES: tuple[tuple[int, tuple[tuple[str, float, Mapping[str, Any]], ...]], ...] = (
    (35, ()),
    (180, ()),
    (240, (_CHECKED,)),
    (310, (("agent", 5, {"resolution": "replacement"}),)),
    (60, (_CHECKED,)),
    (175, (_CHECKED, ("manager", 20, {"decision": "approve"}))),
    (48, (_CHECKED, ("agent", 4, {"told_by": "call"}))),
    (220, (_CHECKED, ("manager", 8, {"decision": "approve"}), ("agent", 15, {"told_by": "mail"}))),
    (
        190,
        (
            _CHECKED,
            ("manager", 30, {"decision": "refuse", "comment": "No fault of ours"}),
            ("agent", 6, {"told_by": "mail"}),
        ),
    ),
)
"""How far the process of some complaints has come: what they cost, and who did what after how many hours."""


def approvals(context: trellis.DemoContext, shelves: Sequence[Shelf]) -> None:
    """Promotions on their way through the margin check: reckoned, asked for, and being written about."""
    plans = (
        (_("Spring table"), 60, 10, 5400, ()),
        (_("Glass week"), 40, 15, 3200, (("agent", 6, {"margin": "24"}),)),
        (_("Light for the hall"), 30, 10, 2800, (("agent", 3, {"margin": "38"}),)),
    )
    rows = [
        {
            "name": context.text(name),
            "stage": "draft",
            "mechanic": "percent_off",
            "starts": context.today + timedelta(days=first),
            "ends": context.today + timedelta(days=first + 10),
            "discount": Decimal(percent) / 100,
            "category": shelves[place].category,
            "budget": budget,
            "owner": context.users["manager"],
        }
        for place, (name, first, percent, budget, _steps) in enumerate(plans)
    ]
    for place, record in enumerate(context.create("retail.promotion", rows)):
        context.run("retail.promotion_approval", record, 4 + place * 9, *plans[place][4])


def courses(context: trellis.DemoContext, buyers: Sequence[Buyer]) -> None:
    """Complaints that follow the process of the shop."""
    rows = [
        {
            "number": f"C-{place:04}",
            "stage": "received",
            "customer": buyers[place * 7 % len(buyers)].id,
            "store": buyers[place * 7 % len(buyers)].home.id,
            "reason": "damaged",
            "amount": Decimal(amount),
            "received_at": context.moment(context.today - timedelta(days=2 + place % 4), 9),
            "unit": buyers[place * 7 % len(buyers)].home.unit,
            "owner": buyers[place * 7 % len(buyers)].home.manager,
        }
        for place, (amount, _steps) in enumerate(_COURSES, 1)
    ]
    for place, record in enumerate(context.create("retail.return", rows)):
        context.run("retail.complaint", record, 2 + place * 7 % 30, *_COURSES[place][1])
