"""Tasks of people that are late, or whose people are away: who is told, and to whom they go."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import trellis
from drawn import line, node
from running import World
from trellis.contributions import Process
from trellis.edition import Edition
from trellis.i18n import Text
from trellis.jobs import Job
from trellis.notifications.tables import Notification
from trellis.process import absences
from trellis.process.checks import check_process
from trellis.process.deadlines import LATE_JOB
from trellis.process.tables import ProcessStep
from trellis.process.tasks import Tasks

DUE: dict[str, Any] = {
    "due": "P1D",
    "late__tell": "manager, starter",
    "late__tell__after": "=days(1)",
    "late__reassign": "role:administrator, manager",
    "late__reassign__after": "P3D",
}


def test_a_late_task_tells_the_manager_and_goes_to_somebody_else(world: World) -> None:
    boss = world.user("boss@acme.test", "administrator")
    clerk = world.user("clerk@acme.test", "manager")
    with world.workspace.write() as session:
        door = world.door(session)
        head = door.create("position", {"name": "Head", "holder": boss}).id
        door.create("position", {"name": "Clerk", "holder": clerk, "reports_to": head})
    world.bring(
        late=line(
            node("userTask", "ask", title="Ask", for_="person:clerk@acme.test", **DUE),
            node("userTask", "queue", for_="role:manager", due="PT1H", late__tell="manager"),
        ),
    )
    world.processes["probe.late"] = Process(
        name="probe.late", title=Text("Late"), diagram=world.processes["probe.late"].diagram, entity="customer", managers=["manager"]
    )  # fmt: skip
    world.bring()
    ann = world.customer()
    runs = [world.start("late", ann, "officer@acme.test") for _time in range(2)]
    with world.workspace.read() as session:
        waits = session.execute(sa.select(Job.due_at, Job.created_at).where(Job.kind == LATE_JOB)).all()
    assert sorted(round((due - made).total_seconds() / 3600) for due, made in waits) == [48, 48, 96, 96]
    world.do("clerk@acme.test", "ask")
    world.later()
    with world.workspace.read() as session:
        told = session.execute(
            sa.select(Notification.user_id, Notification.path).where(Notification.kind == "late")
        )
        people = [person for person, _path in told]
        starter = world.door(session, "officer@acme.test").actor.user_id
    assert world.tasks("clerk@acme.test") == ["queue"]
    assert "ask" in world.tasks("boss@acme.test") and "ask" not in world.tasks("officer@acme.test")
    managers = {one for one in people if one not in (boss, starter)}
    assert people.count(boss) == 1 and people.count(starter) == 2 and clerk in managers
    world.do("boss@acme.test", "ask")
    world.do("clerk@acme.test", "queue")
    world.do("clerk@acme.test", "queue")
    assert [world.instance(one).state for one in runs] == ["done", "done"]
    world.later()  # the deadlines of what was done
    with world.workspace.read() as session:
        late = sa.select(sa.func.count()).where(Notification.kind == "late")
        assert session.scalar(late) == len(people)


@pytest.mark.parametrize(
    ("properties", "problem"),
    [
        ({"late__tell": "manager"}, "t: “late.tell” needs “due”"),
        ({"due": "P1D", "late__tell": "role:king"}, "t: There is no role “king”"),
        ({"due": "P1D", "late__reassign": "somebody"}, "t: “somebody” names nobody"),
        (
            {"due": "P1D", "late__tell": "owner", "late__tell__after": "=days(x)"},
            "No step sets the variable “x”",
        ),
        ({"for_": "manager"}, "t: “manager” names nobody"),
    ],
)
def test_a_wrong_deadline_is_refused(properties: dict[str, str], problem: str, edition: Edition) -> None:
    diagram = line(node("userTask", "t", **properties))
    with pytest.raises(trellis.TrellisError) as refused:
        check_process(edition, Process(name="x", title=Text("X"), diagram=diagram, entity="customer"))
    assert problem in str(refused.value)


def test_a_substitute_does_the_tasks_of_whoever_is_away_under_their_own_name(world: World) -> None:
    clerk, deputy, third = (world.user(f"{name}@acme.test", "agent") for name in ("clerk", "deputy", "third"))
    with world.workspace.write() as session:
        world.door(session).create("position", {"name": "Cashier", "holder": clerk})
    world.bring(
        away=line(
            node("userTask", "own", for_="person:clerk@acme.test"),
            node("userTask", "queue", for_="position:Cashier"),
            node("userTask", "eyes", for_="position:Cashier", not_="performer:queue"),
        )
    )
    ann = world.customer()
    run = world.start("away", ann)
    assert world.tasks("deputy@acme.test") == []
    today = date.today()

    def plan(first: int, last: int, whom: int | None) -> None:
        with world.workspace.write() as session:
            edition = world.workspace.edition(session)
            days = (today + timedelta(days=first), today + timedelta(days=last))
            absences.keep(session, edition, clerk, *days, whom)

    for first, last, whom, wrong in (
        (0, -2, deputy, "ends"),
        (3, 2, deputy, "ends"),
        (0, 5, clerk, "substitute"),
    ):
        with pytest.raises(trellis.RecordInvalid, match=wrong):
            plan(first, last, whom)
    plan(5, 9, deputy)
    assert world.tasks("deputy@acme.test") == []
    plan(-2, 2, deputy)
    assert (world.tasks("deputy@acme.test"), world.tasks("clerk@acme.test")) == (["own"], ["own"])
    assert world.tasks("third@acme.test") == []
    with world.workspace.write() as session:
        tasks = Tasks(world.door(session, "deputy@acme.test"))
        tasks.complete(tasks.mine(1)[0].id, {})
    with world.workspace.read() as session:
        by = session.scalar(sa.select(ProcessStep.by_id).where(ProcessStep.element == "own"))
    assert by == deputy
    with world.workspace.write() as session:
        tasks = Tasks(world.door(session, "clerk@acme.test"))
        tasks.complete(tasks.mine(1)[0].id, {})
    assert (
        world.tasks("clerk@acme.test") == world.tasks("deputy@acme.test") == []
    )  # four eyes are not got round
    world.start("away", ann)
    with world.workspace.read() as session:
        told = session.scalars(sa.select(Notification.user_id).where(Notification.kind == "task")).all()
    assert (told.count(clerk), told.count(deputy)) == (3, 1)
    with world.workspace.write() as session:
        absences.clear(session, clerk)
        (task,) = Tasks(world.door(session)).of_instance(run)
        with pytest.raises(trellis.TrellisError):
            Tasks(world.door(session, "deputy@acme.test")).complete(task.id, {})
    assert third
