"""Conversations by scripts: led by people with their own rights, kept with their paths, and counted."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from samples import registry
from talking import OFFER, probe
from trellis.config import Config
from trellis.enabling import enable
from trellis.errors import Conflict, EditionInvalid, PermissionRefused, RecordInvalid, RecordNotFound
from trellis.i18n import Text
from trellis.installation import Installation
from trellis.privacy import erasing, gathering
from trellis.quality.merging import merge
from trellis.records import related
from trellis.records.door import Records
from trellis.scripts import own
from trellis.scripts.running import Conversations
from trellis.scripts.speaking import spoken
from trellis.scripts.statistics import Statistics
from trellis.scripts.tables import RUN, SCRIPT, ScriptPassage
from trellis.security.actor import SYSTEM
from trellis.security.identities import add_user
from trellis.security.recognition import by_email
from trellis.security.roles import save_role
from trellis.testing.templates import Prepare
from trellis.workspace import Workspace

PEOPLE = {"boss": "administrator", "ann": "agent", "eve": "reader", "tom": "own.narrow"}
LONG_AGO = (datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 2, 1, tzinfo=UTC))


def furnish(config: Config) -> None:
    """The sample script, and people who lead conversations or may not."""
    installation = Installation(config, registry(probe(OFFER)))
    workspace = installation.workspace("acme")
    enable(workspace, "probe")
    with workspace.write() as session:
        narrow = {"customer": {"read": "all", "update": "own", "fields": {"city": "none"}}}
        save_role(session, "own.narrow", "Narrow", narrow | {"user": {"read": "all"}})
    for email, role in PEOPLE.items():
        add_user(installation, workspace, f"{email}@acme.test", email.title(), [role])
    installation.close()


class Desk:
    """A workspace with the sample script, and the doors of its people."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    @contextmanager
    def of(self, name: str) -> Iterator[tuple[Records, Conversations]]:
        with self.workspace.write() as session:
            known = by_email(self.workspace, session, f"{name}@acme.test", "rest")
            assert known is not None
            records = Records(session, known.edition, known.actor)
            yield records, Conversations(records)

    def customer(self, owner: str, **values: Any) -> int:
        with self.of(owner) as (records, _talks):
            mine = records.actor.user_id
        with self.workspace.write() as session:
            door = Records(session, self.workspace.edition(session), SYSTEM)
            return door.create("customer", {"name": "Vera", "owner": mine, **values}).id

    def start(self, name: str, customer: int) -> int:
        with self.of(name) as (_records, talks):
            return talks.start("probe.offer", "customer", customer).id


@pytest.fixture
def prepare() -> Prepare | None:
    return furnish


@pytest.fixture
def desk(open_installation: Callable[..., Installation]) -> Desk:
    return Desk(open_installation(plugins=registry(probe(OFFER))).workspace("acme"))


def test_answers_lead_through_a_script_fill_fields_and_are_kept_on_the_timeline(desk: Desk) -> None:
    vera = desk.customer("ann")
    run = desk.start("ann", vera)
    with desk.of("ann") as (records, talks):
        record = records.get("customer", vera)
        assert [one.name for one in talks.offered(record)] == ["probe.offer"]
        at = talks.get(run).at
        assert at is not None
        assert spoken(str(at.say), records, "customer", vera) == "Good day, Vera. A minute?"
        assert spoken("{record.city} {", records, "customer", vera) == "… {"
        assert spoken("{record.city}, {record.nothing}", records, "customer", vera) == "…, …"
        talks.object(run, "greet", "who")
        assert talks.answer(run, "greet", "yes").left() == 2
        assert records.get("customer", vera).values["consent_mail"] == "unknown"
        talks.answer(run, "mail", "may")
        assert records.get("customer", vera).values["consent_mail"] == "granted"
        for wrong in (None, "  "):
            with pytest.raises(RecordInvalid) as refused:
                talks.answer(run, "town", "town", wrong)
            assert list(refused.value.errors) == ["city"]
        with pytest.raises(Conflict):
            talks.answer(run, "mail", "may")
        with pytest.raises(RecordInvalid):
            talks.answer(run, "town", "nowhere")
        with pytest.raises(RecordInvalid):
            talks.object(run, "town", "spam")
        done = talks.answer(run, "town", "town", "Brno")
        assert (done.state, done.at, done.ending, done.left()) == ("done", None, "agreed", 0)
        kept = records.get(RUN, run)
        told = {
            name: kept.values[name] for name in ("title", "outcome", "result", "path", "customer", "number")
        }
        assert told == {
            "title": "An offer",
            "outcome": "Takes it",
            "result": "good",
            "path": "A minute → You may → Tells it",
            "customer": vera,
            "number": 1,
        }
        line = related.timeline(records.session, records.edition, records.actor, "customer", vera)
        assert [one.record.id for one in line if one.kind == RUN and one.record] == [run]
        assert records.get("customer", vera).values["city"] == "Brno"


