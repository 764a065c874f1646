"""Elements that run several times: for each of a list, for lines of the record, at once or one by one."""

from __future__ import annotations

import trellis
from drawn import flows, line, message, node, process, script, several, timer
from running import World
from trellis.contributions import Operation, Parameter
from trellis.i18n import Text
from trellis.process.engine import Engine
from trellis.records import types

PART = (
    node("startEvent", "in")
    + node("scriptTask", "name", inside=script("label = concat(loop.number, '/', loop.total, ' ', one)"))
    + node("userTask", "look", for_="=person", form__seen="boolean! Seen")
    + node("endEvent", "out")
    + flows("in name look out")
)


def test_several_people_vote_at_once_until_it_is_decided(world: World) -> None:
    vote = node(
        "userTask",
        "vote",
        for_="=person",
        each="['person:officer@acme.test', 'person:head@acme.test', 'person:third@acme.test']",
        as_="person",
        form__vote="choice! Vote: yes=Yes, no=No",
        gather__votes="vote",
        inside=several(until='count(votes, "no") >= 1 or loop.done >= 2'),
    )
    world.bring(vote=line(vote, node("scriptTask", "sum", inside=script("said = count(votes)"))))
    world.user("third@acme.test", "manager")
    people = ("officer@acme.test", "head@acme.test", "third@acme.test")
    ann = world.customer()
    agreed, refused = world.start("vote", ann), world.start("vote", ann)
    assert [world.tasks(one) for one in people] == [["vote", "vote"]] * 3
    world.do("head@acme.test", "vote", vote="yes")  # tasks of the older instance come first
    assert (world.instance(agreed).active, world.instance(agreed).done) == (["vote"], ["start"])
    world.do("officer@acme.test", "vote", vote="yes")
    done = world.instance(agreed)
    assert (done.state, done.variables) == ("done", {"votes": ["yes", "yes"], "said": 2})
    assert world.tasks("third@acme.test") == ["vote"]
    world.do("third@acme.test", "vote", vote="no")
    assert world.instance(refused).variables == {"votes": ["no"], "said": 1}
    assert [world.tasks(one) for one in people] == [[], [], []]


def test_a_sub_process_runs_one_by_one_and_what_a_run_sets_is_its_own(world: World) -> None:
    world.bring(
        walk=process(
            node("startEvent", "start"),
            node("scriptTask", "who", inside=script("person = 'person:head@acme.test'\nlabel = 'outside'")),
            node(
                "subProcess",
                "part",
                each="=['a', 'b']",
                as_="one",
                gather__labels="label",
                inside=several(one_by_one=True) + PART,
            ),
            node(
                "subProcess",
                "none",
                each="0",
                inside=several()
                + PART.replace('id="', 'id="n_').replace('Ref="', 'Ref="n_').replace("one)", "item)"),
            ),
            node("endEvent", "end"),
            flows("start who part none end"),
        )
    )
    run = world.start("walk", world.customer())
    assert world.tasks("head@acme.test") == ["look"]
    world.do("head@acme.test", "look", seen=True)
    assert world.tasks("head@acme.test") == ["look"]
    world.do("head@acme.test", "look", seen=False)
    done = world.instance(run)
    assert (done.state, done.variables["labels"], done.variables["label"]) == (
        "done",
        ["1/2 a", "2/2 b"],
        "outside",
    )
    assert "seen" not in done.variables and "n_look" not in done.done


