"""Records that are told apart: shown as duplicates no more, also after a merge, until that is taken back."""

from __future__ import annotations

import pytest
from trellis.contributions import Grant, Scope
from trellis.errors import PermissionRefused, RecordInvalid, RecordNotFound
from trellis.quality import distinct, merging
from trellis.quality.duplicates import find, groups
from trellis.records.door import Records, Write
from trellis.security.actor import SYSTEM, Actor
from trellis.workspace import Workspace


def test_what_is_told_apart_is_no_duplicate_until_that_is_taken_back(workspace: Workspace) -> None:
    with workspace.write() as session:
        records = Records(session, workspace.edition(session), SYSTEM)
        values = {"name": "Anna Meyer", "email": "anna@example.com"}
        first, second, third, fourth = records.save("customer", [Write(values=values)] * 4)

        def shown() -> list[list[int]]:
            found = groups(session, records.edition, SYSTEM, "customer")
            assert all(len(one.records) == one.count for one in found)
            return [[record.id for record in one.records] for one in found]

        def like(record_id: int) -> list[int]:
            found = find(session, records.edition, SYSTEM, "customer", values, record_id)
            return sorted(one.record.id for one in found)

        assert shown() == [[first, second, third, fourth]]
        distinct.tell_apart(records, "customer", [second, first])
        distinct.tell_apart(records, "customer", [first, second])
        assert shown() == [[first, second, third, fourth]]  # either may be the third
        assert like(first) == [third, fourth]
        distinct.tell_apart(records, "customer", [first, third, fourth])
        assert shown() == [[second, third, fourth]]
        merging.merge(records, "customer", second, third)
        assert shown() == []  # what the third was not, the second is not now
        merging.unmerge(records, "customer", third)
        distinct.take_back(records, "customer", [first, third])
        assert like(first) == [third]
        for ids in ([first], [first, first]):
            with pytest.raises(RecordInvalid):
                distinct.tell_apart(records, "customer", ids)
        with pytest.raises(RecordNotFound):
            distinct.tell_apart(records, "customer", [first, 999])
        grant = Grant("customer", read=Scope.ALL, update=Scope.OWN)
        stranger = Records(session, records.edition, Actor(user_id=1, grants={"customer": grant}))
        with pytest.raises(PermissionRefused):
            distinct.tell_apart(stranger, "customer", [first, third])