def test_one_goes_back_breaks_off_and_goes_on(desk: Desk) -> None:
    vera = desk.customer("ann", city="Wien")
    run = desk.start("ann", vera)
    with desk.of("ann") as (records, talks):
        with pytest.raises(Conflict):
            talks.back(run)
        talks.answer(run, "greet", "yes")
        talks.answer(run, "mail", "may")
        done = talks.answer(run, "town", "town", "Brno")
        assert talks.back(run).at == done.step("town")  # an outcome that was not meant
        assert records.get("customer", vera).values["city"] == "Wien"
        records.update("customer", vera, {"consent_mail": "refused"})  # changed since: it is left as it is
        assert talks.back(run).at == done.step("mail")
        assert records.get("customer", vera).values["consent_mail"] == "refused"
        assert records.get(RUN, run).values["path"] == "A minute"
        assert talks.stop(run).state == "stopped"
        for act in (talks.stop, talks.back, lambda one: talks.answer(one, "mail", "may")):
            with pytest.raises(Conflict):
                act(run)
        found = talks.beside(records.get("customer", vera))
        assert (found.id, found.state) == (run, "stopped") if found else None
        assert talks.resume(run).at == done.step("mail")
        with pytest.raises(Conflict):
            talks.resume(run)
        assert talks.start("probe.offer", "customer", vera).id > run
        assert [talks.resume(run).state, talks.get(run + 1).state] == ["running", "stopped"]
    another = desk.start("ann", vera)
    with desk.of("ann") as (records, talks):
        assert talks.get(run).state == "stopped"
        found = talks.beside(records.get("customer", vera))
        assert found is not None
        assert found.id == another


def test_who_may_not_change_a_record_leads_no_conversation_beside_it(desk: Desk) -> None:
    vera, other = desk.customer("ann"), desk.customer("boss")
    run = desk.start("ann", vera)
    with desk.of("eve") as (records, talks):
        assert talks.offered(records.get("customer", vera)) == []
        assert talks.get(run).at is not None
        for act in (
            lambda: talks.start("probe.offer", "customer", vera),
            lambda: talks.answer(run, "greet", "yes"),
            lambda: talks.stop(run),
            lambda: records.create(RUN, {}),
        ):
            with pytest.raises(PermissionRefused):
                act()
        with pytest.raises(RecordNotFound):
            talks.start("probe.offer", "customer", 987654)
    with desk.of("tom") as (_records, talks), pytest.raises(RecordNotFound):  # who may read no conversations
        talks.get(run)
    with desk.of("boss") as (records, talks):
        for name, entity in (("probe.none", "customer"), ("probe.offer", "case")):
            number = other if entity == "customer" else records.create("case", {"subject": "A"}).id
            with pytest.raises(RecordInvalid):
                talks.start(name, entity, number)
    mine = desk.customer("tom")
    run = desk.start("tom", mine)
    with desk.of("tom") as (records, talks):  # the town is withheld from this role
        step = talks.get(run).step("town")
        assert spoken("It was {record.city}.", records, "customer", mine) == "It was …."
        talks.answer(run, "greet", "yes")
        talks.answer(run, "mail", "may")
        with pytest.raises(RecordInvalid) as refused:
            talks.answer(run, "town", "town", "Brno")
        assert list(refused.value.errors) == ["city"]
        assert talks.get(run).at == step


