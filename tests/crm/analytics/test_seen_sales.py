"""Each figure of income counts exactly the sales, and the customers, that its reader may see."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest
from measured import LATER, Book
from trellis.contributions import Grant, Role, Scope
from trellis.crm.analytics.answers import ANALYTICS, Question
from trellis.i18n import Text
from trellis.kpi import engine
from trellis.kpi.periods import parse
from trellis.records.query import ListQuery
from trellis.security.actor import SYSTEM, Actor, merge_grants
from trellis.segments.own import Draft, create

YEAR = "2026"
OWN, UNIT, ALL = Scope.OWN, Scope.UNIT, Scope.ALL


@dataclass
class Team:
    """Anna and Boris of Town, who bought from Petra, from her colleague, from another town, and from nobody in particular."""

    book: Book
    petra: int
    colleague: int
    town: int
    far: int
    anna: int
    boris: int
    mine: int

    def reader(self, orders: Scope, customers: Scope = ALL) -> Actor:
        rights = [Grant("customer", read=customers), Grant("order", read=orders), Grant("segment")]
        grants = merge_grants([Role(name="r", title=Text("r"), grants=rights)])
        return Actor(user_id=self.petra, units=(self.town,), grants=grants)

    def asks(self, actor: Actor, name: str, **options: str) -> dict[str, Any]:
        """An answer of the analytics."""
        one = ANALYTICS[name]
        given = {"session": self.book.session, "edition": self.book.edition, "actor": actor}
        asked = Question(**given, options=one.read(options))
        return one.answer(asked)

    def revenue(self, actor: Actor) -> Decimal:
        """What the pyramid of 2026 comes to."""
        tiers = self.asks(actor, "pyramid", period=YEAR, measure="revenue")["tiers"]
        return sum((Decimal(one["revenue"]) for one in tiers), Decimal(0))

    def listed(self, actor: Actor) -> Decimal:
        """The sum of the orders of 2026 that a list shows, of customers that a list shows."""
        customers = {one.id for one in self.book.seen_by(actor).records.list("customer").items}
        orders = self.book.seen_by(actor).records.list("order", limit=100).items
        seen = [
            one.values
            for one in orders
            if one.values["customer"] in customers and one.values["ordered_at"].year == 2026
        ]
        return sum((one["amount"] for one in seen), Decimal(0))


@pytest.fixture
def team(book: Book) -> Team:
    petra, colleague = book.person("Petra"), book.person("Paul")
    town, far = (book.records.create("unit", {"name": name}).id for name in ("Town", "Far"))
    anna = book.customer("Anna", unit=town, owner=petra, category_spending="1000")
    boris = book.customer("Boris", unit=town)
    book.order(anna, "2025-02-01", "30", owner=colleague, unit=far)
    mine = book.order(anna, "2026-03-01T09:00", "100", owner=petra, unit=town)
    book.order(anna, "2026-03-01T10:00", "50", owner=colleague, unit=town)
    book.order(anna, "2026-04-01", "7")
    book.order(boris, "2026-05-01", "40", owner=colleague, unit=far)
    return Team(book, petra, colleague, town, far, anna, boris, mine)


def test_each_answer_counts_the_sales_that_its_reader_lists(team: Team) -> None:
    expected = {(OWN, ALL): 100, (UNIT, ALL): 150, (ALL, ALL): 197, (UNIT, OWN): 150, (ALL, OWN): 157}
    for scopes, amount in expected.items():
        reader = team.reader(*scopes)
        assert team.revenue(reader) == amount == team.listed(reader), scopes
    own, unit = team.reader(OWN), team.reader(UNIT)
    found = team.asks(own, "pyramid", period=YEAR, measure="revenue")
    assert (found["customers"], found["inactive"], found["prospects"]) == (1, 0, 1)
    before = team.asks(own, "pyramid", period="2027")
    assert (before["inactive"], before["prospects"]) == (1, 1)
    whole = team.asks(SYSTEM, "pyramid", period=YEAR, measure="revenue")
    assert "scope" in found and "scope" not in whole and whole["prospects"] == 0

    (line,) = team.asks(own, "rfm", as_of="2026-12-31", customers="true")["lines"]
    assert (line["frequency"], Decimal(line["monetary"])) == (1, 100)
    (line,) = team.asks(unit, "abc", period=YEAR, measure="revenue", customers="true")["lines"]
    assert Decimal(line["amount"]) == 150
    for reader, amount in ((own, 100), (unit, 150), (SYSTEM, 227)):
        assert Decimal(team.asks(reader, "clv", as_of="2026-12-31")["historic"]["total"]) == amount
    for reader, cohorts in (
        (own, ["2026-03"]),
        (SYSTEM, ["2026-05"]),
    ):  # Anna was a customer before, not hers
        loyal = team.asks(reader, "loyalty", period=YEAR, as_of="2026-12-31")
        assert [one["cohort"] for one in loyal["cohorts"] if one["size"]] == cohorts
    assert team.asks(own, "loyalty", as_of="2026-12-31")["share_of_wallet"]["share"] == 0.1


def test_kpis_lists_and_profiles_count_the_same_sales(team: Team) -> None:
    book = team.book
    made = create(
        book.session,
        book.edition,
        SYSTEM,
        Draft(title="All", rule={"field": "name", "op": "ne", "value": "x"}),
    )
    assert made is not None
    anna = {"2026-03": [team.anna]}
    annas = anna | {"2026-04": [team.anna], "2025-02": [team.anna]}
    for reader, bought in (
        (team.reader(OWN), anna),
        (team.reader(UNIT), anna),
        (team.reader(ALL, OWN), annas),
        (replace(SYSTEM, within=(team.far,)), {}),  # all are customers of Town
        (replace(SYSTEM, within=(team.town,)), annas | {"2026-05": [team.boris]}),
    ):
        edition = reader.sees(book.edition)
        for month in ("2025-02", "2026-03", "2026-04", "2026-05"):
            value = engine.value(
                book.session, edition, reader, "active_customers", parse(month), None, LATER
            ).value
            rule = {"kpi": "active_customers", "period": month}
            query = ListQuery(edition.entity("customer"), edition, reader, rule=rule)
            ids = [one.id for one in query.page(book.session).items]
            assert ids == bought.get(month, []) and value == len(ids), (reader, month)
            # a first purchase is a fact about the customer, whoever sold it: the figure and its list agree on that
            new = engine.value(book.session, edition, reader, "new_customers", parse(month), None, LATER)
            query = ListQuery(edition.entity("customer"), edition, reader, rule=new.rule)
            assert new.value == len(query.page(book.session).items), (reader, month)


def test_a_sale_takes_its_income_to_its_new_owner_and_unit(team: Team) -> None:
    own, unit, book = team.reader(OWN), team.reader(UNIT), team.book
    changes: list[tuple[dict[str, Any], int, int]] = [
        ({"owner": team.colleague}, 0, 150),
        ({"unit": team.far}, 0, 50),
        ({"owner": None, "unit": None}, 0, 50),
        ({"owner": team.petra}, 100, 150),
    ]
    for change, mine, ours in changes:
        book.records.update("order", team.mine, change)
        assert (team.revenue(own), team.revenue(unit), team.revenue(SYSTEM)) == (mine, ours, 197), change
        assert (team.listed(own), team.listed(unit)) == (mine, ours)
    book.records.update("user", team.petra, {"unit": team.far})  # sales keep the unit that they were made in
    kept = book.rollup()
    assert kept == book.rebuilt()
    moved = replace(unit, units=(team.far,))
    assert team.revenue(moved) == 140 == team.listed(moved)
