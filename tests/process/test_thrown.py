"""What processes throw: messages and signals to others, errors and escalations to what is around them, compensation."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
import trellis
from drawn import event, flows, line, message, node, process, script, several, timer, undone_by
from running import World
from trellis.contributions import Operation, Parameter, Process
from trellis.edition import Edition
from trellis.errors import Conflict
from trellis.i18n import Text
from trellis.process import listening
from trellis.process.engine import Engine
from trellis.process.tables import ProcessInstance
from trellis.records import types


def _kept(world: World) -> Operation:
    """An operation that notes what it was told, and refuses what it was told to refuse."""

    def note(call: trellis.OperationCall) -> None:
        call.records.create("activity", {"subject": call.arguments["text"]})
        if call.arguments["text"] in world.sent:
            raise Conflict(Text("Not now"))

    text = Parameter(name="text", type=types.Text(), required=True)
    return Operation(name="probe.note", title=Text("Note"), run=note, parameters=[text])


def _noted(world: World) -> list[str]:
    with world.workspace.read() as session:
        return list(session.scalars(sa.text("SELECT subject FROM activity ORDER BY id")))


def _states(world: World) -> list[tuple[str, str]]:
    return [(one.process.removeprefix("probe."), one.state) for one in world.instances()]


def test_a_message_goes_to_whom_it_matches_and_a_signal_to_all(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    names: dict[str, Any] = {
        "messages": {"paid": "message.paid", "about": "message.city"},
        "signals": {"off": "off"},
    }
    waits = process(
        node("startEvent", "start"),
        node("intermediateCatchEvent", "mine", inside=message("paid")),
        node("intermediateCatchEvent", "city", inside=message("about"), match__city="=record.city"),
        node("userTask", "ask", for_="role:manager"),
        node("boundaryEvent", "stop", attachedToRef="ask", inside=event("signal", "off")),
        node("endEvent", "end"),
        node("endEvent", "stopped"),
        flows("start mine city ask end", "stop stopped"),
        **names,
    )
    pays = process(
        node("startEvent", "start"),
        node("task", "plain"),
        node("intermediateThrowEvent", "pay", inside=message("paid")),
        node("intermediateThrowEvent", "tell", inside=message("about"), match__city="Brno"),
        node("intermediateCatchEvent", "own", inside=message("paid")),
        node("endEvent", "end"),
        flows("start plain pay tell own end"),
        **names,
    )
    off = line(node("task", "nothing"), end=node("endEvent", "end", inside=event("signal", "off")))
    off = off.replace(b"<process ", b'<signal id="off" name="off"/><process ')
    heard = process(
        node("startEvent", "start", inside=event("signal", "off"), when="not empty(record.city)"),
        node("userTask", "read", for_="role:manager"),
        node("endEvent", "end"),
        flows("start read end"),
        **names,
    )
    world.bring(
        waits=waits,
        pays=pays,
        heard=heard,
        off=Process(name="probe.off", title=Text("Off"), diagram=off, entity="customer"),
    )
    ann, bob, eve = (world.customer(city=one) for one in ("Brno", "Brno", "Oslo"))
    runs = [world.start("waits", one) for one in (ann, bob, eve)]
    for one in (ann, eve):
        world.start("pays", one)
    world.work()
    assert [world.instance(one).active for one in runs] == [["city"], ["mine"], ["city"]]
    assert [one.active for one in world.instances()[3:]] == [["own"], ["own"]]  # not their own message
    world.start("pays", bob)
    world.work()
    assert [world.instance(one).active for one in runs] == [["ask"], ["city"], ["city"]]
    monkeypatch.setattr(listening, "MOST_AT_ONCE", 1)
    runs += [world.start("waits", ann)]
    world.start("pays", ann)
    world.work()
    world.start("off", ann)
    world.work()
    assert [world.instance(one).state for one in runs] == ["done", "done", "running", "running"]
    world.start("pays", bob)
    world.work()
    assert [world.instance(one).active for one in runs[2:]] == [["city"], ["ask"]]
    assert [one.record_id for one in world.instances() if one.process == "probe.heard"] == [ann]


def test_an_error_ends_its_part_and_one_that_nothing_catches_its_instance(world: World) -> None:
    world.operations = [_kept(world)]
    world.bring(
        part=process(
            node("startEvent", "start"),
            node("parallelGateway", "split"),
            node("userTask", "wait", for_="role:manager"),
            node("userTask", "choose", for_="role:manager", form__bad="boolean Bad"),
            node("exclusiveGateway", "gate", default="gate_fine"),
            node("endEvent", "fine"),
            node("endEvent", "bad", inside=event("error", "e")),
            node("endEvent", "end"),
            flows("start split wait end", "split choose gate fine", "gate bad if bad"),
            errors={"e": "no_money"},
        )
    )
    other = (
        node("startEvent", "i")
        + node("userTask", "beside", for_="role:manager")
        + node("endEvent", "o")
        + flows("i beside o")
    )
    world.bring(
        whole=process(
            node("startEvent", "start"),
            node("parallelGateway", "split"),
            node("subProcess", "other", inside=other),
            node("boundaryEvent", "wrong", attachedToRef="other", inside=event("error", "e")),
            node("callActivity", "call", calledElement="probe.part"),
            node("boundaryEvent", "any", attachedToRef="call", inside=event("error")),
            node("boundaryEvent", "money", attachedToRef="call", inside=event("error", "e")),
            node("userTask", "mend", for_="role:manager"),
            *(node("endEvent", one) for one in ("end", "a", "b", "c")),
            flows("start split other end", "split call a", "wrong b", "any c", "money mend b2"),
            node("endEvent", "b2"),
            errors={"e": "no_money"},
        ),
        careless=line(node("callActivity", "call", calledElement="probe.part")),
    )
    ann = world.customer()
    alone = world.start("part", ann)
    world.do("head@acme.test", "choose", bad=True)
    ended = world.instance(alone)
    assert (ended.state, ended.done[-1], ended.active, world.tasks("head@acme.test")) == (
        "done",
        "bad",
        [],
        [],
    )
    run = world.start("whole", ann)
    world.do("head@acme.test", "choose", bad=True)
    assert sorted(world.tasks("head@acme.test")) == ["beside", "mend"]
    assert sorted(world.instance(run).active) == ["beside", "mend", "other"]
    with world.workspace.write() as session:
        Engine(world.door(session)).cancel(run)
    stuck = world.start("careless", ann)
    world.do("head@acme.test", "choose", bad=True)
    found = world.instance(stuck)
    assert (found.state, found.stuck) == ("failed", "call") and "no_money" in found.problem
    with world.workspace.write() as session:
        Engine(world.door(session)).retry(stuck)
    world.do("head@acme.test", "choose", bad=False)
    world.do("head@acme.test", "wait")
    assert world.instance(stuck).state == "done" and world.tasks("head@acme.test") == []


def test_an_escalation_starts_something_beside_or_interrupts_and_a_call_left_ends_what_was_called(
    world: World,
) -> None:
    inner = (
        node("startEvent", "in")
        + node("userTask", "first", for_="role:manager")
        + node("intermediateThrowEvent", "raise", inside=event("escalation", "x"))
        + node("userTask", "second", for_="role:manager")
        + node("endEvent", "out", inside=event("escalation", "y"))
        + flows("in first raise second out")
    )
    codes = {"x": "slow", "y": "hopeless"}
    world.bring(
        called=process(
            node("startEvent", "s"),
            node("subProcess", "part", inside=inner),
            node("endEvent", "e"),
            flows("s part e"),
            escalations=codes,
        )
    )
    world.bring(
        raised=process(
            node("startEvent", "start"),
            node("subProcess", "part", inside=inner),
            node(
                "boundaryEvent",
                "slow",
                attachedToRef="part",
                cancelActivity="false",
                inside=event("escalation", "x"),
            ),
            node("boundaryEvent", "lost", attachedToRef="part", inside=event("escalation")),
            node("userTask", "help", for_="role:manager"),
            node("userTask", "over", for_="role:manager"),
            *(node("endEvent", one) for one in ("end", "helped", "ended")),
            flows("start part end", "slow help helped", "lost over ended"),
            escalations=codes,
        ),
        calls=process(
            node("startEvent", "start"),
            node("callActivity", "call", calledElement="probe.called"),
            node("boundaryEvent", "slow", attachedToRef="call", inside=event("escalation", "x")),
            node("endEvent", "end"),
            node("endEvent", "ended"),
            flows("start call end", "slow ended"),
            escalations=codes,
        ),
        late=process(
            node("startEvent", "start"),
            node("callActivity", "call", calledElement="probe.called"),
            node("boundaryEvent", "late", attachedToRef="call", inside=timer("PT1H")),
            node("endEvent", "end"),
            node("endEvent", "ended"),
            flows("start call end", "late ended"),
        ),
    )
    ann = world.customer()
    run = world.start("raised", ann)
    world.do("head@acme.test", "first")
    assert sorted(world.tasks("head@acme.test")) == ["help", "second"]
    world.do("head@acme.test", "second")
    assert sorted(world.tasks("head@acme.test")) == ["help", "over"]
    for one in ("help", "over"):
        world.do("head@acme.test", one)
    assert world.instance(run).state == "done"
    world.start("calls", ann)
    world.do("head@acme.test", "first")
    assert _states(world)[1:] == [("calls", "done"), ("called", "cancelled")]
    world.start("late", ann)
    world.later()
    assert _states(world)[3:] == [("late", "done"), ("called", "cancelled")]
    assert world.tasks("head@acme.test") == []


def test_what_was_done_is_undone_in_reverse_once_or_not_at_all(world: World) -> None:
    world.operations = [_kept(world)]

    def booked(name: str) -> str:
        return (
            node("serviceTask", name, call="probe.note", text=f"book {name}")
            + node("boundaryEvent", f"{name}_edge", attachedToRef=name, inside=event("compensate"))
            + node(
                "serviceTask",
                f"{name}_back",
                call="probe.note",
                text=f"cancel {name} {{place}}",
                isForCompensation="true",
            )
            + undone_by(f"{name}_edge", f"{name}_back")
        )

    trip = process(
        node("startEvent", "start"),
        node("scriptTask", "where", inside=script("place = record.name")),
        booked("flight"),
        node(
            "subProcess",
            "stay",
            inside=node("startEvent", "in")
            + booked("hotel")
            + node("endEvent", "out")
            + flows("in hotel out"),
        ),
        node("userTask", "ask", for_="role:manager", form__fine="boolean Fine"),
        node("exclusiveGateway", "gate", default="gate_part"),
        booked("car"),
        node("intermediateThrowEvent", "part", inside=event("compensate", "stay")),
        node("endEvent", "back", inside=event("compensate")),
        node("endEvent", "end"),
        flows("start where flight stay ask gate part back", "gate car if fine", "car end"),
    )
    world.bring(trip=trip)
    ann = world.customer()
    run = world.start("trip", ann)
    world.sent.append("cancel flight Ann")
    world.do("head@acme.test", "ask", fine=False)
    stuck = world.instance(run)
    assert (stuck.state, stuck.stuck) == ("failed", "back") and "Not now" in stuck.problem
    assert _noted(world) == ["book flight", "book hotel", "cancel hotel Ann"]
    world.sent.clear()
    with world.workspace.write() as session:
        Engine(world.door(session)).retry(run)
    assert _noted(world)[3:] == ["cancel flight Ann"] and world.instance(run).state == "done"
    with world.workspace.read() as session:
        door = world.door(session)
        assert session.scalar(sa.select(ProcessInstance.problem)) == "" and door.count("activity") == 4


WRONG = {
    "gateway": (
        process(
            node("startEvent", "s"), node("eventBasedGateway", "g"), node("userTask", "t"), node("endEvent", "e"),
            flows("s g t e"),
        ),
        "g: An event-based gateway leads to two",
    ),
    "escalation from nowhere": (
        process(
            node("startEvent", "s"), node("userTask", "t"), node("endEvent", "e"), node("endEvent", "f"),
            node("boundaryEvent", "b", attachedToRef="t", inside=event("escalation")), flows("s t e", "b f"),
        ),
        "b: Escalations come from",
    ),
    "error without code": (line(node("task", "t"), end=node("endEvent", "e", inside=event("error"))), "e: Give what"),
    "nothing to undo": (line(node("intermediateThrowEvent", "t", inside=event("compensate"))), "t: There is nothing"),
    "record event thrown": (
        process(
            node("startEvent", "s"), node("endEvent", "e", inside=message("m")), flows("s e"),
            messages={"m": "customer.created"},
        ),
        "e: What a process tells",
    ),
    "signal": (line(node("intermediateCatchEvent", "sig", inside=event("signal"))), "sig: Name the signal"),
    "over nothing": (line(node("userTask", "t", inside=several())), "t: Say what it runs over"),
    "over no lines": (line(node("userTask", "t", lines="order.owner", inside=several())), "t: “order.owner” does not"),
    "outside": (
        process(
            node("startEvent", "s"), node("userTask", "t", each="3", inside=several()),
            node("scriptTask", "u", inside=script("a = loop.number")), node("endEvent", "e"), flows("s t u e"),
        ),
        "u: No step sets the variable “loop.number”",
    ),
    "loop": (
        line(node("userTask", "t", inside="<standardLoopCharacteristics/>")), "t: Trellis cannot run a loop on a step (standardLoop",
    ),
    "event sub-process": (line(node("transaction", "t")), "t: Trellis cannot run a transaction"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_event_or_loop_is_refused_by_element_and_reason(name: str, edition: Edition) -> None:
    from trellis.process.checks import check_process

    diagram, problem = WRONG[name]
    with pytest.raises(trellis.TrellisError) as refused:
        check_process(edition, Process(name="x", title=Text("X"), diagram=diagram, entity="customer"))
    assert problem in str(refused.value), str(refused.value)