def test_beside_another_record_a_field_that_it_lacks_is_a_remark(desk: Desk) -> None:
    vera = desk.customer("ann")
    with desk.of("ann") as (records, talks):
        deal = records.create("opportunity", {"name": "Roof", "customer": vera}).id
        run = talks.start("probe.offer", "opportunity", deal).id
        talks.answer(run, "greet", "yes")
        talks.answer(run, "mail", "may")
        talks.answer(run, "town", "town", "Brno")
        kept = records.get(RUN, run).values
        assert (kept["opportunity"], kept["customer"], records.get("customer", vera).values["city"]) == (
            deal,
            vera,
            None,
        )
        assert [one.remark for one in talks.passages(run)] == ["", "granted", "Brno"]


def test_a_run_ends_on_its_version_and_is_counted_under_it(desk: Desk) -> None:
    vera = desk.customer("ann")
    with desk.of("boss") as (records, _talks):
        made = own.copy(records, "probe.offer")
        assert (made.values["name"], made.values["replaces"]) == ("An offer", "probe.offer")
        assert own.publish(records, made.id).values["published"] == 1
    mine = own.name_of(made.id)
    with desk.of("ann") as (records, talks):
        assert [one.name for one in talks.offered(records.get("customer", vera))] == [mine]
        first = talks.start(mine, "customer", vera).id
        talks.answer(first, "greet", "yes")
        with pytest.raises(RecordNotFound):
            records.update(SCRIPT, made.id, {"name": "Mine"})
    with desk.of("boss") as (records, _talks):
        draft = records.get(SCRIPT, made.id).values["draft"]
        broken = {**draft, "steps": [*draft["steps"], {"key": "lost", "say": "?", "answers": []}]}
        records.update(SCRIPT, made.id, {"draft": broken})
        with pytest.raises(RecordInvalid) as refused:
            own.publish(records, made.id)
        assert [str(one).partition(":")[0] for one in refused.value.errors["draft"]] == ["lost", "lost"]
        short = {
            **draft,
            "steps": [{**draft["steps"][0], "answers": [{**draft["steps"][0]["answers"][1], "asks": ""}]}],
        }
        records.update(SCRIPT, made.id, {"draft": short})
        assert own.publish(records, made.id).values["published"] == 2
    with desk.of("ann") as (records, talks):
        second = talks.start(mine, "customer", vera).id
        talks.answer(second, "greet", "no")
        talks.resume(first)
        talks.answer(first, "mail", "may")
        talks.answer(first, "town", "town", "Brno")
        counted = Statistics(records, mine)
        told = [(one.number, one.runs, dict(one.results)) for one in counted.versions()]
        assert told == [(2, 1, {"bad": 1}), (1, 1, {"good": 1})]
        assert counted.of_version(1).steps.keys() == {"greet", "mail", "town"}
        assert counted.of_version(2).steps.keys() == {"greet"}
        assert (counted.of_version(1).good, counted.of_version(2).good) == (1.0, 0.0)
    with desk.of("boss") as (records, _talks):
        own.withdraw(records, made.id)
    with desk.of("ann") as (records, talks):
        assert [one.name for one in talks.offered(records.get("customer", vera))] == ["probe.offer"]
        assert talks.get(second).state == "done"  # what was said stays readable


