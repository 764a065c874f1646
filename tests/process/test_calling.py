"""Service tasks that call a webhook: one signed message, sent again until the address takes it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from drawn import line, node
from receiving import Receiver, receiving
from running import LONG_AGO, World
from trellis.config import Config
from trellis.jobs import Job
from trellis.webhooks import keeping


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as server:
        yield server


@pytest.fixture
def config(config: Config) -> Config:
    return dataclasses.replace(config, webhooks_inside=True)


def test_a_step_calls_a_webhook_of_the_settings_until_it_is_taken(world: World, receiver: Receiver) -> None:
    world.user("ada@acme.test", "administrator")
    with world.workspace.write() as session:
        door = world.door(session, "ada@acme.test")
        webhook, _secret = keeping.add(
            world.installation.config, session, door.edition, door.actor, receiver.url, ["order"]
        )
        number = webhook.id
    call = node("serviceTask", "call", call="call_webhook", webhook=str(number), text="{record.name} is here")
    world.bring(told=line(call), lost=line(node("serviceTask", "call", call="call_webhook", webhook="99")))
    receiver.status = 503
    instance = world.start("told", world.customer(name="Ann"))
    world.work()
    receiver.status = 204
    with world.workspace.write() as session:
        session.execute(sa.update(Job).where(Job.kind == "process_call").values(due_at=LONG_AGO))
    world.work()
    calls = [(headers, json.loads(body)) for headers, body in receiver.got]
    assert [body for _headers, body in calls] == [
        {"instance": instance, "element": "call", "entity": "customer", "record_id": 1, "text": "Ann is here"}
    ] * 2
    first, second = (headers["webhook-id"] for headers, _body in calls)
    assert first == second  # by which the address knows that it is the same call
    lost = world.instance(world.start("lost", 1))
    assert (lost.state, lost.stuck) == ("failed", "call") and "no webhook 99" in lost.problem
