"""Mentions in activities, and reminders: told once, to whom the activity belongs when it is time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from trellis.errors import RecordInvalid
from trellis.installation import Installation
from trellis.job_kinds import JOB_KINDS
from trellis.jobs import Job, Runner
from trellis.notifications.inbox import Inbox
from trellis.notifications.mentions import mentioned
from trellis.notifications.tables import Notification
from trellis.records.door import Records
from trellis.security.actor import SYSTEM, Actor
from trellis.security.identities import add_user
from trellis.security.recognition import actor_by_id
from trellis.workspace import Workspace

HOUR = timedelta(hours=1)
Told = Callable[[int], list[str]]


@pytest.fixture
def people(installation: Installation, workspace: Workspace) -> dict[str, int]:
    named = {"petra": ("Petra Lang", "manager"), "pet": ("Petra", "manager"), "ann": ("Ann Onym", "agent")}
    return {
        name: add_user(installation, workspace, f"{name}@acme.test", full, [role])
        for name, (full, role) in named.items()
    }


@pytest.fixture
def told(workspace: Workspace) -> Told:
    def told_(user: int) -> list[str]:
        with workspace.read() as session:
            edition = workspace.edition(session)
            actor = actor_by_id(session, edition, user)
            assert actor is not None
            return [one.text for one in Inbox(session, edition, actor).page(20)]

    return told_


@pytest.fixture
def as_pet(workspace: Workspace, people: dict[str, int]) -> Iterator[Records]:
    with workspace.write() as session:
        me = Actor(user_id=people["pet"], name="Petra", administrator=True, source="rest")
        yield Records(session, workspace.edition(session), me)


def test_who_is_named_is_told_once_and_only_of_what_they_may_see(
    as_pet: Records, people: dict[str, int], told: Told, workspace: Workspace
) -> None:
    petra, pet, ann = people["petra"], people["pet"], people["ann"]
    for text, named in {
        "@Petra Lang, look": [petra],
        "ask @petra lang and @Petra.": [petra, pet],
        "(@ann@acme.test) and @Petra Langer": [ann, pet],
        "mail to petra@acme.test, @nobody, @": [],
        "@Petra Lang @petra lang": [petra],
    }.items():
        assert mentioned(as_pet.session, text) == named, text
    note = as_pet.create(
        "activity", {"kind": "note", "subject": "@Petra Lang @Ann Onym @Petra", "owner": pet}
    )
    as_pet.update("activity", note.id, {"body": "again @Petra Lang", "subject": "So @Petra Lang: look"})
    as_pet.update("activity", note.id, {"body": "@Petra Lang and @ann@acme.test"})
    as_pet.session.commit()
    assert told(petra) == ["Petra mentioned you in “So @Petra Lang: look”"]
    assert told(ann) == []  # an agent sees the activities of their unit
    assert told(pet) == []  # what one writes oneself


def test_reminders_follow_the_due_date_or_stay_at_their_moment(as_pet: Records) -> None:
    due = datetime(2031, 3, 2, 9, tzinfo=UTC)
    task = as_pet.create("activity", {"subject": "Call", "due_at": due, "remind_before": "60"})
    assert task.values["remind_at"] == due - HOUR
    task = as_pet.update("activity", task.id, {"due_at": due + 24 * HOUR})
    assert task.values["remind_at"] == due + 23 * HOUR
    task = as_pet.update("activity", task.id, {"remind_at": due})
    assert (task.values["remind_at"], task.values["remind_before"]) == (due, None)
    task = as_pet.update("activity", task.id, {"due_at": due + HOUR})
    assert task.values["remind_at"] == due
    task = as_pet.update("activity", task.id, {"remind_before": "5", "due_at": due})
    task = as_pet.update("activity", task.id, {"remind_before": None, "remind_at": task.values["remind_at"]})
    assert task.values["remind_at"] is None
    with pytest.raises(RecordInvalid) as refused:
        as_pet.create("activity", {"subject": "Whenever", "remind_before": "0"})
    assert list(refused.value.errors) == ["remind_before"]


def test_a_reminder_reaches_whoever_has_the_activity_when_it_is_time(
    installation: Installation, workspace: Workspace, people: dict[str, int], told: Told
) -> None:
    soon, petra, pet = datetime.now(UTC) + HOUR, people["petra"], people["pet"]

    def write(change: Callable[[Records], object]) -> None:
        with workspace.write() as session:
            change(Records(session, workspace.edition(session), SYSTEM))

    def make(subject: str) -> int:
        made: list[int] = []
        values = {
            "subject": subject,
            "remind_at": soon,
            "due_at": datetime(2031, 3, 2, 9, tzinfo=UTC),
            "owner": petra,
        }
        write(lambda records: made.append(records.create("activity", values).id))
        return made[0]

    kept, moved, done, gone, given = (make(name) for name in ("Kept", "Moved", "Done", "Gone", "Given"))
    write(lambda records: records.update("activity", moved, {"remind_at": soon + HOUR}))
    write(lambda records: records.update("activity", done, {"done_at": soon}))
    write(lambda records: records.delete("activity", gone))
    write(lambda records: records.update("activity", given, {"owner": pet}))
    runner = Runner(installation, JOB_KINDS)
    runner.drain()
    assert told(petra) == []
    with workspace.write() as session:  # an hour later
        session.execute(
            sa.update(Job).where(Job.kind == "reminder", Job.due_at <= soon).values(due_at=datetime.now(UTC))
        )
    runner.drain()
    assert told(petra) == ["Reminder: “Kept” (due 2 Mar 2031, 09:00)"]
    assert told(pet) == ["Reminder: “Given” (due 2 Mar 2031, 09:00)"]
    with workspace.write() as session:  # as if its worker had been killed after its work
        session.add(
            Job(
                kind="reminder",
                arguments={"activity": kept, "at": soon.isoformat()},
                due_at=datetime.now(UTC),
                created_at=datetime.now(UTC),
            )
        )
    runner.drain()
    with workspace.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Notification)) == 2
