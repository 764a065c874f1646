"""People of a role are told of its queue: each once, however many tasks come, until they have read it."""

from __future__ import annotations

import sqlalchemy as sa
from drawn import line, node
from running import World
from trellis.jobs import Job
from trellis.notifications.inbox import Inbox


def test_the_people_of_a_role_are_told_of_their_queue_once_until_they_have_read_it(world: World) -> None:
    world.bring(
        check=line(node("userTask", "check", for_="role:manager", not_="starter")),
        own=line(node("userTask", "mine", for_="person:head@acme.test")),
    )
    third, _clerk = world.user("third@acme.test", "manager"), world.user("clerk@acme.test", "agent")
    ann = world.customer()

    def told(email: str) -> list[str]:
        with world.workspace.read() as session:
            door = world.door(session, email)
            found = Inbox(session, door.edition, door.actor).page(50, unread=True)
            return [one.text for one in found if one.kind.name == "queue"]

    def come(number: int, email: str = "") -> None:
        for _time in range(number):
            world.start("check", ann, email)
        world.start("own", ann)
        with world.workspace.read() as session:
            waiting = sa.select(Job.arguments).where(Job.kind == "process_queue", Job.finished_at.is_(None))
            assert session.scalars(waiting).all() == ([{"role": "manager"}] if number else [])
        world.later()

    come(3)
    assert told("head@acme.test") == told("third@acme.test") == ["Tasks wait in the queue “Manager”: 3"]
    assert told("clerk@acme.test") == []
    come(5, "third@acme.test")
    assert told("head@acme.test") == told("third@acme.test") == ["Tasks wait in the queue “Manager”: 3"]
    with world.workspace.write() as session:
        for email in ("head@acme.test", "third@acme.test"):
            door = world.door(session, email)
            Inbox(session, door.edition, door.actor).mark_all()
    come(0)
    assert told("head@acme.test") == []  # nothing has come into the queue since
    come(1)
    assert told("head@acme.test") == ["Tasks wait in the queue “Manager”: 9"]
    assert told("third@acme.test") == [
        "Tasks wait in the queue “Manager”: 4"
    ]  # five are not for who started them
    with world.workspace.read() as session:
        mails = session.scalar(sa.select(sa.func.count()).where(Job.kind == "notification_mail"))
    assert mails == 0 and third
