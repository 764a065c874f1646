"""Lists of records: what a page holds, for whom, in which order, and that it continues where it ended."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from probe import TODAY, Sample
from probe_data import Data
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session
from trellis.contributions import Grant, Scope
from trellis.edition import Edition
from trellis.errors import CursorInvalid, RuleInvalid
from trellis.records.query import ListQuery, Record
from trellis.search.words import words
from trellis.security.actor import SYSTEM, Actor

LIMITED = Actor(
    user_id=1,
    units=(1,),
    grants={
        "probe_sample": Grant("probe_sample", read=Scope.UNIT),
        "probe_company": Grant("probe_company", read=Scope.OWN),
        "user": Grant("user", read=Scope.ALL),
    },
)
SORTS = [
    "id",
    "name",
    "counted",
    "size",
    "price",
    "active",
    "day",
    "moment",
    "colour",
    "company",
    "keeper",
    "company.city",
    "company.owner",
    "probe.code",
    "probe.points",
    "probe.fee",
    "probe.vip",
    "probe.since",
    "probe.seen",
    "probe.partner",
]


@pytest.fixture
def session(filled: Engine) -> Iterator[Session]:
    with Session(filled) as session:
        yield session


def samples(edition: Edition, actor: Actor = SYSTEM, **options: Any) -> ListQuery:
    return ListQuery(edition.entity("probe_sample"), edition, actor, today=TODAY, **options)


def ids(records: list[Record]) -> list[int]:
    return [record.id for record in records]


def walk(session: Session, edition: Edition, actor: Actor, **options: Any) -> list[int]:
    """The ids of all pages, one after the other."""
    found: list[int] = []
    cursor = None
    for _page in range(1000):
        page = samples(edition, actor, cursor=cursor, fields=[], **options).page(session)
        found += ids(page.items)
        cursor = page.next
        if cursor is None:
            return found
    raise AssertionError("the pages do not end")


def kept(data: Data, actor: Actor = SYSTEM) -> list[dict[str, Any]]:
    """The samples that the actor may see outside the bin, in order of id."""
    return [
        one
        for one in data.records["probe_sample"].values()
        if one["deleted_at"] is None and actor.reaches("probe_sample", "read", one)
    ]


# --- What a page holds ---


def test_a_record_holds_its_values_as_python_objects(session: Session, edition: Edition, data: Data) -> None:
    records = {record.id: record for record in samples(edition, limit=500).page(session).items}
    assert records.keys() == {one["id"] for one in kept(data)}
    for one in kept(data):
        record = records[one["id"]]
        shown = {name: value for name, value in one.items() if name not in ("id", "deleted_at")}
        lookup = data.readable(SYSTEM)
        for name, field in edition.entity("probe_sample").references.items():
            target = field.type.entity  # type: ignore[attr-defined]
            if shown[name] is not None and lookup(target, shown[name]) is None:
                shown[name] = None
        assert {name: record.values[name] for name in shown} == shown
        assert record.version == 1
        assert all(type(record.values[name]) is type(value) for name, value in shown.items())


def test_a_reference_comes_with_the_title_of_its_record(
    session: Session, edition: Edition, data: Data
) -> None:
    record = (
        samples(edition, rule={"field": "company", "op": "eq", "value": 1}, limit=1).page(session).items[0]
    )
    assert record.values["company"] == 1
    assert record.titles["company"] == data.records["probe_company"][1]["name"]


def test_a_record_in_the_bin_is_an_empty_reference(session: Session, edition: Edition) -> None:
    items = samples(edition, limit=500).page(session).items
    assert {record.values["company"] for record in items} == {None, 1, 2, 5, 6, 7, 8}
    assert {record.values["keeper"] for record in items} == {None, 1, 2}
    assert all((record.values["company"] is None) is ("company" not in record.titles) for record in items)


def test_a_record_that_the_actor_may_not_read_is_an_empty_reference(
    session: Session, edition: Edition, data: Data
) -> None:
    owned = {
        one["id"]
        for one in data.records["probe_company"].values()
        if one["owner"] == 1 and not one["deleted_at"]
    }
    items = samples(edition, LIMITED, limit=500).page(session).items
    assert {record.values["company"] for record in items} - {None} == owned
    assert {record.values["probe.partner"] for record in items} - {None} == owned
    hidden = next(id for id in range(1, 9) if id not in owned)
    for rule in (
        {"field": "company", "op": "eq", "value": hidden},
        {"field": "company.id", "op": "eq", "value": hidden},
    ):
        assert samples(edition, LIMITED, rule=rule).page(session).items == []


def test_a_list_holds_what_the_actor_may_read(session: Session, edition: Edition, data: Data) -> None:
    wanted = [one["id"] for one in kept(data, LIMITED)]
    assert 0 < len(wanted) < len(kept(data))
    assert walk(session, edition, LIMITED, sort=["id"]) == wanted
    assert session.scalar(samples(edition, LIMITED).count_statement()) == len(wanted)
    stranger = Actor(user_id=1, grants={})
    assert samples(edition, stranger).page(session).items == []


def test_the_bin_holds_the_other_records(session: Session, edition: Edition, data: Data) -> None:
    binned = {one["id"] for one in data.records["probe_sample"].values() if one["deleted_at"] is not None}
    assert set(ids(samples(edition, deleted=True, limit=500).page(session).items)) == binned


def test_only_the_fields_asked_for_are_read(session: Session, edition: Edition) -> None:
    query = samples(edition, fields=["name", "company.city", "probe.code"], limit=3, sort=["name"])
    assert list(query.page(session).items[0].values) == ["name", "company.city", "probe.code"]
    statement = str(query.statement())
    assert "note" not in statement and "probe_sample.extra" in statement
    assert "extra" not in str(samples(edition, fields=["name"], sort=["name"]).statement()).replace(
        "AS extra", ""
    )


def test_fields_through_references_are_read_by_type(session: Session, edition: Edition, data: Data) -> None:
    query = samples(
        edition, fields=["company.founded", "company.owner", "probe.partner.probe.region"], limit=500
    )
    lookup = data.readable(SYSTEM)
    for record in query.page(session).items:
        one = data.records["probe_sample"][record.id]
        company = lookup("probe_company", one["company"]) or {}
        partner = lookup("probe_company", one["probe.partner"]) or {}
        assert record.values["company.founded"] == company.get("founded")
        assert record.values["probe.partner.probe.region"] == partner.get("probe.region")
        owner = lookup("user", company.get("owner", 0))
        assert record.titles.get("company.owner") == (owner and owner["name"])


def test_a_page_is_one_select_however_many_rows_it_has(
    filled: Engine, session: Session, edition: Edition
) -> None:
    statements: list[str] = []
    sa.event.listen(filled, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    for limit in (1, 10, 200):
        statements.clear()
        samples(edition, limit=limit).page(session)
        assert [statement for statement in statements if "SELECT" in statement] == statements[-1:]


def test_text_is_found_in_any_searchable_field_without_regard_to_case(
    session: Session, edition: Edition, data: Data
) -> None:
    def holds(one: dict[str, Any], word: str) -> bool:
        known = words(" ".join(one[name] or "" for name in ("name", "note", "probe.code")))
        return any(other.startswith(word) if len(word) > 1 else other == word for other in known)

    for text in ("МОСКВА", "zeb %", "ё  50%", "нигде", "it's", "straße", "日本"):
        wanted = [one["id"] for one in kept(data) if all(holds(one, word) for word in words(text))]
        assert walk(session, edition, SYSTEM, text=text, sort=["id"]) == wanted, text
    assert walk(session, edition, SYSTEM, text="москва", sort=["id"])
    assert walk(session, edition, SYSTEM, text=" ", sort=["id"]) == [one["id"] for one in kept(data)]
    assert walk(session, edition, SYSTEM, text="%", sort=["id"]) == []


def test_a_list_can_be_limited_to_some_ids(session: Session, edition: Edition, data: Data) -> None:
    wanted = [one["id"] for one in kept(data)][3:6]
    assert ids(samples(edition, ids=wanted, sort=["id"]).page(session).items) == wanted
    assert samples(edition, ids=[]).page(session).items == []
    assert ids(samples(edition, ids=[wanted[0], 10**30, -1]).page(session).items) == wanted[:1]


def test_lists_of_one_shape_answer_each_reader_and_value_with_their_own(
    session: Session, edition: Edition, data: Data
) -> None:
    own = {"probe_sample": Grant("probe_sample", read=Scope.OWN)}
    readers = [Actor(user_id=number, grants=own) for number in (1, 2, 3)] + [SYSTEM]
    for colour in sorted({one["colour"] for one in kept(data) if one["colour"]}):
        for reader in readers:
            rule = {"field": "colour", "op": "eq", "value": colour}
            found = samples(edition, reader, rule=rule, sort=["id"], limit=1000).page(session).items
            assert ids(found) == [one["id"] for one in kept(data, reader) if one["colour"] == colour]
    assert len({len(kept(data, reader)) for reader in readers}) > 1


def test_counting_can_stop_at_a_limit(session: Session, edition: Edition, data: Data) -> None:
    rule = {"field": "company.city", "op": "is_not_empty"}
    whole = session.scalar(samples(edition, rule=rule).count_statement())
    assert whole == len(walk(session, edition, SYSTEM, rule=rule))
    assert session.scalar(samples(edition, rule=rule).count_statement(limit=7)) == 7
    assert session.scalar(samples(edition, rule=rule).count_statement(limit=10_000)) == whole


def test_other_columns_can_be_summed_over_the_records_of_a_list(
    session: Session, edition: Edition, data: Data
) -> None:
    query = samples(edition, rule={"field": "company.owner.name", "op": "eq", "value": "Boris"})
    statement = query.select(Sample.colour, sa.func.count(), sa.func.sum(Sample.price)).group_by(
        Sample.colour
    )
    found = {colour: (count, total) for colour, count, total in session.execute(statement)}
    lookup = data.readable(SYSTEM)
    wanted: dict[Any, tuple[int, Decimal | None]] = {}
    for one in kept(data):
        company = lookup("probe_company", one["company"]) or {}
        if company.get("owner") == 2:
            count, total = wanted.get(one["colour"], (0, None))
            price = one["price"]
            wanted[one["colour"]] = (count + 1, total if price is None else (total or 0) + price)
    assert found == wanted


# --- Order and pages ---


def sort_value(data: Data, name: str, one: dict[str, Any]) -> Any:
    lookup = data.readable(SYSTEM)
    record: dict[str, Any] | None = one
    *hops, last = name.split(".") if not name.startswith("probe.") else [name]
    for hop in hops:
        record = lookup("probe_company", record[hop] or 0) if record else None
    value = record[last] if record else None
    targets = {
        "company": "probe_company",
        "probe.partner": "probe_company",
        "keeper": "user",
        "owner": "user",
    }
    if last in targets:
        referred = lookup(targets[last], value or 0)
        return referred["name"] if referred else None
    return value


def sorted_ids(data: Data, sort: list[str]) -> list[int]:
    """The order by the book: keys in turn, empty the smallest, the id last in the direction of the last key."""
    found = sorted(kept(data), key=lambda one: one["id"], reverse=sort[-1].startswith("-"))
    for key in reversed(sort):
        name = key.removeprefix("-")
        filled = [one for one in found if sort_value(data, name, one) is not None]
        empty = [one for one in found if sort_value(data, name, one) is None]
        filled.sort(key=lambda one: sort_value(data, name, one), reverse=key.startswith("-"))
        found = filled + empty if key.startswith("-") else empty + filled
    return [one["id"] for one in found]


sorts = st.lists(
    st.tuples(st.sampled_from(["", "-"]), st.sampled_from(SORTS)).map("".join), min_size=1, max_size=3
)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(sort=sorts, limit=st.sampled_from([3, 7, 20, 50, 72, 73, 215]))
def test_pages_give_the_whole_list_in_order(
    sort: list[str], limit: int, filled: Engine, edition: Edition, data: Data
) -> None:
    sort = list({key.removeprefix("-"): key for key in sort}.values())
    with Session(filled) as session:
        assert walk(session, edition, SYSTEM, sort=sort, limit=limit) == sorted_ids(data, sort)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(sort=sorts, limit=st.integers(4, 60))
def test_pages_of_a_limited_actor_under_a_rule_give_the_whole_list(
    sort: list[str], limit: int, filled: Engine, edition: Edition
) -> None:
    rule = {"any": [{"field": "company.city", "op": "is_empty"}, {"field": "size", "op": "gt", "value": 0}]}
    with Session(filled) as session:
        whole = ids(samples(edition, LIMITED, rule=rule, sort=sort, limit=1000).page(session).items)
        assert len(whole) > 50
        assert walk(session, edition, LIMITED, rule=rule, sort=sort, limit=limit) == whole


def test_each_row_can_be_a_page_of_its_own(session: Session, edition: Edition, data: Data) -> None:
    assert walk(session, edition, SYSTEM, sort=["-size", "probe.vip"], limit=1) == sorted_ids(
        data, ["-size", "probe.vip"]
    )


def test_the_usual_sort_is_that_of_the_entity(session: Session, edition: Edition, data: Data) -> None:
    assert walk(session, edition, SYSTEM, limit=100) == sorted_ids(data, ["-moment", "name"])


def test_a_record_added_or_removed_does_not_shift_the_pages(filled: Engine, edition: Edition) -> None:
    with filled.connect() as connection, Session(connection) as session:
        first = samples(edition, sort=["name"], limit=10).page(session)
        whole = walk(session, edition, SYSTEM, sort=["name"])
        session.execute(
            sa.update(Sample).where(Sample.id == first.items[3].id).values(deleted_at=datetime.now(UTC))
        )
        second = samples(edition, sort=["name"], limit=10, cursor=first.next).page(session)
        assert ids(second.items) == whole[10:20]
        session.rollback()


def test_null_order_is_said_only_where_there_can_be_nulls(filled: Engine, edition: Edition) -> None:
    def order(*sort: str) -> str:
        return str(samples(edition, sort=sort).statement().compile(filled)).split("ORDER BY")[1]

    assert "NULLS" not in order("name") and "NULLS" not in order("-counted", "name")
    assert order("size").count("NULLS FIRST") == 1
    assert order("-probe.code").count("NULLS LAST") == 1


# --- Refusals ---


def test_a_cursor_of_another_list_is_refused(session: Session, edition: Edition) -> None:
    cursor = samples(edition, sort=["name"], limit=2).page(session).next
    others: list[dict[str, Any]] = [
        {"sort": ["-name"]},
        {"sort": ["size"]},
        {"sort": ["name"], "rule": {"all": []}},
        {"sort": ["name"], "text": "a"},
        {"sort": ["name"], "deleted": True},
    ]
    for other in others:
        with pytest.raises(CursorInvalid):
            samples(edition, cursor=cursor, **other).page(session)
    with pytest.raises(CursorInvalid):
        ListQuery(edition.entity("user"), edition, SYSTEM, sort=["name"], cursor=cursor).page(session)
    assert samples(edition, sort=["name"], limit=9, cursor=cursor).page(session).items


FORGED = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["\x00", "\ud800", 10**30, "1e999999", "NaN", "-0", {}, [[]]])
    | st.sampled_from(["0001-01-01T00:00:00+14:00", "9999-12-31", "2026-11-23T10:00:00"])
)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(sort=sorts, drawn=st.data())
def test_a_forged_cursor_is_refused_or_harmless(
    sort: list[str], drawn: st.DataObject, filled: Engine, edition: Edition
) -> None:
    with Session(filled) as session:
        cursor = samples(edition, sort=sort, fields=[], limit=2).page(session).next or ""
        fingerprint, *values = json.loads(base64.urlsafe_b64decode(cursor + "=="))
        forged = drawn.draw(st.lists(FORGED, min_size=len(values), max_size=len(values)))
        text = json.dumps([fingerprint, *forged])
        with contextlib.suppress(CursorInvalid):
            cursor = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
            samples(edition, sort=sort, cursor=cursor, fields=[]).page(session)
        with pytest.raises(CursorInvalid):
            samples(edition, sort=sort, cursor=drawn.draw(st.text()), fields=[]).page(session)


@pytest.mark.parametrize(
    ("options", "path", "message"),
    [
        ({"sort": ["sise"]}, "sort", "did you mean “size”"),
        ({"sort": ["paper"]}, "sort", "cannot be sorted by Paper"),
        ({"sort": ["--size"]}, "sort", "no field “-size”"),
        ({"sort": ["size"] * 9}, "sort", "at most 8 fields"),
        ({"fields": ["name", "sise"]}, "fields", "did you mean “size”"),
        ({"rule": {"field": "sise", "op": "eq", "value": 1}}, "$.field", "did you mean “size”"),
        ({"text": "a\x00"}, "text", "cannot be stored"),
        ({"text": "a" * 1001}, "text", "too long"),
    ],
)
def test_a_wrong_list_says_where_and_why(
    options: dict[str, Any], path: str, message: str, edition: Edition
) -> None:
    with pytest.raises(RuleInvalid) as caught:
        samples(edition, **options)
    assert message in str(caught.value)
    assert caught.value.path == path
