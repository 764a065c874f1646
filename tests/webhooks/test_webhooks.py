"""Webhooks: what is written reaches a real server on the network, signed, in order, and again until it is taken."""

from __future__ import annotations

import dataclasses
import json
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from receiving import Receiver, receiving
from trellis import webhooks
from trellis.backup.copying import copy_workspace
from trellis.config import Config
from trellis.errors import PermissionRefused, RecordInvalid
from trellis.installation import Installation
from trellis.job_kinds import JOB_KINDS
from trellis.jobs import Job, Runner
from trellis.records.door import Records
from trellis.security.actor import SYSTEM, Actor
from trellis.security.identities import add_user
from trellis.webhooks import Webhook, keeping, sending
from trellis.webhooks.sending import NotDelivered, send, signed
from trellis.workspace import Workspace

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as server:
        yield server


@pytest.fixture
def config(config: Config) -> Config:
    return dataclasses.replace(config, webhooks_inside=True)


@pytest.fixture
def administrator(installation: Installation, workspace: Workspace) -> Actor:
    number = add_user(installation, workspace, "admin@acme.test", "Ada", ["administrator"])
    return Actor(user_id=number, name="Ada", administrator=True)


@pytest.fixture
def drain(installation: Installation) -> Callable[[], int]:
    return Runner(installation, JOB_KINDS).drain


def follow(
    installation: Installation, workspace: Workspace, actor: Actor, url: str, *entities: str
) -> tuple[int, str]:
    with workspace.write() as session:
        edition = workspace.edition(session)
        webhook, secret = keeping.add(installation.config, session, edition, actor, url, entities)
        return webhook.id, secret


def create(workspace: Workspace, *names: str, entity: str = "customer") -> None:
    for name in names:
        with workspace.write() as session:
            Records(session, workspace.edition(session), SYSTEM).create(entity, {"name": name})


def kept(workspace: Workspace, number: int) -> Webhook:
    with workspace.read() as session:
        found = session.get_one(Webhook, number)
        session.expunge(found)
        return found


def jobs(workspace: Workspace) -> list[tuple[str, str]]:
    with workspace.read() as session:
        return [(job.state, job.problem) for job in session.scalars(sa.select(Job))]


def make_due(workspace: Workspace) -> None:
    """As if time had gone by."""
    with workspace.write() as session:
        session.execute(sa.update(Job).where(Job.finished_at.is_(None)).values(due_at=LONG_AGO))


