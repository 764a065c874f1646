"""The sales plan: handed down to units, people and goods, with facts, run-rate and pipeline, as counted by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.orm import Session
from trellis.contributions import Grant, Kpi, Role, Scope
from trellis.crm.sales.planning import Asked, PlanUnknown, SalesPlan, planned_kpis, sales_plan
from trellis.crm.sales.working_days import working_days
from trellis.errors import PermissionRefused, RecordInvalid, RecordNotFound
from trellis.i18n import Text
from trellis.kpi.below import Whom
from trellis.kpi.periods import Grain, parse
from trellis.kpi.sums import is_sum
from trellis.kpi.targets import set_target, targets
from trellis.records.door import Records
from trellis.security.actor import SYSTEM, Actor, merge_grants
from trellis.workspace import Workspace

TODAY = date(2026, 11, 12)


class Company:
    """North with Oslo below it, and South; three people, two kinds of goods; deals and orders of November 2026."""

    def __init__(self, workspace: Workspace, session: Session) -> None:
        self.workspace, self.session = workspace, session
        self.records = Records(session, workspace.edition(session), SYSTEM)
        add = self.add
        self.north, self.south = add("unit", name="North"), add("unit", name="South")
        self.oslo = add("unit", name="Oslo", parent=self.north)
        self.ann, self.bob, self.cid = (
            add("user", name=name, email=f"{name.lower()}@acme.test", unit=unit)
            for name, unit in (("Ann", self.oslo), ("Bob", self.north), ("Cid", self.south))
        )
        self.light = add("category", name="Light")
        lamps = add("category", name="Lamps", parent=self.light)
        self.desks = add("category", name="Desks")
        self.lamp = add("product", name="Lamp", price=20, category=lamps)
        self.desk = add("product", name="Desk", price=300, category=self.desks)

    def add(self, entity: str, **values: Any) -> int:
        return self.records.create(entity, values).id

    def deal(self, owner: int, unit: int, amount: int, closed: str = "", **values: Any) -> None:
        if closed:
            ended = {"stage": "won", "closed_at": f"{closed}T12:00:00Z"}
            values |= {**ended, "begun_on": "2026-10-01"}
        self.add("opportunity", name="Deal", amount=amount, owner=owner, unit=unit, **values)

    def target(self, value: int, period: str = "2026-11", kpi: str = "sales_won", **whom: int) -> None:
        self.add("kpi_target", kpi=kpi, period=period, value=value, **whom)

    def plan(self, period: str = "2026-11", whom: str = "", actor: Actor = SYSTEM, **asked: Any) -> SalesPlan:
        edition = self.workspace.edition(self.session)
        who = {"session": self.session, "edition": edition, "actor": actor}
        return sales_plan(Asked(**who, period=parse(period), today=TODAY, whom=Whom.read(whom), **asked))


@pytest.fixture
def company(workspace: Workspace) -> Iterator[Company]:
    with workspace.write() as session:
        yield Company(workspace, session)


def figures(found: SalesPlan) -> list[tuple[str, Any, Any]]:
    return [(row.title, row.figures.plan, row.figures.fact) for row in found.rows]


def test_a_plan_is_compared_above_and_below_and_carried_on(company: Company) -> None:
    company.deal(company.ann, company.oslo, 200, closed="2026-11-03")
    company.deal(company.bob, company.north, 70, closed="2026-11-05")
    company.deal(company.cid, company.south, 90, closed="2026-11-05")
    company.deal(company.cid, company.south, 5000, closed="2026-10-30")
    company.deal(company.ann, company.oslo, 10_000, expected_close="2026-11-20", probability="0.1")
    company.deal(company.bob, company.north, 20_000, expected_close="2026-11-30", probability="0.5")
    company.deal(company.cid, company.south, 5_000, expected_close="2026-11-15", probability="0.9")
    company.deal(company.cid, company.south, 800, expected_close="2026-11-11", probability="0.5")
    company.deal(company.cid, company.south, 900, expected_close="2026-12-01", probability="0.5")
    company.target(1000)
    company.target(600, of_unit=company.north)
    company.target(300, of_unit=company.south)
    company.target(250, of_unit=company.oslo)
    company.target(240, person=company.ann)
    company.target(400, person=company.bob)

    found = company.plan()
    assert figures(found) == [("North", 600, 270), ("South", 300, 90)]
    assert (found.whole.plan, found.whole.fact, found.below, found.difference) == (1000, 360, 900, 100)
    assert found.days == (9, 21)
    assert (found.whole.run_rate, found.whole.deviation, found.whole.attainment) == (840, -640, 0.36)
    north, south = (row.figures for row in found.rows)
    assert north.pipeline is not None and south.pipeline is not None and found.whole.pipeline is not None
    assert (north.pipeline.weighted, south.pipeline.weighted, south.pipeline.overdue) == (11_000, 4_500, 400)
    assert (found.whole.pipeline.weighted, found.whole.expected) == (15_500, 15_860)

    below = company.plan(whom=f"unit-{company.north}")
    assert (below.title, below.whole.plan, below.whole.fact) == ("North", 600, 270)
    assert figures(below) == [("Oslo", 250, 200), ("The unit itself", None, 70)]
    people = company.plan(whom=f"unit-{company.north}", wanted_by="person")
    assert figures(people) == [("Ann", 240, 200), ("Bob", 400, 70)]
    assert people.difference == -40  # more is planned below

    company.target(3000, period="2026-10", of_unit=company.south)
    company.target(500, period="2026-12", of_unit=company.south)
    quarter = company.plan("2026-Q4")
    south_plan = next(row.figures for row in quarter.rows if row.title == "South")
    assert (south_plan.plan, south_plan.fact) == (3800, 5090)  # its three months together
    assert quarter.whole.plan is None and quarter.difference is None
    past = company.plan("2026-10").whole
    assert (past.run_rate, past.pipeline and past.pipeline.weighted) == (5000, 0)
    answer = found.to_json()
    assert answer["difference"] == "100.00" and answer["rows"][0]["pipeline_weighted"] == "11000.00"


def test_goods_are_planned_for_all_a_unit_and_a_person(company: Company) -> None:
    order = company.add(
        "order", number="1", ordered_at="2026-11-02T10:00:00Z", owner=company.ann, unit=company.oslo
    )
    company.add("order_line", order=order, product=company.lamp, quantity=3, price=20)
    company.add("order_line", order=order, product=company.desk, quantity=1, price=300)
    other = company.add("order", number="2", ordered_at="2026-11-02T10:00:00Z", owner=company.cid)
    company.add("order_line", order=other, product=company.lamp, quantity=1, price=20)
    goods = {"kpi": "product_sales"}
    company.target(100, **goods, category=company.light)
    company.target(70, **goods, category=company.light, person=company.ann)
    company.target(65, **goods, product=company.lamp, person=company.ann)
    company.target(500, **goods, person=company.ann)

    whole = company.plan(wanted="product_sales", wanted_by="category")
    assert figures(whole) == [("Desks", None, 300), ("Light", 100, 80)]
    ann = company.plan(whom=f"person-{company.ann}", wanted="product_sales")
    assert (ann.by, ann.whole.plan, ann.whole.fact) == ("category", 500, 360)
    assert figures(ann) == [("Desks", None, 300), ("Light", 70, 60)]
    assert ann.difference == 430
    single = company.plan(whom=f"person-{company.ann}", wanted="product_sales", wanted_by="product")
    assert figures(single) == [("Desk", None, 300), ("Lamp", 65, 60)]
    key = f"product_sales/2026-11/person-{company.ann}/category-{company.light}"
    rule = {"field": "key", "op": "eq", "value": key}
    assert company.records.count("kpi_target", rule=rule) == 1

    for wrong, field in (
        ({"kpi": "revenue", "category": company.light}, "category"),
        ({"kpi": "product_sales", "category": company.light, "product": company.lamp}, "product"),
    ):
        with pytest.raises(RecordInvalid) as refused:
            company.add("kpi_target", period="2026-12", value=1, **wrong)
        assert list(refused.value.errors) == [field]
    for asked in ({"wanted": "win_rate"}, {"wanted": "orders", "wanted_by": "category"}):
        with pytest.raises(PlanUnknown):
            company.plan(**asked)


def test_readers_see_their_part_and_nothing_of_what_is_withheld(company: Company) -> None:
    company.deal(company.ann, company.oslo, 200, closed="2026-11-03")
    company.deal(company.cid, company.south, 90, closed="2026-11-05")
    company.target(1000)
    grants = [Grant("*", read=Scope.UNIT), Grant("kpi_target", read=Scope.ALL)]
    role = Role(name="own.north", title=Text("North"), grants=grants)
    units = (company.north, company.oslo)
    reader = Actor(user_id=company.bob, name="Bob", units=units, grants=merge_grants([role]))
    found = company.plan(actor=reader)
    assert (found.visible_only, found.whole.plan, found.whole.fact) == (True, 1000, 200)
    assert [row.title for row in found.rows] == ["North"]
    with pytest.raises(RecordNotFound):
        company.plan(whom=f"unit-{company.south}", actor=reader)
    nobody = Role(name="own.no", title=Text("No"), grants=[Grant("opportunity", read=Scope.ALL)])
    with pytest.raises(PermissionRefused):
        company.plan(actor=Actor(user_id=company.bob, grants=merge_grants([nobody])))


def test_only_sums_are_planned_by_part(company: Company) -> None:
    edition = company.workspace.edition(company.session)
    known = edition.all(Kpi)
    sums = {name for name in known if is_sum(edition, known[name])}
    assert sums >= {
        "revenue",
        "margin",
        "orders",
        "product_sales",
        "products_sold",
        "sales_won",
        "leads_created",
    }
    assert not sums & {"average_order", "win_rate", "open_opportunities", "lead_conversion"}
    assert "pipeline_weighted" not in planned_kpis(edition)
    quarter, months = parse("2026-Q1"), parse("2026-Q1").split(Grain.MONTH)
    for name in ("revenue", "win_rate"):
        for month in months:
            set_target(company.session, edition, name, month, Decimal("0.3"))
    both = [known["revenue"], known["win_rate"]]
    plans = targets(company.session, edition, both, [quarter])
    assert [plans.of(one, quarter) for one in both] == [Decimal("0.9"), None]


def test_working_days_are_those_of_the_calendar(company: Company) -> None:
    november = parse("2026-11")
    assert working_days(company.session, november.first, november.end) == 21
    calendar = company.add(
        "business_calendar", name="Usual", timezone="UTC", saturday="10:00-14:00", monday=None
    )
    company.add("holiday", name="Off", calendar=calendar, day="2026-11-04")
    company.add("holiday", name="Monday", calendar=calendar, day="2026-11-09", hours="10:00-12:00")
    assert working_days(company.session, november.first, november.end) == 21 - 5 + 4 - 1 + 1
    assert Decimal(working_days(company.session, november.first, november.first)) == 0
