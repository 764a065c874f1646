"""Relations between customers: they stand on the pages of both, nobody has one to themselves, and a merge keeps them."""

from __future__ import annotations

import pytest
from trellis.errors import RecordInvalid
from trellis.quality.merging import merge
from trellis.records.door import Records
from trellis.records.related import related_lists
from trellis.security.actor import SYSTEM
from trellis.workspace import Workspace


def test_a_relation_stands_at_both_customers_and_follows_a_merge(workspace: Workspace) -> None:
    with workspace.write() as session:
        door = Records(session, workspace.edition(session), SYSTEM)
        anna, bert, twin = (door.create("customer", {"name": name}).id for name in ("Anna", "Bert", "Anna M"))
        related = {"customer": anna, "other": bert, "kind": "household"}
        door.create("customer_relation", related)
        door.create("customer_relation", {"customer": twin, "other": anna, "kind": "partner"})
        with pytest.raises(RecordInvalid) as refused:
            door.create("customer_relation", {"customer": anna, "other": anna})
        assert list(refused.value.errors) == ["other"]
        merge(door, "customer", anna, twin)
        beside = {
            customer: {
                one.field.name: [record.values["kind"] for record in one.items]
                for one in related_lists(session, door.edition, SYSTEM, "customer", customer)
                if one.view.name == "customer_relation"
            }
            for customer in (anna, bert)
        }
    assert beside[bert] == {"customer": [], "other": ["household"]}
    assert beside[anna] == {"customer": ["partner", "household"], "other": ["partner"]}
