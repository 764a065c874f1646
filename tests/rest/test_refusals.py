"""Bad input of every kind: a problem that says what is wrong, never a 500."""

from __future__ import annotations

import json
from typing import Any

import pytest
from callers import Client
from werkzeug.test import TestResponse

LONG = "9" * 30


PARAMETERS = [
    ("colour=red", "colour"),
    ("city__like=R", "city__like"),
    ("limit=0", "limit"),
    ("limit=501", "limit"),
    ("limit=ten", "limit"),
    (f"limit={LONG}", "limit"),
    ("limit=1&limit=2", "limit"),
    ("count=maybe", "count"),
    ("filter={", "filter"),
    ("filter=[]", "filter"),
    ('filter={"field":"city"}', "filter"),
    ('filter={"kpi":"nothing","period":"2026"}', "filter"),
    ('filter={"kpi":"active_customers","period":"2026","by":"unit","key":"north"}', "filter"),
    ('filter={"field":"nothing","op":"eq","value":1}', "filter"),
    ('filter={"field":"city","op":"before","value":1}', "filter"),
    (f'filter={{"field":"id","op":"eq","value":{LONG}}}', "filter"),
    ("sort=nothing", "sort"),
    ("sort=-", "sort"),
    ("fields=nothing", "fields"),
    ("fields=owner.nothing", "fields"),
    ("birthday=soon", "birthday"),
    (f"id={LONG}", "id"),
    ("id__in=1,x", "id__in"),
    ("birthday__between=2020-01-01", "birthday__between"),
    ("birthday__is_empty=perhaps", "birthday__is_empty"),
    ("city=", "city"),
    ("name=%00", "name"),
    (f"q={'x' * 1001}", "q"),
]
"""A query, and the parameter that the problem must name."""

BODIES = [
    (b"{", "application/json", 400),
    (b"", "application/json", 400),
    (b'"text"', "application/json", 400),
    (b"[]", "application/json", 400),
    (b"null", "application/json", 400),
    (b"\xff\xfe", "application/json", 400),
    (b'{"name": "\\ud800"}', "application/json", 400),
    (b'{"name": NaN}', "application/json", 400),
    (b"[" * 100_000, "application/json", 400),
    (b"name=Anna", "application/x-www-form-urlencoded", 415),
    (b'{"name": "A"}', "", 415),
    (b'{"name": "A"}', "text/plain", 415),
    (b'{"name": "A\\u0000"}', "application/json", 422),
    (b'{"name": {"a": 1}}', "application/json", 422),
    (b'{"name": ["A"]}', "application/json", 422),
    (b'{"name": true}', "application/json", 422),
    (b'{"name": "A", "owner": 1e300}', "application/json", 422),
    (b'{"name": "A", "owner": 99999999999999999999999}', "application/json", 422),
    (b'{"name": "A", "owner": {"id": 1}}', "application/json", 422),
    (b'{"name": "A", "birthday": "0000-00-00"}', "application/json", 422),
    (b'{"name": "A", "": 1}', "application/json", 422),
    (b'{"name": "A", "id": 5}', "application/json", 422),
    (b'{"name": "A", "version": 5}', "application/json", 422),
    (b'{"name": "A", "tier": "top"}', "application/json", 422),
    (b'{"name": "A", "extra": {}}', "application/json", 422),
]
"""A body and its type, and the status of the problem."""


