"""Lists of several values of a field come in the order of the whole, page by page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from trellis.crm.service.cases import Case
from trellis.records.door import Records, Write
from trellis.records.query import ListQuery
from trellis.security.actor import SYSTEM
from trellis.workspace import Workspace

NOW = datetime(2026, 11, 1, tzinfo=UTC)
STATES = ("new", "open", "waiting", "resolved")


def _ids(session: Any, edition: Any, rule: Any, sort: str, limit: int) -> list[int]:
    found: list[int] = []
    cursor: str | None = None
    while True:
        view = edition.entity("case")
        query = ListQuery(view, edition, SYSTEM, rule=rule, sort=[sort], limit=limit, cursor=cursor)
        page = query.page(session)
        found += [one.id for one in page.items]
        cursor = page.next
        if cursor is None:
            return found


def test_cases_of_several_states_are_listed_by_their_deadline(workspace: Workspace) -> None:
    with workspace.write() as session:
        records = Records(session, workspace.edition(session), SYSTEM)
        values = [
            {"subject": f"Case {n}", "state": STATES[n % 4], "priority": "high" if n % 5 else "low"}
            for n in range(40)
        ]
        ids = records.save("case", [Write(values=one) for one in values])
        due = {
            one: None if place % 7 == 0 else NOW + timedelta(days=place % 3) for place, one in enumerate(ids)
        }
        for one, moment in due.items():
            session.execute(sa.update(Case).where(Case.id == one).values(resolution_due=moment))
    rows = [
        (one, values[place]["state"], values[place]["priority"], due[one]) for place, one in enumerate(ids)
    ]
    open_ = {"field": "state", "op": "in", "value": ["new", "open", "waiting", "open"]}
    high = {"field": "priority", "op": "eq", "value": "high"}
    with workspace.read() as session:
        edition = workspace.edition(session)
        for rule, wanted in (
            (open_, [row for row in rows if row[1] != "resolved"]),
            ({"all": [{"all": [open_]}, high]}, [r for r in rows if r[1] != "resolved" and r[2] == "high"]),
        ):
            for sort, descending in (("resolution_due", False), ("-resolution_due", True)):
                ordered = sorted(
                    wanted, key=lambda row: (row[3] is not None, row[3] or NOW, row[0]), reverse=descending
                )
                for limit in (7, 100):
                    assert _ids(session, edition, rule, sort, limit) == [row[0] for row in ordered]
