"""What a hostile user tries, in every text of every entity and against every write."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from io import BytesIO, StringIO
from typing import Any

import pytest
import sqlalchemy as sa
from callers import open_client
from flask import Flask
from flask.testing import FlaskClient
from samples import gym, registry
from security import everything
from trellis import enabling
from trellis.control import Identity, Passkey
from trellis.installation import Installation
from trellis.records.door import Records
from trellis.rest import imports
from trellis.security.actor import SYSTEM
from trellis.security.identities import add_user
from trellis.security.roles import save_role
from trellis.settings.fields import add_field
from trellis.web.app import create_app
from trellis.workspace import Workspace
from web.conftest import PASSWORD, token_of
from werkzeug.routing import IntegerConverter

SUM = str(9973 * 9967 * 9949)
"""Long enough that no random text of a page holds it by chance."""
SCRIPT = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{9973*9967*9949}}"
FORMULA = "=cmd|'/c calc'!A1"


@pytest.fixture
def place(open_installation: Callable[..., Installation]) -> tuple[Flask, Installation, Workspace]:
    installation = open_installation(plugins=registry(gym()))
    workspace = installation.workspace("acme")
    enabling.enable(workspace, "gym")
    add_user(installation, workspace, "boss@acme.test", SCRIPT, ["administrator"], PASSWORD)
    return create_app(installation), installation, workspace


def enter(app: Flask) -> FlaskClient:
    client = app.test_client()
    form = {"csrf_token": token_of(client.get("/acme/login").text), "email": "boss@acme.test"}
    assert client.post("/acme/login", data={**form, "password": PASSWORD}).status_code == 303
    return client


def test_markup_in_any_text_is_shown_as_text(place: tuple[Flask, Installation, Workspace]) -> None:
    app, _installation, workspace = place
    ids = everything.fill(workspace, SCRIPT)
    browser = enter(app)
    token = token_of(browser.get("/acme/search").text)
    pages = ["/acme/", "/acme/tasks", "/acme/palette?q=script", "/acme/settings/users", "/acme/model"]
    for entity, record_id in ids.items():
        base = f"/acme/{entity}"
        tabs = ("", "?tab=details", "?tab=history", "/edit", "/field/name")
        pages += [base, f"{base}/board", f"{base}?q={SCRIPT}", f"{base}/new?name={SCRIPT}", f"{base}/options"]
        pages += [f"{base}/{record_id}{tab}" for tab in tabs]
    form = {"csrf_token": token, "title": SCRIPT, "definition": '{"sort": ["name"]}'}
    assert browser.post("/acme/customer/views", data=form).status_code < 400
    browser.post(f"/acme/customer/{ids['customer']}/compose", data={**form, "kind": "note", "text": SCRIPT})
    shown = 0
    for page in [*pages, "/acme/customer"]:
        answer = browser.get(page)
        assert answer.status_code < 500, page
        if answer.mimetype != "text/html":
            continue
        assert "<script>alert" not in answer.text, page
        assert "<img src=x" not in answer.text, page
        assert not re.search(r"[\"']><(script|img)", answer.text), page
        assert SUM not in answer.text, page
        shown += "&lt;script&gt;alert" in answer.text
    assert shown > len(ids)


def test_markup_in_what_people_name_is_shown_as_text(
    place: tuple[Flask, Installation, Workspace],
) -> None:
    """Fields, choices, roles, views, passkeys; files to import, their columns and cells."""
    app, installation, workspace = place
    browser = enter(app)
    with workspace.write() as session:
        edition = workspace.edition(session)
        named = {"label": SCRIPT, "help": SCRIPT, "group": SCRIPT, "in_list": True}
        add_field(session, edition, "customer", "size", {**named, "type": "choice", "options": [SCRIPT]})
        save_role(session, "own.odd", SCRIPT, {"customer": {"read": "all"}})
    with workspace.write() as session:
        values = {"name": SCRIPT, "own.size": SCRIPT}
        Records(session, workspace.edition(session), SYSTEM).create("customer", values)
    with installation.control.write() as session:
        found = session.scalars(sa.select(Identity.id)).one()
        more = {"handle": "h", "credential": "c", "public_key": b"k", "sign_count": 0}
        session.add(Passkey(identity_id=found, name=SCRIPT, **more))
    token = token_of(browser.get("/acme/search").text)
    lines = f'"{SCRIPT.replace(chr(34), chr(34) * 2)}",name\n' + '"<script>alert(1)</script>",A\n'
    form = {
        "csrf_token": token,
        "file": (BytesIO(lines.encode()), "<img src=x onerror=alert(1)>{{9973*9967*9949}}.csv"),
    }
    sent = browser.post("/acme/customer/import", data=form, content_type="multipart/form-data")
    assert sent.status_code < 400, sent.text
    pages = [
        "/acme/customer",
        "/acme/customer/new",
        "/acme/customer/1",
        "/acme/customer/1/edit",
        "/acme/profile",
    ]
    pages += [f"/acme/settings/{one}" for one in ("users", "roles", "fields", "security", "audit", "general")]
    pages += [
        "/acme/settings/roles/own.odd",
        "/acme/settings/users/1",
        "/acme/settings/fields/customer/size/edit",
    ]
    pages += [
        "/acme/imports/1",
        "/acme/imports",
        "/acme/customer/import",
        "/acme/jobs",
        "/acme/settings/jobs",
    ]
    shown = 0
    for page in pages:
        answer = browser.get(page)
        assert answer.status_code < 500, page
        assert "<script>alert" not in answer.text, page
        assert "<img src=x" not in answer.text, page
        assert SUM not in answer.text, page
        shown += "&lt;script&gt;alert" in answer.text
    assert shown > 8


def test_addresses_that_run_scripts_are_not_links(place: tuple[Flask, Installation, Workspace]) -> None:
    app, installation, workspace = place
    client = open_client(app, installation, workspace, "key@acme.test", ["administrator"])
    for address in ("javascript:alert(1)", "data:text/html,x", " JaVaScRiPt:alert(1)", "//evil.test"):
        assert client.post("/customer", {"name": "A", "website": address}).status_code == 422, address


def test_a_spreadsheet_runs_nothing_of_an_export(place: tuple[Flask, Installation, Workspace]) -> None:
    app, installation, workspace = place
    client = open_client(app, installation, workspace, "key@acme.test", ["administrator"])
    for start in ("=", "+", "-", "@", "\t=", "\r="):
        client.create("customer", name=f"x{start}", city=f"{start}cmd|'/c calc'!A1")
    lines = enter(app).get("/acme/customer/export?columns=city").text
    cells = [cell for line in csv.reader(StringIO(lines, newline="")) for cell in line]
    assert sum("cmd|" in cell for cell in cells) == 6
    assert not any(re.match(r"\s*[=+@-]", cell) for cell in cells)


def test_every_write_of_a_browser_needs_the_token_of_its_page(
    place: tuple[Flask, Installation, Workspace],
) -> None:
    app, _installation, _workspace = place
    browser = enter(app)
    filled: dict[str, Any] = {"workspace": "acme", "entity": "customer", "plugin": "gym", "name": "gym"}
    filled |= {"record_id": 1, "user_id": 1, "act": "delete", "slug": "x", "view_id": 1}
    tried = 0
    linked = {"unsubscribing.take"}  # a signed link is all the right there is: nothing of a session is used
    for rule in app.url_map.iter_rules():
        for method in (rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}:
            if rule.endpoint in linked:
                continue
            numbers = {name for name, kind in rule._converters.items() if isinstance(kind, IntegerConverter)}
            values = {name: filled.get(name, 1 if name in numbers else "x") for name in rule.arguments}
            address = app.url_map.bind("localhost").build(rule.endpoint, values, method=method)
            for token in ({}, {"csrf_token": "0" * 43}):
                answer = browser.open(address, method=method, data=token)
                assert answer.status_code in (403, 405), (method, address)
                tried += 1
    assert tried > 50


def test_a_session_is_made_anew_by_signing_in(place: tuple[Flask, Installation, Workspace]) -> None:
    app, *_rest = place
    client = app.test_client()
    before = token_of(client.get("/acme/login").text)
    planted = client.get_cookie("trellis")
    form = {"csrf_token": before, "email": "boss@acme.test", "password": PASSWORD}
    assert client.post("/acme/login", data=form).status_code == 303
    kept = client.get_cookie("trellis")
    assert planted is not None and kept is not None and planted.value != kept.value
    assert token_of(client.get("/acme/profile").text) != before
    victim = app.test_client()
    victim.set_cookie("trellis", planted.value)
    assert victim.get("/acme/customer").status_code == 303


@pytest.mark.parametrize(
    "target",
    [
        "//evil.test",
        "https://evil.test",
        "/\\evil.test",
        "/acme//evil.test",
        "/acme/\r\nSet-Cookie: a=b",
        "javascript:1",
    ],
)
def test_signing_in_leads_nowhere_else(place: tuple[Flask, Installation, Workspace], target: str) -> None:
    client = place[0].test_client()
    form = {"csrf_token": token_of(client.get("/acme/login").text), "email": "boss@acme.test"}
    answer = client.post("/acme/login", data={**form, "password": PASSWORD, "next": target})
    assert answer.headers["Location"] == "/acme/"
    assert "a=b" not in str(answer.headers)
    hosted = client.get("/acme/", headers={"Host": "evil.test"})
    assert "evil.test" not in hosted.text


def test_what_trellis_keeps_is_not_assigned(place: tuple[Flask, Installation, Workspace]) -> None:
    app, installation, workspace = place
    client = open_client(app, installation, workspace, "key@acme.test", ["administrator"])
    made = client.create("customer", name="A")
    for name in (
        "id",
        "version",
        "created_at",
        "created_by",
        "created_by_id",
        "updated_by_id",
        "deleted_at",
        "extra",
        "owner_id",
        "__class__",
    ):
        assert client.patch(f"/customer/{made}", {name: 1}).status_code == 422, name
        assert client.post("/customer", {"name": "B", name: 1}).status_code == 422, name
    for name in ("roles", "administrator", "password"):
        assert client.patch(f"/user/{client.user_id}", {name: ["administrator"]}).status_code == 422
    clerk = open_client(app, installation, workspace, "clerk@acme.test", ["agent"])
    assert clerk.patch(f"/user/{clerk.user_id}", {"unit": 1}).status_code in (403, 422)
    assert clerk.post("/user", {"name": "C", "email": "c@acme.test"}).status_code == 403


def test_deep_and_odd_input_is_refused_calmly(place: tuple[Flask, Installation, Workspace]) -> None:
    app, installation, workspace = place
    client = open_client(app, installation, workspace, "key@acme.test", ["administrator"])
    deep = '{"not":' * 900 + "{}" + "}" * 900
    assert client.get("/customer", query_string={"filter": deep}).status_code == 400
    for body in (
        "[" * 100_000,
        '{"name":' * 50_000,
        '{"name": "\\ud800"}',
        '{"name": 1e999}',
        b"\xff\xfe",
        '{"name": "\\u0000"}',
    ):
        answer = client("POST", "/customer", data=body, content_type="application/json")
        assert answer.status_code in (400, 422), body[:20]
    for path, given in (
        ("exchange_rate", {"currency": "USD", "rate": "1"}),
        ("exchange_rate", {"currency": "USD", "rate": "1", "since": "0001-01-01", "units": 2**63}),
        ("kpi_target", {"kpi": "revenue"}),
        ("kpi_target", {"kpi": "revenue", "period": "9999-W99"}),
        ("kpi_target", {"kpi": "revenue", "period": "2026", "person": 1, "of_unit": 2**63}),
        (
            "case",
            {"subject": "x", "opened_at": "0001-01-01T00:00:00Z", "resolved_at": "9999-12-31T23:59:59Z"},
        ),
        ("case", {"subject": "x", "opened_at": "9999-12-31T23:59:59Z", "state": "resolved"}),
        ("case", {"subject": "x", "state": ["new"]}),
        ("sla_policy", {"name": "x", "first_response_minutes": 2**62}),
        ("business_calendar", {"name": "x", "timezone": "../../etc/passwd"}),
    ):
        assert client.post(f"/{path}", given).status_code in (201, 422), (path, given)
    browser = enter(app)
    for text in (deep, "[" * 100_000, "1" * 5_000):
        for path in ("customer", "customer/count", "customer/rule-text"):
            assert browser.get(f"/acme/{path}", query_string={"filter": text}).status_code == 400, path
        assert browser.get("/acme/segments/new", query_string={"filter": text}).status_code in (200, 400)
    for asked in ({"unit": "9" * 5_000}, {"unit": "9" * 30}, {"kpi": "revenue", "by": "person", "key": "²"}):
        assert browser.get("/acme/kpis", query_string=asked).status_code == 200, asked
    assert browser.get("/acme/customer/new", query_string={"owner": "9" * 30}).status_code == 200
    form = {"csrf_token": token_of(browser.get("/acme/search").text), "title": "View"}
    for definition in (
        "{",
        "[1]",
        '{"fields": 5}',
        '{"sort": {"a": 1}}',
        '{"rule": 7}',
        "[" * 100_000,
        '"x"',
    ):
        answer = browser.post("/acme/customer/views", data={**form, "definition": definition})
        assert answer.status_code in (400, 422), definition[:20]
    for path in (
        "/static/../../pyproject.toml",
        "/static/%2e%2e/%2e%2e/config.py",
        "/acme/%00",
        "/static/vendor/..%2f..%2fapp.py",
        f"/acme/processes/runs/{'9' * 30}",
        f"/acme/processes/tasks/{'9' * 30}/form",
    ):
        assert browser.get(path).status_code == 404, path


def test_a_file_name_leads_nowhere(
    place: tuple[Flask, Installation, Workspace], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "PATIENCE", 0)
    app, installation, workspace = place
    client = open_client(app, installation, workspace, "key@acme.test", ["administrator"])
    for name, mapping in (("../../../etc/passwd.csv", ""), ("c.csv", "/etc/passwd"), ("c.csv", "../x.json")):
        form = {"entity": "customer", "file": (BytesIO(b"name\nA\n"), name), "dry_run": "true"}
        answer = client(
            "POST",
            "/imports",
            data={**form, **({"mapping": mapping} if mapping else {})},
            content_type="multipart/form-data",
        )
        assert answer.status_code in (202, 422), answer.text
        assert "root:" not in answer.text
