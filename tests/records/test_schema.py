"""The quick way through the checks and the schema agree on every value."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trellis.edition import Edition
from trellis.errors import RecordInvalid
from trellis.records.schema import accept, load, load_by_schema

TELLING: list[Any] = [
    *(None, "", " ", "Anna", "  Anna ", "A\x00", "A" * 300, "\ud800", "red", "yes", "0", "ten"),
    *(True, False, 0, 1, -3, 2**70, 1.5, float("nan"), Decimal("12.00005"), "1 234,50", "1,234.5", "1e30"),
    *("anna@example.com", "anna@", "+46 70 555 01 42", "https://example.com", "2026-02-30", "2026-11-23"),
    *("2026-11-23T10:42:00Z", date(2026, 1, 2), datetime(2026, 1, 2, 3, 4), datetime(1, 1, 1, tzinfo=UTC)),
    *([1], {}, {"external_id": "A"}, {"external_id": 5}, {"id": 1}, {"external_id": "A", "id": 1}),
]
values = st.one_of(st.sampled_from(TELLING), st.text(max_size=8), st.integers(), st.floats(), st.decimals())


def by_schema(edition: Edition, written: dict[str, Any]) -> dict[str, Any] | None:
    try:
        return load_by_schema(edition, edition.entity("probe_sample"), written)
    except RecordInvalid:
        return None


def told_apart(values: dict[str, Any] | None) -> Any:
    return None if values is None else {name: (type(value), repr(value)) for name, value in values.items()}


@settings(max_examples=1500, deadline=None)
@given(st.data())
def test_both_ways_accept_the_same_values(edition: Edition, data: st.DataObject) -> None:
    fields = [*edition.entity("probe_sample").fields, "unheard_of"]
    written = data.draw(st.dictionaries(st.sampled_from(fields), values, max_size=4))
    quick = accept(edition, edition.entity("probe_sample"), written)
    assert told_apart(quick) == told_apart(by_schema(edition, written))


def test_each_telling_value_in_each_field_is_judged_alike(edition: Edition) -> None:
    view = edition.entity("probe_sample")
    judged = [{name: value} for name in view.fields for value in TELLING]
    accepted = [accept(edition, view, written) for written in judged]
    assert [told_apart(one) for one in accepted] == [told_apart(by_schema(edition, one)) for one in judged]
    assert 100 < sum(one is not None for one in accepted) < len(judged) - 100


def test_what_is_refused_is_named(edition: Edition) -> None:
    with pytest.raises(RecordInvalid) as refused:
        load(edition, edition.entity("probe_sample"), {"name": "A", "size": "ten", "nmae": "B"})
    assert set(refused.value.errors) == {"size", "nmae"}
