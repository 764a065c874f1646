"""Customers on journeys: in by segments, events and hand; on by steps; out by their goal, a person, or the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from posting import Box, received
from processes import reopened, run
from trellis.config import Config
from trellis.crm.marketing.journeys import running
from trellis.crm.marketing.journeys.entering import enter
from trellis.crm.marketing.journeys.figures import Effect, Side, effect_of, steps_of
from trellis.crm.marketing.journeys.kept import course_of, version_of
from trellis.crm.marketing.journeys.moving import advance
from trellis.crm.marketing.journeys.tables import MEMBERS, MESSAGES, PASSAGES
from trellis.errors import Conflict, RecordInvalid
from trellis.installation import Installation
from trellis.job_kinds import JOB_KINDS
from trellis.jobs import Job, Runner
from trellis.jobs.queue import enqueue
from trellis.process.tables import ProcessInstance
from trellis.quality.merging import merge
from trellis.records.door import Records, Write
from trellis.records.query import Record
from trellis.records.related import timeline
from trellis.security.actor import SYSTEM
from trellis.security.identities import add_user
from trellis.segments import own
from trellis.segments.lists import Chosen, add
from trellis.web.app import create_app
from trellis.workspace import Workspace

NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)
OPEN: Mapping[str, Any] = {"quiet_from": "", "quiet_to": "", "limit": 50}
DAY = timedelta(days=1)


def wait(days: int = 0, hours: int = 0) -> dict[str, Any]:
    return {"kind": "wait", "days": days, "hours": hours}


def task(subject: str, **more: Any) -> dict[str, Any]:
    return {"kind": "task", "subject": subject, **more}


def branch(title: str, *steps: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"title": title, "steps": list(steps), **more}


def city(name: str) -> dict[str, Any]:
    return {"field": "city", "op": "eq", "value": name}


class World:
    """A workspace with a mail server, journeys in it, and a clock that is turned by hand."""

    def __init__(self, installation: Installation, workspace: Workspace, address: str) -> None:
        mailing = {"smtp_url": address, "mail_from": "crm@acme.test", "url": "https://crm.acme.test"}
        installation.config = replace(installation.config, **mailing)  # type: ignore[arg-type]
        self.installation, self.workspace = installation, workspace
        self.now = NOON
        self.owner = add_user(installation, workspace, "boss@acme.test", "Boss", ["administrator"])
        with self.door() as door:
            letter = {
                "of_entity": "customer",
                "name": "Hello",
                "subject": "Hello {record.name}",
                "body": "Offer",
            }
            self.template = str(door.create("mail_template", letter).id)
            letter |= {"name": "Привет", "subject": "Привет, {record.name}", "language": "ru"}
            self.russian = str(door.create("mail_template", letter).id)

    @property
    def mail(self) -> dict[str, Any]:
        return {"kind": "message", "template": self.template, "other": self.russian}

    @contextmanager
    def door(self) -> Iterator[Records]:
        with self.workspace.write() as session:
            yield Records(session, self.workspace.edition(session), SYSTEM)

    def customers(self, number: int, **values: Any) -> list[int]:
        rows = [{"name": f"C{one}", "email": f"c{one}@x.test", **values} for one in range(number)]
        with self.door() as door:
            return door.save("customer", [Write(values=one) for one in rows])

    def journey(self, *steps: Mapping[str, Any], **terms: Any) -> int:
        """One that runs."""
        plan = {**OPEN, **terms, "steps": list(steps)}
        with self.door() as door:
            made = door.create("journey", {"name": "Probe", "plan": plan, "owner": self.owner}).id
            running.publish(door, made)
        return made

    def enter(self, journey: int, customers: Sequence[int]) -> None:
        with self.door() as door:
            running.bring_in(door, journey, customers=customers)
        self.drain()

    def do(self, act: Any, journey: int, **more: Any) -> Record:
        with self.door() as door:
            return act(door, journey, **more)  # type: ignore[no-any-return]

    def drain(self) -> None:
        Runner(self.installation, JOB_KINDS).drain()

    def go(self, journey: int, to: datetime | None = None) -> int:
        """Moves on whoever is due at a moment, by default now; sends what is to be sent."""
        with self.workspace.write() as session:
            edition = self.workspace.edition(session)
            number, _door = advance(session, edition, journey, to or datetime.now(UTC))
        self.drain()
        return number

    def rows(self, table: sa.Table) -> list[Any]:
        with self.workspace.read() as session:
            return list(session.execute(sa.select(table).order_by(table.c.id)).all())

    def members(self) -> list[Any]:
        return self.rows(MEMBERS)

    def states(self) -> Counter[str]:
        return Counter(one.state for one in self.members())

    def outcomes(self) -> list[tuple[str, str, str]]:
        return [(one.step, one.outcome, one.reason) for one in self.rows(PASSAGES)]

    def tasks(self) -> list[str]:
        with self.door() as door:
            found = door.list(
                "activity", rule={"field": "kind", "op": "ne", "value": "mail"}, sort=["id"], limit=500
            )
            return [one.values["subject"] for one in found.items]


@pytest.fixture
def world(installation: Installation, workspace: Workspace, post_office: tuple[str, Box]) -> World:
    return World(installation, workspace, post_office[0])


def later(days: float) -> datetime:
    return datetime.now(UTC) + timedelta(days=days)


def test_customers_go_step_by_step_and_each_message_stands_on_their_timeline(
    world: World, post_office: tuple[str, Box]
) -> None:
    split = {
        "kind": "split",
        "branches": [branch("Prague", task("Call", act="call"), rule=city("Prague"))],
        "otherwise": [{"kind": "change", "field": "notes", "value": "written"}, {"kind": "leave"}],
    }
    journey = world.journey(world.mail, wait(7), split, task("After", days=2))
    (ann,) = world.customers(1, city="Prague", language="Russian")
    (bob,) = world.customers(1, city="Brno")
    (eve,) = world.customers(1, city="Prague", consent_phone="refused")
    world.enter(journey, [ann, bob, eve, bob])
    assert sorted(mail["Subject"] for mail in received(post_office[1])) == [
        "Hello C0",
        "Hello C0",
        "Привет, C0",
    ]
    with world.door() as door:
        mails = door.list("activity", rule={"field": "customer", "op": "eq", "value": ann}).items
        assert [one.values["mail_to"] for one in mails] == ["c0@x.test"] and mails[0].values["done_at"]
    assert {(one.step, one.state) for one in world.members()} == {("1", "active")}
    assert world.go(journey) == 0 and world.go(journey, later(6.9)) == 0
    assert world.go(journey, later(7.1)) == 3
    assert world.tasks() == ["Call", "After", "After"] and world.states() == {"done": 2, "left": 1}
    assert ("2.0.0", "held", "refused") in world.outcomes() and ("2.1.1", "left", "") in world.outcomes()
    with world.door() as door:
        assert door.get("customer", bob).values["notes"] == "written"
        tasks = door.list("activity", rule={"field": "subject", "op": "eq", "value": "After"}).items
        assert {one.values["owner"] for one in tasks} == {world.owner}
        figures = steps_of(door.session, SYSTEM, 1)
    assert (figures["0"].entered, figures["0"].done, figures["1"].done) == (3, 3, 3)
    assert figures["2"].ways == {"0": 2, "1": 1} and figures["2.0.0"].reasons == {"refused": 1}
    assert (figures["2.1.1"].left, figures["3"].done) == (1, 2)


def test_who_may_not_be_written_to_is_passed_over_and_told_why(
    world: World, post_office: tuple[str, Box]
) -> None:
    ask = {"name": "Opinion", "kind": "nps"}
    asked, silent, refusing, free = world.customers(4)
    with world.door() as door:
        door.update("customer", silent, {"email": None})
        door.update("customer", refusing, {"consent_mail": "refused"})
        survey = door.create("survey", ask).id
        made = door.create("survey_invitation", {"survey": survey, "customer": asked}).id
        sent = sa.text("UPDATE survey_invitation SET state = 'sent', sent_at = :at WHERE id = :id")
        door.session.execute(
            sent.bindparams(sa.bindparam("at", type_=MEMBERS.c.since.type)), {"id": made, "at": later(-1)}
        )
    first = world.journey(world.mail, wait(1), world.mail, limit=1, limit_days=3)
    world.enter(first, [asked, silent, refusing, free])
    assert [mail["To"] for mail in received(post_office[1])] == ["c3@x.test"]
    assert sorted(world.outcomes()) == [
        ("0", "done", ""),
        ("0", "held", "limit"),
        ("0", "held", "no_address"),
        ("0", "held", "refused"),
    ]
    world.go(first, later(1.1))
    assert received(post_office[1]) == []  # the message of yesterday counts for another journey, too
    second = world.journey(world.mail, limit=1, limit_days=3)
    strict = world.journey(world.mail, consent="granted")
    world.enter(second, [free])
    world.enter(strict, [free])
    assert world.outcomes()[-2:] == [("0", "held", "limit"), ("0", "held", "not_granted")]
    assert received(post_office[1]) == []


def test_consent_withdrawn_between_step_and_sending_holds_the_mail_back(
    world: World, post_office: tuple[str, Box]
) -> None:
    journey = world.journey(world.mail, wait(1))
    ann, nobody = world.customers(2)
    with world.door() as door:
        door.update("customer", nobody, {"email": "nobody@x.test"})
        running.bring_in(door, journey, customers=[ann, nobody])
    with world.workspace.write() as session:  # as another worker would that does the entry and the step alone
        edition = world.workspace.edition(session)
        course = course_of(session, edition, journey, held=True)
        assert course is not None and enter(session, edition, course, [ann, nobody], datetime.now(UTC)) == 2
        advance(session, edition, journey, datetime.now(UTC))
    with world.door() as door:
        door.update("customer", ann, {"consent_mail": "refused"})
    world.drain()
    assert received(post_office[1]) == []
    held, failed = world.outcomes()
    assert held == ("0", "held", "refused") and failed[1] == "failed" and "550" in failed[2]
    assert [one.state for one in world.rows(MESSAGES)] == ["failed", "failed"]
    with world.door() as door:
        assert door.count("activity") == 0  # nothing that did not leave stands on a timeline


def test_a_customer_leaves_by_the_link_of_a_mail_and_gets_no_more(
    world: World, post_office: tuple[str, Box]
) -> None:
    journey = world.journey(world.mail, wait(1), world.mail)
    (ann,) = world.customers(1, language="ru")
    (double,) = world.customers(1)
    world.enter(journey, [ann, double])
    mails = {str(mail["Subject"]): mail for mail in received(post_office[1])}
    mail = mails["Привет, C0"]
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = mail["List-Unsubscribe"].removeprefix("<https://crm.acme.test").removesuffix(">")
    assert link.startswith("/s/unsubscribe/") and "=?" not in link
    assert f"Не присылать таких писем: https://crm.acme.test{link}" in mail.get_content()
    browser = create_app(world.installation).test_client()
    page = browser.get(link)
    assert page.status_code == 200 and '<html lang="ru"' in page.text and "Отписаться" in page.text
    assert "Unsubscribe" in browser.get(f"{link}?language=en").text
    with world.door() as door:
        assert door.get("customer", ann).values["consent_mail"] == "unknown"  # looking changes nothing
    for _time in range(2):
        program = create_app(world.installation).test_client(use_cookies=False)
        done = program.post(link, data={"List-Unsubscribe": "One-Click"})
        assert done.status_code == 200 and "Вы отписались" in done.text
    other = mails["Hello C0"]["List-Unsubscribe"].removeprefix("<https://crm.acme.test").removesuffix(">")
    with world.door() as door:
        assert door.get("customer", ann).values["consent_mail"] == "refused"
        merge(door, "customer", ann, double)
        entries = timeline(door.session, door.edition, SYSTEM, "customer", ann)
    changes = [one.event for one in entries if one.event and "consent_mail" in one.event["changes"]]
    told = [
        (one["actor_name"], one["changes"]["consent_mail"]) for one in changes if one["action"] == "updated"
    ]
    assert told == [("Unsubscribe link, “Probe”", ["unknown", "refused"])]
    assert "Вы отписались" in browser.get(other).text  # they are one customer now
    for wrong in (link[:-1], f"{link}x", "/s/unsubscribe/x"):
        assert browser.post(wrong).status_code == 404
    world.go(journey, later(1.1))
    assert received(post_office[1]) == [] and ("2", "held", "refused") in world.outcomes()


def test_a_paused_journey_stands_still_and_a_stopped_one_is_over(
    world: World, post_office: tuple[str, Box]
) -> None:
    journey = world.journey(wait(1), world.mail, wait(1))
    people = world.customers(3)
    world.enter(journey, people)
    world.do(running.pause, journey)
    assert world.go(journey, later(2)) == 0
    with pytest.raises(Conflict):
        world.do(running.bring_in, journey, customers=people)
    world.do(running.resume, journey)
    assert world.go(journey, later(2)) == 3 and len(received(post_office[1])) == 3
    world.do(running.take_out, journey, customer=people[0])
    assert world.states() == {"active": 2, "ended": 1}
    world.do(running.stop, journey)
    assert world.states() == {"ended": 3} and world.go(journey, later(9)) == 0
    reasons = Counter(reason for _step, outcome, reason in world.outcomes() if outcome == "ended")
    assert reasons == {"taken_out": 1, "journey_stopped": 2}


def test_members_finish_on_the_version_with_which_they_began(world: World) -> None:
    journey = world.journey(wait(1), task("Old"))
    first, second = world.customers(2)
    world.enter(journey, [first])
    with world.door() as door:
        plan = door.get("journey", journey).values["plan"]
        door.update("journey", journey, {"plan": {**plan, "steps": [wait(1), task("New")]}})
        running.publish(door, journey)
        running.publish(door, journey)  # nothing has changed, so there is no third
    world.enter(journey, [second])
    world.go(journey, later(2))
    assert world.tasks() == ["Old", "New"]
    with world.workspace.read() as session:
        assert [version_of(session, world.workspace.edition(session), one).number for one in (1, 2)] == [1, 2]


def test_a_segment_or_an_event_brings_in_and_the_goal_ends_it_while_they_wait(world: World) -> None:
    with world.door() as door:
        segment = own.create(
            door.session, door.edition, SYSTEM, own.Draft(title="Brno", rule=city("Brno"))
        ).name
        chosen = own.create(door.session, door.edition, SYSTEM, own.Draft(title="Chosen"))
    there, ann, bob = world.customers(3)
    with world.door() as door:
        door.update("customer", there, {"city": "Brno"})
        add(door.session, door.edition, SYSTEM, chosen.name, Chosen(ids=[there]))
    by_segment = world.journey(wait(3), task("Offer"), entry=f"segment.{segment}", goal="order.created")
    by_list = world.journey(wait(3), entry=f"segment.{chosen.name}")
    by_event = world.journey(wait(3), entry="order.created", goal=city("Paris"))
    assert world.go(by_segment) == 0  # who was there before has not come in
    with world.door() as door:
        door.update("customer", ann, {"city": "Brno"})
        add(door.session, door.edition, SYSTEM, chosen.name, Chosen(ids=[bob]))
    world.drain()
    assert [(one.journey_id, one.customer_id) for one in world.members()] == [
        (by_segment, ann),
        (by_list, bob),
    ]
    with world.door() as door:
        door.create("order", {"number": "1", "customer": ann, "ordered_at": NOON, "amount": "5"})
    world.drain()
    first, _second, third = world.members()
    assert (first.state, first.step, first.due_at) == ("reached", "", None) and first.reached_at
    assert (third.journey_id, third.customer_id, third.state) == (by_event, ann, "active")
    assert ("0", "reached", "") in world.outcomes() and world.go(by_segment, later(4)) == 0
    with world.door() as door:
        door.update("customer", ann, {"city": "Paris"})
    world.drain()
    assert world.members()[2].state == "reached" and world.tasks() == []


def test_goals_by_a_rule_come_true_overnight_and_count_for_their_time(world: World) -> None:
    journey = world.journey(wait(1), goal=city("Brno"), goal_days=10)
    early, late, at_goal = world.customers(3)
    with world.door() as door:
        door.update("customer", at_goal, {"city": "Brno"})
    world.enter(journey, [early, late, at_goal])
    assert [one.customer_id for one in world.members()] == [early, late]  # one is there already
    world.go(journey, later(2))
    assert world.states() == {"done": 2}
    with world.door() as door:  # past the door, as figures of the night are
        door.session.execute(sa.text("UPDATE customer SET city = 'Brno'"))
        door.session.execute(
            sa.update(MEMBERS).where(MEMBERS.c.customer_id == late).values(entered_at=later(-11))
        )
        enqueue(door.session, "journey_goals", {}, None)
    world.drain()
    assert [bool(one.reached_at) for one in world.members()] == [True, False]
    assert world.states() == {"done": 2}  # it counts; the journey was over before


def test_the_control_group_is_stable_gets_nothing_and_is_counted(
    world: World, post_office: tuple[str, Box]
) -> None:
    journey = world.journey(world.mail, wait(1), control=40, goal="order.created", goal_days=30, again=1)
    people = world.customers(60)
    world.enter(journey, people)
    control = {one.customer_id for one in world.members() if one.control}
    assert 12 <= len(control) <= 36 and len(received(post_office[1])) == 60 - len(control)
    buyers = [*sorted(control)[:3], *sorted(set(people) - control)[:20]]
    with world.door() as door:
        rows = [{"number": str(one), "customer": one, "ordered_at": NOON, "amount": "5"} for one in buyers]
        door.save("order", [Write(values=one) for one in rows])
    world.drain()
    with world.workspace.read() as session:
        effect = effect_of(session, SYSTEM, journey)
    assert (effect.treated.members, effect.treated.reached) == (60 - len(control), 20)
    assert (effect.control.members, effect.control.reached) == (len(control), 3)
    assert world.go(journey, later(31)) == 60 - 23
    assert world.states() == {"reached": 23, "done": 37}
    with world.door() as door:  # they come again after some days, into the same group
        door.session.execute(sa.update(MEMBERS).values(ended_at=later(-2)))
    world.enter(journey, people)
    again = [one for one in world.members() if one.round == 2]
    assert len(again) == 60 and {one.customer_id for one in again if one.control} == control


def test_the_difference_has_the_bounds_of_newcombe() -> None:
    effect = Effect(treated=Side(members=70, reached=56), control=Side(members=80, reached=48))
    assert effect.bounds is not None and effect.certain
    assert [round(one, 4) for one in effect.bounds] == [0.0524, 0.3339]  # his example (a), method 10
    small = Effect(treated=Side(members=10, reached=9), control=Side(members=10, reached=3))
    assert small.bounds is not None and [round(one, 4) for one in small.bounds] == [0.1705, 0.8090]
    assert Effect(treated=Side(), control=Side(members=3)).bounds is None


def test_they_come_in_once_or_again_after_some_days(world: World) -> None:
    once = world.journey(task("Once"))
    again = world.journey(task("Again"), wait(1), again=5)
    (ann,) = world.customers(1)
    for journey in (once, again, once, again):
        world.enter(journey, [ann])
    world.go(again, later(2))
    world.enter(again, [ann])
    assert world.tasks() == ["Once", "Again"]
    with world.door() as door:
        door.session.execute(sa.update(MEMBERS).values(ended_at=later(-6)))
        door.delete("customer", ann)
    world.enter(again, [ann])
    assert len(world.members()) == 2
    with world.door() as door:
        door.restore("customer", ann)
    world.enter(again, [ann])
    assert [one.round for one in world.members()] == [1, 1, 2] and world.tasks() == ["Once", "Again", "Again"]


def test_shares_of_a_random_split_are_kept_and_tasks_are_shared_out(world: World) -> None:
    ways = [
        branch("A", task("A", to="role:administrator"), share=20),
        branch("B", {"kind": "process", "process": "nothing"}, share=80),
    ]
    plan = {"kind": "random", "branches": ways}
    with world.door() as door:
        made = door.create("journey", {"name": "Wrong", "plan": {**OPEN, "steps": [plan]}}).id
        with pytest.raises(RecordInvalid) as refused:
            running.publish(door, made)
    assert list(refused.value.errors) == ["0.1.0:process"]
    other = add_user(world.installation, world.workspace, "two@acme.test", "Two", ["administrator"])
    ways[1] = branch("B", share=80)
    journey = world.journey(plan)
    world.enter(journey, world.customers(1_000))
    with world.workspace.read() as session:
        taken = steps_of(session, SYSTEM, version_id(world, journey))["0"].ways
        owners = Counter(session.scalars(sa.text("SELECT owner_id FROM activity")))
    assert sum(taken.values()) == 1_000 and 160 <= taken["0"] <= 240
    assert set(owners) == {world.owner, other} and abs(owners[other] - owners[world.owner]) < 60


def version_id(world: World, journey: int) -> int:
    with world.workspace.read() as session:
        found = session.scalar(sa.text("SELECT published_id FROM journey WHERE id = :id"), {"id": journey})
    return int(found or 0)


def test_waits_and_tasks_keep_the_hour_of_the_workspace_when_the_clocks_change(world: World) -> None:
    prague = ZoneInfo("Europe/Prague")
    with world.workspace.write() as session:
        world.workspace.save_settings(session, {"timezone": "Europe/Prague"})
    journey = world.journey(wait(1), {**wait(2), "at": "10:00"}, task("Call", days=210))
    (ann,) = world.customers(1)
    came = datetime(2036, 3, 29, 12, tzinfo=prague).astimezone(
        UTC
    )  # the night after, clocks go on by an hour
    with world.workspace.write() as session:
        edition = world.workspace.edition(session)
        course = course_of(session, edition, journey, held=True)
        assert course is not None and enter(session, edition, course, [ann], came) == 1
    due = []
    for _step in range(3):
        world.go(journey, due[-1] if due else came)
        due += [one.due_at for one in world.members() if one.due_at is not None]
    assert [one.astimezone(prague).isoformat() for one in due] == [
        "2036-03-30T12:00:00+02:00",
        "2036-04-02T10:00:00+02:00",
    ]
    with world.door() as door:
        (call,) = door.list("activity", rule={"field": "subject", "op": "eq", "value": "Call"}).items
    assert call.values["due_at"].astimezone(prague).isoformat() == "2036-10-29T10:00:00+01:00"


def test_quiet_hours_put_messages_off_to_their_end(world: World) -> None:
    journey = world.journey(world.mail, quiet_from="21:00", quiet_to="09:00", quiet_days=[5, 6])
    (ann,), (far,) = world.customers(1), world.customers(1, time_zone="America/New_York")
    friday = datetime(2036, 1, 4, 22, 30, tzinfo=UTC)
    with world.workspace.write() as session:
        edition = world.workspace.edition(session)
        course = course_of(session, edition, journey, held=True)
        assert course is not None and enter(session, edition, course, [ann, far], friday) == 2
        assert advance(session, edition, journey, friday)[0] == 2
    member, gone = world.members()
    assert gone.state == "done"  # it is half past five in the afternoon there
    assert [one.customer_id for one in world.rows(MESSAGES)] == [far]
    assert (member.step, member.due_at) == ("0", datetime(2036, 1, 7, 9, tzinfo=UTC))
    assert world.go(journey, friday + DAY) == 0 and world.go(journey, member.due_at) == 1
    assert [one.customer_id for one in world.rows(MESSAGES)] == [far, ann]


def test_a_mail_that_is_late_does_not_leave_in_quiet_hours(
    world: World, post_office: tuple[str, Box]
) -> None:
    now, hour = datetime.now(UTC), timedelta(hours=1)
    quiet = {"quiet_from": f"{now - hour:%H:%M}", "quiet_to": f"{now + 2 * hour:%H:%M}"}
    journey = world.journey(world.mail, **quiet)
    (ann,) = world.customers(1)
    world.enter(journey, [ann])
    assert (
        world.go(journey, now + 3 * hour) == 1
    )  # the step is done when it may be, its mail is sent an hour too soon
    assert [one.state for one in world.rows(MESSAGES)] == ["waiting"] and received(post_office[1]) == []
    with world.workspace.read() as session:
        mails = sa.select(Job.due_at).where(Job.kind == "journey_mail", Job.finished_at.is_(None))
        (due,) = session.scalars(mails)
    assert now + hour < due < now + 3 * hour


KILLED = """
import dataclasses
from datetime import timedelta
from trellis.crm.marketing.journeys import mailing, moving, running
from trellis.job_kinds import JOB_KINDS
from trellis.jobs import Runner, queue
from trellis.jobs.work import Work
from trellis.crm.marketing.journeys.riders import Batch

