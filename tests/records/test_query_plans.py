"""Lists over extension fields use their indexes, for filters, for sorts, and deep in the pages."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from probe import EXTENSIONS, Sample
from sqlalchemy.engine import Engine
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from trellis.edition import Edition
from trellis.records.entity import Field
from trellis.records.indexes import (
    create_extension_indexes,
    create_index,
    drop_extension_indexes,
    index_name,
    index_problem,
)
from trellis.records.query import ListQuery
from trellis.records.types import Json, LongText, Text
from trellis.security.actor import SYSTEM

FIELDS = ["name", "company", "owner", "probe.code"]


class Explain(sa.sql.expression.Executable, sa.sql.expression.ClauseElement):
    inherit_cache = False

    def __init__(self, statement: sa.Select[Any]) -> None:
        self.statement = statement


@compiles(Explain, "sqlite")
def _explain_on_sqlite(element: Explain, compiler: Any, **kw: Any) -> str:
    return f"EXPLAIN QUERY PLAN {compiler.process(element.statement, **kw)}"


@compiles(Explain, "postgresql")
def _explain_on_postgresql(element: Explain, compiler: Any, **kw: Any) -> str:
    return f"EXPLAIN (COSTS OFF) {compiler.process(element.statement, **kw)}"


def plan(engine: Engine, statement: sa.Select[Any]) -> str:
    with engine.connect() as connection:
        return "\n".join(str(line[-1]) for line in connection.execute(Explain(statement)))


def samples(edition: Edition, **options: Any) -> ListQuery:
    return ListQuery(edition.entity("probe_sample"), edition, SYSTEM, fields=FIELDS, **options)


def sorts_rows(plan: str) -> bool:
    return "TEMP B-TREE" in plan or "Sort" in plan


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("probe.code", "C77"),
        ("probe.points", 77),
        ("probe.fee", "12.3456"),
        ("probe.vip", True),
        ("probe.since", "2020-02-03"),
        ("probe.seen", "2027-01-01"),
        ("probe.partner", 5),
    ],
)
def test_a_filter_uses_the_index(name: str, value: Any, large: Engine, edition: Edition) -> None:
    query = samples(edition, rule={"field": name, "op": "eq", "value": value}, sort=[name])
    for found in (plan(large, query.statement()), plan(large, query.count_statement())):
        assert index_name("probe_sample", name) in found
        assert "SEARCH probe_sample USING" in found or "Index Cond" in found


SORTED = {
    **{
        f"probe.{one}": f"ix_probe_sample_x_probe_{one}" for one in ("code", "points", "fee", "since", "seen")
    },
    **{one: f"ix_probe_sample_{one}" for one in ("size", "counted", "moment")},
}


@pytest.mark.parametrize("name", SORTED)
@pytest.mark.parametrize("direction", ["", "-"])
def test_a_sort_and_its_deep_pages_use_the_index(
    name: str, direction: str, large: Engine, edition: Edition
) -> None:
    sort = [f"{direction}{name}"]
    first = plan(large, samples(edition, sort=sort).statement())
    assert SORTED[name] in first and not sorts_rows(first)

    with Session(large) as session:
        half = samples(edition, sort=sort, limit=10_000).page(session)
    deep = plan(large, samples(edition, sort=sort, cursor=half.next).statement())
    assert SORTED[name] in deep and not sorts_rows(deep)
    assert "SEARCH probe_sample USING INDEX" in deep or "Index Cond" in deep


def test_deep_pages_through_empty_values_use_the_index(large: Engine, edition: Edition) -> None:
    with Session(large) as session:
        start = samples(edition, sort=["probe.code"], limit=1_000).page(session)
        end = samples(edition, sort=["-probe.code"], limit=19_000).page(session)
        assert start.items[-1].values["probe.code"] is end.items[-1].values["probe.code"] is None
    for sort, cursor in (("probe.code", start.next), ("-probe.code", end.next)):
        among_empty = plan(large, samples(edition, sort=[sort], cursor=cursor).statement())
        assert not sorts_rows(among_empty)
        # PostgreSQL may find the rows by id, if a good part of them is empty
        assert "SEARCH probe_sample USING INDEX" in among_empty or "Index Cond" in among_empty


def test_without_the_index_the_same_list_is_sorted(large: Engine, edition: Edition) -> None:
    """So the tests above can fail."""
    fields = EXTENSIONS["probe_sample"]
    with large.begin() as connection:
        drop_extension_indexes(connection, "probe_sample", ["probe.points", "never.was"])
    large.dispose()  # SQLite answers a prepared EXPLAIN without noticing a change of the schema
    try:
        assert sorts_rows(plan(large, samples(edition, sort=["probe.points"]).statement()))
    finally:
        with large.begin() as connection:
            create_extension_indexes(connection, Sample, fields)
            create_extension_indexes(connection, Sample, fields)  # what exists stays


def test_only_fields_that_ask_for_it_get_an_index(large: Engine) -> None:
    with large.connect() as connection:
        if large.dialect.name == "sqlite":
            names = connection.scalars(sa.text("SELECT name FROM sqlite_master WHERE type = 'index'")).all()
        else:
            names = connection.scalars(sa.text("SELECT indexname FROM pg_indexes")).all()
    wanted = {index_name("probe_sample", field.name) for field in EXTENSIONS["probe_sample"] if field.indexed}
    assert {name for name in names if name.startswith("ix_probe_sample_x_")} == wanted


def test_a_long_name_is_cut_and_stays_different() -> None:
    first, second = (index_name("customer", f"plugin.{'very_' * 12}long_{end}") for end in ("a", "b"))
    assert len(first) <= 63 and len(second) <= 63 and first != second


@pytest.mark.parametrize("kind", [LongText(), Json()])
def test_a_field_of_unbounded_size_is_not_indexed(kind: Any, large: Engine) -> None:
    field = Field(
        name="probe.long", entity="probe_sample", type=kind, label=EXTENSIONS["probe_sample"][0].label
    )
    with pytest.raises(ValueError, match=r"probe\.long"):
        create_index("probe_sample", field, large.dialect)
    assert not index_problem(Field(name="probe.short", type=Text(), label=field.label))
