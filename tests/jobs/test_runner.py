"""Background jobs: done once, tried again, stopped, and taken over from the dead."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from trellis.crm.customers.entities import Customer
from trellis.errors import Conflict, RecordNotFound
from trellis.i18n import Text, current_language, use_locale
from trellis.installation import Installation
from trellis.jobs import (
    Job,
    JobInterrupted,
    JobKind,
    Kinds,
    Runner,
    Work,
    ask_to_stop,
    enqueue,
    queue,
    retry,
    runner,
)
from trellis.records.door import Records
from trellis.security.actor import SYSTEM, Actor
from trellis.security.identities import add_user
from trellis.workspace import Workspace

Do = Callable[[Work], None]
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def put(
    workspace: Workspace, *, user: int | None = None, at: datetime | None = None, **arguments: Any
) -> int:
    with workspace.write() as session:
        return enqueue(session, "probe", arguments, user, at)


def drained(installation: Installation, do: Do) -> int:
    return Runner(installation, probes(do)).drain()


def probes(do: Do) -> Kinds:
    return {"probe": JobKind(Text("Probe"), do)}


def job(workspace: Workspace, number: int) -> Job:
    with workspace.read() as session:
        found = session.get_one(Job, number)
        session.expunge(found)
        return found


def due_now(workspace: Workspace) -> None:
    """As if time had gone by."""
    with workspace.write() as session:
        session.execute(sa.update(Job).where(Job.finished_at.is_(None)).values(due_at=LONG_AGO))


def test_a_job_is_done_once_in_the_order_of_the_queue(
    installation: Installation, workspace: Workspace
) -> None:
    done: list[str] = []
    numbers = [put(workspace, name=name) for name in "abc"]
    later = put(workspace, name="later", at=datetime.now(UTC) + timedelta(hours=1))
    assert drained(installation, lambda work: done.append(work.arguments["name"])) == 3
    assert done == ["a", "b", "c"]
    assert drained(installation, lambda work: done.append("again")) == 0
    assert {job(workspace, one).state for one in numbers} == {"done"}
    assert job(workspace, later).state == "waiting"


def test_a_job_is_there_only_when_its_cause_is(installation: Installation, workspace: Workspace) -> None:
    with pytest.raises(RuntimeError), workspace.write() as session:
        enqueue(session, "probe", {}, None)
        raise RuntimeError
    assert drained(installation, lambda work: None) == 0


def test_effect_and_end_are_one_transaction(installation: Installation, workspace: Workspace) -> None:
    def half(work: Work) -> None:
        with work.workspace.write() as session:
            Records(session, work.workspace.edition(session), SYSTEM).create("customer", {"name": "Anna"})
            work.finish(session, {"created": 1})
            raise RuntimeError("before the commit")

    def whole(work: Work) -> None:
        with work.workspace.write() as session:
            Records(session, work.workspace.edition(session), SYSTEM).create("customer", {"name": "Anna"})
            work.finish(session, {"created": 1})

    number = put(workspace)
    drained(installation, half)
    assert (job(workspace, number).state, job(workspace, number).errors) == ("waiting", 1)
    due_now(workspace)
    drained(installation, whole)
    found = job(workspace, number)
    assert (found.state, found.result, found.problem) == ("done", {"created": 1}, "")
    with workspace.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Customer)) == 1


def test_an_unexpected_error_is_tried_again_ever_later_and_then_given_up(
    installation: Installation, workspace: Workspace
) -> None:
    def broken(work: Work) -> None:
        raise ZeroDivisionError("secret detail")

    number, pauses = put(workspace), []
    for _attempt in range(queue.MOST_ERRORS):
        before = datetime.now(UTC)
        assert drained(installation, broken) == 1
        pauses.append((job(workspace, number).due_at - before).total_seconds())
        due_now(workspace)
    found = job(workspace, number)
    assert (found.state, found.attempt) == ("failed", 5)
    assert [round(pause, -1) for pause in pauses[:4]] == [10, 40, 160, 640]
    assert "ZeroDivisionError" in found.problem and "secret" not in found.problem
    with workspace.write() as session:
        retry(session, SYSTEM, number)
    assert drained(installation, lambda work: None) == 1
    assert job(workspace, number).state == "done"


def test_a_refusal_is_not_tried_again(installation: Installation, workspace: Workspace) -> None:
    def refuse(work: Work) -> None:
        raise Conflict("not today")

    number = put(workspace)
    assert (drained(installation, refuse), drained(installation, refuse)) == (1, 0)
    assert (job(workspace, number).state, job(workspace, number).problem) == ("failed", "not today")


def test_a_job_of_unknown_kind_or_of_somebody_who_left_fails_and_says_why(
    installation: Installation, workspace: Workspace
) -> None:
    with workspace.write() as session:
        number = enqueue(session, "nothing", {}, None)
    gone = put(workspace, user=77)
    drained(installation, lambda work: None)
    assert "nothing" in job(workspace, number).problem
    assert "no longer here" in job(workspace, gone).problem


def test_a_job_acts_for_the_one_who_asked(installation: Installation, workspace: Workspace) -> None:
    user = add_user(installation, workspace, "reader@acme.test", "Reader", ["reader"])
    actors: list[Actor] = []
    spoken: list[tuple[str, object]] = []
    put(workspace, user=user)
    drained(installation, lambda work: actors.append(work.actor))
    assert (actors[0].user_id, actors[0].name, actors[0].administrator) == (user, "Reader", False)
    with use_locale("ru"):
        put(workspace, user=user, n=1)
    drained(installation, lambda work: spoken.append((current_language(), work.arguments)))
    assert spoken == [("ru", {"n": 1})]  # what comes of it is read by the one who asked


def test_whoever_lost_the_lease_can_change_nothing(installation: Installation, workspace: Workspace) -> None:
    number, interrupted = put(workspace), []

    def slow(work: Work) -> None:
        due_now(workspace)  # it took longer than its lease
        drained(installation, lambda other: None)
        with pytest.raises(JobInterrupted) as caught:
            work.tell(5, 10)
        with pytest.raises(JobInterrupted), workspace.write() as session:
            work.finish(session, {"mine": True})
        interrupted.append(caught.value.stopped)

    drained(installation, slow)
    assert interrupted == [False]
    found = job(workspace, number)
    assert (found.state, found.done, found.result, found.attempt) == ("done", 0, {}, 2)


def test_a_lease_is_renewed_while_the_job_runs(
    installation: Installation, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    monkeypatch.setattr(queue, "RENEWED_EVERY", timedelta(0))
    monkeypatch.setattr(runner, "TICK", 0.02)
    number, go = put(workspace), threading.Event()
    working = Runner(installation, probes(lambda work: (go.wait(20), None)[1]))
    thread = working.start()
    try:
        started = _until(lambda: job(workspace, number), lambda found: found.state == "running")
        _until(lambda: job(workspace, number), lambda found: found.due_at > started.due_at)
    finally:
        go.set()
        working.stop()
        thread.join()
    assert job(workspace, number).state == "done"


def test_a_running_worker_hears_of_jobs_at_once(
    installation: Installation, workspace: Workspace, open_installation: Callable[..., Installation]
) -> None:
    done: list[datetime] = []
    working = Runner(open_installation(), probes(lambda work: done.append(datetime.now(UTC))))
    thread = working.start()
    try:
        for number in (1, 2):
            asked = datetime.now(UTC)
            put(workspace)
            _until(lambda: done, lambda found, number=number: len(found) == number)
            assert done[-1] - asked < timedelta(
                seconds=10
            )  # far from the minute after which all are looked at
        soon = datetime.now(UTC) + timedelta(seconds=0.3)
        put(workspace, at=soon)
        _until(lambda: done, lambda found: len(found) == 3)
        assert done[-1] >= soon
    finally:
        working.stop()
        thread.join()


def test_jobs_that_are_due_at_once_are_done_one_after_the_other_without_another_look(
    installation: Installation, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "AT_A_STRETCH", 60.0)
    done: list[int] = []
    jobs = [put(workspace) for _number in range(5)]
    working = Runner(installation, probes(lambda work: done.append(work.job_id)))
    working._look_at({workspace.name})
    working._round()
    working._pool.shutdown(wait=True)
    assert done == jobs


def test_stopping_and_retrying_are_for_the_owner_and_administrators(
    installation: Installation, workspace: Workspace
) -> None:
    user = add_user(installation, workspace, "agent@acme.test", "Agent", ["agent"])
    mine, other = Actor(user_id=user), Actor(user_id=user + 1)
    number = put(workspace, user=user)
    with workspace.write() as session, pytest.raises(RecordNotFound):
        ask_to_stop(session, other, number)
    with workspace.write() as session:
        ask_to_stop(session, mine, number)
        assert [len(queue.latest(session, who, 10)) for who in (mine, other, SYSTEM)] == [1, 0, 1]
    assert drained(installation, lambda work: None) == 0
    with workspace.write() as session, pytest.raises(Conflict):
        ask_to_stop(session, mine, number)


def test_a_queue_that_nobody_works_is_told(installation: Installation, workspace: Workspace) -> None:
    put(workspace)
    assert runner.late(installation) == {}
    due_now(workspace)
    assert runner.late(installation) == {"acme": 1}


def _until(read: Callable[[], Any], holds: Callable[[Any], bool]) -> Any:
    import time

    end = time.monotonic() + 20
    while not holds(found := read()):
        assert time.monotonic() < end, found
        time.sleep(0.01)
    return found
