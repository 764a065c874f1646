"""Instances of processes: on their way through a diagram, with people, records, times, events and errors."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import trellis
from drawn import flows, line, message, node, process, script, timer
from posting import Box, received
from running import LONG_AGO, World
from trellis import guard, privacy
from trellis.contributions import Operation, Parameter, Process, Segment
from trellis.crm.analytics.refreshing import refresh
from trellis.edition import Edition
from trellis.errors import (
    Conflict,
    EditionInvalid,
    PermissionRefused,
    PluginError,
    RecordInvalid,
    RecordNotFound,
)
from trellis.i18n import Text
from trellis.jobs import Job
from trellis.notifications.tables import Notification
from trellis.process.engine import Engine
from trellis.process.tables import ProcessStep, ProcessVersion
from trellis.process.tasks import Tasks
from trellis.quality.merging import merge
from trellis.records import types

HEAD = sa.text("SELECT id FROM \"user\" WHERE email = 'head@acme.test'")

APPROVAL = process(
    node("startEvent", "start", form__amount="money! Amount", form__note="text Note"),
    node("exclusiveGateway", "size", default="size_check"),
    node("userTask", "second", for_="role:manager", form__agreed="boolean Agreed"),
    node(
        "userTask",
        "check",
        title="Check the request",
        for_="role:manager",
        fields="phone!",
        show="name",
        form__decision="choice! Decision: yes=Yes, no=No",
        form__reason="longtext Reason",
        require__reason='decision == "no"',
        due="P2D",
    ),
    node("exclusiveGateway", "decided", default="decided_refused"),
    node("serviceTask", "pay", call="update_record", set__city='=concat(amount, " paid")'),
    node(
        "scriptTask",
        "note",
        inside=script("total = amount * 2\nlabel = when(total > 100, 'large', 'small')"),
    ),
    node("endEvent", "end"),
    node("endEvent", "refused"),
    flows(
        "start size check decided refused",
        "size second if amount > 1000",
        "second check",
        "decided pay if decision == 'yes'",
        "pay note end",
    ),
)


def test_people_fill_in_records_as_themselves_and_conditions_lead_on(world: World) -> None:
    world.bring(approval=APPROVAL)
    ann = world.customer()
    with pytest.raises(RecordInvalid, match="amount"):
        world.start("approval", ann)
    with pytest.raises(RecordNotFound):
        world.start("approval", 999_999, amount="5")
    with pytest.raises(RecordInvalid, match="record"):
        world.start("approval", None, amount="5")
    run = world.start("approval", ann, "officer@acme.test", amount="500.50")
    assert world.tasks("officer@acme.test") == ["check"] == world.tasks("head@acme.test")
    with pytest.raises(RecordInvalid) as refused:
        world.do("head@acme.test", "check", decision="no", mood="bad")
    assert refused.value.errors.keys() == {"mood", "reason"}
    with pytest.raises(RecordInvalid) as refused:
        world.do("head@acme.test", "check", decision="no")
    assert refused.value.errors.keys() == {"reason"}
    with pytest.raises(RecordInvalid) as refused:
        world.do("head@acme.test", "check", decision="yes")
    assert refused.value.errors.keys() == {"phone"}
    world.do("head@acme.test", "check", decision="yes", phone="+420 777 123 456")
    done = world.instance(run)
    assert (done.state, done.problem, done.flow) == ("done", "", b"")
    assert done.variables["total"] == {"number": "1001"} and done.variables["label"] == "large"
    assert done.done[-3:] == ["pay", "note", "end"] and done.active == []
    with world.workspace.read() as session:
        door = world.door(session)
        assert door.get("customer", ann).values["city"] == "500.5 paid"
        who = dict(
            session.execute(
                sa.text(
                    "SELECT source, actor_name FROM event WHERE entity = 'customer' AND action = 'updated'"
                )
            ).all()
        )
        steps = session.execute(
            sa.select(ProcessStep.element, ProcessStep.left_at, ProcessStep.outcome)
        ).all()
    assert who == {"rest": "Head", "process": "Approval"}
    assert {one.element for one in steps} == {"check", "pay", "note"} and all(one.left_at for one in steps)
    assert {"decision": "yes"} in [one.outcome for one in steps]


def test_two_pairs_of_eyes_and_queues_from_which_one_takes(world: World) -> None:
    diagram = line(
        node("userTask", "check", for_="role:manager"),
        node("userTask", "agree", for_="role:manager", not_="performer:check, starter"),
    )
    world.bring(eyes=diagram)
    head = world.user("third@acme.test", "manager")
    run = world.start("eyes", world.customer(), "third@acme.test")
    with world.workspace.write() as session:
        tasks = Tasks(world.door(session, "officer@acme.test"))
        (step,) = tasks.mine(9)
        tasks.take(step.id)
    assert world.tasks("head@acme.test") == []
    with world.workspace.write() as session, pytest.raises(RecordNotFound):
        Tasks(world.door(session, "head@acme.test")).take(step.id)
    world.do("officer@acme.test", "check")
    assert world.tasks("officer@acme.test") == world.tasks("third@acme.test") == []
    assert world.tasks("head@acme.test") == ["agree"]
    world.user("boss@acme.test", "administrator")
    with world.workspace.write() as session:
        tasks = Tasks(world.door(session, "boss@acme.test"))
        (step,) = tasks.of_instance(run)
        with pytest.raises(RecordInvalid, match="four eyes"):
            tasks.reassign(step.id, head)
        tasks.reassign(step.id, session.scalar(HEAD))
    with world.workspace.write() as session:
        managing = world.door(session, "boss@acme.test")
        Tasks(managing).put_back(step.id)
        Tasks(managing).reassign(step.id, session.scalar(HEAD))
    with world.workspace.write() as session, pytest.raises(PermissionRefused, match="somebody else"):
        Tasks(world.door(session, "boss@acme.test")).complete(step.id, {})
    world.do("head@acme.test", "agree")
    assert world.instance(run).state == "done"
    with world.workspace.write() as session, pytest.raises(Conflict):
        Tasks(world.door(session, "boss@acme.test")).complete(step.id, {})


def test_tasks_go_to_positions_owners_starters_and_whom_an_expression_names(world: World) -> None:
    officer = world.user("holder@acme.test", "agent")
    with world.workspace.write() as session:
        world.door(session).create("position", {"name": "Head of credit", "holder": officer})
    world.bring(
        who=line(
            node("userTask", "owner", for_="owner"),
            node("userTask", "position", for_="position:Head of credit"),
            node(
                "userTask",
                "named",
                for_='=when(record.city == "Brno", "person:officer@acme.test", "role:manager")',
            ),
            node("userTask", "starter"),
        ),
        nobody=line(node("userTask", "lost", for_="position:Nobody")),
    )
    with world.workspace.read() as session:
        head = session.scalar(sa.text("SELECT id FROM \"user\" WHERE email = 'head@acme.test'"))
    ann = world.customer(owner=head, city="Brno")
    world.start("who", ann, "officer@acme.test")
    for email, element in (
        ("head@acme.test", "owner"),
        ("holder@acme.test", "position"),
        ("officer@acme.test", "named"),
        ("officer@acme.test", "starter"),
    ):
        assert world.tasks(email) == [element]
        if element == "position":  # whoever holds it does it, with no right to see the customer
            with world.workspace.write() as session:
                tasks = Tasks(world.door(session, email))
                tasks.complete(tasks.mine(1)[0].id, {})
        else:
            world.do(email, element)
    with world.workspace.read() as session:  # each was told, but for tasks that one's own act brought
        starter = world.door(session, "officer@acme.test").actor.user_id
        found = [
            (one.user_id, one.told["task"]["message"]) for one in session.scalars(sa.select(Notification))
        ]
    assert found == [(head, "owner"), (officer, "position"), (starter, "named")]
    stuck = world.instance(world.start("nobody", ann))
    assert (stuck.state, stuck.stuck) == ("failed", "lost") and "Nobody" in stuck.problem
    with world.workspace.write() as session:
        world.door(session).create("position", {"name": "Nobody", "holder": head})
    with world.workspace.write() as session:
        Engine(world.door(session)).retry(stuck.id)
    assert world.instance(stuck.id).state == "running" and world.tasks("head@acme.test") == ["lost"]


def test_timers_fire_once_and_cancel_or_remind(world: World) -> None:
    world.bring(
        late=process(
            node("startEvent", "start"),
            node("userTask", "ask", for_="role:manager"),
            node("boundaryEvent", "remind", attachedToRef="ask", cancelActivity="false", inside=timer("P1D")),
            node("boundaryEvent", "expire", attachedToRef="ask", inside=timer("=days(2)")),
            node("intermediateCatchEvent", "wait", inside=timer("PT1H")),
            node("serviceTask", "tell", call="update_record", set__city="Reminded"),
            node("endEvent", "told"),
            node("endEvent", "end"),
            node("endEvent", "expired"),
            flows("start ask wait end", "remind tell told", "expire expired"),
        )
    )
    ann = world.customer()
    run = world.start("late", ann)
    assert world.work() == 0
    first = world.instance(run)
    assert first.due_at is not None and timedelta(hours=23) < first.due_at - datetime.now(UTC) < timedelta(
        hours=25
    )
    done = world.start("late", ann)
    world.do("officer@acme.test", "ask")  # the older one; the other waits for its timers
    assert world.instance(run).active == ["wait"] and world.instance(done).active == ["ask"]
    world.later()
    assert world.instance(run).state == "done"
    assert "tell" in world.instance(done).done or world.instance(done).state == "done"
    assert world.tasks("officer@acme.test") == []
    assert world.work() == 0


def test_what_a_service_refuses_goes_to_its_error_event_or_waits_for_another_try(world: World) -> None:
    def refuse(call: Any) -> None:
        call.records.update("customer", call.record_id, {"city": "Half done"})
        raise RecordInvalid({"limit": [call.arguments["text"]]})

    def crash(call: Any) -> None:
        if not world.sent:
            raise ValueError("not today")

    world.operations = [
        Operation(
            name="probe.refuse",
            title=Text("Refuse"),
            run=refuse,
            parameters=[Parameter(name="text", type=types.Text(), required=True)],
        ),
        Operation(name="probe.crash", title=Text("Crash"), run=crash),
    ]
    world.bring(
        caught=process(
            node("startEvent", "start"),
            node(
                "subProcess",
                "part",
                inside=node("startEvent", "in")
                + node("serviceTask", "refuse", call="probe.refuse", text="{record.name} may not")
                + node("endEvent", "out")
                + flows("in refuse out"),
            ),
            node(
                "boundaryEvent",
                "error",
                attachedToRef="part",
                inside='<errorEventDefinition errorRef="bad"/>',
            ),
            node("userTask", "mend", for_="role:manager"),
            node("endEvent", "end"),
            flows("start part end", "error mend end"),
            errors={"bad": "invalid"},
        ),
        crash=line(node("serviceTask", "crash", call="probe.crash")),
    )
    ann = world.customer()
    world.start("caught", ann)
    assert world.tasks("officer@acme.test") == ["mend"]
    with world.workspace.read() as session:
        assert world.door(session).get("customer", ann).values["city"] is None
    stuck = world.instance(world.start("crash", ann))
    assert (stuck.state, stuck.stuck, stuck.active) == (
        "failed",
        "crash",
        ["crash"],
    ) and "not today" in stuck.problem
    world.sent.append("today")
    with world.workspace.write() as session:
        Engine(world.door(session)).retry(stuck.id)
    assert world.instance(stuck.id).state == "done"


def test_a_plugin_that_takes_too_long_takes_all_of_the_step_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = threading.Event()
    world.operations = [Operation(name="probe.slow", title=Text("Slow"), run=lambda call: done.wait(60))]
    world.bring(
        slow=line(
            node("userTask", "ask", for_="role:manager", fields="city"),
            node("serviceTask", "slow", call="probe.slow"),
        )
    )
    ann = world.customer()
    run = world.start("slow", ann)
    monkeypatch.setattr(guard, "SECONDS", 0.2)
    with pytest.raises(PluginError, match="took longer"):
        world.do("head@acme.test", "ask", city="Brno")
    done.set()
    assert (world.instance(run).state, world.tasks("head@acme.test")) == ("running", ["ask"])
    with world.workspace.read() as session:
        assert world.door(session).get("customer", ann).values["city"] is None


def test_events_start_processes_and_end_waits_once(world: World) -> None:
    world.bring(
        heard=process(
            node("startEvent", "start", inside=message("m1"), when='record.city == "Brno"'),
            node("intermediateCatchEvent", "order", inside=message("m2"), match__customer="=record.id"),
            node("receiveTask", "gone", messageRef="m3"),
            node("endEvent", "end"),
            flows("start order gone end"),
            messages={"m1": "customer.created", "m2": "order.created", "m3": "customer.city=Praha"},
        )
    )
    world.customer(city="Oslo")
    ann, bob = world.customer(city="Brno"), world.customer(city="Brno")
    assert world.instances() == [] and world.work() == 3
    mine, other = world.instances()
    assert (mine.record_id, other.record_id, mine.active) == (ann, bob, ["order"])
    with world.workspace.write() as session:
        door = world.door(session)
        values = {"number": "1", "customer": ann, "ordered_at": "2026-11-01T10:00:00Z", "amount": "5"}
        door.create("order", values)
        door.update("customer", ann, {"phone": "+420 777 123 456"})
        door.update("customer", bob, {"city": "Praha"})
    world.work()
    assert [one.active for one in world.instances()] == [["gone"], ["order"]]
    with world.workspace.write() as session:
        world.door(session).update("customer", ann, {"city": "Praha"})
    world.work()
    assert [one.state for one in world.instances()] == ["done", "running"]
    with world.workspace.read() as session:
        assert set(session.scalars(sa.select(Job.state))) == {"done"}


def test_entering_a_segment_starts_a_process_but_being_in_it_from_the_first_does_not(world: World) -> None:
    world.customer(city="Brno")
    rule = {"field": "city", "op": "eq", "value": "Brno"}
    world.segments.append(Segment(name="probe.brno", title=Text("Brno"), rule=rule))
    found = Process(
        name="probe.entered",
        title=Text("Entered"),
        diagram=line(node("userTask", "greet", for_="role:manager")),
        entity="customer",
        starts=["segment.probe.brno"],
    )
    world.bring(entered=found)
    with world.workspace.write() as session:
        refresh(session, world.workspace.edition(session))
    world.work()
    assert world.instances() == []
    entered = world.customer(city="Brno")
    world.customer(city="Oslo")
    world.work()
    assert [one.record_id for one in world.instances()] == [entered]


def test_a_customer_that_the_night_moves_to_another_stage_starts_a_process(world: World) -> None:
    asked = node("userTask", "ask", for_="role:manager")
    starts = ["customer.relationship_stage=lost"]
    found = Process(
        name="probe.lost", title=Text("Lost"), diagram=line(asked), entity="customer", starts=starts
    )
    world.bring(lost=found)
    ann, _bob = world.customer(), world.customer()
    for amount in (None, "5"):
        with world.workspace.write() as session:
            if amount is not None:
                values = {"number": "1", "customer": ann, "ordered_at": "2020-01-01T10:00:00Z"}
                world.door(session).create("order", {**values, "amount": amount})
            refresh(session, world.workspace.edition(session))
        world.work()
    assert [one.record_id for one in world.instances()] == [ann]


def test_a_mail_leaves_once_and_one_that_may_have_left_is_not_sent_again(
    world: World, monkeypatch: pytest.MonkeyPatch, post_office: tuple[str, Box]
) -> None:
    url, box = post_office
    told = {"smtp_url": url, "mail_from": "crm@acme.test", "url": "https://acme.test"}
    config = dataclasses.replace(world.installation.config, **told)
    monkeypatch.setattr(world.installation, "config", config)
    call = {
        "call": "send_mail",
        "to": "{record.email}",
        "subject": "For {record.name}",
        "text": "{starter.name}",
    }
    world.bring(
        post=line(node("serviceTask", "tell", **call)), nobody=line(node("serviceTask", "tell", **call))
    )
    ann, bob, late = (
        world.customer(email="ann@x.test"),
        world.customer(),
        world.customer(email="later@x.test"),
    )
    world.start("post", ann, "head@acme.test")
    stuck = world.instance(world.start("nobody", bob))
    assert (stuck.state, stuck.stuck) == ("failed", "tell") and "to: " in stuck.problem
    assert world.work() == 1
    (sent,) = received(box)
    assert (sent["To"], sent["Subject"], sent.get_content().strip()) == ("ann@x.test", "For Ann", "Head")
    world.start("post", late, "head@acme.test")
    assert world.work() == 1 and received(box) == []
    with world.workspace.write() as session:  # the server did not take it: it is tried again, later
        job = session.scalars(sa.select(Job).where(Job.finished_at.is_(None))).one()
        assert (job.state, job.done) == ("waiting", 0)
        job.due_at, job.done = LONG_AGO, 1  # as if a worker had been killed while it was sending
    assert world.work() == 1 and received(box) == []
    with world.workspace.read() as session:
        (problem,) = session.scalars(sa.select(Job.problem).where(Job.state == "failed"))
    assert "may have left" in problem


def test_what_was_said_about_a_person_is_taken_out_and_forgotten(world: World) -> None:
    world.bring(ask=line(node("userTask", "ask", for_="role:manager", form__note="text Note")))
    ann, bob = world.customer(), world.customer(name="Bob")
    runs = [world.start("ask", one) for one in (ann, bob)]
    world.do("head@acme.test", "ask", note="Owes money")
    world.do("head@acme.test", "ask", note="Pays")
    with world.workspace.write() as session:
        door = world.door(session)
        (found,) = privacy.everything(door, "customer", ann)["processes"]
        assert found["variables"] == {"note": "Owes money"}
        privacy.erase(door, "customer", ann, "Ann")
        assert privacy.everything(door, "customer", ann)["processes"][0]["variables"] == {}
        outcomes = session.scalars(sa.select(ProcessStep.outcome).order_by(ProcessStep.id)).all()
    assert outcomes == [{}, {"note": "Pays"}]
    assert world.instance(runs[1]).variables == {"note": "Pays"}


def test_an_instance_goes_on_about_the_record_that_its_own_was_merged_into(world: World) -> None:
    world.bring(ask=line(node("userTask", "ask", for_="role:manager", fields="city!")))
    ann, anna = world.customer(), world.customer(name="Anna")
    run = world.start("ask", ann)
    with world.workspace.write() as session:
        merge(world.door(session), "customer", anna, ann)
    world.do("head@acme.test", "ask", city="Brno")
    with world.workspace.read() as session:
        assert world.door(session).get("customer", anna).values["city"] == "Brno"
    assert (world.instance(run).state, world.instance(run).record_id) == ("done", anna)


def test_branches_run_beside_each_other_and_come_together(world: World) -> None:
    world.bring(
        both=process(
            node("startEvent", "start", form__extra="boolean Extra"),
            node("parallelGateway", "split"),
            node("userTask", "one", for_="role:manager"),
            node("userTask", "two", for_="role:manager"),
            node("parallelGateway", "join"),
            node("inclusiveGateway", "some", default="some_three"),
            node("userTask", "three", for_="role:manager"),
            node("userTask", "four", for_="role:manager"),
            node("inclusiveGateway", "again"),
            node("endEvent", "end"),
            flows(
                "start split one join",
                "split two join some three again end",
                "four again",
                "some four if extra",
            ),
        )
    )
    run = world.start("both", world.customer(), extra=True)
    assert sorted(world.tasks("head@acme.test")) == ["one", "two"]
    world.do("head@acme.test", "two")
    assert world.tasks("head@acme.test") == ["one"]
    world.do("head@acme.test", "one")
    assert world.tasks("head@acme.test") == ["four"]
    world.do("head@acme.test", "four")
    assert world.instance(run).state == "done"


def test_a_process_calls_another_and_takes_its_results(world: World) -> None:
    world.bring(part=line(node("userTask", "ask", for_="role:manager", form__answer="integer! Answer")))
    world.bring(
        whole=line(
            node("scriptTask", "set", inside=script("given = 4")),
            node("callActivity", "call", calledElement="probe.part", in__given="=given", out="answer"),
            node("scriptTask", "sum", inside=script("total = answer + given")),
        )
    )
    ann = world.customer()
    run, broken = world.start("whole", ann), world.start("whole", ann)
    world.do("head@acme.test", "ask", answer=38)
    assert (world.instance(run).state, world.instance(run).variables["total"]) == ("done", 42)
    with world.workspace.write() as session:
        Engine(world.door(session)).cancel(broken)
    assert [one.state for one in world.instances()] == ["done", "done", "cancelled", "cancelled"]
    assert world.tasks("head@acme.test") == []


def test_a_call_that_cannot_begin_stops_its_caller_and_is_tried_again(world: World) -> None:
    world.bring(part=line(node("userTask", "ask", for_="role:manager", form__answer="integer! Answer")))
    call = {"calledElement": "probe.part", "in__given": "=record.city + '!'", "out": "answer"}
    world.bring(
        whole=line(node("userTask", "say", for_="role:manager"), node("callActivity", "call", **call))
    )
    ann = world.customer()
    run = world.start("whole", ann)
    world.do("head@acme.test", "say")
    stuck = world.instance(run)
    assert (stuck.state, stuck.stuck, stuck.active) == ("failed", "call", ["call"])
    assert "record.city" in stuck.problem and len(world.instances()) == 1
    with world.workspace.write() as session:
        world.door(session).update("customer", ann, {"city": "Brno"})
    with world.workspace.write() as session:
        Engine(world.door(session)).retry(run)
    world.do("head@acme.test", "ask", answer=38)
    assert [(one.state, one.problem) for one in world.instances()] == [("done", ""), ("done", "")]
    assert world.instances()[1].variables["given"] == "Brno!"


def test_a_running_instance_finishes_on_its_version(world: World) -> None:
    world.bring(
        change=line(
            node("userTask", "old", for_="role:manager"), node("userTask", "older", for_="role:manager")
        )
    )
    ann = world.customer()
    first = world.start("change", ann)
    world.bring(change=line(node("userTask", "new", for_="role:manager")))
    second = world.start("change", ann)
    for element in ("old", "older", "new"):
        world.do("head@acme.test", element)
    assert [world.instance(one).state for one in (first, second)] == ["done", "done"]
    world.start("change", ann)
    with world.workspace.read() as session:
        assert session.scalars(sa.select(ProcessVersion.number).order_by(ProcessVersion.id)).all() == [1, 2]


def test_circles_attacks_and_huge_values_are_stopped(world: World) -> None:
    world.bring(
        circle=process(
            node("startEvent", "start"),
            node("exclusiveGateway", "gate", default="gate_count"),
            node("scriptTask", "count", inside=script("number = 1")),
            node("endEvent", "end"),
            flows("start gate count gate", "gate end if number == 2"),
        ),
        busy=process(
            node("startEvent", "start"),
            node("exclusiveGateway", "gate", default="gate_make"),
            node("serviceTask", "make", call="create_record", entity="activity", set__subject="Again"),
            node("endEvent", "end"),
            flows("start gate make gate", "gate end if record.name == 'x'"),
        ),
        huge=line(
            node("scriptTask", "grow", inside=script("\n".join(["a = 'x'", *["a = concat(a, a)"] * 20]))),
        ),
        odd=line(node("scriptTask", "odd", inside=script("a = record.name > 5"))),
        wait=line(node("intermediateCatchEvent", "wait", inside=timer("=record.name"))),
    )
    ann = world.customer()
    for name, stuck, problem in (
        ("circle", "gate", "there is no “number”"),
        ("busy", "gate", "in circles"),
        ("huge", "grow", "64 kB"),
        ("odd", "odd", "cannot be told"),
        ("wait", "wait", "gives no time"),
    ):
        found = world.instance(world.start(name, ann))
        assert (found.state, found.stuck) == ("failed", stuck) and problem in found.problem, found.problem
    with world.workspace.write() as session:
        door = world.door(session)
        door.update("customer", ann, {"name": "PT1H"})
        Engine(door).retry(found.id)
    assert (world.instance(found.id).state, world.instance(found.id).active) == ("running", ["wait"])
    world.later()
    assert world.instance(found.id).done == ["start", "wait", "end"]


NOWHERE = (
    '<x:BPMNShape xmlns:x="http://www.omg.org/spec/BPMN/20100524/DI" bpmnElement="t">'
    '<x:Bounds xmlns:x="http://www.omg.org/spec/DD/20100524/DC" x="nan"/></x:BPMNShape>'
)
WRONG: Mapping[str, tuple[bytes, str]] = {
    "python": (line(node("scriptTask", "bad", inside=script("import os"))), "bad: "),
    "climbing": (
        line(node("scriptTask", "bad", inside=script("a = record.__class__.__mro__"))),
        "bad: customer has no field",
    ),
    "calls": (line(node("scriptTask", "bad", inside=script("a = open('/etc/passwd')"))), "bad: "),
    "listing": (line(node("scriptTask", "bad", inside=script("a = [x for x in (1, 2)]"))), "bad: "),
    "power": (line(node("scriptTask", "bad", inside=script("a = 9 ** 9"))), "bad: "),
    "entities": (
        b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + line(node("task", "t")),
        "document type",
    ),
    "entities in another encoding": (
        (
            '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE x [<!ENTITY e "grown">]>'
            + line(node("task", "t")).decode().replace('isExecutable="true"', 'name="&e;"')
        ).encode("utf-16"),
        "document type",
    ),
    "nowhere": (
        line(node("task", "t"), end=f'<?any thing?><endEvent id="end"/>{NOWHERE}'),
        "A place in the drawing is not a number",
    ),
    "no xml": (b"PK\x03\x04", "not XML"),
    "other xml": (b"<html/>", "not a BPMN 2.0 file"),
    "no end": (
        process('<startEvent id="start"/>', node("task", "t"), flows("start t")),
        "There is no end event",
    ),
    "loose": (
        process('<startEvent id="s"/>', node("task", "t"), '<endEvent id="e"/>', flows("s e")),
        "t: No arrow",
    ),
    "no default": (
        process(
            '<startEvent id="s"/>',
            node("exclusiveGateway", "g"),
            '<endEvent id="e"/>',
            '<endEvent id="f"/>',
            flows("s g e if 1 > 2", "g f if 2 > 1"),
        ),
        "g: Say which arrow",
    ),
    "unsupported": (line(node("transaction", "rule")), "rule: Trellis cannot run"),
    "operation": (line(node("serviceTask", "call", call="rm")), "call: “call” names no operation"),
    "parameter": (
        line(node("serviceTask", "call", call="send_mail", to="a@b.test", body="x")),
        "call: “send_mail” has no",
    ),
    "missing": (
        line(node("serviceTask", "call", call="send_mail", to="a@b.test")),
        "call: “send_mail” needs",
    ),
    "field": (line(node("userTask", "ask", fields="naem")), "ask: customer has no field “naem”"),
    "role": (line(node("userTask", "ask", for_="role:king")), "ask: There is no role “king”"),
    "form": (line(node("userTask", "ask", form__a="choise X: a=b")), "ask: form.a: write"),
    "variable": (line(node("userTask", "ask", due="=days(left)")), "ask: No step sets the variable “left”"),
    "event": (
        process(
            node("startEvent", "start", inside=message("m")),
            '<endEvent id="e"/>',
            flows("start e"),
            messages={"m": "customer.sold"},
        ),
        "start: ",
    ),
    "call": (
        line(node("callActivity", "sub", calledElement="probe.none")),
        "sub: No process “probe.none” is published",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_diagram_is_refused_by_element_and_reason(name: str, edition: Edition) -> None:
    from trellis.process.checks import check_process

    diagram, problem = WRONG[name]
    with pytest.raises(trellis.TrellisError) as refused:
        check_process(edition, Process(name="x", title=Text("X"), diagram=diagram, entity="customer"))
    assert problem in str(refused.value), str(refused.value)


def test_a_plugin_with_a_wrong_diagram_is_not_enabled(world: World) -> None:
    with pytest.raises(EditionInvalid, match="rule: Trellis cannot run"):
        world.bring(bad=line(node("transaction", "rule")))