sending = {"smtp_url": sys.argv[3], "mail_from": "crm@acme.test", "url": "https://crm.acme.test"}
installation.config = dataclasses.replace(installation.config, **sending)
queue.LEASE = timedelta(0)
moving.AT_ONCE = 2

def dies_at(owner, name, number, after=False):
    real, calls = getattr(owner, name), [0]
    def counted(*a, **k):
        calls[0] += 1
        if calls[0] == number and not after:
            die()
        result = real(*a, **k)
        if calls[0] == number:
            die()
        return result
    setattr(owner, name, counted)
"""
BEGIN = """
with workspace.write() as session:
    door = Records(session, workspace.edition(session), SYSTEM)
    people = door.save("customer", [Write(values={"name": f"C{n}", "email": f"c{n}@x.test"}) for n in range(5)])
    letter = {"of_entity": "customer", "name": "Hello", "subject": "Hello {record.name}", "body": "Offer"}
    mail = {"kind": "message", "template": str(door.create("mail_template", letter).id)}
    owner = door.create("user", {"name": "Boss", "email": "boss@acme.test"}).id
    steps = [{"kind": "task", "subject": "Note"}, mail, {"kind": "task", "subject": "After"}]
    plan = {"quiet_from": "", "quiet_to": "", "steps": steps}
    journey = door.create("journey", {"name": "Probe", "plan": plan, "owner": owner}).id
    running.publish(door, journey)
