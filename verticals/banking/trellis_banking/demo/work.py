"""What is going on in the demo bank: applications, KYC reviews, leads, calls and tasks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import trellis

from trellis_banking.demo import names
from trellis_banking.demo.bank import PRODUCTS, Bank
from trellis_banking.demo.customers import Customer
from trellis_banking.demo.holdings import LOAN_TERMS, Holding

_ = trellis.translator("trellis_banking")

CHANNELS = {"branch": 55, "online": 30, "partner": 10, "call_centre": 5}
REFUSALS = (
    _("The income does not carry the instalments"),
    _("Other debts are too high"),
    _("Score below the limit"),
)
OPEN_STAGES = {"data": 7, "documents": 8, "scoring": 4, "decision": 6, "contract": 5}
TASKS = (
    (_("Call about the deposit that matures"), "call", 10),
    (_("Ask for the missing pay slip"), "call", 11),
    (_("Prepare the offer for a mortgage"), "task", 14),
    (_("Review of the business plan"), "meeting", 15),
    (_("Send the consent form again"), "mail", 9),
    (_("Check the land register"), "task", 16),
    (_("Birthday wishes"), "call", 13),
)
TALKS = (
    (_("Needs analysis in the branch"), "meeting"),
    (_("Asked for the rates of deposits"), "call"),
    (_("Card blocked and sent again"), "call"),
    (_("Offer for a loan sent"), "mail"),
    (_("Yearly talk"), "meeting"),
)


def applications(bank: Bank, customers: list[Customer], made: list[Holding]) -> dict[int, int]:
    """Writes the applications; gives the id of the application behind each account of a young loan."""
    young = [one for one in made if one.loan and one.opened >= bank.ago(370)]
    rows = [_paid_out(bank, one) for one in young]
    lost = [_lost(bank, customers) for _number in range(max(4, int(len(young) * 0.85)))]
    waiting = list(_waiting(bank, customers))
    ids = bank.context.create("banking.application", [*rows, *lost, *(row for row, _since in waiting)])
    since = dict(zip(ids[len(rows) + len(lost) :], (since for _row, since in waiting), strict=True))
    bank.context.backdate("banking.application", "stage_since", since)
    return {one.id: record_id for one, record_id in zip(young, ids, strict=False)}


def _row(
    bank: Bank, customer: Customer, code: str, amount: Decimal, term: int, submitted: date
) -> dict[str, Any]:
    title = next(name for known, name, *_rest in PRODUCTS if known == code)
    source = bank.context.random
    return {
        "name": bank.context.text(_("%(product)s, %(term)s months", product=title, term=term)),
        "customer": customer.id,
        "product": bank.products[code],
        "branch": customer.branch.id,
        "unit": customer.branch.unit,
        "owner": customer.owner,
        "channel": source.choices(list(CHANNELS), list(CHANNELS.values()))[0],
        "amount": amount,
        "term": term,
        "score": customer.score,
        "submitted_at": bank.context.moment(submitted),
    }


def _paid_out(bank: Bank, one: Holding) -> dict[str, Any]:
    decided = one.opened - timedelta(days=bank.context.random.randint(1, 6))
    submitted = decided - timedelta(days=bank.context.random.randint(1, 9))
    row = _row(bank, one.customer, one.product, one.loan["amount"], one.loan["term"], submitted)
    closed = {"decided_at": bank.context.moment(decided), "closed_at": bank.context.moment(one.opened)}
    return {**row, **closed, "stage": "paid_out"}


def _wish(bank: Bank, customers: list[Customer], submitted: date) -> dict[str, Any]:
    """What somebody asks for."""
    source = bank.context.random
    customer = source.choice(customers)
    code = "BUS" if customer.is_company else source.choices(("CONS", "CAR", "MORT"), (5, 3, 2))[0]
    _kind, median, spread, terms = LOAN_TERMS[code]
    return _row(bank, customer, code, bank.amount(median, spread, 500), source.choice(terms), submitted)


def _lost(bank: Bank, customers: list[Customer]) -> dict[str, Any]:
    source = bank.context.random
    submitted = bank.ago(source.randint(12, 380))
    ended = submitted + timedelta(days=source.randint(2, 11))
    row = _wish(bank, customers, submitted)
    row["closed_at"] = bank.context.moment(ended)
    if bank.chance(0.3):
        return {**row, "stage": "withdrawn"}
    reason = bank.context.text(source.choice(REFUSALS))
    return {**row, "stage": "refused", "refusal_reason": reason, "decided_at": row["closed_at"]}


def _waiting(bank: Bank, customers: list[Customer]) -> Iterator[tuple[dict[str, Any], datetime]]:
    """Applications on the board, with the moment since which they stand in their stage."""
    source = bank.context.random
    stages, weights = list(OPEN_STAGES), list(OPEN_STAGES.values())
    for number in range(max(10, bank.context.customers // 10)):
        stage = stages[number % len(stages)] if number < len(stages) else source.choices(stages, weights)[0]
        days = int(source.triangular(0, 14, 2))
        row = _wish(bank, customers, bank.ago(days + stages.index(stage) * 2))
        if stage == "contract":
            row["decided_at"] = bank.context.moment(bank.ago(days))
        row["next_step_on"] = bank.ago(source.choice((-4, -3, -2, -1, -1, 0, 0, 1)))
        yield {**row, "stage": stage}, bank.context.moment(bank.ago(days), 8)


def reviews(bank: Bank, customers: list[Customer]) -> None:
    """Writes the KYC reviews of the last year, those that are due, and those that are late."""
    rows, due = [], []
    for customer in customers:
        draw = bank.context.random.random()
        if draw < 0.025:
            rows.append(_open_review(bank, customer, bank.context.random.randint(2, 45)))
        elif draw < 0.13:
            rows.append(_open_review(bank, customer, -bank.context.random.randint(0, 40)))
        elif draw < 0.6:
            rows.append(_done_review(bank, customer))
            continue
        else:
            continue
        due.append((customer, rows[-1]))
    bank.context.create("banking.kyc_review", rows)
    for customer, row in due:
        status = "incomplete" if row["stage"] == "documents" else "due"
        known = {"banking.kyc_next_review": row["due_on"], "banking.kyc_status": status}
        bank.context.records.update("customer", customer.id, known)


def _review(bank: Bank, customer: Customer, due: date) -> dict[str, Any]:
    return {
        "name": bank.context.text(_("Review of %(year)s", year=due.year)),
        "customer": customer.id,
        "owner": customer.owner,
        "unit": customer.branch.unit,
        "due_on": due,
    }


def _open_review(bank: Bank, customer: Customer, late: int) -> dict[str, Any]:
    stage = bank.context.random.choice(
        ("documents", "checking", "documents") if late > 0 else ("planned", "planned", "documents")
    )
    return {**_review(bank, customer, bank.ago(late)), "stage": stage}


def _done_review(bank: Bank, customer: Customer) -> dict[str, Any]:
    due = bank.ago(int(bank.context.random.triangular(1, 390, 30)))
    done = due + timedelta(
        days=bank.context.random.randint(-20, 0) if bank.chance(0.94) else bank.context.random.randint(1, 10)
    )
    risk = bank.context.random.choices(("low", "medium", "high"), (80, 16, 4))[0]
    return {**_review(bank, customer, due), "stage": "passed", "done_on": done, "risk_class": risk}


def activities(bank: Bank, customers: list[Customer]) -> None:
    """Writes what was talked about, and what each demo user has to do these days."""
    bank.context.create("activity", [*_talks(bank, customers), *_tasks(bank, customers)])


def _talks(bank: Bank, customers: list[Customer]) -> Iterator[dict[str, Any]]:
    for customer in customers:
        for _number in range(bank.context.random.choices((0, 1, 2), (3, 5, 2))[0]):
            subject, kind = bank.context.random.choice(TALKS)
            at = bank.context.moment(bank.ago(bank.context.random.randint(0, 200)))
            row = {"kind": kind, "subject": bank.context.text(subject), "due_at": at, "done_at": at}
            yield {**row, "customer": customer.id, "owner": customer.owner, "unit": customer.branch.unit}


def _tasks(bank: Bank, customers: list[Customer]) -> Iterator[dict[str, Any]]:
    for user in dict.fromkeys(bank.context.users.values()):
        for number, (subject, kind, hour) in enumerate(TASKS):
            customer = bank.context.random.choice(customers)
            yield {
                "kind": kind,
                "subject": bank.context.text(subject),
                "due_at": bank.context.moment(bank.ago(1 - number // 2), hour),
                "customer": customer.id,
                "owner": user,
                "unit": customer.branch.unit,
            }


def leads(bank: Bank) -> None:
    """Writes people who asked and are not customers yet."""
    source = bank.context.random
    rows, made = [], []
    for number in range(max(6, bank.context.customers // 12)):
        name, _language = names.person(source, bank.language)
        branch = source.choice(bank.branches)
        stage = source.choices(("new", "contacted", "qualified", "rejected"), (4, 3, 3, 2))[0]
        origin = source.choice((_("Website"), _("Branch"), _("Recommendation"), _("Partner")))
        rows.append(
            {
                "name": name,
                "email": names.mail(name, 8000 + number),
                "stage": stage,
                "source": bank.context.text(origin),
                "owner": source.choice(branch.officers),
                "unit": branch.unit,
            }
        )
        made.append(bank.context.moment(bank.ago(source.randint(0, 100))))
    ids = bank.context.create("lead", rows)
    bank.context.backdate("lead", "created_at", dict(zip(ids, made, strict=True)))


_CHECKED = ("agent", 4, {"complete": True})
_APPROVED = ("manager", 19, {"decision": "approve"})
_REFUSED = ("manager", 26, {"decision": "refuse", "reason": "Other debts are too high"})
_COURSES: tuple[tuple[int, tuple[tuple[str, float, dict[str, Any]], ...]], ...] = (
    (12_000, ()),
    (30_000, (("agent", 6, {"complete": False}),)),
    (18_000, (_CHECKED,)),
    (9_500, (_CHECKED,)),
    (140_000, (_CHECKED,)),
    (85_000, (_CHECKED, ("manager", 30, {"decision": "approve"}))),
    (24_000, (_CHECKED, _APPROVED)),
    (15_000, (_CHECKED, _APPROVED, ("agent", 50, {"signed_on": "2026-01-15"}))),
    (7_000, (_CHECKED, ("manager", 9, {"decision": "approve"}), ("agent", 28, {"signed_on": "2026-01-15"}))),
    (45_000, (_CHECKED, _REFUSED)),
)
"""How far the process of some applications has come: their amounts, and who did what after how many hours."""


def courses(bank: Bank, customers: list[Customer]) -> None:
    """Applications that follow the process of the bank."""
    rows = [
        {**_wish(bank, customers, bank.ago(8)), "amount": Decimal(amount), "stage": "data"}
        for amount, _steps in _COURSES
    ]
    for place, record in enumerate(bank.context.create("banking.application", rows)):
        bank.context.run("banking.loan_application", record, 3 + place * 7 % 30, *_COURSES[place][1])