def test_each_branch_is_counted_once_for_a_conversation(desk: Desk) -> None:
    vera = desk.customer("ann")
    with desk.of("ann") as (records, talks):
        for way in (("no",), ("yes", "again", "yes", "may", "town"), ("yes",), ("yes", "again")):
            run = talks.start("probe.offer", "customer", vera).id
            for choice in way:
                at = talks.get(run).at
                assert at is not None
                talks.answer(run, at.key, choice, "Brno" if choice in ("town", "no") else None)
        talks.object(run, "greet", "who")
        talks.object(run, "greet", "who")
        talks.back(run)
        found = Statistics(records, "probe.offer").of_version(1)
        assert (found.runs, found.done, found.going_on, found.broke_off, found.good) == (4, 2, 1, 1, 0.5)
        greet, mail, town = (found.steps[key] for key in ("greet", "mail", "town"))
        assert (greet.came, mail.came, town.came) == (4, 3, 1)
        assert (mail.here, mail.broke_off, greet.here) == (1, 1, 0)
        assert {key: one.runs for key, one in greet.answers.items()} == {"yes": 3, "no": 1}
        assert greet.answers["yes"].endings == {"agreed": 1}
        assert mail.answers["again"].runs == 1
        assert greet.objections == {}  # taken back with the answer before them
        assert Statistics(records, "probe.offer", LONG_AGO).versions()[0].runs == 0


def test_a_person_takes_their_conversations_along(desk: Desk) -> None:
    vera, twin = desk.customer("ann"), desk.customer("ann", email="vera@acme.test")
    run = desk.start("ann", vera)
    with desk.of("ann") as (_records, talks):
        talks.answer(run, "greet", "no", "Has a flu")
    with desk.of("boss") as (records, talks):
        merge(records, "customer", twin, vera)
        assert talks.get(run).record.id == twin
        told = gathering.everything(records, "customer", twin)["conversations"]
        assert [one["remark"] for one in told] == ["Has a flu"]
        erasing.erase(records, "customer", twin, "Vera")
        assert records.session.scalars(sa.select(ScriptPassage.remark)).all() == [""]


def test_a_script_that_cannot_be_run_is_left_out_and_told(
    open_installation: Callable[..., Installation],
) -> None:
    greet, mail, town = OFFER.steps
    yes, no = greet.answers
    replace = dataclasses.replace

    def with_answer(**changes: Any) -> Any:
        return replace(OFFER, steps=(replace(greet, answers=(replace(yes, **changes), no)), mail, town))

    wrong = {
        "is there more than once": replace(OFFER, steps=(*OFFER.steps, town)),
        "No answer leads to this step": replace(OFFER, steps=(greet, mail, town, replace(mail, key="dead"))),
        "There is no step": with_answer(to="nowhere"),
        "There is no outcome": with_answer(to="", outcome="nothing"),
        "one of the two": with_answer(outcome="agreed"),
        "There is no field": with_answer(fills="shoe_size"),
        "is kept by Trellis": with_answer(fills="orders_count", value=1),
        "is not one of": with_answer(fills="consent_mail", value="maybe"),
        "has no field": replace(OFFER, steps=(replace(greet, say=Text("{record.shoe}")), mail, town)),
        "There is no entity": replace(OFFER, entities=("planet",)),
        "no way from here": replace(
            OFFER,
            steps=(
                replace(greet, answers=(yes, no)),
                replace(mail, answers=(replace(mail.answers[0], to="mail", fills="", value=None),)),
            ),
        ),
        "It has no answers": replace(OFFER, steps=(greet, replace(mail, answers=()), town)),
        "It has no steps": replace(OFFER, steps=()),
    }
    bad = [replace(one, name=f"probe.bad{number}") for number, one in enumerate(wrong.values())]
    workspace = open_installation(plugins=registry(probe(OFFER, *bad))).workspace("acme")
    with pytest.raises(EditionInvalid) as refused:
        enable(workspace, "probe")
    told = str(refused.value).split("; Plugin")
    assert len(told) == len(bad)
    for message, words in zip(told, wrong, strict=True):
        assert words in message, (words, message)
