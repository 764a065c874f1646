"""Event logs of service desks become cases with their history; service levels are kept as reckoned independently."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa
from importing import file, imported
from trellis.crm.service.calendars import WEEK
from trellis.kpi import engine
from trellis.kpi.periods import parse
from trellis.records.door import Records
from trellis.security.actor import SYSTEM
from trellis.system import Event
from trellis.workspace import Workspace

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
STATES = {"1": "new", "5": "waiting", "6": "resolved", **dict.fromkeys("234789", "open")}
STATES |= dict.fromkeys(("10", "11", "12", "13"), "open")
HOURS = 48

LOG = """Ticket;Status;When;Agent;Queue;Title
T-2;Received;2026-03-06T16:00:00Z;;Desk;Printer
T-1;Received;2026-03-02T09:00:00Z;;Desk;Screen
T-1;in work;2026-03-02T09:30:00Z;Anna;Desk;Screen
T-1;pending customer;2026-03-02T10:00:00Z;Anna;Desk;Screen
T-2;open;2026-03-09T11:00:00Z;Anna;Desk;Printer
T-1;resolved;2026-03-02T17:00:00Z;Anna;Desk;Screen is mended
T-1;open;2026-03-02T12:00:00Z;Anna;Desk;Screen
T-2;resolved;2026-03-09T12:00:00Z;Boris;Desk;Printer
T-2;open;2026-03-09T14:00:00Z;Boris;Desk;Printer
T-2;resolved;2026-03-09T17:00:00Z;Boris;Desk;Printer
T-3;new;2026-03-09T10:00:00Z;;Desk;Mouse
T-3;burning;2026-03-09T10:30:00Z;;Desk;Mouse
T-3;open;yesterday;;Desk;Mouse
;open;2026-03-09T10:00:00Z;;Desk;Nobody's
T-4;new;2026-03-09T10:00:00Z;Nemo;Desk;Lost
"""
MAPPING = {
    "columns": {
        "external_id": "Ticket",
        "state": "Status",
        "opened_at": "When",
        "owner.name": "Agent",
        "unit.name": "Queue",
        "subject": "Title",
    },
    "log": True,
    "states": {"Pending customer": "waiting"},
}


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


def test_rows_of_a_ticket_are_one_case_with_its_history(workspace: Workspace, tmp_path: Path) -> None:
    with workspace.write() as session:
        records = Records(session, workspace.edition(session), SYSTEM)
        people = {
            name: records.create("user", {"name": name, "email": f"{name}@acme.test"}).id
            for name in ("Anna", "Boris")
        }
        unit = records.create("unit", {"name": "Desk"}).id
        calendar = records.create("business_calendar", {"name": "Office", "timezone": "UTC"}).id
        level = {"name": "Usual", "calendar": calendar, "first_response_minutes": 60}
        records.create("sla_policy", {**level, "resolution_minutes": 480})
    mapping = file(tmp_path, "log.json", json.dumps(MAPPING))
    log = file(tmp_path, "log.csv", LOG)
    result = imported(workspace, "case", log, mapping=mapping)
    assert (result.rows, result.created, result.rejected) == (15, 3, 4)
    reasons = {
        one.row: " ".join(text for texts in one.errors.values() for text in texts)
        for one in result.rejections
    }
    assert "“burning” is no stage" in reasons[12] and "key" in reasons[14] and "called “Nemo”" in reasons[15]
    assert set(reasons) == {12, 13, 14, 15}

    with workspace.read() as session:
        records = Records(session, workspace.edition(session), SYSTEM)
        found = {one.values["external_id"]: one for one in records.list("case", limit=10).items}
        first, second, third = (found[f"T-{number}"].values for number in (1, 2, 3))
        assert (first["subject"], first["owner"], first["unit"]) == ("Screen is mended", people["Anna"], unit)
        assert (first["opened_at"], first["first_response_at"], first["resolved_at"]) == (
            at(2, 9),
            at(2, 9, 30),
            at(2, 17),
        )
        assert (first["state"], first["paused_seconds"], first["reopened"]) == ("resolved", 7200, 0)
        assert (first["resolution_due"], first["resolution_met"]) == (at(3, 10), True)
        assert first["first_response_met"] is True
        assert (second["reopened"], second["paused_seconds"], second["resolved_at"]) == (1, 7200, at(9, 17))
        assert (second["first_response_met"], second["resolution_due"]) == (False, at(9, 17))
        assert (second["resolution_met"], second["owner"]) == (True, people["Boris"])
        assert (third["state"], third["opened_at"], third["resolved_at"]) == ("new", at(9, 10), None)
        history = session.execute(
            sa.select(Event.at, Event.actor_name, Event.changes)
            .where(Event.record_id == found["T-1"].id, Event.entity == "case", Event.action == "updated")
            .order_by(Event.at)
        ).all()
        assert [(row.at, row.actor_name, row.changes["state"]) for row in history] == [
            (at(2, 9, 30), "Anna", ["new", "open"]),
            (at(2, 10), "Anna", ["open", "waiting"]),
            (at(2, 12), "Anna", ["waiting", "open"]),
            (at(2, 17), "Anna", ["open", "resolved"]),
        ]

    # the same log again changes nothing; one that goes on is taken on from there
    again = imported(workspace, "case", log, mapping=mapping)
    assert (again.created, again.updated, again.unchanged) == (0, 0, 3)
    longer = file(tmp_path, "longer.csv", LOG + "T-3;resolved;2026-03-09T11:00:00Z;Anna;Desk;Mouse\n")
    later = imported(workspace, "case", longer, mapping=mapping)
    assert (later.created, later.updated, later.unchanged) == (0, 1, 2)
    with workspace.read() as session:
        count = sa.select(sa.func.count()).where(Event.entity == "case", Event.source == "import")
        assert (
            session.scalar(count.where(Event.action == "updated", Event.changes.is_not(None)))
            == 4 + 4 + 1 + 1
        )


def test_what_a_log_lacks_is_said_before_anything_is_written(workspace: Workspace, tmp_path: Path) -> None:
    log = file(tmp_path, "log.csv", LOG)
    columns = dict(MAPPING["columns"])  # type: ignore[call-overload]
    wrong: list[tuple[str, dict[str, Any], str]] = [
        (
            "case",
            {
                "columns": {**columns, "number": "Ticket"} | {"external_id": "Ticket"},
                "states": {"x": "burning"},
            },
            "no stage",
        ),
        ("case", {"columns": {"external_id": "Ticket", "state": "Status"}}, "Opened"),
        ("case", {"columns": {"subject": "Ticket", "state": "Status", "opened_at": "When"}}, "key"),
        ("customer", {"columns": {"external_id": "Ticket", "name": "Title"}}, "no stages"),
    ]
    for entity, given, said in wrong:
        mapping = file(tmp_path, "wrong.json", json.dumps({**given, "log": True}))
        with pytest.raises(Exception, match=said):
            imported(workspace, entity, log, mapping=mapping)


def reckoned(log: pd.DataFrame) -> pd.DataFrame:
    """What becomes of each case, from the log alone: opened, answered, solved, how long it waited, and whether that kept."""
    rows = []
    for case, events in log.sort_values("at", kind="stable").groupby("CaseID", sort=False):
        answered, solved, waits, waited, opened = None, None, None, timedelta(), events["at"].iloc[0]
        for moment, state in zip(events["at"], events["state"], strict=True):
            if waits is not None and state != "waiting":
                waited, waits = waited + (moment - waits), None
            if state == "waiting" and waits is None:
                waits = moment
            if solved is not None and state != "resolved":
                waited, solved = waited + (moment - solved), None
            if state == "resolved" and solved is None:
                solved = moment
            if state != "new" and answered is None:
                answered = moment
        due = opened + timedelta(hours=HOURS) + waited
        met = None if solved is None else solved <= due
        late = solved is None and state != "waiting"
        rows.append((case, opened, answered, solved, due, met, late))
    return pd.DataFrame(rows, columns=["case", "opened", "answered", "solved", "due", "met", "late"])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["helpdesk_italian/helpdesk.csv", "bpi2013_incidents/bpi_13_incidents.csv"])
def test_attainment_of_a_real_log_is_that_of_pandas(workspace: Workspace, tmp_path: Path, name: str) -> None:
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    if workspace.namespace.dialect == "postgresql" and "bpi" in name:
        pytest.skip("one database is enough for the larger log")
    log = pd.read_csv(path, dtype=str)
    log["at"] = pd.to_datetime(log["CompleteTimestamp"], utc=True)
    log["state"] = log["ActivityID"].map(STATES)
    expected = reckoned(log)
    with workspace.write() as session:
        records = Records(session, workspace.edition(session), SYSTEM)
        week = dict.fromkeys(WEEK, "00:00-24:00")
        calendar = records.create("business_calendar", {"name": "Always", "timezone": "UTC", **week}).id
        level = {"name": "Any time", "calendar": calendar, "resolution_minutes": HOURS * 60}
        records.create("sla_policy", level)
    columns = {"external_id": "CaseID", "state": "ActivityID", "opened_at": "CompleteTimestamp"}
    mapping = file(tmp_path, "log.json", json.dumps({"columns": columns, "log": True, "states": STATES}))
    result = imported(workspace, "case", path, mapping=mapping)
    assert (result.rows, result.created, result.rejected) == (len(log), len(expected), 0)
    with workspace.read() as session:
        edition = workspace.edition(session)
        period = parse("2000-01-01..2020-12-31", edition.settings.fiscal_month)
        value = engine.value(session, edition, SYSTEM, "resolution_attainment", period).value
        counted = expected[expected["met"].notna() | expected["late"]]
        assert value == pytest.approx(float((counted["met"] == True).mean()), abs=1e-9)  # noqa: E712
        rows = session.execute(
            sa.text('SELECT external_id, resolved_at, first_response_at FROM "case" ORDER BY id')
        ).all()
        assert len(rows) == len(expected)
        solved = sum(row.resolved_at is not None for row in rows)
        assert solved == int(expected["solved"].notna().sum())
        moves = sa.select(sa.func.count()).where(Event.entity == "case", Event.action == "updated")
        changed = log.sort_values("at", kind="stable").groupby("CaseID")["state"]
        assert session.scalar(moves) == int(changed.apply(lambda one: (one != one.shift()).sum() - 1).sum())
