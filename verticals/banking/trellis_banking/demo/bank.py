"""The bank itself: its units and branches, its people, its products, its plans."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import trellis

from trellis_banking.demo import names
from trellis_banking.fields import SALARY_HERE

_ = trellis.translator("trellis_banking")

PRODUCTS = (
    # code, name, kind of account, rate, longest term, category
    ("CUR", _("Current account"), "current", "0.0010", None, _("Accounts")),
    ("SAV", _("Savings account"), "savings", "0.0140", None, _("Accounts")),
    ("DEP6", _("Deposit, 6 months"), "deposit", "0.0230", 6, _("Deposits")),
    ("DEP12", _("Deposit, 12 months"), "deposit", "0.0265", 12, _("Deposits")),
    ("DEP24", _("Deposit, 24 months"), "deposit", "0.0280", 24, _("Deposits")),
    ("CARD", _("Credit card"), "card", "0.1490", None, _("Cards")),
    ("CONS", _("Consumer loan"), "loan", "0.0790", 84, _("Loans")),
    ("CAR", _("Car loan"), "loan", "0.0620", 84, _("Loans")),
    ("MORT", _("Mortgage"), "loan", "0.0370", 360, _("Loans")),
    ("BUS", _("Business loan"), "loan", "0.0580", 120, _("Loans")),
)
RATES = {code: Decimal(rate) for code, _name, _kind, rate, _term, _category in PRODUCTS}

OFFICERS = (
    "Katharina Brandl",
    "Dmitri Sokolov",
    "Jelena Marković",
    "Lukas Reiter",
    "Мария Лебедева",
    "Tomáš Dvořák",
)


@dataclass(frozen=True)
class Branch:
    """A branch of the demo bank, and the organisational unit that goes with it."""

    id: int
    unit: int
    town: str
    officers: tuple[int, ...]


@dataclass
class Bank:
    """What the parts of the demo hand on to each other."""

    context: trellis.DemoContext
    language: str
    branches: list[Branch] = field(default_factory=list)
    products: dict[str, int] = field(default_factory=dict)
    margins: dict[date, Decimal] = field(default_factory=dict)
    balances: dict[tuple[date, str], Decimal] = field(default_factory=dict)

    @property
    def today(self) -> date:
        return self.context.today

    def ago(self, days: float) -> date:
        """The day that many days ago."""
        return self.today - timedelta(days=days)

    def chance(self, share: float) -> bool:
        """Yes, in that share of the cases."""
        return self.context.random.random() < share

    def amount(self, median: float, spread: float, step: int = 1) -> Decimal:
        """An amount around a median, rounded to ``step``; few are large, as in life."""
        drawn = self.context.random.lognormvariate(0, spread) * median
        return Decimal(max(step, round(drawn / step) * step))


def found(context: trellis.DemoContext) -> Bank:
    """Writes the bank and gives what the rest needs of it."""
    bank = Bank(context, context.language if context.language in names.TOWNS else "en")
    officers = _officers(bank)
    _branches(bank, officers)
    _products(bank)
    return bank


def _officers(bank: Bank) -> list[int]:
    people = [
        {
            "external_id": f"banking-user-{index}",
            "name": name,
            "email": names.mail(name, index).replace("@example.com", "@bank.demo.test"),
        }
        for index, name in enumerate(OFFICERS, start=1)
    ]
    return [bank.context.users["agent"], *bank.context.create("user", people)]


def _branches(bank: Bank, officers: list[int]) -> None:
    """Two regions, a branch for each sixty customers; every unit has its branch."""
    context, language = bank.context, bank.language
    number = min(len(names.TOWNS[language]), max(3, context.customers // 60))
    (head,) = context.create("unit", [{"external_id": "banking-unit", "name": context.text(_("Bank"))}])
    region_names = [context.text(_("Region %(name)s", name=name)) for name in names.REGIONS[language]]
    regions = _units(bank, "region", region_names, [head, head])
    nodes = _nodes(bank, "region", region_names, ["", ""], regions, [None, None])
    towns = names.TOWNS[language][:number]
    units = _units(bank, "branch", towns, [regions[index % 2] for index in range(number)])
    titles = [context.text(_("%(town)s branch", town=town)) for town in towns]
    branches = _nodes(bank, "branch", titles, towns, units, [nodes[index % 2] for index in range(number)])
    for index, (branch, unit, town) in enumerate(zip(branches, units, towns, strict=True)):
        mine = tuple(officers[index % len(officers) :: number]) or (officers[index % len(officers)],)
        bank.branches.append(Branch(branch, unit, town, mine))
    context.records.update("user", context.users["agent"], {"unit": units[0]})
    context.records.update("user", context.users["manager"], {"unit": head})


def _units(bank: Bank, kind: str, titles: Any, parents: list[int]) -> list[int]:
    return bank.context.create(
        "unit",
        [
            {"external_id": f"banking-{kind}-{index}", "name": title, "parent": parent}
            for index, (title, parent) in enumerate(zip(titles, parents, strict=True), start=1)
        ],
    )


def _nodes(
    bank: Bank, kind: str, titles: list[str], towns: Any, units: list[int], parents: list[Any]
) -> list[int]:
    return bank.context.create(
        "banking.branch",
        [
            {
                "name": title,
                "code": f"{kind[0].upper()}{index:02}",
                "kind": kind,
                "city": towns[index - 1] or None,
                "parent": parents[index - 1],
                "unit": units[index - 1],
                "staff": bank.context.random.randint(6, 24) if kind == "branch" else None,
                "opened_on": bank.ago(bank.context.random.randint(2000, 9000)),
                "manager": bank.context.users["manager"] if index == 1 else None,
            }
            for index, title in enumerate(titles, start=1)
        ],
    )


def _products(bank: Bank) -> None:
    context = bank.context
    titles = list(dict.fromkeys(context.text(row[5]) for row in PRODUCTS))
    created = context.create(
        "category",
        [{"external_id": f"banking-{n}", "name": title} for n, title in enumerate(titles, start=1)],
    )
    category = dict(zip(titles, created, strict=True))
    ids = context.create(
        "product",
        [
            {
                "external_id": f"banking-{code}",
                "name": context.text(name),
                "code": code,
                "category": category[context.text(group)],
                "banking.account_kind": kind,
                "banking.rate": Decimal(rate),
                "banking.term": term,
            }
            for code, name, kind, rate, term, group in PRODUCTS
        ],
    )
    bank.products = dict(zip((row[0] for row in PRODUCTS), ids, strict=True))


def plan(bank: Bank) -> None:
    """Targets of the last twelve months and of this one: growth for amounts, one level for shares."""
    shares = {
        "banking.npl": "0.02",
        "banking.kyc_on_time": "0.95",
        "banking.application_conversion": "0.50",
        "banking.approval_rate": "0.62",
        "banking.deposit_renewal": "0.65",
        "banking.cost_income": "0.45",
    }
    for month, margin in bank.margins.items():
        code = f"{month:%Y-%m}"
        bank.context.plan("banking.net_margin", code, round(margin * Decimal("1.02"), -2))
        for kpi in ("deposits", "loans"):
            level = bank.balances.get((month, kpi), Decimal(0))
            bank.context.plan(f"banking.{kpi}", code, round(level * Decimal("0.99"), -4))
        for name, share in shares.items():
            bank.context.plan(name, code, Decimal(share))


def bonus(bank: Bank) -> None:
    """The programme for those whose salary comes here, with its costs."""
    context = bank.context
    started = bank.ago(240).replace(day=1)
    costs = {"setup_cost": 40, "platform_cost": 2, "staff_cost": 2, "rewards_cost": 3}
    row = {"name": context.text(_("Salary bonus")), "started_on": started, "member_field": SALARY_HERE.name}
    row |= {name: each * context.customers for name, each in costs.items()}
    context.create("programme", [{**row, "compare_by": "area"}])