def test_services_run_for_each_line_of_the_record_and_an_edge_ends_all_runs(world: World) -> None:
    def note(call: trellis.OperationCall) -> int:
        world.sent.append(call.arguments["text"])
        return len(world.sent)

    text = Parameter(name="text", type=types.Text(), required=True)
    world.operations = [Operation(name="probe.note", title=Text("Note"), run=note, parameters=[text])]
    told = "{item.number}: {item.amount} of {loop.total} for {item.customer.name}"
    world.bring(
        lines=process(
            node("startEvent", "start"),
            node(
                "serviceTask",
                "each",
                call="probe.note",
                text=told,
                lines="order.customer",
                result="number",
                gather__amounts="=item.amount",
                inside=several(),
            ),
            node("scriptTask", "sum", inside=script("total = sum(amounts)\nlargest = most(amounts)")),
            node("subProcess", "wait", each="=amounts", inside=several() + PART.replace("one)", "item)")),
            node("boundaryEvent", "late", attachedToRef="wait", inside=timer("PT1H")),
            node("endEvent", "end"),
            node("endEvent", "gone"),
            flows("start each sum wait end", "late gone"),
        ).replace(b"=person", b"role:manager")
    )
    ann = world.customer()
    with world.workspace.write() as session:
        for number, amount in (("1", "5"), ("2", "7.5")):
            values = {"number": number, "customer": ann, "ordered_at": "2026-11-01T10:00:00Z"}
            world.door(session).create("order", {**values, "amount": amount})
    run = world.start("lines", ann)
    assert sorted(world.sent) == ["1: 5 of 2 for Ann", "2: 7.5 of 2 for Ann"]
    found = world.instance(run).variables
    assert (found["total"], found["largest"]) == ({"number": "12.5"}, {"number": "7.5"})
    assert world.tasks("head@acme.test") == ["look", "look"]
    world.later()
    done = world.instance(run)
    assert (done.state, done.done[-2:], world.tasks("head@acme.test")) == ("done", ["late", "gone"], [])
    assert world.work() == 0


def test_a_list_that_cannot_be_told_stops_there_and_what_was_done_before_it_is_done_once(
    world: World,
) -> None:
    make = node("serviceTask", "make", call="create_record", entity="activity", set__subject="Once")
    each = node("userTask", "ask", for_="role:manager", each="=number(record.city)", inside=several())
    called = node("userTask", "answer", for_="role:manager", form__answer="integer! Answer")
    calls = node(
        "callActivity", "call", calledElement="probe.part", each="2", in__given="=loop.number", out="answer",
        gather__answers="answer + loop.number", inside=several(one_by_one=True),
    )  # fmt: skip
    world.bring(part=line(called))
    world.bring(stuck=line(make, each), calls=line(calls))
    ann = world.customer(city="many")
    run = world.start("stuck", ann)
    assert (world.instance(run).state, world.instance(run).stuck) == ("failed", "ask")
    for city, state in (("1000", "failed"), ("-1", "failed"), ("2", "running")):
        with world.workspace.write() as session:
            world.door(session).update("customer", ann, {"city": city})
        with world.workspace.write() as session:
            Engine(world.door(session)).retry(run)
        assert world.instance(run).state == state
    assert world.tasks("head@acme.test") == ["ask", "ask"]
    with world.workspace.read() as session:
        assert world.door(session).count("activity") == 1
        Engine(world.door(session))
    for _time in range(2):
        world.do("head@acme.test", "ask")
    assert world.instance(run).state == "done"
    run = world.start("calls", ann)
    world.do("head@acme.test", "answer", answer=10)
    world.do("officer@acme.test", "answer", answer=20)
    assert world.instance(run).variables == {"answers": [11, 22]}


def test_an_event_ends_the_other_waits_of_its_gateway(world: World) -> None:
    world.bring(
        first=process(
            node("startEvent", "start"),
            node("eventBasedGateway", "gate"),
            node("intermediateCatchEvent", "order", inside=message("m1"), match__customer="=record.id"),
            node("receiveTask", "gone", messageRef="m2"),
            node("intermediateCatchEvent", "late", inside=timer("P1D")),
            node("intermediateCatchEvent", "later", inside=timer("P2D")),
            node("userTask", "thank", for_="role:manager"),
            node("endEvent", "end"),
            node("endEvent", "nothing"),
            flows(
                "start gate order thank end", "gate gone nothing", "gate late nothing", "gate later nothing"
            ),
            messages={"m1": "order.created", "m2": "customer.city=Praha"},
        )
    )
    ann, bob = world.customer(), world.customer()
    bought, late = world.start("first", ann), world.start("first", bob)
    assert sorted(world.instance(bought).active) == ["gone", "late", "later", "order"]
    with world.workspace.write() as session:
        values = {"number": "1", "customer": ann, "ordered_at": "2026-11-01T10:00:00Z", "amount": "5"}
        world.door(session).create("order", values)
        world.door(session).update("customer", ann, {"city": "Praha"})
    world.work()
    assert world.instance(bought).active == ["thank"] and world.instance(bought).due_at is None
    world.later()
    done = world.instance(late)
    assert (done.state, done.done) == ("done", ["start", "gate", "late", "nothing"])
    assert world.instance(bought).active == ["thank"] and world.work() == 0
