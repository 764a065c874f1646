"""Targets are told apart by what they plan: a batch is looked at as a whole, and a second one is told where people see it."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from measured import Book
from trellis.contributions import FieldRight, Grant, Scope
from trellis.records.door import BatchInvalid, Records, Write
from trellis.security.actor import Actor
from trellis.security.field_rights import FieldRule

PLANS = [
    {"kpi": "revenue", "period": f"{year}-{month:02}"} for year in range(2020, 2029) for month in range(1, 13)
]
"""What targets are of; more than 100."""


def told(records: Records, *targets: dict[str, Any]) -> dict[int, dict[str, str]]:
    """What is said of these targets, by their place; there was nothing written."""
    with pytest.raises(BatchInvalid) as refused:
        records.save("kpi_target", [Write(values=values) for values in targets])
    return {
        place: {name: " ".join(map(str, texts)) for name, texts in error.errors.items()}
        for place, error in refused.value.failures.items()
    }


def test_a_batch_of_new_targets_is_looked_up_by_one_query(book: Book) -> None:
    statements: list[str] = []
    records = book.records
    connection = book.session.connection()
    sa.event.listen(connection, "before_cursor_execute", lambda *given: statements.append(given[2]))
    numbers = []
    for some in (PLANS[:2], PLANS[2:102]):
        statements.clear()
        records.save("kpi_target", [Write(values={**one, "value": 1}) for one in some])
        found = [
            one for one in statements if one.startswith("SELECT") and "key" in one and "kpi_target" in one
        ]
        assert len(found) == 1, found
        numbers.append(len([one for one in statements if one.startswith("SELECT")]))
    assert numbers[1] <= numbers[0]  # what is found out once for all stands in the first


def test_a_second_target_is_told_at_the_period_in_words_of_what_the_reader_sees(book: Book) -> None:
    ann, records = book.person("Ann"), book.records
    january, february, march, april = PLANS[:4]
    first, bare, binned = records.save(
        "kpi_target", [Write(values={**january, "value": 7}), Write(values=february), Write(values=march)]
    )
    records.delete("kpi_target", binned)
    assert told(records, january, april, february, march, april) == {
        0: {"period": "This is planned already: €7.00; change that target instead"},
        2: {"period": "There is a target for this already, without a value; change that one"},
        3: {"period": "A target for this is in the recycle bin; restore it and change its value"},
        4: {"period": "This is given twice; leave one of them out"},
    }
    with pytest.raises(BatchInvalid):  # it comes to be what another one is
        records.save("kpi_target", [Write(id=bare, values={"period": january["period"]})])
    records.save("kpi_target", [Write(id=first, values={"value": 8})])

    def seen_by(**options: Any) -> dict[int, dict[str, str]]:
        actor = Actor(source="rest", user_id=ann, **options)
        return told(Records(book.session, book.edition, actor), january, march)

    hidden = {place: {"period": "This is planned already"} for place in (0, 1)}
    assert seen_by(grants={"*": Grant("*", read=Scope.OWN, create=True)}) == hidden
    withheld = frozenset([FieldRule("kpi_target", "value", FieldRight.NONE)])
    assert seen_by(grants={"*": Grant("*", read=Scope.ALL, create=True)}, fields=withheld) == hidden
