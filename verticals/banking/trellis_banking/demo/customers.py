"""The customers of the demo bank."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from trellis_banking.demo import names
from trellis_banking.demo.bank import Bank, Branch

AFFLUENT, PRIVATE, CORPORATE = Decimal(50_000), Decimal(100_000), Decimal(250_000)


@dataclass
class Customer:
    """A customer while its accounts are made: what it is worth, and how it behaves."""

    id: int
    branch: Branch
    owner: int
    is_company: bool
    wealth: Decimal
    since: date
    age: int
    salary: bool
    asleep: bool
    leaving: bool
    score: int


def customers(bank: Bank) -> list[Customer]:
    """Writes the customers, people and companies, with the contacts of the companies."""
    drawn = [_draw(bank, number) for number in range(1, bank.context.customers + 1)]
    ids = bank.context.create("customer", (values for _customer, values in drawn))
    made = []
    for (customer, _values), record_id in zip(drawn, ids, strict=True):
        customer.id = record_id
        made.append(customer)
    bank.context.create("contact", _contacts(bank, made))
    return made


def _draw(bank: Bank, number: int) -> tuple[Customer, dict[str, Any]]:
    source = bank.context.random
    branch = source.choice(bank.branches)
    is_company = bank.chance(0.15)
    wealth = bank.amount(26_000, 1.4) if is_company else bank.amount(6_000, 1.5)
    age = min(88, max(18, int(source.triangular(17, 84, 38))))
    leaving, asleep = bank.chance(0.035), bank.chance(0.06)
    customer = Customer(
        id=0,
        branch=branch,
        owner=source.choice(branch.officers),
        is_company=is_company,
        wealth=wealth,
        since=bank.ago(int(source.triangular(5, 3600, 900))),
        age=age,
        salary=not is_company and not leaving and not asleep and age < 66 and bank.chance(0.56),
        asleep=asleep,
        leaving=leaving,
        score=min(990, max(310, int(source.gauss(660, 120)))),
    )
    common = {
        "external_id": f"banking-{number:05}",
        "owner": customer.owner,
        "unit": branch.unit,
        "city": branch.town,
        "country": names.COUNTRIES[bank.language],
        "address": f"{source.choice(names.STREETS[bank.language])} {source.randint(1, 90)}",
        "phone": names.PHONES[bank.language].format(source.randint(0, 99), source.randint(0, 9_999_999)),
        "banking.branch": branch.id,
        "banking.relationship_manager": customer.owner,
        "banking.segment": _segment(customer),
        "banking.credit_score": customer.score,
        "banking.tax_residence": names.COUNTRIES[bank.language],
        "banking.politically_exposed": bank.chance(0.01),
        "banking.risk_class": source.choices(("low", "medium", "high"), (80, 16, 4))[0],
        "banking.kyc_status": "valid",
        "banking.kyc_next_review": bank.ago(-source.randint(41, 900)),
    }
    return customer, {**common, **(_company if is_company else _person)(bank, customer, number)}


def _person(bank: Bank, customer: Customer, number: int) -> dict[str, Any]:
    source = bank.context.random
    name, language = names.person(source, bank.language)
    birthday = bank.today - timedelta(days=int(customer.age * 365.25) + source.randint(0, 364))
    income = min(3, max(0, int(source.gauss(0.9, 0.8) + float(customer.wealth) / 60_000)))
    return {
        "name": name,
        "kind": "person",
        "email": names.mail(name, number),
        "language": language,
        "birthday": birthday,
        "banking.salary_here": customer.salary,
        "banking.employer": source.choice(names.EMPLOYERS[bank.language]) if customer.salary else None,
        "banking.income_band": ("low", "middle", "upper", "high")[income],
        "banking.tax_number": f"{source.randint(10**8, 10**9 - 1)}",
    }


def _company(bank: Bank, customer: Customer, number: int) -> dict[str, Any]:
    name = names.company(bank.context.random, bank.language)
    return {
        "name": name,
        "kind": "company",
        "email": f"office{number}@example.com",
        "banking.tax_number": f"{bank.context.random.randint(10**9, 10**10 - 1)}",
    }


def _segment(customer: Customer) -> str:
    if customer.is_company:
        return "corporate" if customer.wealth >= CORPORATE else "sme"
    return "private" if customer.wealth >= PRIVATE else "affluent" if customer.wealth >= AFFLUENT else "mass"


def _contacts(bank: Bank, made: list[Customer]) -> list[dict[str, Any]]:
    rows = []
    for number, customer in enumerate(one for one in made if one.is_company):
        name, _language = names.person(bank.context.random, bank.language)
        rows.append(
            {
                "name": name,
                "customer": customer.id,
                "email": names.mail(name, 5000 + number),
                "role": "decides",
                "owner": customer.owner,
                "unit": customer.branch.unit,
            }
        )
    return rows
