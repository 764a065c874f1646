"""Rules that are wrong say where and how to mend them."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from probe import TODAY, Sample
from sqlalchemy.engine import Engine
from trellis.edition import Edition
from trellis.errors import RuleInvalid
from trellis.records.rules import RuleContext, matching, parse, to_json, to_predicate
from trellis.security.actor import SYSTEM


def leaf(field: Any = "size", op: Any = "eq", value: Any = 1) -> dict[str, Any]:
    return {"field": field, "op": op, "value": value}


def nested(levels: int) -> dict[str, Any]:
    rule = leaf()
    for _level in range(levels):
        rule = {"not": rule}
    return rule


WRONG: list[tuple[Any, str, str]] = [
    (None, "$", "must be an object"),
    ([], "$", "must be an object"),
    ({}, "$.field", "needs “field”"),
    ({"all": {}}, "$.all", "list of rules"),
    ({"all": [], "any": []}, "$", "“any” does not belong here"),
    ({"any": [leaf(), {"all": [3]}]}, "$.any[1].all[0]", "must be an object"),
    ({"not": [leaf()]}, "$.not", "must be an object"),
    (leaf() | {"extra": 1}, "$", "“extra” does not belong here"),
    (leaf(field=3), "$.field", "needs “field”"),
    (leaf(op=None), "$.op", "needs “op”"),
    (leaf(field="sise"), "$.field", "did you mean “size”"),
    (leaf(field="zzz"), "$.field", "has no field “zzz”"),
    (leaf(field="company.citty"), "$.field", "did you mean “city”"),
    (leaf(field="size.city"), "$.field", "no field “size.city”"),
    (leaf(field="keeper.unit.parent.parent.name"), "$.field", "more than 3 references"),
    (leaf(field="deleted_at"), "$.field", "no field"),
    (leaf(op="eqq"), "$.op", "did you mean “eq”"),
    (leaf(op="like"), "$.op", "use one of: eq, ne"),
    (leaf(op="contains"), "$.op", "does not fit size"),
    (leaf(field="moment", op="in", value=[]), "$.op", "does not fit moment"),
    (leaf(field="paper"), "$.op", "cannot be used in rules"),
    (leaf(value=None), "$.value", "use is_empty"),
    (leaf(value=""), "$.value", "use is_empty"),
    (leaf(value="many"), "$.value", "size: Must be a number"),
    (leaf(value=True), "$.value", "Must be a number"),
    (leaf(value=1.5), "$.value", "whole number"),
    (leaf(value=10**30), "$.value", "too large"),
    (leaf(value="1e400"), "$.value", "too large"),
    (leaf(value=[1]), "$.value", "not a list"),
    (leaf(value={"days": 1}), "$.value", "fit dates"),
    (leaf(op="in", value=1), "$.value", "Must be a list"),
    (leaf(op="in", value=[1, None]), "$.value", "use is_empty"),
    (leaf(op="in", value=[1] * 1001), "$.value", "At most 1000 values"),
    (leaf(op="between", value=[1]), "$.value", "list of two"),
    (leaf(op="is_empty", value=1), "$.value", "Takes no value"),
    (leaf(field="name", value=5), "$.value", "Must be text"),
    (leaf(field="name", value="a\x00b"), "$.value", "cannot be stored"),
    (leaf(field="name", op="contains", value="\ud800"), "$.value", "cannot be stored"),
    (leaf(field="name", op="contains", value=""), "$.value", "Needs a value"),
    (leaf(field="name", op="contains", value="x" * 1001), "$.value", "At most 1000 characters"),
    (leaf(field="colour", value="pink"), "$.value", "not one of: red, green, blue"),
    (leaf(field="colour", op="contains", value="r"), "$.op", "does not fit colour"),
    (leaf(field="day", value="2026-02-30"), "$.value", "Must be a date"),
    (leaf(field="day", value={"days": 1.5}), "$.value", "whole number"),
    (leaf(field="day", value={"days": 10**9}), "$.value", "whole number"),
    (leaf(field="day", value={"weeks": 1}), "$.value", "fit dates"),
    (leaf(value={"period": "day"}), "$.value", "fits dates"),
    (leaf(field="day", value={"period": "decade"}), "$.value", "one of: day, week"),
    (leaf(field="day", value={"period": "day", "from": 1}), "$.value", "end before it begins"),
    (leaf(field="day", value={"period": "day", "to": 10**9}), "$.value", "whole number"),
    (leaf(field="day", value={"period": "day", "days": 1}), "$.value", "fits dates"),
    (leaf(field="day", op="between", value=[{"period": "day"}] * 2), "$.value", "fit dates"),
    (leaf(field="moment", value="yesterday"), "$.value", "date and time"),
    (leaf(field="moment", value="2026-02-30"), "$.value", "Must be a date"),
    (leaf(field="company", value={"me": True}), "$.value", "refer to a user"),
    (leaf(field="keeper", value={"me": False}), "$.value", "Must be a value"),
    (leaf(field="active", value="maybe"), "$.value", "yes or no"),
    (nested(9), "$" + ".not" * 8, "at most 8 levels"),
    (nested(5000), "$" + ".not" * 8, "at most 8 levels"),
    ({"all": [leaf()] * 201}, "$.all[200]", "at most 200 comparisons"),
    ({"all": [leaf(op="in", value=[1] * 1000)] * 11}, "$.all[10]", "at most 10000 values"),
]


@pytest.mark.parametrize(("rule", "path", "message"), WRONG, ids=[message for _rule, _path, message in WRONG])
def test_a_wrong_rule_says_where_and_why(rule: Any, path: str, message: str, edition: Edition) -> None:
    with pytest.raises(RuleInvalid) as caught:
        parse(rule, edition.entity("probe_sample"), edition)
    assert message in str(caught.value)
    assert caught.value.path == path


def figure(**more: Any) -> dict[str, Any]:
    return {"related": "probe_sample.company", "op": "gte", "value": 1} | more


WRONG_OF_COMPANIES: list[tuple[Any, str, str]] = [
    ({"segment": "probe.vipp"}, "$.segment", "did you mean “probe.vip”"),
    ({"segment": "probe.small"}, "$.segment", "There is no segment “probe.small”"),
    ({"segment": 5}, "$.segment", "has no segment “5”"),
    ({"segment": "probe.vip", "op": "eq"}, "$", "“op” does not belong here"),
    (figure(related="probe_sample.compny"), "$.related", "did you mean “probe_sample.company”"),
    (figure(related="order.customer"), "$.related", "Nothing refers to Company"),
    (figure(related=None), "$.related", "needs “related”"),
    (figure(measure="mean"), "$.measure", "one of: count, sum, min, max, share"),
    (figure(measure="sum"), "$.field", "Sample has: size, weight"),
    (figure(measure="sum", field="day"), "$.field", "what “sum” looks at"),
    (figure(field="size"), "$.field", "“count” takes no field"),
    (figure(measure="share"), "$.part", "belongs to the measure “share”"),
    (figure(part=leaf()), "$.part", "belongs to the measure “share”"),
    (figure(value="many"), "$.value", "count: Must be a number"),
    (figure(op="contains"), "$.op", "does not fit count"),
    (figure(where=leaf("citty")), "$.where.field", "no field “citty”"),
    (figure(where={"all": [figure()]}), "$.where.all[0].related", "Nothing refers to Sample"),
    ({"all": [figure()] * 21}, "$.all[20]", "at most 20 segments and related records"),
]


@pytest.mark.parametrize(("rule", "path", "message"), WRONG_OF_COMPANIES)
def test_a_wrong_figure_or_segment_says_where_and_why(
    rule: Any, path: str, message: str, edition: Edition
) -> None:
    with pytest.raises(RuleInvalid) as caught:
        parse(rule, edition.entity("probe_company"), edition)
    assert message in str(caught.value)
    assert caught.value.path == path


def test_many_figures_and_segments_fit_into_one_statement(filled: Engine, edition: Edition) -> None:
    """SQLite joins at most 64 tables."""
    view = edition.entity("probe_company")
    rule = {
        "any": [*[figure(where=leaf("keeper.name", "eq", "Boris"))] * 10, *[{"segment": "probe.vip"}] * 10]
    }
    context = RuleContext(edition=edition, actor=SYSTEM, today=TODAY)
    with filled.connect() as connection:
        found = matching(sa.select(view.entity.id), parse(rule, view, edition), view, context)
        assert {1, 3, 5} <= set(connection.scalars(found))


def test_figures_in_python_need_the_records_that_refer(edition: Edition) -> None:
    context = RuleContext(edition=edition, actor=SYSTEM, today=TODAY)
    for rule, message in ((figure(), r"probe_sample\.company"), ({"segment": "probe.vip"}, r"probe\.vip")):
        with pytest.raises(ValueError, match=message):
            to_predicate(parse(rule, edition.entity("probe_company"), edition), context)


def test_values_are_read_as_forms_and_files_write_them(edition: Edition) -> None:
    view = edition.entity("probe_sample")
    rule = {
        "all": [leaf(value="10"), leaf("price", "gt", "1 234,50"), leaf("email", "eq", "Anna@Example.com")]
    }
    assert to_json(parse(rule, view, edition)) == {
        "all": [leaf(value=10), leaf("price", "gt", "1234.50"), leaf("email", "eq", "anna@example.com")]
    }


def test_a_bound_of_the_field_does_not_limit_what_can_be_asked(edition: Edition) -> None:
    assert parse(leaf("weight", "gt", -1), edition.entity("probe_sample"), edition)


@pytest.mark.parametrize("negated", [False, True])
def test_the_largest_rule_runs(negated: bool, filled: Engine, edition: Edition) -> None:
    """SQLite limits the depth of an expression and the number of values; so do our limits, below it."""
    view = edition.entity("probe_sample")
    leaves = [leaf("moment", "between", ["2026-01-01", "2026-12-31"])] * 190
    leaves += [leaf("probe.points", "in", list(range(960)))] * 10
    rule: dict[str, Any] = {"not": {"all": leaves}} if negated else {"any": leaves}
    context = RuleContext(edition=edition, actor=SYSTEM, today=TODAY)
    with filled.connect() as connection:
        statement = matching(sa.select(sa.func.count(Sample.id)), parse(rule, view, edition), view, context)
        assert connection.scalar(statement) > 0


def test_testing_a_reference_in_python_needs_a_lookup(edition: Edition) -> None:
    node = parse(leaf("company.city", "eq", "x"), edition.entity("probe_sample"), edition)
    with pytest.raises(ValueError, match=r"company\.city"):
        to_predicate(node, RuleContext(edition=edition, actor=SYSTEM, today=TODAY))


@pytest.mark.parametrize(
    ("day", "timezone"),
    [("0001-01-01", "Asia/Tokyo"), ("9999-12-31", "America/New_York"), ("9999-12-31", "UTC")],
)
def test_days_at_the_ends_of_the_calendar_do_not_break(day: str, timezone: str, filled: Engine) -> None:
    from probe import make_edition

    edition = make_edition(timezone)
    view = edition.entity("probe_sample")
    context = RuleContext(edition=edition, actor=SYSTEM, today=TODAY)
    with filled.connect() as connection:
        for op in ("eq", "lt", "lte", "gt", "gte"):
            node = parse(leaf("moment", op, day), view, edition)
            connection.execute(matching(sa.select(Sample.id), node, view, context)).all()