def test_a_message_is_signed_as_standard_webhooks_says() -> None:
    """The example of the specification and its libraries (standardwebhooks.com)."""
    headers = signed(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        b'{"test": 2432232314}',
        1614265330,
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_what_is_written_is_told_once_in_order_and_signed(
    installation: Installation,
    workspace: Workspace,
    administrator: Actor,
    receiver: Receiver,
    drain: Callable[[], int],
) -> None:
    create(workspace, "Before")
    number, secret = follow(installation, workspace, administrator, receiver.url, "customer")
    create(workspace, "Anna", "Bert")
    create(workspace, "A product", entity="product")
    drain()
    create(workspace, "Carl")  # wakes the job, which sleeps by now
    drain()
    drain()
    assert receiver.names == ["Anna", "Bert", "Carl"]
    assert all(json.loads(body)["items"] for _headers, body in receiver.got)
    for headers, body in receiver.got:
        at = int(headers["webhook-timestamp"])
        assert (
            headers["webhook-signature"]
            == signed(secret, headers["webhook-id"], body, at)["webhook-signature"]
        )
    assert kept(workspace, number).delivered == 3
    assert jobs(workspace) == [("waiting", "")]


def test_what_is_not_taken_is_sent_again_later_and_nothing_is_lost(
    installation: Installation,
    workspace: Workspace,
    administrator: Actor,
    receiver: Receiver,
    drain: Callable[[], int],
) -> None:
    number, _secret = follow(installation, workspace, administrator, receiver.url)
    receiver.status = 500
    create(workspace, "Anna")
    drain()
    create(workspace, "Bert")  # does not disturb the wait
    assert drain() == 0
    assert jobs(workspace) == [("waiting", "Answered 500 sorry")]
    assert kept(workspace, number).failures == 1
    receiver.status = 200
    make_due(workspace)
    drain()
    assert receiver.names == ["Anna", "Anna", "Bert"]
    assert (kept(workspace, number).failures, kept(workspace, number).problem) == (0, "")


def test_what_fails_for_days_is_paused_and_goes_on_where_it_stopped(
    installation: Installation,
    workspace: Workspace,
    administrator: Actor,
    receiver: Receiver,
    drain: Callable[[], int],
) -> None:
    number, _secret = follow(installation, workspace, administrator, receiver.url)
    receiver.status = 410
    create(workspace, "Anna")
    drain()
    with workspace.write() as session:
        session.get_one(Webhook, number).failing_since = datetime.now(UTC) - timedelta(days=4)
    make_due(workspace)
    drain()
    assert kept(workspace, number).paused and jobs(workspace) == [("done", "")]
    receiver.status = 200
    with workspace.write() as session:
        webhooks.resume(session, administrator, number)
    drain()
    assert receiver.names[-1] == "Anna" and not kept(workspace, number).paused


def test_a_paused_and_a_removed_webhook_tell_nothing(
    installation: Installation,
    workspace: Workspace,
    administrator: Actor,
    receiver: Receiver,
    drain: Callable[[], int],
) -> None:
    number, _secret = follow(installation, workspace, administrator, receiver.url)
    with workspace.write() as session:
        webhooks.pause(session, administrator, number)
    create(workspace, "Anna")
    assert drain() == 0
    with workspace.write() as session:
        webhooks.resume(session, administrator, number)
    drain()
    assert receiver.names == ["Anna"]
    with workspace.write() as session:
        webhooks.remove(session, administrator, number)
    create(workspace, "Bert")
    assert drain() == 0
    with workspace.read() as session:
        assert not workspace.edition(session).followed


@pytest.mark.usefixtures("worker")
def test_a_write_wakes_a_job_that_sleeps(
    installation: Installation, workspace: Workspace, administrator: Actor, receiver: Receiver
) -> None:
    follow(installation, workspace, administrator, receiver.url)
    for name in ("Anna", "Bert"):
        create(workspace, name)
        assert receiver.told.acquire(timeout=30)  # a job sleeps for a minute unless it is woken
    assert receiver.names == ["Anna", "Bert"]


def test_a_copy_of_the_workspace_tells_nobody(
    installation: Installation, workspace: Workspace, administrator: Actor, receiver: Receiver
) -> None:
    number, _secret = follow(installation, workspace, administrator, receiver.url)
    copy_workspace(installation, workspace.name, "copy")
    copy = installation.workspace("copy")
    create(copy, "Anna")
    Runner(installation, JOB_KINDS).drain()
    assert receiver.got == [] and kept(copy, number).paused


@pytest.mark.parametrize(
    "url",
    [
        "example.org/hook",
        "ftp://example.org/",
        "http://example.org/",
        "https://user:secret@example.org/",
        "https://",
        "https://[::1",
    ],
)
def test_an_address_that_cannot_be_sent_to_is_refused_beside_its_field(
    installation: Installation, workspace: Workspace, administrator: Actor, url: str
) -> None:
    outside = dataclasses.replace(installation.config, webhooks_inside=False)
    with workspace.write() as session, pytest.raises(RecordInvalid) as caught:
        keeping.add(outside, session, workspace.edition(session), administrator, url, [])
    assert list(caught.value.errors) == ["url"]


def test_others_than_administrators_keep_no_webhooks(
    installation: Installation, workspace: Workspace, receiver: Receiver
) -> None:
    person = Actor(user_id=1, name="Bert")
    with pytest.raises(PermissionRefused):
        follow(installation, workspace, person, receiver.url)


def test_an_address_that_answers_drop_by_drop_is_not_waited_for(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "SECONDS", 0.5)
    receiver.status = 200
    receiver.hurried.clear()
    with pytest.raises(NotDelivered, match="No answer"):
        send(receiver.url, "whsec_aaaa", "1", b"{}", inside=True)
    receiver.hurried.set()


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "localhost", "[::1]", "10.0.0.8", "169.254.169.254", "0.0.0.0"),
        *("[::ffff:10.0.0.8]", "[64:ff9b::10.0.0.8]", "[2002:a00:8::1]", "[::10.0.0.8]"),
    ],
)
def test_nothing_is_sent_to_the_inside_of_the_network(receiver: Receiver, host: str) -> None:
    port = receiver.server_address[1]
    with pytest.raises(NotDelivered, match="inside the network"):
        send(f"http://{host}:{port}/", "whsec_aaaa", "1", b"{}", inside=False)
    assert receiver.got == []


def test_an_address_that_nobody_answers_at_is_named() -> None:
    # bound and not listening: the number is held, so no other program of the machine can answer at it
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        with pytest.raises(NotDelivered, match="Cannot be reached"):
            send(f"http://127.0.0.1:{held.getsockname()[1]}/", "whsec_aaaa", "1", b"{}", inside=True)
    # a machine without a network may wait for its resolver longer than a webhook may
    with pytest.raises(NotDelivered, match=r"Cannot be reached|No answer"):
        send("https://no-such-host.invalid/", "whsec_aaaa", "1", b"{}", inside=False)
