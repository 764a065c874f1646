"""Bonuses: reckoned exactly, explained line by line, closed for good, and seen by those whom they concern."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session
from trellis.contributions import BonusKind, BonusScheme, Kpi, Role
from trellis.crm.sales.bonuses import running
from trellis.crm.sales.bonuses.measures import Measures
from trellis.crm.sales.bonuses.reckoning import Figures, Line, reckon, total
from trellis.crm.sales.bonuses.terms import Part, Terms
from trellis.crm.sales.bonuses.tiers import read_tiers, written
from trellis.errors import Conflict, PermissionRefused, RecordInvalid, RecordNotFound
from trellis.kpi.periods import parse
from trellis.records.door import Records
from trellis.records.types import ValueInvalid
from trellis.security.actor import SYSTEM, Actor, merge_grants
from trellis.security.people import User
from trellis.security.roles import actor_from
from trellis.workspace import Workspace

PERIOD = "2026-10"
TIERS = Part(name="Revenue", kind=BonusKind.TIERS, kpi="revenue", tiers=read_tiers("0: 3; 100: 5"))


def amounts(lines: list[Line]) -> list[Decimal]:
    return [line.amount for line in lines]


def reckoned(*parts: Part, digits: int = 2, **figures: Any) -> list[Line]:
    return reckon(parts, Figures(**figures), PERIOD, digits)


def test_a_worked_example() -> None:
    """Plan 1.0 m, fact 1.2 m, 3 % up to the plan and 5 % above it: 40,000; times 0.9: 36,000; at most 35,000."""
    lines = reckoned(
        TIERS,
        Part(name="Satisfaction", kind=BonusKind.MULTIPLIER, formula="when(csat >= 0.9, 1, 0.9)"),
        Part(name="Cap", kind=BonusKind.CAP, amount=Decimal(35_000)),
        facts={0: Decimal(1_200_000)},
        plans={0: Decimal(1_000_000)},
        named={"csat": Decimal("0.85")},
    )
    assert amounts(lines) == [40_000, -4_000, -1_000]
    assert total(lines) == 35_000
    assert lines[0].basis["tiers"] == [
        {"from": "0", "rate": "0.03", "of": "1000000"},
        {"from": "1", "rate": "0.05", "of": "200000"},
    ]
    assert (lines[1].basis["value"], lines[1].basis["above"]) == ("0.9", "40000")


def test_thresholds_missing_plans_and_unknown_figures() -> None:
    part = replace(TIERS, threshold=Decimal("0.8"))
    plan = {0: Decimal(1000)}
    assert amounts(reckoned(part, facts={0: Decimal("799.99")}, plans=plan)) == [0]
    assert amounts(reckoned(part, facts={0: Decimal(800)}, plans=plan)) == [24]
    assert amounts(reckoned(part, facts={0: Decimal(800)})) == [0]
    assert amounts(reckoned(part, facts={0: Decimal(-800)}, plans=plan)) == [0]
    percent = Part(name="Share", kind=BonusKind.PERCENT, kpi="revenue", rate=Decimal("0.1"))
    assert amounts(reckoned(percent, facts={0: Decimal("-12.345")})) == [Decimal("-1.23")]
    for formula in ("0.5 * csat", "1 / 0", "'x'", "csat == 1"):
        factor = Part(name="Factor", kind=BonusKind.MULTIPLIER, formula=formula)
        assert amounts(reckoned(percent, factor, facts={0: Decimal(100)})) == [10, 0]
    half = Part(name="Half", kind=BonusKind.FORMULA, formula="orders * 1 / 8")
    assert amounts(reckoned(half, named={"orders": Decimal(1)})) == [Decimal("0.13")]  # once, half up
    assert amounts(reckoned(half, named={"orders": Decimal(1)}, digits=0)) == [0]


def test_what_comes_to_too_much_is_refused_by_name() -> None:
    large = Part(name="Large", kind=BonusKind.PERCENT, kpi="revenue", rate=Decimal(2))
    with pytest.raises(Conflict, match="Large"):
        reckoned(large, facts={0: Decimal(10) ** 13})


def test_tiers_are_read_as_they_are_written() -> None:
    assert written(read_tiers("0:3%; 100 : 5,5;120:7")) == "0: 3; 100: 5.5; 120: 7"
    for wrong in ("", "3", "0: x", "5: 1", "0: 1; 0: 2", "0: 1; 50: 2; 40: 1", "0: -1", "0: 1e9"):
        with pytest.raises(ValueInvalid):
            read_tiers(wrong)


_money = st.decimals(-1_000_000, 10_000_000, places=4)
_rate = st.decimals(0, 2, places=4)
_parts = st.lists(
    st.one_of(
        st.builds(lambda rate: Part(name="p", kind=BonusKind.PERCENT, kpi="revenue", rate=rate), _rate),
        st.builds(
            lambda starts, rates: Part(
                name="t",
                kind=BonusKind.TIERS,
                kpi="revenue",
                tiers=tuple(zip([Decimal(0), *sorted(starts)], rates, strict=False)),
            ),
            st.sets(st.decimals("0.01", 3, places=2), max_size=3),
            st.lists(_rate, min_size=4, max_size=4),
        ),
        st.builds(lambda n: Part(name="m", kind=BonusKind.MULTIPLIER, formula=f"{n} * one"), _rate),
        st.builds(lambda n: Part(name="c", kind=BonusKind.CAP, amount=n), st.decimals(0, 50_000, places=2)),
    ),
    max_size=6,
)


def by_hand(parts: list[Part], facts: list[Decimal], plan: Decimal) -> Fraction:
    """The exact bonus, in fractions."""
    found = Fraction(0)
    for part, fact in zip(parts, map(Fraction, facts), strict=True):
        if part.kind == BonusKind.PERCENT:
            found += fact * Fraction(part.rate)
        elif part.kind == BonusKind.MULTIPLIER:
            found *= Fraction(part.formula.split(" ")[0])
        elif part.kind == BonusKind.CAP:
            found = min(found, Fraction(part.amount))
        elif fact > 0 and plan > 0:
            ends = [Fraction(start) * Fraction(plan) for start, _rate in part.tiers] + [fact]
            for place, (_start, rate) in enumerate(part.tiers):
                low = ends[place]
                high = fact if place == len(part.tiers) - 1 else min(fact, ends[place + 1])
                found += max(high - low, Fraction(0)) * Fraction(rate)
    return found


@given(_parts, st.lists(_money, min_size=6, max_size=6), _money, st.sampled_from([0, 2, 3]))
def test_lines_add_up_to_a_total_that_is_rounded_once(
    parts: list[Part], facts: list[Decimal], plan: Decimal, digits: int
) -> None:
    facts = facts[: len(parts)]
    places = range(len(parts))
    lines = reckoned(
        *parts,
        digits=digits,
        facts=dict(zip(places, facts, strict=True)),
        plans=dict.fromkeys(places, plan),
        named={"one": Decimal(1)},
    )
    exact = by_hand(parts, facts, plan)
    coin = Decimal(1).scaleb(-digits)
    scaled = exact * 10**digits
    rounded = (abs(scaled) + Fraction(1, 2)).__floor__() * (1 if scaled >= 0 else -1)
    assert total(lines) == Decimal(rounded) * coin
    assert all(line.amount == line.amount.quantize(coin, ROUND_HALF_UP) for line in lines)


class Staff:
    """North with Ann, Bob and the head Nora, South with Cid; orders and plans of October 2026; one scheme of North."""

    def __init__(self, workspace: Workspace, session: Session) -> None:
        self.workspace, self.session = workspace, session
        self.edition = workspace.edition(session)
        self.records = Records(session, self.edition, SYSTEM)
        add = self.add
        self.north, self.south = add("unit", name="North"), add("unit", name="South")
        self.ann, self.bob, self.nora, self.cid = (
            self.person(name, unit)
            for name, unit in (
                ("Ann", self.north),
                ("Bob", self.north),
                ("Nora", self.north),
                ("Cid", self.south),
            )
        )
        self.scheme = add("bonus_scheme", name="North", of_unit=self.north)
        self.part(1, "Sales", kind="tiers", kpi="revenue", tiers="0: 3; 100: 5", threshold="0.8")
        self.part(2, "Online", kind="percent", kpi="revenue", rate="0.01", rule=ONLINE)
        self.part(3, "Team", kind="team", kpi="revenue", rate="0.001", sharing="equally")
        self.part(4, "Orders", kind="formula", formula="when(orders >= 2, 50, 0)")
        for person, plan in ((self.ann, 1000), (self.bob, 500)):
            add("kpi_target", kpi="revenue", period=PERIOD, person=person, value=plan)
        self.order(self.ann, "900", channel="Online")
        self.order(self.ann, "300.55")
        self.order(self.bob, "399.99")
        self.order(self.cid, "5000", unit=self.south)

    def add(self, entity: str, **values: Any) -> int:
        return self.records.create(entity, values).id

    def person(self, name: str, unit: int) -> int:
        return self.add("user", name=name, email=f"{name.lower()}@acme.test", unit=unit)

    def part(self, place: int, name: str, **values: Any) -> int:
        return self.add("bonus_part", scheme=self.scheme, place=place, name=name, **values)

    def order(self, owner: int, amount: str, day: str = "2026-10-10", **values: Any) -> int:
        moment = {"ordered_at": f"{day}T10:00:00Z", "number": f"{owner}-{amount}", "unit": self.north}
        return self.add("order", **moment | values, owner=owner, amount=amount)

    def door(self, person: int, *roles: str) -> Records:
        """The door of a person with these roles."""
        user = self.session.get_one(User, person)
        user.roles = list(roles)
        return Records(self.session, self.edition, actor_from(self.session, self.edition, user, "test"))

    def reckon(self, period: str = PERIOD) -> int:
        return running.calculate(self.records, self.scheme, period).id

    def stated(self, run: int) -> dict[int, tuple[Decimal, list[Decimal]]]:
        """Total and lines by person, as records have them."""
        mine = {"field": "run", "op": "eq", "value": run}
        found = {}
        for one in self.records.list("bonus_statement", rule=mine).items:
            rule = {"field": "statement", "op": "eq", "value": one.id}
            lines = self.records.list("bonus_line", rule=rule, sort=["place"]).items
            found[one.values["person"]] = (one.values["total"], [line.values["amount"] for line in lines])
        return found


ONLINE = {"field": "channel", "op": "eq", "value": "Online"}


@pytest.fixture
def staff(workspace: Workspace) -> Iterator[Staff]:
    with workspace.write() as session:
        yield Staff(workspace, session)


def test_statements_are_reckoned_for_everybody_and_say_what_from(staff: Staff) -> None:
    run = staff.reckon()
    team = Decimal("0.54")  # 0.1 % of 1,600.54 is 1.60 for three: 0.54, 0.53, 0.53
    assert staff.stated(run) == {
        staff.ann: (Decimal("99.57"), [Decimal("40.03"), 9, team, 50]),
        staff.bob: (Decimal("0.53"), [0, 0, Decimal("0.53"), 0]),  # 399.99 is less than 80 % of 500
        staff.nora: (Decimal("0.53"), [0, 0, Decimal("0.53"), 0]),
    }
    record = staff.records.get("bonus_run", run)
    assert (record.values["total"], record.values["statements"]) == (Decimal("100.63"), 3)
    assert all(value == sum(lines) for value, lines in staff.stated(run).values())
    query = {
        "all": [
            {"field": "name", "op": "eq", "value": "Sales"},
            {"field": "owner", "op": "eq", "value": staff.ann},
        ]
    }
    (line,) = staff.records.list("bonus_line", rule=query).items
    basis = line.values["basis"]
    assert (basis["figure"], basis["plan"], basis["tiers"][1]["of"]) == ("1200.55", "1000", "200.55")


def test_nothing_changes_before_it_was_looked_at(staff: Staff) -> None:
    run = staff.reckon()
    before = staff.stated(run)
    assert running.differences(staff.records, run) == []
    staff.order(staff.bob, "200.01")
    staff.records.delete("bonus_part", 4)
    found = {one.person: one.amount for one in running.differences(staff.records, run)}
    assert found[staff.bob] == Decimal("20.07")  # 500 at 3 %, 100 at 5 %; the team has 1.80
    assert found[staff.ann] == Decimal("0.06") - 50
    assert staff.stated(run) == before
    with pytest.raises(Conflict):
        running.close(staff.records, run)
    assert running.recalculate(staff.records, run) == 3
    after = staff.stated(run)
    assert {one: after[one][0] - before[one][0] for one in after} == found
    assert [len(lines) for _total, lines in after.values()] == [3, 3, 3]
    assert running.recalculate(staff.records, run) == 0
    staff.records.update("user", staff.nora, {"unit": staff.south})
    assert running.recalculate(staff.records, run) == 3 and staff.nora not in staff.stated(run)
    staff.records.update("user", staff.nora, {"unit": staff.north})
    assert running.recalculate(staff.records, run) == 3 and staff.stated(run) == after


def test_a_closed_period_stays_and_is_corrected_in_the_next_open_one(staff: Staff) -> None:
    run = staff.reckon()
    stated = staff.stated(run)
    running.close(staff.records, run)
    returned = staff.order(staff.ann, "-100.55")
    staff.records.update("bonus_part", 2, {"rate": "0.5"})
    staff.records.update("kpi_target", 1, {"value": 1})
    for act in (running.recalculate, running.differences, running.close):
        with pytest.raises(Conflict):
            act(staff.records, run)
    with pytest.raises(Conflict):
        running.calculate(staff.records, staff.scheme, PERIOD)
    assert staff.stated(run) == stated
    november = staff.reckon("2026-11")
    # 100.55 less in the upper tier, as it was agreed in October; the team's 1.60 become 1.50
    assert staff.stated(november)[staff.ann] == (Decimal("-5.07"), [0, 0, 0, 0, Decimal("-5.07")])
    assert running.recalculate(staff.records, november) == 0
    rule = {"field": "kind", "op": "eq", "value": "correction"}
    lines = staff.records.list("bonus_line", rule=rule).items
    assert {line.values["period"] for line in lines} == {PERIOD}
    earlier = staff.reckon(
        "2026-09"
    )  # an open period before it: it corrects nothing, and nothing behind it changes
    assert running.recalculate(staff.records, november) == 0
    assert all(value == 0 for value, _lines in staff.stated(earlier).values())
    staff.records.delete("order", returned)
    assert running.recalculate(staff.records, november) == 3
    assert staff.stated(november)[staff.ann] == (0, [0, 0, 0, 0])


def test_a_correction_is_made_once(staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    september, october = staff.reckon("2026-09"), None
    running.close(staff.records, september)
    staff.order(staff.ann, "100", day="2026-09-10", channel="Online")
    october = staff.reckon()
    assert staff.stated(october)[staff.ann][1][-1] == Decimal(
        "1.04"
    )  # 1 % online and 0.04 of the team's 0.10
    running.close(staff.records, october)
    november = staff.reckon("2026-11")
    assert [lines for _total, lines in staff.stated(november).values()] == [[0, 0, 0, 0]] * 3
    with pytest.raises(Conflict):
        monkeypatch.setattr(running, "_today", lambda _edition: date(2026, 11, 30))
        running.close(staff.records, november)


def test_another_definition_of_a_figure_is_no_correction(staff: Staff) -> None:
    revenue = staff.edition.all(Kpi)["revenue"]
    run = staff.reckon()
    running.close(staff.records, run)
    staff.order(staff.ann, "100")
    november = staff.reckon("2026-11")
    assert (
        len(running.differences(staff.records, november)) == 0
        and len(staff.stated(november)[staff.ann][1]) == 5
    )
    known = {**staff.edition.all(Kpi), "revenue": replace(revenue, version=2)}
    staff.records.edition = replace(
        staff.edition, contributions={**staff.edition.contributions, Kpi: known}, _cache={}
    )
    assert running.recalculate(staff.records, november) == 3
    assert [len(lines) for _total, lines in staff.stated(november).values()] == [4, 4, 4]
    del known["revenue"]
    with pytest.raises(Conflict):
        running.recalculate(staff.records, november)


def test_people_see_their_own_and_heads_those_of_their_unit(staff: Staff) -> None:
    run = staff.reckon()
    ann, nora = staff.door(staff.ann, "agent"), staff.door(staff.nora, "manager")
    cid, reader = staff.door(staff.cid, "manager"), staff.door(staff.bob, "reader")
    for records, people in ((ann, ["Ann"]), (nora, ["Ann", "Bob", "Nora"]), (cid, []), (reader, ["Bob"])):
        titles = sorted(one.values["title"].split(",")[0] for one in records.list("bonus_statement").items)
        assert titles == people
        assert records.count("bonus_line") == 4 * len(people)
    assert ann.count("bonus_part") == nora.count("bonus_part") == 4
    theirs = next(one for one in nora.list("bonus_statement").items if one.values["person"] == staff.bob)
    with pytest.raises(RecordNotFound):
        ann.get("bonus_statement", theirs.id)
    mine = ann.list("bonus_statement").items[0].id
    for records, act in (
        (ann, lambda door: door.update("bonus_statement", mine, {"total": 1})),
        (nora, lambda door: door.update("bonus_statement", mine, {"owner": staff.nora})),
        (nora, lambda door: door.delete("bonus_statement", mine)),
        (nora, lambda door: door.create("bonus_part", {"scheme": staff.scheme, "name": "Gift", "rate": 1})),
        (nora, lambda door: door.update("bonus_scheme", staff.scheme, {"name": "Mine"})),
        (nora, lambda door: running.calculate(door, staff.scheme, PERIOD)),
    ):
        with pytest.raises(PermissionRefused):
            act(records)
    with pytest.raises(RecordNotFound):
        running.recalculate(nora, run)
    chief = staff.door(staff.cid, "administrator")
    with pytest.raises(PermissionRefused):  # not by hand, whatever rights there are
        chief.update("bonus_statement", mine, {"total": 1})
    assert running.recalculate(chief, run) == 0
    assert reader.actor.sees_everything and not ann.actor.sees_everything


def test_what_cannot_be_reckoned_is_refused_by_name(staff: Staff) -> None:
    for values, field in (
        ({"kpi": "moon", "rate": 1}, "kpi"),
        ({"kpi": "orders", "rate": 1}, "kpi"),
        ({"kpi": "revenue"}, "rate"),
        ({"kind": "tiers", "kpi": "revenue"}, "tiers"),
        ({"kind": "tiers", "kpi": "revenue", "tiers": "5: 1"}, "tiers"),
        ({"kind": "formula"}, "formula"),
        ({"kind": "formula", "formula": "moon + 1"}, "formula"),
        ({"kind": "multiplier", "formula": "open('x')"}, "formula"),
        ({"kind": "cap"}, "amount"),
        ({"kpi": "revenue", "rate": 1, "rule": {"field": "moon", "op": "eq", "value": 1}}, "rule"),
    ):
        with pytest.raises(RecordInvalid) as refused:
            staff.part(9, "Wrong", **values)
        assert list(refused.value.errors) == [field], values
    with pytest.raises(RecordInvalid):
        staff.add("bonus_scheme", name="Wrong", people={"field": "moon", "op": "eq", "value": 1})
    for period in ("moon", "2026-Q4", "2026", "2999-01"):
        with pytest.raises(RecordInvalid):
            staff.reckon(period)
    staff.records.update("bonus_scheme", staff.scheme, {"valid_from": "2026-11-01"})
    with pytest.raises(RecordInvalid):
        staff.reckon()


def test_schemes_of_the_edition_fit_and_are_made_ones_own(staff: Staff) -> None:
    for brought in staff.edition.all(BonusScheme).values():
        scheme = running.adopt(staff.records, brought)
        period = "2026-Q3" if brought.rhythm == "quarter" else PERIOD
        assert running.calculate(staff.records, scheme, period).values["statements"] == 4


def test_rights_on_all_records_do_not_open_confidential_ones(staff: Staff) -> None:
    roles = [staff.edition.all(Role)[name] for name in ("reader", "manager")]
    grants = merge_grants(roles, staff.edition.confidential)
    actor = Actor(user_id=1, grants=grants, confidential=staff.edition.confidential)
    assert (actor.scope("bonus_statement", "read"), actor.scope("bonus_run", "read")) == ("unit", "own")
    assert not actor.may("bonus_run", "create") and actor.scope("order", "read") == "all"


def test_everybody_is_measured_in_a_few_statements(staff: Staff) -> None:
    people = [(staff.ann, staff.north), (staff.cid, staff.south)]
    terms = Terms(parts=[replace(TIERS, name="A"), replace(TIERS, name="B")], people=people)
    measures = Measures(session=staff.session, edition=staff.edition, terms=terms, period=parse(PERIOD))
    assert measures.figures[staff.ann].facts == {0: Decimal("1200.55"), 1: Decimal("1200.55")}
    assert Terms.from_json(replace(terms, plans=measures.plans()).to_json()).plans == {
        "revenue": {staff.ann: Decimal(1000)}
    }
