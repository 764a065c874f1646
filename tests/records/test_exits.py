"""Exit rules: a record goes on from a stage when it fits the rule of that stage, whoever moves it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from importing import file, imported
from trellis.errors import RecordInvalid
from trellis.records.door import BatchInvalid, Records, Write
from trellis.security.actor import SYSTEM
from trellis.workspace import Workspace

TALKED = {
    "all": [
        {"field": "amount", "op": "gte", "value": "100"},
        {
            "related": "activity.opportunity",
            "where": {"field": "kind", "op": "eq", "value": "meeting"},
            "op": "gte",
            "value": 1,
        },
    ]
}


def decide(workspace: Workspace, **terms: Mapping[str, Any]) -> None:
    with workspace.write() as session:
        workspace.save_settings(session, {"stage_terms": {"sales": terms}})


def test_a_record_goes_on_when_it_fits_and_can_always_be_lost_or_moved_back(
    workspace: Workspace, tmp_path: Path
) -> None:
    decide(
        workspace, qualify={"exit": TALKED}, discover={"exit": {"field": "next_step", "op": "is_not_empty"}}
    )
    with workspace.write() as session:
        door = Records(session, workspace.edition(session), SYSTEM)
        deal, other = (
            door.create("opportunity", {"name": name, "amount": 50}).id for name in ("Big", "Small")
        )
        with pytest.raises(RecordInvalid) as caught:
            door.move("opportunity", deal, "propose", {"amount": 100})
        (told,) = caught.value.errors["stage"]
        assert "To leave the stage “Qualify”" in str(told) and "Amount" in str(told)
        assert door.get("opportunity", deal).values["amount"] == 50, "nothing of a refused move is kept"
        door.create("activity", {"subject": "Met", "kind": "meeting", "opportunity": deal})
        with pytest.raises(BatchInvalid) as batch:
            moves = [Write(id=one, values={"stage": "discover", "amount": 100}) for one in (deal, other)]
            door.save("opportunity", moves)
        assert list(batch.value.failures) == [1]
        read: list[str] = []
        sa.event.listen(
            session.connection(), "before_cursor_execute", lambda _c, _cursor, text, *_more: read.append(text)
        )
        assert door.move("opportunity", deal, "discover", {"amount": 100}).values["stage"] == "discover"
        (asked,) = (one for one in read if "count(*)" in one and "FROM activity" in one)
        assert "GROUP BY" not in asked, "what relates to this one is looked up, not gathered for all"
        assert door.move("opportunity", deal, "qualify").values["stage"] == "qualify"
        assert door.move("opportunity", other, "lost", {"lost_reason": "Price"}).values["outcome"] == "lost"
        door.update("opportunity", deal, {"external_id": "D1", "stage": "discover"})
    decide(
        workspace,
        discover={"exit": {"field": "next_step", "op": "is_not_empty"}, "exit_text": "Say what is next"},
    )
    done = imported(workspace, "opportunity", file(tmp_path, "o.csv", "external_id,stage\nD1,Negotiate\n"))
    assert [one.errors for one in done.rejections] == [{"stage": ["Say what is next"]}]


def test_a_rule_that_does_not_fit_is_reported_and_its_stage_stays(workspace: Workspace) -> None:
    decide(
        workspace,
        qualify={"exit": {"field": "gone", "op": "is_empty"}, "requires": ["gone", "amount"], "days": 3},
    )
    with workspace.read() as session:
        edition = workspace.edition(session)
    (fault,) = edition.faults
    assert (fault.plugin, "sales.qualify.exit" in fault.message) == ("own", True)
    first = edition.entity("opportunity").lifecycles[0].stages[0]
    assert (first.exit, first.requires, first.days) == (None, ("amount",), 3)
