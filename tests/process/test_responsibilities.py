"""Responsibility matrices: who answers for a step is one position, and tasks go by the matrix."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from drawn import line, node
from running import World
from trellis.errors import PermissionRefused, RecordInvalid
from trellis.notifications.tables import Notification
from trellis.process.responsibilities import Responsibility, matrices, put
from trellis.security.actor import SYSTEM

PROCESS = "probe.matrix"


@pytest.fixture
def positions(world: World) -> dict[str, int]:
    """Three positions, each held by somebody of the same name, and a process whose tasks go by the matrix."""
    world.bring(
        matrix=line(
            node("userTask", "do", title="Do it", for_="raci"),
            node(
                "userTask", "judge", title="Judge it", for_="accountable", due="P1D", late__tell="accountable"
            ),
            node("userTask", "beside", for_="raci, role:agent"),
        )
    )
    found = {}
    for name in ("clerk", "boss", "helper"):
        holder = world.user(f"{name}@acme.test", "agent" if name == "helper" else "manager")
        with world.workspace.write() as session:
            found[name] = world.door(session).create("position", {"name": name, "holder": holder}).id
    return found


def _put(world: World, email: str = "", **cells: Any) -> dict[Any, str]:
    with world.workspace.write() as session:
        wanted = {(step, position): letter for step, given in cells.items() for position, letter in given}
        return put(world.door(session, email), PROCESS, wanted)


def _letters(world: World) -> dict[Any, str]:
    with world.workspace.read() as session:
        return matrices(session, SYSTEM, [PROCESS])[PROCESS]


def test_a_task_goes_to_who_does_the_step_else_to_who_answers_else_to_the_starter(
    world: World, positions: dict[str, int]
) -> None:
    clerk, boss, helper = positions.values()
    ann = world.customer()
    mails = [f"{name}@acme.test" for name in (*positions, "officer")]

    def waits(element: str) -> list[str]:
        return [mail.partition("@")[0] for mail in mails if element in world.tasks(mail)]

    world.start("matrix", ann, "officer@acme.test")
    assert waits("do") == ["officer"]  # the matrix is empty
    world.do("officer@acme.test", "do")
    assert waits("judge") == ["officer"]
    world.do("officer@acme.test", "judge")
    assert waits("beside") == ["helper"]  # what stands beside the word
    world.do("helper@acme.test", "beside")

    _put(world, do=[(clerk, "R"), (helper, "R"), (boss, "A")], judge=[(clerk, "R"), (boss, "A")])
    _put(world, beside=[(boss, "A"), (clerk, "C")])
    world.start("matrix", ann, "officer@acme.test")
    assert waits("do") == ["clerk", "helper"]
    _put(world, do=[(clerk, "I"), (helper, "")])
    world.do("clerk@acme.test", "do")  # what waits already stays where it is
    assert waits("judge") == ["boss"]
    world.later()
    with world.workspace.read() as session:
        told = session.scalars(sa.select(Notification.user_id).where(Notification.kind == "late")).all()
        assert told == [world.door(session, "boss@acme.test").actor.user_id]
    world.do("boss@acme.test", "judge")
    assert waits("beside") == ["boss"]
    world.do("boss@acme.test", "beside")
    world.start("matrix", ann, "officer@acme.test")
    assert waits("do") == ["boss"]


def test_exactly_one_position_answers_for_a_step(world: World, positions: dict[str, int]) -> None:
    clerk, boss, helper = positions.values()
    _put(world, do=[(boss, "A"), (clerk, "R")])

    def refused(**cell: Any) -> str:
        with world.workspace.write() as session, pytest.raises(RecordInvalid) as error:
            world.door(session).create(
                "responsibility",
                {"process": PROCESS, "step": "do", "position": helper, "letter": "A", **cell},
            )
        return str({name: [str(one) for one in found] for name, found in error.value.errors.items()})

    assert "“boss” answers for “Do it” already" in refused()
    assert "“clerk” has a letter for “Do it” already" in refused(position=clerk, letter="I")
    assert "no task of people with the id “start”" in refused(step="start")
    assert "There is no process “probe.none”" in refused(process="probe.none")
    assert "letter" in refused(letter="X")
    before = _letters(world)
    with pytest.raises(RecordInvalid):  # all or none
        _put(world, do=[(clerk, "")], start=[(clerk, "R")])
    with pytest.raises(PermissionRefused):  # it decides who gets tasks, as positions do
        _put(world, "officer@acme.test", do=[(clerk, "A")])
    assert _letters(world) == before

    assert _put(world, do=[(clerk, "A")]) == {("do", clerk): "R", ("do", boss): "A"}  # handed over
    assert _letters(world) == {("do", clerk): "A"}
    _put(world, do=[(clerk, "R"), (boss, "A")])  # and back
    assert _letters(world) == before
    with world.workspace.write() as session:
        door = world.door(session)
        door.delete("position", boss)
        assert matrices(session, SYSTEM, [PROCESS]) == {PROCESS: {("do", clerk): "R"}}
        put(door, PROCESS, {("do", helper): "A"})
        door.restore("position", boss)
        row = sa.select(Responsibility.id).where(Responsibility.position_id == boss)
        old = session.scalars(row.where(Responsibility.deleted_at.is_not(None))).first()
        with pytest.raises(RecordInvalid):
            door.restore("responsibility", old or 0)
