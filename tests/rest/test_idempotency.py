"""A POST that is sent again with its Idempotency-Key does nothing twice."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from callers import Client, open_client
from flask import Flask
from trellis.installation import Installation
from trellis.system import IdempotentCall
from trellis.workspace import Workspace


def keyed(client: Client, key: str, name: str = "Anna") -> tuple[int, str]:
    response = client.post("/customer", {"name": name}, headers={"Idempotency-Key": key})
    return response.status_code, response.text


def total(client: Client) -> int:
    return int(client.get("/customer?count=true").json["total"])


def test_the_second_call_gets_the_first_answer(client: Client) -> None:
    first = client.post("/customer", {"name": "Anna"}, headers={"Idempotency-Key": "k"})
    client.patch("/customer/1", {"name": "Later"})
    again = client.post("/customer", {"name": "Anna"}, headers={"Idempotency-Key": "k"})
    assert (again.status_code, again.json) == (201, first.json)
    assert [again.headers[name] for name in ("ETag", "Location")] == [
        first.headers["ETag"],
        first.headers["Location"],
    ]
    assert (first.headers.get("Idempotency-Replayed"), again.headers["Idempotency-Replayed"]) == (
        None,
        "true",
    )
    assert total(client) == 1


def test_a_key_belongs_to_one_request_of_one_user(
    client: Client, app: Flask, installation: Installation, workspace: Workspace
) -> None:
    assert keyed(client, "k")[0] == 201
    assert keyed(client, "k", "Boris")[0] == 422
    other = client.post("/product", {"name": "Anna"}, headers={"Idempotency-Key": "k"})
    assert (other.status_code, other.json["code"]) == (422, "idempotency_key_reused")
    second = open_client(app, installation, workspace, "second@acme.test", ["administrator"])
    assert keyed(second, "k")[0] == 201
    assert total(client) == 2


def test_a_call_that_failed_may_be_repeated(client: Client) -> None:
    assert keyed(client, "k", "")[0] == 422
    assert keyed(client, "k", "")[0] == 422
    assert keyed(client, "k", "Anna")[0] == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "\x7f"])
def test_an_impossible_key_is_refused(client: Client, key: str) -> None:
    assert keyed(client, key)[0] == 400


def test_batches_and_moves_honour_the_key(client: Client) -> None:
    for _again in range(2):
        headers = {"Idempotency-Key": "batch"}
        assert (
            client.post("/customer:batch", [{"name": "A"}, {"name": "B"}], headers=headers).status_code == 200
        )
    assert total(client) == 2
    path = f"/opportunity/{client.create('opportunity', name='Deal')}"
    versions = [
        client.post(f"{path}:move", {"stage": "won"}, headers={"Idempotency-Key": "m"}).json["version"]
        for _again in range(2)
    ]
    assert versions == [2, 2]


def test_two_calls_at_once_write_one_record(client: Client) -> None:
    start = threading.Barrier(4)
    found: list[tuple[int, str]] = []

    def call() -> None:
        mine = Client(client.http.application.test_client(), client.base, client.token, client.user_id)
        start.wait()
        found.append(keyed(mine, "k"))

    threads = [threading.Thread(target=call) for _index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ({status for status, _text in found}, len({text for _status, text in found})) == ({201}, 1)
    assert total(client) == 1


def test_keys_are_forgotten_after_a_day(client: Client, workspace: Workspace) -> None:
    keyed(client, "k")
    with workspace.write() as session:
        session.execute(sa.update(IdempotentCall).values(at=datetime.now(UTC) - timedelta(days=2)))
    assert keyed(client, "k", "Boris")[0] == 201
    assert total(client) == 2
