"""Processes that an organisation draws itself: drafted, checked, published, changed, moved, started by the clock."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from drawn import HEAD, TWO_POOLS, flows, line, message, node, process, several, timer
from office import Office
from samples import plugin
from trellis.contributions import Process, Segment
from trellis.enabling import enable
from trellis.errors import Conflict, PermissionRefused, RecordInvalid, RecordNotFound, StaleVersion
from trellis.i18n import Text
from trellis.jobs import Job
from trellis.process import own, schedule
from trellis.process.diagram import DiagramInvalid, read
from trellis.process.engine import Engine
from trellis.process.moving import Moving, counts
from trellis.process.own import Draft, OwnProcesses
from trellis.process.picture import blank, drawn
from trellis.process.runs import process_of
from trellis.process.seeing import may_start
from trellis.process.tables import ProcessStep
from trellis.process.tasks import Tasks
from trellis.process.wording import in_words
from trellis.records.door import Records
from trellis.security.actor import Actor
from trellis.system import Event

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
ASK = line(node("userTask", "ask", title="Ask", for_="role:administrator"))


def test_a_draft_starts_nothing_until_it_is_checked_and_published(office: Office) -> None:
    with office.drafts() as drafts:
        made = drafts.create(Draft(title="Site visit"), blank())
        name, key = made.name, made.id
        assert (name, made.version) == ("own.site_visit", 1)
        assert drafts.create(Draft(title="Site visit"), blank()).name == "own.site_visit_2"
        assert drafts.create(Draft(title="Выезд"), blank()).name == "own.process"
        lost = process(
            node("startEvent", "start"), node("userTask", "ask", for_="role:nobody"), flows("start ask")
        )
        drafts.save(name, Draft(title="Visit"), lost, version=1)
        with pytest.raises(StaleVersion):
            drafts.save(name, Draft(title="Other"), lost, version=1)
        with pytest.raises(DiagramInvalid) as wrong:
            drafts.publish(name)
        assert {problem.element for problem in wrong.value.problems} == {"p", "ask"}
        with pytest.raises(Conflict):
            drafts.discard(name)
        with pytest.raises(RecordInvalid) as refused:
            drafts.save(name, Draft(title=" ", entity="dragon", keeper=77), blank())
        assert refused.value.errors.keys() == {"title", "entity", "keeper"}
    with office.door() as door, pytest.raises(RecordNotFound):
        Engine(door).start(name)
    office.redraw(name, ASK)
    assert office.start(name)
    with office.drafts() as drafts:
        with pytest.raises(Conflict):
            drafts.remove(name)
        drafts.save(name, Draft(title="Visit"), blank())
        assert drafts.get(name).changed
        drafts.discard(name)
        assert not drafts.get(name).changed
    office.do("ask")
    with office.drafts() as drafts:
        drafts.remove(name)
        assert drafts.create(Draft(title="Site visit"), blank()).name == "own.site_visit_3"
        with pytest.raises(PermissionRefused):
            OwnProcesses(drafts._session, drafts._edition, Actor(user_id=1))
    with office.workspace.read() as session:
        trail = (
            sa.select(Event.action)
            .where(Event.entity == "process", Event.record_id == key)
            .order_by(Event.id)
        )
        acts = list(session.scalars(trail))
    assert acts == ["created", "updated", "updated", "updated", "updated", "updated", "deleted"]


BOMB = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
HOSTILE = {
    "laughs": f'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY l0 "ha">{BOMB}]>{HEAD}<process id="p" name="&l9;"/></definitions>',
    "outside": f'<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>{HEAD}<process id="p" name="&x;"/></definitions>',
    "large": HEAD + "<!--" + "x" * 10 * 1024 * 1024 + "--></definitions>",
    "two": f'{HEAD}<process id="p"/><process id="q"/></definitions>',
    "html": "<html><script>alert(1)</script></html>",
    "nothing": "",
}


def test_what_is_no_sound_file_is_refused_and_unknown_elements_are_named(office: Office) -> None:
    said = {}
    with office.drafts() as drafts:
        for name, text in HOSTILE.items():
            with pytest.raises(DiagramInvalid) as refused:
                drafts.create(Draft(title=name), text.encode())
            said[name] = str(refused.value)
        assert own.rows_of(drafts._session) == []
        strange = process(
            node("startEvent", "start"),
            node("dragonTask", "dragon"),
            node("adHocSubProcess", "anyhow"),
            node("endEvent", "end"),
            flows("start dragon anyhow end"),
        )
        kept = drafts.create(Draft(title="Strange"), strange)
        with pytest.raises(DiagramInvalid) as wrong:
            drafts.publish(kept.name)
    assert "document type" in said["laughs"] and "document type" in said["outside"]
    assert "1 MB" in said["large"] and "holds 2" in said["two"] and "bpmn:definitions" in said["html"]
    named = {problem.element: str(problem.reason) for problem in wrong.value.problems}
    assert "dragonTask" in named["dragon"] and "adHocSubProcess" in named["anyhow"]


def test_a_file_without_a_drawing_gets_one_that_holds_the_same(office: Office) -> None:
    there = read(drawn(ASK))
    assert there.elements == read(ASK).elements and there.boxes.keys() == there.elements.keys()
    assert there.lines.keys() == there.flows.keys() and drawn(there.text) == there.text


def test_a_copy_takes_the_place_of_the_process_that_it_was_made_of(office: Office) -> None:
    brought = Process(
        name="probe.ask", title=Text("Ask"), diagram=ASK, entity="customer", starts=["customer.created"]
    )
    office.installation.plugins.add(plugin("probe", trellis_processes=lambda: [brought]))
    enable(office.workspace, "probe")
    with office.drafts() as drafts:
        copied = drafts.copy("probe.ask")
        name = copied.name
        assert (copied.draft["entity"], copied.draft["replaces"]) == ("customer", "probe.ask")
        drafts.publish(name)
    with office.door() as door:
        ann = door.create("customer", {"name": "Ann"})
        ours, theirs = (process_of(door.edition, one) for one in (name, "probe.ask"))
        assert may_start(door, ours, ann) and not may_start(door, theirs, ann)
    office.work()
    assert [one.process for one in office.instances()] == [name]


def test_a_copy_has_the_words_of_whoever_made_it() -> None:
    diagram = process(
        node("startEvent", "start", title="Begin"),
        node(
            "userTask",
            "ask",
            title="Ask",
            help="Look",
            form__ok="choice! Fine?: y=Yes, n=No",
            for_="role:Ask",
        ),
        node("endEvent", "end", inside=message("m")),
        flows("start ask end"),
        messages={"m": "message.ask"},
    )
    there = read(in_words(diagram, str.upper)).elements
    assert (there["start"].name, there["ask"].name, there["end"].detail) == ("BEGIN", "ASK", "message.ask")
    said = {"help": "LOOK", "form.ok": "choice! FINE?: y=YES, n=NO", "for": "role:Ask"}
    assert there["ask"].properties == said


def test_leaving_a_segment_starts_a_process(office: Office) -> None:
    brno = Segment(name="probe.brno", title=Text("Brno"), rule={"field": "city", "op": "eq", "value": "Brno"})
    office.installation.plugins.add(plugin("probe", trellis_segments=lambda: [brno]))
    enable(office.workspace, "probe")
    name = office.publish("Goodbye", ASK, entity="customer", starts=("segment_left.probe.brno",))
    with office.door() as door:
        ann = door.create("customer", {"name": "Ann", "city": "Brno"}).id
        door.create("customer", {"name": "Bob", "city": "Oslo"})
    office.work()
    assert office.instances() == []
    with office.door() as door:
        door.update("customer", ann, {"city": "Oslo"})
    office.work()
    assert [(one.process, one.record_id) for one in office.instances()] == [(name, ann)]
    with pytest.raises(DiagramInvalid, match="no segment"):
        office.publish("Wrong", ASK, entity="customer", starts=("segment_left.none",))


def test_a_process_starts_by_the_clock_once_each_time(office: Office) -> None:
    name = office.publish("Stocktaking", ASK, schedule="0 9 * * 1-5")
    by_timer = process(
        node(
            "startEvent",
            "start",
            inside="<timerEventDefinition><timeCycle>30 7 1 * *</timeCycle></timerEventDefinition>",
        ),
        node("userTask", "ask", for_="role:administrator"),
        node("endEvent", "end"),
        flows("start ask end"),
    )
    monthly = office.publish("Invoices", by_timer)

    def planned() -> list[Job]:
        with office.workspace.read() as session:
            waiting = sa.select(Job).where(Job.kind == schedule.SCHEDULE_JOB, Job.finished_at.is_(None))
            found = list(session.scalars(waiting.order_by(Job.id)))
            session.expunge_all()
            return found

    assert [one.arguments["process"] for one in planned()] == [name, monthly]
    first = planned()[0]
    told = {**first.arguments, "at": LONG_AGO.isoformat()}
    with office.workspace.write() as session:  # as if that time had come, and two workers knew of it
        for _twice in range(2):
            session.add(Job(kind=first.kind, arguments=told, created_at=LONG_AGO, due_at=LONG_AGO))
    office.work()
    assert [one.process for one in office.instances()] == [name]
    assert [one.arguments["process"] for one in planned()] == [name, monthly]
    for wrong in ("soon", "* * * *", "0 0 30 2 *", "61 * * * *", "0 9 * * 1-5 2030"):
        with pytest.raises(DiagramInvalid, match="no schedule"):
            office.publish("Wrong", ASK, schedule=wrong)
    with pytest.raises(DiagramInvalid, match="about no record"):
        office.publish("Wrong", ASK, schedule="0 9 * * *", entity="customer")
    office.do("ask")
    with office.drafts() as drafts:
        drafts.remove(name)
    assert [one.arguments["process"] for one in planned()] == [monthly]


def test_a_time_that_the_clocks_leave_out_is_the_next_one_there_is() -> None:
    prague = ZoneInfo("Europe/Prague")
    before = datetime(2026, 3, 28, 12, tzinfo=UTC)
    assert schedule.next_after("30 2 * * *", before, prague) == datetime(2026, 3, 29, 1, tzinfo=UTC)
    winter = datetime(2026, 10, 24, 12, tzinfo=UTC)
    assert schedule.next_after("0 9 * * *", winter, prague) == datetime(2026, 10, 25, 8, tzinfo=UTC)


FIRST = process(
    node("startEvent", "start"),
    node("userTask", "old", for_="role:administrator"),
    node("userTask", "ask", for_="role:administrator"),
    node("intermediateCatchEvent", "wait", inside=message("m")),
    node("endEvent", "end"),
    flows("start old ask wait end"),
    messages={"m": "customer.updated"},
)
SECOND = process(
    node("startEvent", "start"),
    node("userTask", "ask", title="Ask twice", for_="role:administrator"),
    node("intermediateCatchEvent", "wait", inside=message("m"), match__city="Brno"),
    node("userTask", "more", for_="role:administrator"),
    node("endEvent", "end"),
    flows("start ask wait more end"),
    messages={"m": "customer.updated"},
)


def test_instances_finish_on_their_version_or_are_moved_to_the_newest(office: Office) -> None:
    name = office.publish("Visit", FIRST, entity="customer")
    with office.door() as door:
        ann = door.create("customer", {"name": "Ann"}).id
    for _one in range(4):
        office.start(name, ann)
    for _one in range(3):
        office.do("old")
    (early,) = [one.id for one in office.instances() if one.active == ["old"]]
    left, asked, waiting = [one.id for one in office.instances() if one.active != ["old"]]
    with office.door() as door:
        step = sa.select(ProcessStep.id).where(
            ProcessStep.instance_id == waiting, ProcessStep.element == "ask"
        )
        Tasks(door).complete(door.session.scalar(step) or 0, {})
    office.redraw(name, SECOND)
    newest = office.start(name, ann)
    with office.door() as door:
        assert counts(door.session, name) == {1: 4, 2: 1}
        moving = Moving(door)
        standing = {one.instance: one.obstacles for one in moving.standing(process_of(door.edition, name))}
        assert [bool(standing[one]) for one in (early, left, asked, waiting)] == [True, False, False, False]
        assert "“old”, where it stands, is not in the newest version" in str(standing[early][0])
        with pytest.raises(Conflict, match="newest version"):
            moving.move(newest)
        with pytest.raises(Conflict, match="“old”"):
            moving.move(early)
        moving.move(asked)
        moving.move(waiting)
        with pytest.raises(PermissionRefused):
            Moving(Records(door.session, door.edition, Actor(user_id=1)))
        for one in (left, asked):
            step = sa.select(ProcessStep.id).where(
                ProcessStep.instance_id == one, ProcessStep.element == "ask"
            )
            Tasks(door).complete(door.session.scalar(step.where(ProcessStep.left_at.is_(None))) or 0, {})
    with office.door() as door:
        door.update("customer", ann, {"phone": "+420 601 123 456"})
    office.work()
    state = {one.id: (one.state, one.active) for one in office.instances()}
    assert state[left] == ("done", []) and state[asked] == ("running", ["wait"])
    with office.door() as door:
        door.create("customer", {"name": "Bob"})
        door.update("customer", ann, {"city": "Brno"})
    office.work()
    state = {one.id: (one.state, one.active) for one in office.instances()}
    assert state[asked] == state[waiting] == ("running", ["more"]) and state[early] == ("running", ["old"])
    with office.door() as door:
        assert Moving(door).move_all(process_of(door.edition, name)) == 0


SIDE_BY_SIDE = (
    node("startEvent", "start"),
    node("parallelGateway", "split"),
    node("userTask", "a", for_="role:administrator"),
    node(
        "subProcess",
        "part",
        inside=line(node("userTask", "b", for_="role:administrator"))
        .decode()
        .partition(">")[2]
        .partition(">")[2]
        .rpartition("</process>")[0]
        .replace('"start"', '"s"')
        .replace('"end"', '"e"')
        .replace("start_b", "s_b")
        .replace("b_end", "b_e"),
    ),
    node("parallelGateway", "join"),
    node("endEvent", "end"),
)


def test_what_goes_several_ways_at_once_is_moved_only_where_they_meet_again_alike(office: Office) -> None:
    ways = flows("start split a join end", "split part join")
    name = office.publish("Ways", process(*SIDE_BY_SIDE, ways))
    one, two = office.start(name), office.start(name)
    more = node("userTask", "c", for_="role:administrator")
    office.redraw(name, process(*SIDE_BY_SIDE, more, ways, flows("split c join")))
    with pytest.raises(Conflict, match="other arrows"):
        office.move(one)
    late = node("boundaryEvent", "late", attachedToRef="a", cancelActivity="false", inside=timer("P2D"))
    office.redraw(name, process(*SIDE_BY_SIDE, late, node("endEvent", "told"), ways, flows("late told")))
    with pytest.raises(Conflict, match="edge of “a”"):
        office.move(one)
    last = node("userTask", "last", for_="role:administrator")
    ways = flows("start split a join last end", "split part join")
    office.redraw(name, process(*SIDE_BY_SIDE, last, ways))
    with office.door() as door:
        assert Moving(door).move_all(process_of(door.edition, name)) == 2
    office.do("a")
    office.do("b")
    office.do("a")
    office.do("b")
    assert [sorted(each.active) for each in office.instances()] == [["last"], ["last"]]
    office.do("last")
    office.do("last")
    assert {each.state for each in office.instances()} == {"done"} and two


def test_runs_of_an_element_that_runs_several_times_go_on_with_the_newest_version(office: Office) -> None:
    def drawn_with(last: str = "", each: str = "3", gathers: str = "said", title: str = "") -> bytes:
        more = node("userTask", last, for_="role:administrator") if last else ""
        ask = node(
            "userTask",
            "ask",
            title=title,
            for_="role:administrator",
            each=each,
            inside=several(),
            **{f"gather__{gathers}": "loop.number"},
        )
        inner = node("startEvent", "in") + node("userTask", "look", title=title, for_="role:administrator")
        part = node(
            "subProcess",
            "part",
            each="['x', 'y']",
            as_="one",
            gather__seen="one",
            inside=several(one_by_one=True) + inner + node("endEvent", "out") + flows("in look out"),
        )
        ends = node("startEvent", "start"), node("endEvent", "end")
        return process(*ends, ask, part, more, flows(f"start ask part {last} end".replace("  ", " ")))

    name = office.publish("Rounds", drawn_with())
    first, second = office.start(name), office.start(name)
    for _round in range(4):  # the first stands in the first run of the part, the second has two more to ask
        office.do("ask")
    office.redraw(name, drawn_with(each="2"))
    with pytest.raises(Conflict, match="over something else"):
        office.move(second)
    office.redraw(name, drawn_with(gathers="told"))
    with pytest.raises(Conflict, match="gathers other lists"):
        office.move(second)
    office.redraw(name, drawn_with(last="more", title="Once more"))
    with office.door() as door:
        assert Moving(door).move_all(process_of(door.edition, name)) == 2
    for element, times in (("ask", 2), ("look", 4), ("more", 2)):
        for _time in range(times):
            office.do(element)
    found = {
        one.id: (one.state, sorted(one.variables["said"]), one.variables["seen"])
        for one in office.instances()
    }
    assert found == dict.fromkeys((first, second), ("done", [1, 2, 3], ["x", "y"]))


def test_a_file_of_several_processes_becomes_a_draft_of_each_and_they_hear_each_other(office: Office) -> None:
    with pytest.raises(DiagramInvalid, match="holds 2 processes"):
        read(TWO_POOLS)
    with office.drafts() as drafts:
        made = drafts.create_each(Draft(title="Sale", entity="customer"), TWO_POOLS)
        titles = [one.draft["title"] for one in made]
        names = [drafts.publish(one.name).name for one in made]
        shop, bank = (read(one.diagram) for one in made)
    assert titles == ["Sale: Shop", "Sale: Bank"]
    assert (list(shop.elements), list(bank.elements)) == (
        ["start", "ask", "tell", "end"],
        ["begin", "book", "close"],
    )
    assert shop.lanes and "m_line" in shop.text.decode() and set(bank.boxes) >= {"book"}
    with office.door() as door:
        ann = door.create("customer", {"name": "Ann"}).id
    office.start(names[0], ann)
    office.do("ask")
    office.work()
    assert [(one.process, one.active) for one in office.instances()] == [(names[0], []), (names[1], ["book"])]
