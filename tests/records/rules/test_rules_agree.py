"""SQL and Python give the same answer to every rule, on both databases."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from probe import MEMBERS, TODAY, Company, Sample
from probe_data import AMOUNTS, DAYS, MOMENTS, NUMBERS, TEXTS, Data
from sqlalchemy.engine import Engine
from trellis.contributions import Grant, Scope
from trellis.edition import Edition
from trellis.records.entity import Entity, Field
from trellis.records.rules import (
    Measure,
    RuleContext,
    describe,
    matching,
    measurable,
    operators,
    parse,
    resolve,
    to_json,
    to_predicate,
)
from trellis.records.rules.figures import COUNT
from trellis.records.types import Choice, Reference
from trellis.security.actor import SYSTEM, Actor

THROUGH = [
    "company.name",
    "company.city",
    "company.founded",
    "company.probe.region",
    "company.owner",
    "company.owner.name",
    "probe.partner.city",
    "probe.partner.unit.name",
    "keeper.email",
    "id",
]
ACTORS = [
    SYSTEM,
    Actor(user_id=1, administrator=True),
    Actor(
        user_id=1,
        units=(1,),
        grants={
            "*": Grant("*", read=Scope.ALL),
            "probe_company": Grant("probe_company", read=Scope.UNIT),
            "user": Grant("user", read=Scope.OWN),
        },
    ),
    Actor(
        user_id=2,
        grants={"probe_sample": Grant("probe_sample"), "probe_company": Grant("probe_company", Scope.OWN)},
    ),
]

days = st.sampled_from(DAYS) | st.dates(date(1990, 1, 1), date(2040, 1, 1))
relative = st.integers(-400, 400).map(lambda n: {"days": n}) | st.integers(-24, 24).map(
    lambda n: {"months": n}
)
periods = st.builds(
    lambda unit, first, length: {"period": unit, "from": first, "to": first + length},
    st.sampled_from(["day", "week", "month", "quarter", "year"]),
    st.integers(-30, 5),
    st.integers(0, 30),
)
moments = st.sampled_from(MOMENTS) | st.datetimes(
    datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)
)
needles = st.sampled_from(TEXTS).flatmap(
    lambda text: st.tuples(st.integers(0, len(text) - 1), st.integers(1, 4)).map(
        lambda cut: text[cut[0] : sum(cut)]
    )
) | st.sampled_from(["%", "_", "\\", "оск", "ОСК", "ß", "σ", "A", "i", " "])


def plain_values(field: Field) -> st.SearchStrategy[Any]:
    kind = field.type.kind
    if isinstance(field.type, Choice):
        return st.sampled_from(["red", "green", "blue"])
    if isinstance(field.type, Reference):
        ids = st.integers(1, 9)
        return ids | st.just({"me": True}) if field.type.entity == "user" else ids
    if field.type.name == "email":
        return st.sampled_from(["anna@example.com", "Anna@Example.com", "иван@пример.рф", "p1@x.se"])
    if field.type.fixed_point:
        return (st.sampled_from(AMOUNTS) | st.decimals(-10, 10, places=4)).map(str)
    return {
        "text": st.sampled_from(TEXTS),
        "number": st.sampled_from(NUMBERS) | st.integers(-10, 250),
        "boolean": st.booleans(),
        "date": days.map(str) | relative,
        "datetime": moments.map(str) | days.map(str) | relative,
    }[kind]


@st.composite
def leaves(draw: st.DrawFn, edition: Edition) -> dict[str, Any]:
    view = edition.entity("probe_sample")
    names = [name for name, field in view.fields.items() if field.type.kind != "json"]
    name = draw(st.sampled_from(names + THROUGH))
    return {"field": name} | draw(compared(resolve(name, view, edition).field, edition))


@st.composite
def compared(draw: st.DrawFn, field: Field, edition: Edition) -> dict[str, Any]:
    operator = draw(st.sampled_from(operators(field, edition))).value
    leaf = {"op": operator}
    if operator in ("is_empty", "is_not_empty"):
        return leaf
    if operator in ("contains", "starts_with"):
        return leaf | {"value": draw(needles)}
    values = plain_values(field)
    if operator in ("in", "not_in"):
        return leaf | {"value": draw(st.lists(values, max_size=4))}
    if operator == "between":
        return leaf | {"value": draw(st.tuples(values, values).map(list))}
    if field.type.kind in ("date", "datetime"):
        values |= periods
    return leaf | {"value": draw(values)}


@st.composite
def figures(draw: st.DrawFn, edition: Edition) -> dict[str, Any]:
    """Figures of the samples of a company."""
    samples = rules(edition)
    measure = draw(st.sampled_from(list(Measure)))
    related = draw(st.sampled_from(["probe_sample.company", "probe_sample.probe.partner"]))
    rule: dict[str, Any] = {"related": related, "measure": measure.value}
    if draw(st.booleans()):
        rule["where"] = draw(samples)
    if measure is Measure.COUNT:
        return rule | draw(compared(COUNT, edition)) | draw(st.just({}) | small)
    if measure is Measure.SHARE:
        shares = st.sampled_from(["0", "0.5", "0.25", "0.3333", "1"]).map(lambda share: {"value": share})
        operator = draw(st.sampled_from(["eq", "ne", "lt", "lte", "gt", "gte"]))
        return rule | {"part": draw(samples), "op": operator} | draw(shares)
    fields = edition.entity("probe_sample").fields
    known = [one for one in fields.values() if measurable(measure, one)]
    field = draw(st.sampled_from(known))
    return rule | {"field": field.name} | draw(compared(field, edition))


@st.composite
def of_companies(draw: st.DrawFn, edition: Edition) -> dict[str, Any]:
    name = draw(st.sampled_from(["name", "city", "founded", "probe.region", "owner", "owner.name", "id"]))
    return {"field": name} | draw(
        compared(resolve(name, edition.entity("probe_company"), edition).field, edition)
    )


small = st.builds(
    lambda op, value: {"op": op, "value": value},
    st.sampled_from(["eq", "ne", "lt", "gte"]),
    st.integers(0, 30),
)
memberships = st.sampled_from(["probe.vip", "probe.new"]).map(lambda name: {"segment": name})


def rules(edition: Edition) -> st.SearchStrategy[dict[str, Any]]:
    return joined(leaves(edition))


def joined(one: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.recursive(
        one,
        lambda inner: (
            st.lists(inner, max_size=3).map(lambda parts: {"all": parts})
            | st.lists(inner, max_size=3).map(lambda parts: {"any": parts})
            | inner.map(lambda rule: {"not": rule})
        ),
        max_leaves=5,
    )


def rules_of_companies(edition: Edition) -> st.SearchStrategy[dict[str, Any]]:
    return joined(figures(edition) | figures(edition) | memberships | of_companies(edition))


def found_by_sql(engine: Engine, rule: Any, context: RuleContext, entity: type[Entity] = Sample) -> set[int]:
    view = context.edition.entity(entity.__entity__.name)
    node = parse(rule, view, context.edition)
    with engine.connect() as connection:
        return set(connection.scalars(matching(sa.select(entity.id), node, view, context)))


def found_by_python(data: Data, rule: Any, context: RuleContext, entity: str = "probe_sample") -> set[int]:
    predicate = to_predicate(parse(rule, context.edition.entity(entity), context.edition), context)
    return {id for id, values in data.records[entity].items() if predicate(values)}


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(drawn=st.data())
def test_sql_and_python_find_the_same_records(
    drawn: st.DataObject, filled: Engine, edition: Edition, data: Data
) -> None:
    rule = drawn.draw(rules(edition))
    actor = drawn.draw(st.sampled_from(ACTORS))
    context = RuleContext(edition=edition, actor=actor, today=TODAY, lookup=data.readable(actor))
    assert found_by_sql(filled, rule, context) == found_by_python(data, rule, context)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(drawn=st.data())
def test_figures_of_related_records_and_segments_are_the_same_by_sql_and_python(
    drawn: st.DataObject, filled: Engine, edition: Edition, data: Data
) -> None:
    """Gathered for all companies, looked up for each, and counted in Python."""
    rule = drawn.draw(rules_of_companies(edition))
    actor = drawn.draw(st.sampled_from(ACTORS))
    context = RuleContext(
        edition=edition,
        actor=actor,
        today=TODAY,
        lookup=data.readable(actor),
        referring=data.referring(actor),
        member=lambda segment, id: id in MEMBERS[segment],
    )
    wanted = found_by_python(data, rule, context, "probe_company")
    assert found_by_sql(filled, rule, context, Company) == wanted
    assert found_by_sql(filled, rule, replace(context, few=True), Company) == wanted


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(drawn=st.data())
def test_a_rule_survives_json_and_can_be_said_in_words(drawn: st.DataObject, edition: Edition) -> None:
    name, drawing = drawn.draw(
        st.sampled_from([("probe_sample", rules(edition)), ("probe_company", rules_of_companies(edition))])
    )
    view = edition.entity(name)
    node = parse(drawn.draw(drawing), view, edition)
    written = json.loads(json.dumps(to_json(node)))
    assert parse(written, view, edition) == node
    assert to_json(parse(written, view, edition)) == written
    assert describe(node, edition)


def test_a_rule_inside_another_keeps_its_own_joins(filled: Engine, edition: Edition, data: Data) -> None:
    """Segments are rules over subqueries of rules: the same references on both levels are joined on both."""
    context = RuleContext(edition=edition, actor=SYSTEM, today=TODAY, lookup=data.readable(SYSTEM))
    view = edition.entity("probe_sample")
    outer = {"field": "company.city", "op": "is_not_empty"}
    inner = {"field": "company.owner.name", "op": "eq", "value": "Boris"}
    chosen = matching(sa.select(Sample.id), parse(inner, view, edition), view, context)
    statement = matching(sa.select(Sample.id), parse(outer, view, edition), view, context)
    with filled.connect() as connection:
        found = set(connection.scalars(statement.where(Sample.id.in_(chosen))))
        others = set(connection.scalars(statement.where(Sample.id.not_in(chosen))))
    wanted = found_by_python(data, {"all": [outer, inner]}, context)
    assert found == wanted
    assert others == found_by_python(data, outer, context) - wanted


EXAMPLES: list[tuple[Any, Any]] = [
    ({"field": "name", "op": "contains", "value": "МОСК"}, lambda one: "моск" in one["name"].lower()),
    ({"field": "name", "op": "contains", "value": "φοσ"}, lambda one: one["name"] == "ΣΟΦΟΣ"),
    ({"field": "name", "op": "contains", "value": "ΟΣ"}, lambda one: one["name"] == "ΣΟΦΟΣ"),
    ({"field": "name", "op": "starts_with", "value": "ist"}, lambda one: one["name"] == "İstanbul"),
    ({"field": "name", "op": "contains", "value": "%"}, lambda one: "%" in one["name"]),
    ({"field": "name", "op": "starts_with", "value": "a_"}, lambda one: one["name"].startswith("a_")),
    ({"field": "price", "op": "eq", "value": "1.2345"}, lambda one: one["price"] == Decimal("1.2345")),
    ({"field": "probe.fee", "op": "eq", "value": "0.3"}, lambda one: one["probe.fee"] == Decimal("0.3")),
    (
        {"field": "probe.fee", "op": "lt", "value": 0},
        lambda one: one["probe.fee"] is not None and one["probe.fee"] < 0,
    ),
    ({"field": "size", "op": "ne", "value": 1}, lambda one: one["size"] != 1),
    ({"not": {"field": "size", "op": "lt", "value": 1}}, lambda one: one["size"] is None or one["size"] >= 1),
    ({"not": {"not": {"field": "size", "op": "lt", "value": 1}}}, lambda one: one["size"] in (-7, -1, 0)),
    ({"field": "colour", "op": "not_in", "value": ["red"]}, lambda one: one["colour"] != "red"),
    ({"field": "day", "op": "eq", "value": {"days": -1}}, lambda one: one["day"] == date(2026, 11, 22)),
    (
        {"field": "probe.since", "op": "gte", "value": {"months": -1}},
        lambda one: (one["probe.since"] or date.min) >= date(2026, 10, 23),
    ),
    (
        {"field": "day", "op": "eq", "value": {"period": "quarter", "from": -1, "to": -1}},
        lambda one: one["day"] is not None and date(2026, 7, 1) <= one["day"] <= date(2026, 9, 30),
    ),
    (
        {"field": "day", "op": "ne", "value": {"period": "week"}},
        lambda one: one["day"] is None or not date(2026, 11, 23) <= one["day"] <= date(2026, 11, 29),
    ),
    (
        {"field": "day", "op": "gt", "value": {"period": "year"}},
        lambda one: one["day"] is not None and one["day"] > date(2026, 12, 31),
    ),
    (
        {"field": "moment", "op": "eq", "value": {"period": "month"}},
        lambda one: (
            one["moment"] is not None
            and datetime(2026, 10, 31, 23, tzinfo=UTC)
            <= one["moment"]
            < datetime(2026, 11, 30, 23, tzinfo=UTC)
        ),
    ),
    (
        {"field": "moment", "op": "eq", "value": "2026-11-22"},  # in Stockholm, an hour ahead of UTC
        lambda one: (
            one["moment"] is not None
            and datetime(2026, 11, 21, 23, tzinfo=UTC)
            <= one["moment"]
            < datetime(2026, 11, 22, 23, tzinfo=UTC)
        ),
    ),
    (
        {"field": "probe.seen", "op": "lte", "value": {"days": 0}},
        lambda one: (
            one["probe.seen"] is not None and one["probe.seen"] < datetime(2026, 11, 23, 23, tzinfo=UTC)
        ),
    ),
    ({"field": "keeper", "op": "eq", "value": {"me": True}}, lambda one: one["keeper"] == 1),
    (
        {"field": "company", "op": "is_empty"},
        lambda one: one["company"] in (None, 3, 4),
    ),  # 3 and 4 are in the bin
    ({"field": "company", "op": "ne", "value": 3}, lambda one: True),
    ({"field": "keeper.name", "op": "eq", "value": "Boris"}, lambda one: one["keeper"] == 2),
    ({"all": []}, lambda one: True),
    ({"any": []}, lambda one: False),
    ({"field": "size", "op": "in", "value": []}, lambda one: False),
    ({"not": {"field": "size", "op": "in", "value": []}}, lambda one: True),
]


@pytest.mark.parametrize(
    ("rule", "expected"), EXAMPLES, ids=lambda value: json.dumps(value) if isinstance(value, dict) else ""
)
def test_a_rule_means_what_it_says(
    rule: Any, expected: Any, filled: Engine, edition: Edition, data: Data
) -> None:
    context = RuleContext(edition=edition, actor=ACTORS[1], today=TODAY, lookup=data.readable(ACTORS[1]))
    wanted = {id for id, one in data.records["probe_sample"].items() if expected(one)}
    assert found_by_sql(filled, rule, context) == wanted
    assert found_by_python(data, rule, context) == wanted


MIDDLE = {
    "choice": "red",
    "email": "x@y.se",
    "percent": "0.1234",
    "decimal": "0.3",
    "money": "0.3",
    "integer": "1",
    "date": str(TODAY),
    "datetime": str(TODAY),
    "boolean": True,
    "reference": 2,
}


def test_every_operator_of_every_type_finds_some_records_and_leaves_others(
    filled: Engine, edition: Edition, data: Data
) -> None:
    """Guards the property above against data in which nothing is ever found."""
    context = RuleContext(edition=edition, actor=ACTORS[1], today=TODAY, lookup=data.readable(ACTORS[1]))
    for field in edition.entity("probe_sample").fields.values():
        if field.type.kind == "json" or field.required or field.name == "external_id":
            continue
        value = MIDDLE.get(field.type.name, "a_b")
        for operator in operators(field, edition):
            rule: dict[str, Any] = {"field": field.name, "op": operator.value, "value": value}
            if operator in ("in", "not_in", "between"):
                rule["value"] = [value, value]
            elif operator in ("contains", "starts_with"):
                rule["value"] = "a"
            elif operator in ("is_empty", "is_not_empty"):
                del rule["value"]
            found = found_by_sql(filled, rule, context)
            assert 0 < len(found) < len(data.records["probe_sample"]), rule
