"""Members of a journey advanced by one step in one batch, beside the plain writes that the step needs, both with commit.

A step is a wait that is over, a message (consent, address and limit looked at), a split by a rule over purchases, or a task of
people, which goes through the door as every record does. The plain writes are what the database needs to be told and no more,
by COPY: the rows of the steps behind them, of messages or activities with their entries in the log, and where everybody stands.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session
from trellis.crm.marketing.journeys import running
from trellis.crm.marketing.journeys.moving import advance
from trellis.crm.marketing.journeys.tables import MEMBERS, MESSAGES, PASSAGES
from trellis.crm.service.entities import Activity
from trellis.records.bulk import insert_rows
from trellis.records.door import Records
from trellis.security.actor import SYSTEM
from trellis.security.identities import add_user
from trellis.system import Event
from trellis.workspace import Workspace

from bench.setting import arguments, fill_customers, installed

BOUGHT = {"related": "order.customer", "measure": "count", "op": "gt", "value": 0}
ACTIVITIES, EVENTS = cast(sa.Table, Activity.__table__), cast(sa.Table, Event.__table__)
_member = MEMBERS.c


def plan(template: str) -> dict[str, Any]:
    """A step of each kind, each with a wait behind it."""
    wait = {"kind": "wait", "days": 3}
    message = {"kind": "message", "template": template}
    split = {"kind": "split", "branches": [{"title": "A", "rule": BOUGHT, "steps": []}]}
    task = {"kind": "task", "subject": "Call", "to": "role:administrator"}
    terms = {"quiet_from": "", "quiet_to": "", "limit": 100}
    return {**terms, "steps": [wait, wait, message, wait, split, wait, task, wait]}


KINDS = {"wait": "0", "message": "2", "split": "4", "task": "6"}
"""The step of each kind at which everybody stands."""


def journey(workspace: Workspace, name: str) -> int:
    """One that runs, with nobody on it."""
    with workspace.write() as session:
        door = Records(session, workspace.edition(session), SYSTEM)
        letter = {"of_entity": "customer", "name": name, "subject": "Hello", "body": "Offer"}
        template = str(door.create("mail_template", letter).id)
        made = door.create("journey", {"name": name, "plan": plan(template)}).id
        running.publish(door, made)
    return made


def place(workspace: Workspace, number: int, key: str, size: int) -> None:
    """Puts everybody at a step, due now."""
    now = datetime.now(UTC)
    with workspace.write() as session:
        for table in (MESSAGES, PASSAGES, ACTIVITIES):
            session.execute(sa.delete(table))
        session.execute(sa.delete(MEMBERS).where(_member.journey_id == number))
        version = session.scalar(sa.text(f"SELECT published_id FROM journey WHERE id = {number}"))
        row = {"journey_id": number, "version_id": version, "round": 1, "control": False, "state": "active"}
        moments = {"since": now - timedelta(days=3), "entered_at": now - timedelta(days=3), "due_at": now}
        rows = [{**row, **moments, "step": key, "customer_id": one} for one in range(1, size + 1)]
        session.execute(sa.insert(MEMBERS), rows)


def ours(workspace: Workspace, number: int, size: int) -> None:
    """The batch."""
    with workspace.write() as session:
        moved, _door = advance(session, workspace.edition(session), number, datetime.now(UTC), size)
    assert moved == size


def plain(workspace: Workspace, number: int, kind: str) -> None:
    """What the database is told by hand."""
    now = datetime.now(UTC)
    mine = sa.select(_member.id, _member.customer_id).where(_member.journey_id == number)
    with workspace.write() as session:
        members = session.execute(mine).all()
        alike = {"version_id": 1, "entered_at": now, "left_at": now, "outcome": "done", "reason": ""}
        insert_rows(session, PASSAGES, alike, [{"member_id": one[0], "step": "0"} for one in members])
        if kind == "message":
            mail = {"journey_id": number, "step": "0", "template": "1", "state": "waiting", "problem": ""}
            rows = [{"member_id": one[0], "customer_id": one[1]} for one in members]
            insert_rows(session, MESSAGES, {**mail, "created_at": now}, rows)
        if kind == "task":
            _tasks(session, members, now)
        standing = sa.update(MEMBERS).where(_member.journey_id == number)
        session.execute(standing.values(step="1", since=now, due_at=now + timedelta(days=3)))


def _tasks(session: Session, members: Any, now: datetime) -> None:
    stamp = {"created_at": now, "updated_at": now, "version": 1, "extra": {}}
    task = {"kind": "task", "subject": "Call", "owner_id": 1, "due_at": now, **stamp}
    insert_rows(session, ACTIVITIES, task, [{"customer_id": one[1]} for one in members])
    told = {"kind": [None, "task"], "subject": [None, "Call"], "owner": [None, 1], "customer": [None, 1]}
    log = {"actor_name": "Bench", "source": "system", "entity": "activity", "action": "created"}
    rows = [{"record_id": one[0], "changes": told} for one in members]
    session.execute(sa.insert(EVENTS), [{**log, "at": now, **row} for row in rows])


def timed(act: Callable[[], None]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def main() -> None:
    given = arguments(size=10_000, rounds=5)
    with installed(given.database) as (installation, workspace):
        add_user(installation, workspace, "bench@example.com", "Bench", ["administrator"])
        fill_customers(workspace, given.size)
        batch, by_hand = journey(workspace, "Batch"), journey(workspace, "Plain")
        for kind, key in KINDS.items():
            pairs = []
            for _round in range(given.rounds):
                place(workspace, batch, key, given.size)
                mine = timed(lambda: ours(workspace, batch, given.size))
                place(workspace, by_hand, key, given.size)
                pairs.append((mine, timed(lambda kind=kind: plain(workspace, by_hand, kind))))  # type: ignore[misc]
            times = [statistics.median(one) * 1000 for one in zip(*pairs, strict=True)]
            ratio = statistics.median(mine / other for mine, other in pairs)
            print(
                f"{kind}, {given.size}, {given.database}: {ratio:.2f}x ({times[0]:.0f} ms against {times[1]:.0f} ms)"
            )


if __name__ == "__main__":
    main()
