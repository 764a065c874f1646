"""Relations between customers: they stand on the pages of both, once in each way, nobody has one to themselves, and a merge keeps them."""

from __future__ import annotations

import pytest
from trellis.errors import RecordInvalid
from trellis.quality.merging import merge
from trellis.records.door import BatchInvalid, Records, Write
from trellis.records.related import RelatedList, related_lists
from trellis.security.actor import SYSTEM
from trellis.workspace import Workspace


def test_a_relation_stands_at_both_customers_once_and_follows_a_merge(workspace: Workspace) -> None:
    with workspace.write() as session:
        door = Records(session, workspace.edition(session), SYSTEM)
        anna, bert, twin = (door.create("customer", {"name": name}).id for name in ("Anna", "Bert", "Anna M"))

        def beside(customer: int) -> list[RelatedList]:
            lists = related_lists(session, door.edition, SYSTEM, "customer", customer)
            return [one for one in lists if one.view.name == "customer_relation"]

        def refused(act: object, *values: object) -> list[str]:
            with pytest.raises(RecordInvalid) as found:
                act("customer_relation", *values)  # type: ignore[operator]
            return list(found.value.errors)

        home = door.create("customer_relation", {"customer": anna, "other": bert, "kind": "household"}).id
        door.create("customer_relation", {"customer": twin, "other": anna, "kind": "partner"})
        assert refused(door.create, {"customer": anna, "other": anna}) == ["other"]
        again = {"customer": bert, "other": anna}
        assert refused(door.create, {**again, "kind": "household"}) == ["other"]
        group = door.create("customer_relation", {**again, "kind": "group"}).id
        assert refused(door.update, group, {"kind": "household"}) == ["other"]
        door.update("customer_relation", home, {"notes": "Since 2020"})
        door.delete("customer_relation", home)
        door.update("customer_relation", group, {"kind": "household"})
        assert refused(door.restore, home) == ["other"]
        both = [{"customer": bert, "other": twin}, {"customer": twin, "other": bert}]
        with pytest.raises(BatchInvalid) as found:  # neither is in the database when the other is looked at
            door.save("customer_relation", [Write(values=one) for one in both])
        assert {place: list(one.errors) for place, one in found.value.failures.items()} == {1: ["other"]}
        merge(door, "customer", anna, twin)
        for customer, kinds in ((bert, ["household"]), (anna, ["household", "partner"])):
            (found,) = beside(customer)
            assert sorted(record.values["kind"] for record in found.items) == kinds
            assert door.count("customer_relation", rule=found.rule) == found.count == len(kinds)