CALLS = [
    ("GET", "/nothing", 404),
    ("GET", "/nothing/1", 404),
    ("GET", "/customer/0", 404),
    ("GET", "/customer/99999999999999999999", 404),
    ("GET", "/customer/9223372036854775807", 404),
    ("GET", "/customer/-1", 404),
    ("GET", "/customer/abc", 404),
    ("GET", "/customer/1/orders", 404),
    ("PATCH", "/customer/5", 404),
    ("DELETE", "/customer/5", 404),
    ("POST", "/customer/5:move", 404),
    ("POST", "/customer/5:restore", 404),
    ("POST", "/customer/5:dance", 404),
    ("POST", "/customer:dance", 404),
    ("PUT", "/customer/5", 405),
    ("DELETE", "/customer", 405),
    ("GET", "/kpis/nothing", 404),
    ("GET", "/segments/nothing", 404),
    ("GET", "/segments/nothing/members", 404),
    ("GET", "/analytics/nothing", 404),
    ("GET", "/entities/nothing", 404),
    ("POST", "/plugins/nothing:enable", 404),
    ("GET", "/x/gym/hello", 404),
    ("GET", "/kpis/revenue?period=soon", 400),
    ("GET", "/kpis/revenue?by=moon", 400),
    ("GET", "/kpis?by=unit", 400),
    ("GET", "/analytics/rfm?as_of=soon", 400),
    ("GET", "/analytics/pyramid?measure=joy", 400),
    ("GET", "/analytics/pyramid?customers=true", 400),
    ("GET", "/events?after=last", 400),
    ("GET", "/events?entity=nothing", 404),
    ("GET", "/openapi.json?pretty=1", 400),
]
"""A call, and the status of the problem."""


def problem(response: TestResponse) -> int:
    """The status of an answer that must be a whole problem document."""
    assert response.content_type == "application/problem+json", response.text
    assert {"type", "title", "status", "code"} <= set(response.json)
    assert response.json["status"] == response.status_code
    return response.status_code


def test_a_bad_parameter_is_named(client: Client) -> None:
    found = []
    for query, _parameter in PARAMETERS:
        response = client.get(f"/customer?{query}")
        assert (problem(response), bool(response.json["detail"])) == (400, True), query
        found.append((query, *response.json["errors"]))
    assert found == PARAMETERS


def test_a_foreign_cursor_is_refused(client: Client) -> None:
    for cursor in ("x", "%F0%9F%98%80", "e30", "W10", "A" * 9000):
        response = client.get(f"/customer?cursor={cursor}")
        assert (problem(response), response.json["code"]) == (400, "cursor_invalid"), cursor


def test_a_bad_body_is_refused(client: Client) -> None:
    sent = [
        (body, content_type, problem(client("POST", "/customer", data=body, content_type=content_type)))
        for body, content_type, _status in BODIES
    ]
    assert sent == BODIES
    assert client.get("/customer").json["items"] == []


def test_what_is_not_there_is_said_so(client: Client) -> None:
    found = []
    for method, path, _status in CALLS:
        options: dict[str, Any] = {"json": {"stage": "won"}} if method in ("POST", "PATCH") else {}
        found.append((method, path, problem(client(method, path, **options))))
    assert found == CALLS


def test_a_body_too_large_is_refused(client: Client) -> None:
    body = json.dumps({"name": "A" * (17 * 1024 * 1024)})
    response = client("POST", "/customer", data=body, content_type="application/json")
    assert (problem(response), response.json["code"]) == (413, "http_413")


def test_a_method_that_does_not_fit_says_which_do(client: Client) -> None:
    assert set(client("PUT", "/customer").headers["Allow"].split(", ")) >= {"GET", "POST"}


def test_an_unreadable_version_never_matches_by_chance(client: Client) -> None:
    path = f"/customer/{client.create('customer', name='Anna')}"
    for match in ('"x"', '"²"', f'"{LONG}"', ",", '"0"'):
        assert client.patch(path, {"name": "B"}, headers={"If-Match": match}).status_code == 412, match
    assert client.patch(path, {"name": "B"}, headers={"If-Match": "1"}).status_code == 200


def test_an_unexpected_error_gives_a_code_and_no_details(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_args: object, **_options: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr("trellis.records.door.Records.get", fail)
    response = client.get("/customer/1")
    assert (response.status_code, response.json["code"]) == (500, "unexpected")
    assert "secret" not in response.text
    assert response.json["reference"] in caplog.text
