"""Cases escalate when so much of their time has gone: each step once, whatever is done again, and is told on the timeline."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from trellis.crm.service.calendars import WEEK
from trellis.crm.service.escalating import KIND, head_of
from trellis.installation import Installation
from trellis.job_kinds import JOB_KINDS
from trellis.jobs import Job, Runner
from trellis.notifications.inbox import Inbox
from trellis.records import related
from trellis.records.door import Records
from trellis.security.actor import SYSTEM
from trellis.security.identities import add_user
from trellis.security.recognition import actor_by_id
from trellis.workspace import Workspace

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Desk:
    """A service desk that is always open, with a service level of 100 minutes, an agent and a head."""

    def __init__(self, installation: Installation, workspace: Workspace) -> None:
        self.installation, self.workspace = installation, workspace
        self.agent = add_user(installation, workspace, "agent@acme.test", "Agent", ["manager"])
        self.head = add_user(installation, workspace, "head@acme.test", "Head", ["manager"])
        self.chief = add_user(installation, workspace, "chief@acme.test", "Chief", ["manager"])
        self.all = self.create("unit", name="All")
        self.unit = self.create("unit", name="Desk", parent=self.all)
        top = self.create("position", name="Director", unit=self.all, holder=self.chief)
        lead = self.create("position", name="Lead", unit=self.unit, holder=self.head, reports_to=top)
        self.create("position", name="Agent", unit=self.unit, holder=self.agent, reports_to=lead)
        always = dict.fromkeys(WEEK, "00:00-24:00")
        self.calendar = self.create("business_calendar", name="Always", timezone="UTC", **always)
        self.level = self.create(
            "sla_policy",
            name="All",
            calendar=self.calendar,
            first_response_minutes=50,
            resolution_minutes=100,
        )

    def write(self, do: Callable[[Records], Any]) -> Any:
        with self.workspace.write() as session:
            return do(Records(session, self.workspace.edition(session), SYSTEM))

    def create(self, entity: str, **values: Any) -> int:
        made: int = self.write(lambda records: records.create(entity, values).id)
        return made

    def step(self, name: str, percent: int, act: str, **more: Any) -> int:
        return self.create("sla_escalation", name=name, policy=self.level, percent=percent, act=act, **more)

    def case(self, number: int) -> Any:
        return self.write(lambda records: records.get("case", number).values)

    def open(self, **values: Any) -> int:
        return self.create(
            "case", subject="It stopped", priority="medium", owner=self.agent, unit=self.unit, **values
        )

    def pass_time(self, until: datetime) -> None:
        """As if it were that time: what was due by then is done."""
        with self.workspace.write() as session:
            due = sa.update(Job).where(Job.finished_at.is_(None), Job.kind == KIND, Job.due_at <= until)
            session.execute(due.values(due_at=LONG_AGO))
        Runner(self.installation, JOB_KINDS).drain()

    def told(self, user: int) -> list[str]:
        with self.workspace.read() as session:
            edition = self.workspace.edition(session)
            actor = actor_by_id(session, edition, user)
            assert actor is not None
            return [one.text.partition(" (")[0] for one in Inbox(session, edition, actor).page(20)]


@pytest.fixture
def desk(installation: Installation, workspace: Workspace) -> Desk:
    return Desk(installation, workspace)


def test_each_step_is_taken_once_when_its_time_has_come(desk: Desk) -> None:
    boss = desk.create("position", name="Second line", holder=desk.chief)
    desk.step("Half", 50, "notify_owner")
    desk.step("Late answer", 100, "raise_priority", clock="first_response")
    desk.step("Nearly", 80, "notify_head")
    desk.step("Missed", 100, "reassign", position=boss)
    number = desk.open()
    opened = desk.case(number)["opened_at"]
    assert desk.case(number)["escalates_at"] == opened + 50 * MINUTE
    desk.pass_time(opened + 49 * MINUTE)
    assert (desk.told(desk.agent), desk.case(number)["escalation"]) == ([], None)
    desk.pass_time(opened + 50 * MINUTE)  # both clocks come to the same moment
    told = ["“It stopped” escalates: Late answer", "“It stopped” escalates: Half"]
    assert sorted(desk.told(desk.agent)) == sorted(told)
    assert desk.case(number)["priority"] == "high"
    desk.pass_time(opened + 80 * MINUTE)
    assert desk.told(desk.head) == ["“It stopped” escalates: Nearly"]
    desk.pass_time(opened + 500 * MINUTE)
    case = desk.case(number)
    assert (case["owner"], case["escalation"], case["escalates_at"]) == (desk.chief, "Missed", None)
    assert desk.told(desk.chief) == ["“It stopped” escalates: Missed"]
    with desk.workspace.write() as session:  # done again, as after a kill: nothing more
        for job in session.scalars(sa.select(Job).where(Job.kind == KIND)):
            job.finished_at, job.state, job.due_at = None, "waiting", LONG_AGO
    desk.pass_time(opened)
    assert [len(desk.told(one)) for one in (desk.agent, desk.head, desk.chief)] == [2, 1, 1]
    with desk.workspace.read() as session:
        edition = desk.workspace.edition(session)
        entries = related.timeline(session, edition, SYSTEM, "case", number)
        changes = [one.event for one in entries if one.event and one.event["actor_name"] == "Escalation"]
        assert [one["changes"]["escalation"][1] for one in changes][:2] == ["Missed", "Nearly"]


def test_time_stands_still_with_the_clock_and_ends_with_the_case(desk: Desk) -> None:
    desk.step("Missed", 100, "notify_owner")
    waiting, solved, gone = desk.open(), desk.open(), desk.open()
    desk.write(lambda records: records.move("case", waiting, "waiting"))
    desk.write(lambda records: records.move("case", solved, "resolved"))
    desk.write(lambda records: records.delete("case", gone))
    assert [desk.case(one)["escalates_at"] for one in (waiting, solved)] == [None, None]
    desk.pass_time(datetime.now(UTC) + 500 * MINUTE)
    assert desk.told(desk.agent) == []
    desk.write(lambda records: records.move("case", waiting, "open"))
    assert desk.case(waiting)["escalates_at"] is not None
    desk.pass_time(datetime.now(UTC) + 500 * MINUTE)
    assert len(desk.told(desk.agent)) == 1


def test_new_steps_hold_for_open_cases_and_set_off_nothing_that_is_past(desk: Desk) -> None:
    number, old = desk.open(), desk.open(opened_at=datetime.now(UTC) - 5000 * MINUTE)
    desk.step("Missed", 100, "notify_owner")
    Runner(desk.installation, JOB_KINDS).drain()
    assert desk.case(number)["escalates_at"] is not None
    assert desk.case(old)["escalates_at"] is None
    desk.pass_time(datetime.now(UTC))
    assert desk.told(desk.agent) == []


def test_the_head_is_who_reports_to_nobody_inside_the_unit(desk: Desk) -> None:
    with desk.workspace.read() as session:
        assert head_of(session, desk.unit, desk.agent) == desk.head
        assert head_of(session, desk.unit, desk.head) == desk.chief  # who is late is not told of it
        assert head_of(session, desk.all, desk.chief) is None
        assert head_of(session, None, None) is None
