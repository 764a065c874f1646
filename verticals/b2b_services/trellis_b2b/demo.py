"""Halden Advisory: accounts, contracts on their way, engagements with milestones, and a year of time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from random import Random
from typing import Any

import sqlalchemy as sa
import trellis
from trellis import Demo, DemoContext
from trellis.crm.customers.entities import Customer

from trellis_b2b.lifecycles import CONTRACTS

_ = trellis.translator("trellis_b2b")

FIRST = [
    "Helio",
    "Helvetia",
    "Baltic",
    "Nordic",
    "Alpen",
    "Danube",
    "Delta",
    "Orbis",
    "Lumen",
    "Ferrum",
    "Novamed",
    "Aria",
    "Vita",
    "Kestrel",
    "Quill",
    "Tern",
    "Mosaic",
    "Arbor",
    "Sava",
    "Brandt",
    "Fjord",
    "Северная",
    "Волга",
    "Балтийская",
    "Уральская",
    "Невская",
]
SECOND = [
    "Grid",
    "Logistik",
    "Rail",
    "Energy",
    "Pharma",
    "Telecom",
    "Hotels",
    "Foods",
    "Clinics",
    "Works",
    "Shipping",
    "Media",
    "Bank",
    "Homes",
    "Air",
    "Steel",
]
RUSSIAN = ["логистика", "энергия", "медиа", "пищепром", "сталь", "связь"]
CITIES = (
    ("Graz", "Austria"),
    ("Rijeka", "Croatia"),
    ("Oslo", "Norway"),
    ("Praha", "Czechia"),
    ("Hamburg", "Germany"),
)
INDUSTRIES = ("Logistics", "Energy", "Health", "Public sector", "Food", "Telecom", "Finance", "Media")
SUBJECTS = (
    "Service desk outsourcing",
    "Network audit",
    "ERP support, 12 months",
    "Security training",
    "Backup as a service",
    "Fleet telematics rollout",
    "Citizen portal support",
    "Data platform",
    "Managed SOC, 3 years",
    "MES integration",
    "POS maintenance",
    "Document workflow",
    "Ticketing support, 24/7",
    "Validation services",
    "Field service app",
)
LINES = ("Support", "Integration", "Advisory", "Security")
PEOPLE = (
    "Tomáš Král",
    "Rosa Silva",
    "Mads Dahl",
    "Eva Novotná",
    "Илья Орлов",
    "Lena Fischer",
    "Jan Kowalski",
    "Mia Larsen",
)
STEPS = ("Kick-off", "Concept", "Pilot", "Roll-out", "Acceptance")
WEIGHTS = {"qualify": 9, "discover": 7, "propose": 6, "negotiate": 4, "contract": 3, "won": 14, "lost": 11}


AGREEMENTS = (
    _("Support of the portal"),
    _("Managed infrastructure"),
    _("Consulting hours of the year"),
    _("Development framework"),
)
REASONS = ("Price", "No budget", "Competitor")
CHANNELS = (_("Direct sales"), _("Partner"), _("Website"))
TALKS = (
    _("Needs were gone through"),
    _("The offer was presented"),
    _("Terms were agreed on"),
    _("Asked how it stands"),
)

CASES = (
    ("incident", _("The monitoring shows no data")),
    ("incident", _("Nobody can sign in to the portal")),
    ("incident", _("The nightly backup stopped")),
    ("change", _("A second environment for tests")),
    ("change", _("Two more reports in the service review")),
    ("request", _("Access for a new colleague")),
    ("request", _("Time sheets of the last quarter")),
    ("question", _("Which hours are billable?")),
    ("complaint", _("The consultant missed the meeting")),
)
KNOWN = (
    (
        _("The monitoring shows no data"),
        _(
            "See whether the agent runs on the host, start it again, and look at its queue after five minutes."
        ),
    ),
    (
        _("Which hours are billable?"),
        _(
            "Those of the rate card in the contract; travel counts half, meetings about the contract itself do not."
        ),
    ),
    (
        _("Access for a new colleague"),
        _("Have the head of the customer's team confirm it, then give the role of a reader for a start."),
    ),
)


CONVERSATIONS = (
    ("b2b.discovery", "opportunity", 70),
    ("b2b.discovery", "lead", 40),
    ("b2b.renewal", "customer", 60),
    ("b2b.incident", "case", 80),
)
"""Scripts, beside which records, and how many conversations there were."""


def load(context: DemoContext) -> None:
    """Writes everything through the door, in the order of its references."""
    accounts = context.create("customer", _accounts(context))
    contacts = [
        {
            "name": context.random.choice(PEOPLE),
            "customer": one,
            "role": context.random.choice(("decides", "influences")),
        }
        for one in accounts
    ]
    context.create("contact", contacts)
    context.create("lost_reason", [{"name": name} for name in REASONS])
    kinds = zip(CHANNELS, ("direct", "partner", "online"), (9_000, 3_500, 1_200), strict=True)
    context.create(
        "sales_channel",
        [{"name": context.text(name), "kind": kind, "cost": cost} for name, kind, cost in kinds],
    )
    _contracts(context, accounts)
    _offers(context)
    _leads(context)
    consultants = context.create("b2b.consultant", _consultants(context))
    _delivery(context, accounts, consultants)
    _activities(context, accounts)
    context.survey(accounts)
    context.agreements(accounts[::2], AGREEMENTS, 40_000)
    context.cases(accounts, CASES, KNOWN)
    for script, entity, number in CONVERSATIONS:
        context.talk(script, entity, number)
    context.journey("b2b.renewal", accounts, (0.4, 0.3))
    context.create("programme", [_programme(context)])
    for month in range(12):
        day = _months_back(context.today, month)
        context.plan("b2b.time_value", f"{day:%Y-%m}", len(consultants) * 14_000)
    for month in range(-2, 12):  # up to the end of the quarter, which a board forecasts
        context.plan("b2b.contracts_won", f"{_months_back(context.today, month):%Y-%m}", 150_000)
        for person in context.users.values():
            context.plan("b2b.contracts_won", f"{_months_back(context.today, month):%Y-%m}", 90_000, person)
    context.bonuses(
        "b2b.contract_commission",
        [f"{_months_back(context.today, month):%Y-%m}" for month in (3, 2, 1, 0)],
    )


def _programme(context: DemoContext) -> dict[str, Any]:
    """Care for strategic accounts, with its costs."""
    started = _months_back(context.today, 8).replace(day=1)
    costs = {"setup_cost": 50, "platform_cost": 4, "staff_cost": 10}
    row = {"name": context.text(_("Strategic care")), "started_on": started, "segment": "b2b.strategic"}
    return row | {"compare_by": "area"} | {name: one * context.customers for name, one in costs.items()}


def _accounts(context: DemoContext) -> Iterator[dict[str, Any]]:
    random = context.random
    for number in range(context.customers):
        first = FIRST[number % len(FIRST)]
        second = random.choice(RUSSIAN if first[0] > "z" else SECOND)
        city, country = random.choice(CITIES) if first[0] <= "z" else ("Москва", "Россия")
        yield {
            "name": f"{first} {second}" + (f" {number // len(FIRST) + 1}" if number >= len(FIRST) else ""),
            "kind": "company",
            "email": f"office{number}@example.com",
            "city": city,
            "country": country,
            "owner": random.choice(list(context.users.values())),
            "b2b.industry": random.choice(INDUSTRIES),
            "b2b.employees": random.randint(20, 4000),
            "b2b.account_tier": random.choices(("strategic", "key", "standard"), (1, 3, 8))[0],
            "b2b.health": min(99, max(20, int(random.gauss(72, 16)))),
            "b2b.contract_until": context.today + timedelta(days=random.randint(-60, 700)),
            "b2b.procurement": ("direct", "direct", "framework", "tender")[number % 4],
        }


def _contracts(context: DemoContext, accounts: list[int]) -> None:
    random, today = context.random, context.today
    factor = max(1, context.customers // 300)
    rows: list[dict[str, Any]] = []
    for stage, weight in WEIGHTS.items():
        for _number in range(weight * factor):
            row: dict[str, Any] = {
                "name": random.choice(SUBJECTS),
                "customer": random.choice(accounts),
                "funnel": CONTRACTS,
                "stage": stage,
                "amount": random.randint(18, 420) * 1000,
                "currency": "EUR",
                "expected_close": today + timedelta(days=random.randint(3, 80)),
                "owner": random.choice(list(context.users.values())),
                "b2b.service_line": random.choice(LINES),
                "next_step_on": today + timedelta(days=random.randint(-3, 14)),
            }
            if stage in ("won", "lost"):
                row["closed_at"] = context.moment(today - timedelta(days=random.randint(0, 300)))
                row["lost_reason"] = random.choice(REASONS) if stage == "lost" else None
            rows.append(row)
    dice = Random("channels")
    made = context.create(
        "opportunity", [{**row, "channel": context.text(dice.choice(CHANNELS))} for row in rows]
    )
    spans = {}
    for one, row in zip(made, rows, strict=True):
        at = row.get("closed_at") or context.moment(today - timedelta(days=random.randint(0, 34)))
        spans[one] = (at - timedelta(days=random.randint(15, 110)), at)
    context.stages(spans)
    _talks(context, dict(zip(made, rows, strict=True)))


def _talks(context: DemoContext, deals: Mapping[int, Mapping[str, Any]]) -> None:
    """What was done about the contracts that are closed by now."""
    dice = Random("talks")
    context.create(
        "activity",
        (
            {
                "kind": dice.choice(("call", "meeting", "mail")),
                "subject": context.text(dice.choice(TALKS)),
                "opportunity": one,
                "customer": deal["customer"],
                "owner": deal["owner"],
                "done_at": deal["closed_at"] - timedelta(days=dice.randint(0, 14)),
            }
            for one, deal in deals.items()
            if "closed_at" in deal
            for _number in range(dice.randint(1, 5))
        ),
    )


def _offers(context: DemoContext) -> None:
    """Services with a price list and a bundle, and quotes for two contracts: one is sent, the other waits for approval."""
    prices = {
        "Monitoring, a month": 900,
        "Service desk seat, a month": 75,
        "On-site day": 1100,
        "Start package": None,
    }
    services = [
        {"name": name, "code": f"S{place:02}", "price": price}
        for place, (name, price) in enumerate(prices.items())
    ]
    month, seat, day, start = context.create("product", services)
    context.create(
        "bundle_part", [{"bundle": start, "part": month}, {"bundle": start, "part": day, "quantity": 2}]
    )
    (usual,) = context.create(
        "price_list",
        [
            {
                "name": context.text(_("List prices")),
                "currency": "EUR",
                "valid_from": date(context.today.year, 1, 1),
            }
        ],
    )
    steps = ((month, 1, 900), (seat, 1, 75), (seat, 50, 68), (day, 1, 1100))
    context.create(
        "price_list_item",
        [
            {"price_list": usual, "product": one, "quantity_from": number, "price": price}
            for one, number, price in steps
        ],
    )
    context.create(
        "discount_limit",
        [{"role": "b2b.account_manager", "limit": "0.1"}, {"role": "agent", "limit": "0.05"}],
    )
    rule = {"field": "stage", "op": "eq", "value": "contract"}
    deals = context.records.list("opportunity", rule=rule, sort=("id",), limit=2).items
    until = context.today + timedelta(days=21)
    for deal, discount in zip(deals, ("0.03", "0.12"), strict=False):
        (quote,) = context.create(
            "quote",
            [
                {
                    "opportunity": deal.id,
                    "valid_until": until,
                    "owner": context.users["agent"],
                    "currency": "EUR",
                }
            ],
        )
        lines = ((seat, 120, discount), (month, 12, None), (start, 1, None))
        context.create(
            "quote_line",
            [
                {"quote": quote, "product": one, "quantity": number, "discount": share, "tax": "0.21"}
                for one, number, share in lines
            ],
        )
        context.records.move("quote", quote, "approval" if discount == "0.12" else "sent")


def _leads(context: DemoContext) -> None:
    """Who asked and is no customer yet; one asks for a company that is."""
    known = context.records.list("customer", sort=("id",), limit=1).items[0].values["name"]
    leads = (
        ("Klára Benešová", str(known), "new", _("Web form")),
        ("Oskar Lindqvist", "Fjord Logistik AB", "contacted", _("Partner")),
        ("Miriam Adler", "Adler Optik GmbH", "new", _("Conference")),
    )
    context.create(
        "lead",
        [
            {
                "name": name,
                "company": company,
                "email": f"lead{place}@example.com",
                "phone": f"+420 601 700 10{place}",
                "stage": stage,
                "source": context.text(source),
                "notes": context.text(_("Asks for an offer for next year")),
                "owner": context.users["agent"],
            }
            for place, (name, company, stage, source) in enumerate(leads)
        ],
    )


def _consultants(context: DemoContext) -> Iterator[dict[str, Any]]:
    for number in range(max(8, context.customers // 25)):
        rate = context.random.randint(70, 140)
        yield {
            "name": PEOPLE[number]
            if number < len(PEOPLE)
            else f"{PEOPLE[number % len(PEOPLE)]} {number // len(PEOPLE) + 1}",
            "grade": context.random.choice(("Junior", "Consultant", "Senior", "Principal")),
            "rate": rate,
            "cost_rate": round(rate * 0.58),
        }


def _delivery(context: DemoContext, accounts: list[int], consultants: list[int]) -> None:
    random, today = context.random, context.today
    served = random.sample(accounts, max(10, len(accounts) // 6))
    query = sa.select(Customer.id, Customer.owner_id).where(Customer.id.in_(served))
    owners = {row.id: row.owner_id for row in context.records.session.execute(query)}
    rows = [
        {
            "name": random.choice(SUBJECTS),
            "customer": customer,
            "owner": owners[customer],
            "kind": random.choice(("fixed", "time", "retainer")),
            "state": random.choices(("planned", "running", "paused", "closed"), (1, 6, 1, 2))[0],
            "budget": random.randint(20, 300) * 1000,
            "currency": "EUR",
            "starts_on": today - timedelta(days=random.randint(30, 360)),
            "ends_on": today + timedelta(days=random.randint(-30, 240)),
        }
        for customer in served
    ]
    engagements = context.create("b2b.engagement", rows)
    pairs = list(zip(engagements, served, strict=True))
    context.create("b2b.milestone", _milestones(context, pairs, owners))
    context.create("b2b.time_entry", _time(context, pairs, owners, consultants))
    changes = [
        {
            "name": f"{random.choice(STEPS)}: {random.choice(LINES)}",
            "engagement": engagement,
            "customer": customer,
            "owner": context.users["agent"],
            "stage": stage,
            "hours": random.randint(8, 120),
            "price": random.randint(1, 14) * 1000,
        }
        for (engagement, customer), stage in zip(
            random.sample(pairs, min(12, len(pairs))),
            ("requested", "estimated", "signed", "declined") * 3,
            strict=False,
        )
    ]
    context.create("b2b.change_request", changes)
    _responsibilities(context)
    _courses(context, pairs)


_POSITIONS = (
    (_("Head of practice"), "administrator", "estimate:I, approve:C, plan:A"),
    (_("Account manager"), "manager", "estimate:C, approve:A, sign:A, plan:I"),
    (_("Delivery manager"), "agent", "estimate:A, approve:C, sign:I, plan:R"),
)
"""Who holds which position, and what it is for the steps of a change request."""


def _responsibilities(context: DemoContext) -> None:
    """The responsibility matrix by which the tasks of change requests are assigned."""
    rows = [
        {"name": context.text(title), "holder": context.users[role]} for title, role, _letters in _POSITIONS
    ]
    cells = [
        {"process": "b2b.change_request", "step": step, "position": position, "letter": letter}
        for position, (_title, _role, letters) in zip(
            context.create("position", rows), _POSITIONS, strict=True
        )
        for step, letter in (one.split(":") for one in letters.split(", "))
    ]
    context.create("responsibility", cells)


_ESTIMATED = ("agent", 20, {"hours": "24", "price": "3600", "risk": "low"})
_LARGE = ("agent", 30, {"hours": "180", "price": "27000", "risk": "medium"})
_YES, _NO = {"approved": "yes"}, {"approved": "no", "comment": "Not within this contract"}
_COURSES: tuple[tuple[tuple[str, float, dict[str, Any]], ...], ...] = (
    (),
    (_ESTIMATED,),
    (_LARGE,),
    (_LARGE, ("manager", 18, _YES)),
    (_ESTIMATED, ("manager", 70, {"signed": "yes"})),
    (_ESTIMATED, ("manager", 60, {"signed": "yes"}), ("agent", 10, {"starts_on": "2026-02-01"})),
    (_LARGE, ("manager", 40, _NO)),
)
"""How far the process of some change requests has come: who did what after how many hours."""


def _courses(context: DemoContext, pairs: list[tuple[int, int]]) -> None:
    """Change requests that follow the process of the firm."""
    rows = [
        {
            "name": f"{LINES[place % len(LINES)]}: more",
            "engagement": engagement,
            "customer": customer,
            "owner": context.users["agent"],  # who is asked to estimate them sees what is wished
        }
        for place, (engagement, customer) in enumerate(pairs[: len(_COURSES)])
    ]
    for place, record in enumerate(context.create("b2b.change_request", rows)):
        context.run("b2b.change_request", record, 3 + place * 17 % 60, *_COURSES[place])


def _milestones(
    context: DemoContext, pairs: list[tuple[int, int]], owners: dict[int, int]
) -> Iterator[dict[str, Any]]:
    random, today = context.random, context.today
    for engagement, customer in pairs:
        for number, step in enumerate(STEPS[: random.randint(2, 5)]):
            due = today + timedelta(days=number * 45 - random.randint(60, 150))
            late = random.randint(-12, 8)
            yield {
                "name": step,
                "engagement": engagement,
                "customer": customer,
                "owner": owners[customer],
                "due_on": due,
                "accepted_on": due + timedelta(days=late) if due + timedelta(days=late) < today else None,
                "amount": random.randint(4, 40) * 1000,
                "currency": "EUR",
            }


def _time(
    context: DemoContext, pairs: list[tuple[int, int]], owners: dict[int, int], consultants: list[int]
) -> Iterator[dict[str, Any]]:
    random = context.random
    for back in range(365):
        day = context.today - timedelta(days=back)
        if day.weekday() > 4:
            continue
        for consultant in consultants:
            if random.random() < 0.3:
                continue
            engagement, customer = random.choice(pairs)
            yield {
                "task": random.choice(STEPS),
                "consultant": consultant,
                "engagement": engagement,
                "customer": customer,
                "owner": owners[customer],
                "worked_on": day,
                "hours": random.choice((4, 6, 7, 8)),
                "billable": random.random() < 0.84,
                "approved": back > 7,
                "currency": "EUR",
            }


def _activities(context: DemoContext, accounts: list[int]) -> None:
    random, today = context.random, context.today
    rows: list[dict[str, Any]] = []
    for customer in random.sample(accounts, len(accounts) // 2):
        done = context.moment(today - timedelta(days=random.randint(1, 120)))
        rows.append(
            {
                "kind": "meeting",
                "subject": "Account review",
                "customer": customer,
                "due_at": done,
                "done_at": done,
            }
        )
    for number, subject in enumerate(
        ("Send the offer", "Call about the renewal", "Prepare the review", "Check the scope")
    ):
        for user in context.users.values():
            due = context.moment(today + timedelta(days=number // 2), 9 + 2 * number)
            rows.append(
                {
                    "kind": "task",
                    "subject": subject,
                    "customer": random.choice(accounts),
                    "due_at": due,
                    "owner": user,
                }
            )
    context.create("activity", rows)


def _months_back(day: date, months: int) -> date:
    index = day.year * 12 + day.month - 1 - months
    return date(index // 12, index % 12 + 1, 1)


DEMOS = [
    Demo(
        name="b2b.demo",
        title=_("Halden Advisory"),
        description=_("A firm of advisers: accounts, a funnel of contracts, engagements and a year of time"),
        load=load,
        workspace="services",
        company="Halden Advisory",
        timezone="Europe/Berlin",
    )
]
