"""The figures of a process, against a count by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from statistics import median

import pytest
import sqlalchemy as sa
from drawn import flows, line, node, process, timer
from running import World
from trellis.process import figures
from trellis.process.engine import Engine
from trellis.process.tables import INSTANCES, STEPS

BEGAN = datetime(2026, 11, 2, 8, tzinfo=UTC)
HOURS = {"ask": (2, 5, 3, 50), "check": (1, 30, 4, 9)}
"""How long each task took of the instances that came to their end."""


def test_medians_and_the_bottleneck_are_those_of_a_count_by_hand(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.bring(
        two=process(
            node("startEvent", "start"),
            node("userTask", "ask", for_="role:manager"),
            node("boundaryEvent", "late", attachedToRef="ask", inside=timer("P1D")),
            node("serviceTask", "tell", call="update_record", set__city="Told"),
            node("userTask", "check", for_="role:manager"),
            node("endEvent", "end"),
            node("endEvent", "gone"),
            flows("start ask tell check end", "late gone"),
        ),
        other=line(node("userTask", "ask", for_="role:manager")),
    )
    ann = world.customer()
    done = [world.start("two", ann) for _time in range(4)]
    for _time in range(4):
        world.do("head@acme.test", "ask")
        world.do("head@acme.test", "check")
    world.start("other", ann)
    waits, late, cancelled = (world.start("two", ann) for _time in range(3))
    with world.workspace.write() as session:
        Engine(world.door(session)).cancel(cancelled)
        session.execute(sa.update(STEPS).where(STEPS.c.instance_id == late).values(due_at=BEGAN))
        for place, instance in enumerate(done):
            at = BEGAN
            for element in ("ask", "check"):
                step = STEPS.c.instance_id == instance, STEPS.c.element == element
                ends = at + timedelta(hours=HOURS[element][place])
                session.execute(sa.update(STEPS).where(*step).values(entered_at=at, left_at=ends))
                at = ends
            ends_at = INSTANCES.c.id == instance
            session.execute(sa.update(INSTANCES).where(ends_at).values(started_at=BEGAN, ended_at=at))
    with world.workspace.read() as session:
        found = figures.figures(session, "probe.two")
        monkeypatch.setattr(figures, "MOST_STEPS", 3)
        assert figures.figures(session, "probe.two").partial
    steps = {one.element: one for one in found.steps}
    both = [ask + check for ask, check in zip(*HOURS.values(), strict=True)]
    assert (found.running, found.done, found.failed, found.late) == (2, 4, 0, 1)
    assert found.cycle == timedelta(hours=median(both)) and not found.partial
    assert {name: (one.waiting, one.passed, one.usual) for name, one in steps.items()} == {
        name: (2 if name == "ask" else 0, 4, timedelta(hours=median(hours))) for name, hours in HOURS.items()
    }
    assert found.slowest is steps["check"] and world.instance(waits).active == ["ask"]
