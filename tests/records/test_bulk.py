"""Many rows at once are written as one is, on each database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from trellis.crm.customers.entities import Customer
from trellis.errors import RecordInvalid
from trellis.records.bulk import FEW, insert_rows
from trellis.records.door import Records, Write
from trellis.security.actor import SYSTEM
from trellis.system import Event
from trellis.workspace import Workspace

CUSTOMERS = [
    {"name": "Anna", "email": "Anna@Example.com", "birthday": "1990-02-03"},
    {"name": 'A "quoted" \\ name\twith\nlines', "notes": "\\N", "kind": "company"},
    {"name": "Ёлка, ООО", "city": "Ō", "external_id": "{a,b}"},
]
PRODUCTS = [
    {"name": "Lamp", "price": "1234.5678", "cost": 0},
    {"name": "Return", "price": "0.0001"},
]


def kept(records: Records, entity: str, ids: list[int]) -> list[dict[str, Any]]:
    passing = {"created_at", "updated_at", "external_id"}
    return [
        {name: value for name, value in records.get(entity, one).values.items() if name not in passing}
        for one in ids
    ]


@pytest.mark.parametrize(("entity", "given"), [("customer", CUSTOMERS), ("product", PRODUCTS)])
def test_many_records_are_kept_as_single_ones_are(
    workspace: Workspace, entity: str, given: list[dict[str, Any]]
) -> None:
    with workspace.write() as session:
        records = Records(session, workspace.edition(session), SYSTEM)
        one_by_one = [records.create(entity, {**values, "external_id": None}).id for values in given]
        many = [{**given[n % len(given)], "external_id": f"{{{n}}}"} for n in range(FEW + 1)]
        ids = records.save(entity, [Write(values=values) for values in many])
        assert kept(records, entity, ids[: len(given)]) == kept(records, entity, one_by_one)
        logged = session.scalars(sa.select(Event).where(Event.record_id.in_(ids)).order_by(Event.id)).all()
        assert [event.record_id for event in logged] == ids
        single = session.scalars(sa.select(Event).where(Event.record_id == one_by_one[0])).one()
        assert logged[0].changes == {**single.changes, "external_id": [None, "{0}"]}
        assert (logged[0].at.tzinfo, logged[0].source) == (single.at.tzinfo, single.source)


def test_a_wrong_row_among_many_leaves_nothing(workspace: Workspace) -> None:
    writes = [Write(values={"name": f"N{n}"}) for n in range(FEW)]
    with workspace.write() as session:
        records = Records(session, workspace.edition(session), SYSTEM)
        with pytest.raises(RecordInvalid):
            records.save("customer", [*writes, Write(values={"name": ""})])
        assert records.count("customer") == 0


def test_what_the_database_refuses_is_an_integrity_error(workspace: Workspace) -> None:
    rows = [{"id": n, "external_id": "same"} for n in range(1, FEW + 2)]
    now = datetime.now(UTC)
    common = {"name": "N", "kind": "person", "version": 1, "extra": {}, "created_at": now, "updated_at": now}
    with pytest.raises(sa.exc.IntegrityError), workspace.write() as session:
        insert_rows(session, sa.inspect(Customer).local_table, common, rows)


def test_a_row_may_say_otherwise_than_what_all_have_in_common(workspace: Workspace) -> None:
    rows = [{"id": n, "city": None} if n % 2 else {"id": n} for n in range(1, FEW + 2)]
    now = datetime.now(UTC)
    common = {"name": "N", "kind": "person", "version": 1, "created_at": now, "updated_at": now}
    with workspace.write() as session:
        insert_rows(
            session, sa.inspect(Customer).local_table, {**common, "extra": {"a": 1}, "city": "Brno"}, rows
        )
        kept = session.execute(
            sa.select(Customer.city, Customer.extra, Customer.created_at).order_by(Customer.id)
        )
        assert kept.all() == [(None if row["id"] % 2 else "Brno", {"a": 1}, now) for row in rows]
