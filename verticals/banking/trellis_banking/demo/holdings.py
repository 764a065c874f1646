"""What the customers of the demo bank hold: accounts, deposits and loans, and what each brought month by month."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from trellis_banking.demo.bank import RATES, Bank
from trellis_banking.demo.customers import Customer

MONTHS = 13
FIRST_OF_MORTGAGE, LAST_OF_MORTGAGE = 27, 62
_CENT = Decimal("0.01")


@dataclass
class Holding:
    """An account on its way into the records, with what hangs on it."""

    customer: Customer
    product: str
    kind: str
    balance: Decimal
    opened: date
    loan: dict[str, Any] = field(default_factory=dict)
    deposit: dict[str, Any] = field(default_factory=dict)
    id: int = 0
    number: str = ""


def holdings(bank: Bank, customers: list[Customer]) -> list[Holding]:
    """Writes the accounts of all customers."""
    made = [holding for customer in customers for holding in _of(bank, customer)]
    for number, holding in enumerate(made, start=1):
        holding.number = f"AT{61 + number % 30} 2011 {number // 10_000:04} {number % 10_000:04}"
    ids = bank.context.create("banking.account", (_account(bank, one) for one in made))
    for holding, record_id in zip(made, ids, strict=True):
        holding.id = record_id
    return made


def _of(bank: Bank, customer: Customer) -> Iterator[Holding]:
    wealth, source = customer.wealth, bank.context.random
    yield Holding(customer, "CUR", "current", wealth * Decimal("0.35"), customer.since)
    if customer.asleep:
        return
    if bank.chance(0.42):
        yield Holding(customer, "SAV", "savings", wealth * Decimal("0.4"), _later(bank, customer.since))
    for _number in range(source.choices((0, 1, 2), (6, 3, 1) if wealth > 8_000 else (19, 1, 0))[0]):
        yield _deposit(bank, customer)
    if not customer.is_company and bank.chance(0.3):
        owed = bank.amount(900, 0.8)
        yield Holding(customer, "CARD", "card", owed, _later(bank, customer.since))
    for code, share in _loans(customer):
        if bank.chance(share):
            yield _loan(bank, customer, code)


def _loans(customer: Customer) -> tuple[tuple[str, float], ...]:
    if customer.is_company:
        return (("BUS", 0.5),)
    home = FIRST_OF_MORTGAGE <= customer.age <= LAST_OF_MORTGAGE
    return (("CONS", 0.16), ("CAR", 0.08), ("MORT", 0.16 if home else 0.0))


def _later(bank: Bank, since: date) -> date:
    return since + timedelta(days=int((bank.today - since).days * bank.context.random.random()))


def _deposit(bank: Bank, customer: Customer) -> Holding:
    code, term = bank.context.random.choice((("DEP6", 6), ("DEP12", 12), ("DEP12", 12), ("DEP24", 24)))
    age = bank.context.random.randint(0, term * 30 - 1)
    opened = max(bank.ago(age), customer.since)
    amount = max(Decimal(1000), round(customer.wealth * Decimal("0.5"), -2))
    terms = {"term": term, "rate": RATES[code], "amount": amount, "matures_on": bank.ago(age - term * 30)}
    return Holding(customer, code, "deposit", amount, opened, deposit=terms)


LOAN_TERMS = {
    # kind, median amount, spread, terms in months
    "CONS": ("consumer", 9_000, 0.5, (36, 48, 60, 72)),
    "CAR": ("car", 17_000, 0.3, (48, 60, 72)),
    "MORT": ("mortgage", 165_000, 0.35, (240, 300, 360)),
    "BUS": ("business", 60_000, 0.7, (36, 60, 84, 120)),
}

_LATE = {"CONS": (82, 9, 4, 5), "CAR": (86, 8, 4, 2), "MORT": (93, 5, 2, 0), "BUS": (78, 9, 5, 8)}
"""How many of a hundred loans are in time, some days late, over a month late, and not served at all."""


def _loan(bank: Bank, customer: Customer, code: str) -> Holding:
    kind, median, spread, terms = LOAN_TERMS[code]
    source = bank.context.random
    term = source.choice(terms)
    age = min(source.randint(0, min(term - 6, 60)), (bank.today - customer.since).days // 30)
    amount = bank.amount(median, spread, 100)
    left = amount * (Decimal(term - age) / term)
    late = source.choices((0, 12, 47, source.randint(95, 400)), _LATE[code])[0]
    loan = {
        "kind": kind,
        "term": term,
        "rate": RATES[code],
        "amount": amount,
        "days_past_due": late,
        "age": age,
    }
    return Holding(customer, code, "loan", left.quantize(_CENT), bank.ago(age * 30 + 3), loan=loan)


def _account(bank: Bank, one: Holding) -> dict[str, Any]:
    customer = one.customer
    moved = bank.ago(
        bank.context.random.randint(95, 400) if customer.asleep else bank.context.random.randint(0, 25)
    )
    return {
        "number": one.number,
        "kind": one.kind,
        "customer": customer.id,
        "product": bank.products[one.product],
        "branch": customer.branch.id,
        "balance": _shrunk(one, 0).quantize(_CENT),
        "opened_on": one.opened,
        "last_movement_on": max(moved, one.opened),
        "owner": customer.owner,
        "unit": customer.branch.unit,
    }


def terms(bank: Bank, made: list[Holding], applications: dict[int, int]) -> None:
    """Writes the deposits (with some that ended in the last year) and the loans of the accounts."""
    deposits = [_deposit_row(one, "active") for one in made if one.deposit]
    deposits += [_ended(bank, one, index) for index, one in enumerate(made) if one.kind == "savings"]
    bank.context.create("banking.deposit", deposits)
    bank.context.create("banking.loan", (_loan_row(one, applications) for one in made if one.loan))


def _common(one: Holding) -> dict[str, Any]:
    customer = one.customer
    names = {"customer": customer.id, "branch": customer.branch.id, "owner": customer.owner}
    return {**names, "unit": customer.branch.unit, "account": one.id, "number": one.number}


def _deposit_row(one: Holding, status: str) -> dict[str, Any]:
    return {**_common(one), **one.deposit, "opened_on": one.opened, "status": status}


def _ended(bank: Bank, one: Holding, index: int) -> dict[str, Any]:
    """A deposit of the past, on what is a savings account today."""
    ended = bank.ago(bank.context.random.randint(1, 390))
    return {
        **_common(one),
        "number": f"D-{ended:%Y}-{index:05}",
        "amount": max(Decimal(1000), round(one.customer.wealth * Decimal("0.45"), -2)),
        "term": 12,
        "rate": RATES["DEP12"],
        "opened_on": ended - timedelta(days=365),
        "matures_on": ended,
        "status": "renewed" if bank.chance(0.66) else "paid_out",
    }


def _loan_row(one: Holding, applications: dict[int, int]) -> dict[str, Any]:
    terms = {name: value for name, value in one.loan.items() if name != "age"}
    return {
        **_common(one),
        **terms,
        "opened_on": one.opened,
        "outstanding": one.balance,
        "application": applications.get(one.id),
        "status": "active",
    }


def months(bank: Bank, made: list[Holding]) -> None:
    """Writes the facts: a row for each account and month since it was opened, at most thirteen."""
    bank.context.create("banking.account_month", _facts(bank, made))


def _facts(bank: Bank, made: list[Holding]) -> Iterator[dict[str, Any]]:
    for one in made:
        for back in range(MONTHS):
            month = month_before(bank.today, back)
            if month >= one.opened.replace(day=1):
                yield _fact(bank, one, back, month)


def _fact(bank: Bank, one: Holding, back: int, month: date) -> dict[str, Any]:
    source, customer = bank.context.random, one.customer
    balance = (_shrunk(one, back) * Decimal(str(round(source.uniform(0.94, 1.06), 3)))).quantize(_CENT)
    moves = 0 if customer.asleep else source.randint(*_MOVES[one.kind])
    late = max(0, one.loan["days_past_due"] - 30 * back) if one.loan else 0
    earned, paid, loss = ((balance * Decimal(rate) / 12).quantize(_CENT) for rate in _rates(one, late))
    fees = Decimal(0) if one.kind == "deposit" else Decimal(str(round(_FEE[one.kind] + 0.14 * moves, 2)))
    serving = Decimal(str(round(_SERVICE[one.kind] + 0.18 * moves, 2)))
    if customer.is_company:
        fees, serving = 3 * fees, 2 * serving
    bank.margins[month] = bank.margins.get(month, Decimal(0)) + earned + fees - paid - serving - loss
    side = (month, "loans" if one.kind in ("loan", "card") else "deposits")
    bank.balances[side] = bank.balances.get(side, Decimal(0)) + balance
    return {
        "account": one.id,
        "customer": customer.id,
        "branch": customer.branch.id,
        "kind": one.kind,
        "month": month,
        "balance": balance,
        "average_balance": balance,
        "interest_income": earned,
        "interest_cost": paid,
        "fees": fees,
        "service_cost": serving,
        "expected_loss": loss,
        "transactions": moves,
        "days_past_due": late,
        "owner": customer.owner,
        "unit": customer.branch.unit,
    }


_MOVES = {"current": (6, 42), "savings": (0, 5), "deposit": (0, 1), "loan": (1, 1), "card": (2, 18)}
_FEE = {"current": 4.9, "savings": 0.0, "deposit": 0.0, "loan": 1.5, "card": 2.5}
_SERVICE = {"current": 9.6, "savings": 2.4, "deposit": 2.1, "loan": 14.5, "card": 6.2}
_MONEY_EARNS, _MONEY_COSTS = "0.0315", "0.0255"


def _rates(one: Holding, late: int) -> tuple[Decimal | str, Decimal | str, str]:
    """What a balance earns, costs and is expected to lose, by year."""
    if one.kind in ("loan", "card"):
        secured = one.product == "MORT"
        loss = "0.2400" if late > 90 else "0.0500" if late > 30 else "0.0015" if secured else "0.0110"
        return RATES[one.product], _MONEY_COSTS, loss
    return _MONEY_EARNS, RATES[one.product], "0"


def _shrunk(one: Holding, back: int) -> Decimal:
    """The balance that many months ago: loans were larger, savings smaller, and who leaves had more."""
    if one.kind == "loan":
        amount: Decimal = one.loan["amount"]
        months: int = one.loan["term"]
        return min(amount, one.balance + amount / months * back)
    if one.kind == "deposit":
        return one.balance
    if one.customer.leaving:
        return one.balance * (Decimal("0.2"), Decimal("0.35"), Decimal("0.7"), Decimal(1))[min(back, 3)]
    return one.balance * (1 - Decimal("0.006") * back)


def month_before(day: date, back: int) -> date:
    """The first day of the month ``back`` months before that of ``day``."""
    months = day.year * 12 + day.month - 1 - back
    return date(months // 12, months % 12 + 1, 1)
