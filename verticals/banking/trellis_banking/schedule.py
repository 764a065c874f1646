"""Schedules of loans: what is paid each month, of which interest, and what is left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

import trellis

from trellis_banking.model import CALCULATION

_ = trellis.translator("trellis_banking")

CENT = Decimal("0.01")
LONGEST = 600
LARGEST = Decimal(10) ** 12


@dataclass(frozen=True)
class Instalment:
    """One payment: its number, what is paid, of which interest and principal, and what is owed afterwards."""

    number: int
    payment: Decimal
    interest: Decimal
    principal: Decimal
    left: Decimal


def schedule(amount: Decimal, rate: Decimal, months: int, kind: str = "annuity") -> list[Instalment]:
    """The instalments of a loan at a yearly ``rate`` (0.08 is 8 %): equal ones, or equal parts of the principal.

    Each is rounded to cents; the last one settles what is left.
    """
    monthly = rate / 12
    payment = _annuity(amount, monthly, months)
    part = _cents(amount / months)
    instalments, left = [], amount
    for number in range(1, months + 1):
        interest = _cents(left * monthly)
        principal = part if kind == "differentiated" else payment - interest
        principal = left if number == months else min(principal, left)
        left -= principal
        instalments.append(Instalment(number, principal + interest, interest, principal, left))
    return instalments


def _annuity(amount: Decimal, monthly: Decimal, months: int) -> Decimal:
    if not monthly:
        return _cents(amount / months)
    return _cents(amount * monthly / (1 - (1 + monthly) ** -months))


def _cents(value: Decimal) -> Decimal:
    return value.quantize(CENT, ROUND_HALF_UP)


def calculate(records: trellis.Records, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The REST call: ``amount``, yearly ``rate``, ``term`` in months and ``schedule`` give the instalments and their sum."""
    amount = _number(arguments, "amount", Decimal(1), LARGEST)
    rate = _number(arguments, "rate", Decimal(0), Decimal(10))
    months = _number(arguments, "term", Decimal(1), Decimal(LONGEST))
    kind = str(arguments.get("schedule") or "annuity")
    if kind not in ("annuity", "differentiated"):
        raise trellis.RecordInvalid({"schedule": [_("Give annuity or differentiated")]})
    instalments = schedule(_cents(amount), rate, int(months), kind)
    return {
        "amount": f"{_cents(amount)}",
        "interest": f"{sum((one.interest for one in instalments), Decimal(0))}",
        "total": f"{sum((one.payment for one in instalments), Decimal(0))}",
        "instalments": list(_as_json(instalments)),
    }


def _as_json(instalments: list[Instalment]) -> Iterator[dict[str, Any]]:
    for one in instalments:
        yield {name: value if name == "number" else f"{value}" for name, value in asdict(one).items()}


def _number(arguments: Mapping[str, Any], name: str, least: Decimal, most: Decimal) -> Decimal:
    try:
        number = Decimal(str(arguments[name]))
    except (KeyError, InvalidOperation):
        raise trellis.RecordInvalid({name: [_("Give a number")]}) from None
    if not (number.is_finite() and least <= number <= most):
        raise trellis.RecordInvalid({name: [_("From %(least)s to %(most)s", least=least, most=most)]})
    return number


CALLS = [
    trellis.RestEndpoint(
        name="banking.loan_calculator",
        title=_("Loan calculator"),
        description=_("Instalments of a loan by amount, yearly rate, term in months and kind of schedule"),
        cell=CALCULATION,
        slug="loan-calculator",
        call=calculate,
    )
]