with workspace.write() as session:
    running.bring_in(Records(session, workspace.edition(session), SYSTEM), journey, customers=people)
"""
MOMENTS = (
    "dies_at(Work, 'finish', 1)",  # the entry
    "dies_at(Batch, 'write', 2)",  # within the second two
    "dies_at(moving, 'advance', 2, after=True)",  # before the commit
    "dies_at(mailing, '_post', 2)",  # claimed, and not with the server
    "dies_at(mailing, '_finish', 2)",  # with the server, and nobody has written that down
)


def test_killed_between_commit_and_sending_each_step_happens_once_and_no_mail_twice(
    config: Config, post_office: tuple[str, Box]
) -> None:
    address, box = post_office
    assert run(config, KILLED + BEGIN, address).returncode == 0
    drain = "\nwhile Runner(installation, JOB_KINDS).drain():\n    pass\n"
    for moment in MOMENTS:
        died = run(config, KILLED + moment + drain, address)
        assert died.returncode == -9, (moment, died.stderr)
    ended = run(config, KILLED + drain, address)
    assert ended.returncode == 0, ended.stderr
    installation = reopened(config)
    try:
        with installation.workspace("acme").read() as session:
            done = session.scalars(sa.select(MEMBERS.c.state)).all()
            kinds = Counter(session.scalars(sa.text("SELECT subject FROM activity WHERE deleted_at IS NULL")))
            states = Counter(session.scalars(sa.select(MESSAGES.c.state)))
            left = session.scalar(sa.select(sa.func.count()).where(Job.finished_at.is_(None)))
    finally:
        installation.close()
    sent = Counter(mail["To"] for mail in received(box))
    assert done == ["done"] * 5 and (kinds["Note"], kinds["After"], left) == (5, 5, 0)
    assert max(sent.values()) == 1 and sum(states.values()) == 5
    assert states["unclear"] == 2 and states["sent"] == 3 and 4 <= len(sent) <= 5
    assert sum(number for subject, number in kinds.items() if subject.startswith("Hello")) == 5


def test_a_process_is_started_for_each_and_what_is_refused_is_told(world: World) -> None:
    journey = world.journey(
        task("Nobody", to="person:ghost@acme.test"), {"kind": "change", "field": "email", "value": ""}
    )
    people = world.customers(2)
    world.enter(journey, people)
    assert {one[:2] for one in world.outcomes()} == {("0", "failed"), ("1", "done")}
    assert world.outcomes()[0][2] == "nobody"
    assert world.rows(ProcessInstance.__table__) == []  # type: ignore[arg-type]
