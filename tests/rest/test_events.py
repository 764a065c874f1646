"""The change feed: complete, in order, within the reader's rights."""

from __future__ import annotations

from typing import Any

import pytest
from callers import Client, open_client
from flask import Flask
from trellis.edition import Settings
from trellis.installation import Installation
from trellis.records.door import Records
from trellis.security.actor import SYSTEM
from trellis.workspace import Workspace


def feed(client: Client, after: Any = 0, **more: Any) -> tuple[list[tuple[str, str, int]], str]:
    response = client.get("/events", query_string={"after": after, **more})
    assert response.status_code == 200, response.text
    items = [(item["entity"], item["action"], item["record_id"]) for item in response.json["items"]]
    return items, response.json["next"]


def test_every_write_is_there_once_and_in_order(client: Client) -> None:
    _start, last = feed(client, limit=500)
    record_id = client.create("customer", name="Anna")
    client.patch(f"/customer/{record_id}", {"name": "Anne"})
    client.delete(f"/customer/{record_id}")
    client.post(f"/customer/{record_id}:restore")
    seen: list[tuple[str, str, int]] = []
    for _page in range(5):
        items, last = feed(client, last, limit=1)
        seen += items
    assert [action for _entity, action, _id in seen] == ["created", "updated", "deleted", "restored"]
    assert feed(client, last) == ([], last)


def test_an_event_says_what_changed(client: Client) -> None:
    client.create("customer", name="Anna")
    client.patch("/customer/1", {"name": "Anne", "city": "Riga"})
    changed = client.get("/events?entity=customer").json["items"][-1]
    assert changed["changes"] == {"name": ["Anna", "Anne"], "city": [None, "Riga"]}
    assert changed["at"].endswith("Z")


def test_what_commits_late_is_not_lost(client: Client, workspace: Workspace, database: str) -> None:
    if database == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    _start, last = feed(client)
    with workspace.write() as slow:
        Records(slow, workspace.edition(slow), SYSTEM).create("customer", {"name": "Slow"})
        client.create("product", name="Fast")
        early, reached = feed(client, last)
    late, _end = feed(client, reached)
    assert sorted(entity for entity, _action, _id in early + late) == ["customer", "product"]


def test_what_others_write_elsewhere_holds_nothing_up(
    client: Client, installation: Installation, database: str
) -> None:
    other = installation.create_workspace("other", Settings())
    with other.write() as slow:
        Records(slow, other.edition(slow), SYSTEM).create("customer", {"name": "Slow"})
        client.create("customer", name="Fast")
        assert [entity for entity, _action, _id in feed(client)[0]][-1] == "customer"


def test_a_reader_sees_events_of_records_within_reach(
    client: Client, app: Flask, installation: Installation, workspace: Workspace
) -> None:
    agent = open_client(app, installation, workspace, "agent@acme.test", ["agent"])
    hidden = client.create("customer", name="Hidden")
    own = agent.create("customer", name="Own")
    product = client.create("product", name="Tea")
    assert feed(agent, entity="customer")[0] == [("customer", "created", own)]
    assert ("product", "created", product) in feed(agent)[0]
    assert ("customer", "created", hidden) in feed(client)[0]
