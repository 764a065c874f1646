"""Nothing leaks, not even existence: every route and entity, asked by a stranger, another workspace and lower roles.

The requests are generated from the routes of the application and the entities of the edition, so that a new route or
entity is tried without anybody thinking of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from callers import open_client
from flask import Flask
from flask.testing import FlaskClient
from samples import gym, registry
from security.everything import fill
from sqlalchemy.orm import Session
from trellis import enabling, files
from trellis.config import Config
from trellis.edition import Edition, Settings
from trellis.installation import Installation
from trellis.jobs import queue
from trellis.jobs.job import Job
from trellis.records.door import Records
from trellis.records.importer import run_import
from trellis.security.actor import SYSTEM, Actor
from trellis.security.identities import add_user
from trellis.security.roles import actor_of, save_role
from trellis.security.tokens import issue_token
from trellis.settings.views import save_view
from trellis.system import ImportRun
from trellis.testing.templates import Prepare
from trellis.web.app import create_app
from trellis.workspace import Workspace
from web.conftest import PASSWORD, token_of
from werkzeug.routing import IntegerConverter, Rule
from werkzeug.test import TestResponse

SECRET = "Zanzibar"
OTHER = "four quiet wooden boats"
MISSING = 987_654_321
OPEN = frozenset({"session.login", "session.sign_in", "session.index", "session.logout", "static"})
STRANGERS = ("recovery.", "second_step.")
"""Pages for those who have not signed in; they have tests of their own."""


@dataclass
class House:
    """Two workspaces of one server with the same kinds of records, and their edition."""

    app: Flask
    installation: Installation
    acme: Workspace
    other: Workspace
    edition: Edition
    ids: dict[str, int]
    view_id: int


def _keep_export(session: Session, user_id: int, folder: Path) -> None:
    """A job that has ended, with the file that it made."""
    (folder / "made").write_text(SECRET)
    job_id = queue.enqueue(session, "export", {"entity": "customer"}, user_id)
    files.keep(session, f"job {job_id}", folder / "made")
    result = {"file": f"job {job_id}", "filename": f"{SECRET}.csv"}
    now = datetime.now(UTC)
    ended = {"state": "done", "finished_at": now, "problem": SECRET, "result": result, "total": 1, "done": 1}
    session.execute(sa.update(Job).where(Job.id == job_id).values(ended))


FILLED: dict[bool, tuple[dict[str, int], int]] = {}
"""The ids of the records that were made on SQLite and on PostgreSQL, and that of the view."""


def furnish(config: Config) -> None:
    """Two workspaces with the same plugin, their people, and in one of them a record of each kind."""
    installation = Installation(config, registry(gym()))
    acme = installation.workspace("acme")
    other = installation.create_workspace("other", Settings(title="Other"))
    for workspace in (acme, other):
        enabling.enable(workspace, "gym")
    add_user(installation, acme, "boss@acme.test", "Boss", ["administrator"], PASSWORD)
    add_user(installation, other, "chief@other.test", "Chief", ["administrator"], PASSWORD)
    ids = fill(acme, SECRET)
    with acme.write() as session:
        edition = acme.edition(session)
        shut = {name: {"read": "none"} for name in edition.entities}
        own = {
            name: {"read": "own", "create": True, "update": "own", "delete": "own"}
            for name in edition.entities
        }
        save_role(session, "own.nothing", "Nothing", shut)
        save_role(session, "own.own", "Own", own)
        boss = next(iter(Records(session, edition, SYSTEM).list("user").items)).id
        ids["user"] = boss
        actor = Actor(user_id=boss, name="Boss")
        view = save_view(session, edition, actor, "customer", f"{SECRET} view", {"sort": ["name"]})
        FILLED[config.on_postgresql] = (ids, view.id)
        run = {"user_id": boss, "entity": "customer", "filename": f"{SECRET}.csv", "problem": SECRET}
        now = datetime.now(UTC)
        session.add(ImportRun(**run, started_at=now, finished_at=now, state="done"))
        _keep_export(session, boss, config.home)
        issue_token(session, edition, boss, f"{SECRET} token")
    for role in ("nothing", "own"):
        add_user(installation, acme, f"{role}@acme.test", role.title(), [f"own.{role}"], PASSWORD)
    installation.close()


@pytest.fixture
def prepare() -> Prepare:
    return furnish


@pytest.fixture
def house(open_installation: Callable[..., Installation]) -> House:
    installation = open_installation(plugins=registry(gym()))
    acme, other = installation.workspace("acme"), installation.workspace("other")
    with acme.read() as session:
        edition = acme.edition(session)
    ids, view_id = FILLED[installation.config.on_postgresql]
    return House(create_app(installation), installation, acme, other, edition, ids, view_id)


def sign_in(house: House, workspace: str, email: str) -> FlaskClient:
    client = house.app.test_client()
    form = {"csrf_token": token_of(client.get(f"/{workspace}/login").text), "email": email}
    assert client.post(f"/{workspace}/login", data={**form, "password": PASSWORD}).status_code == 303
    return client


def addresses(house: House, rest: bool) -> Iterator[tuple[Rule, str, str, str, bool]]:
    """(rule, method, address, its twin with an id that is nobody's, whether it has an id): all routes of acme.

    Each with all entities: one half of them on SQLite, the other on PostgreSQL, changing from route to route.
    """
    names = {
        "name": ["own.nothing", "gym"],
        "plugin": ["gym"],
        "kpi": ["revenue"],
        "segment": ["gym.gold"],
        "analytics": ["pyramid"],
        "act": ["delete", "update", "restore"],
        "slug": ["card"],
        "filename": ["x"],
    }
    half = int(house.installation.config.on_postgresql)
    for number, rule in enumerate(house.app.url_map.iter_rules()):
        if "workspace" not in rule.arguments or rule.rule.startswith("/api/") is not rest:
            continue
        if rule.endpoint in OPEN or rule.endpoint.startswith(STRANGERS):
            continue
        entities = (
            list(house.edition.entities)[(number + half) % 2 :: 2] if "entity" in rule.arguments else [""]
        )
        mine = {name for name in rule.arguments if isinstance(rule._converters.get(name), IntegerConverter)}
        free = sorted(rule.arguments - {"workspace", "entity", *mine})
        for entity, chosen in product(entities, product(*(names.get(one, ["x"]) for one in free))):
            filled = dict(zip(free, chosen, strict=True)) | {"workspace": "acme"}
            filled |= {"entity": entity} if entity else {}
            if "field/<name>" in rule.rule:
                filled["name"] = house.edition.entity(entity).info.title_field
            there = house.ids[entity] if entity else house.ids["user"] if "user_id" in mine else 1
            found = filled | {one: there for one in mine}
            nobody = filled | {one: MISSING for one in mine}
            adapter = house.app.url_map.bind("localhost")
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                first = adapter.build(rule.endpoint, found, method=method)
                second = adapter.build(rule.endpoint, nobody, method=method)
                yield rule, method, first, second, bool(mine)


def plain(answer: TestResponse, there: str) -> tuple[int, str, str]:
    """What of an answer can tell one thing from another: without the id asked for and the page's own token."""
    text = re.sub(r'value="[\w.-]{20,}"|name="csrf-token"[^>]*', "", answer.get_data(as_text=True))
    numbers = re.compile(rf"\b({there}|{MISSING})\b")
    place = answer.headers.get("Location", "")
    return answer.status_code, numbers.sub("#", text), numbers.sub("#", place)


def alike(one: TestResponse, other: TestResponse, there: str) -> bool:
    """Whether two answers tell the same. Most are the same to the letter, which is found out sooner."""
    as_sent = [(answer.status_code, answer.data, answer.headers.get("Location")) for answer in (one, other)]
    return as_sent[0] == as_sent[1] or plain(one, there) == plain(other, there)


def notices(browser: FlaskClient, answer: TestResponse) -> list[str]:
    """What an answer left to be said on the next page; no longer there, for that page is compared with another."""
    if "Set-Cookie" not in answer.headers:
        return []
    with browser.session_transaction() as session:
        return [toast["text"] for toast in session.pop("toasts", [])]


BODIES: dict[str, dict[str, Any]] = {
    "rest.move": {"stage": "won"},
    "rest.batch": {},
    "rest.create": {},
}


def test_a_token_of_another_workspace_opens_nothing(house: House) -> None:
    chief = open_client(house.app, house.installation, house.other, "key@other.test", ["administrator"])
    headers = {"Authorization": f"Bearer {chief.token}"}
    forged = {"Authorization": "Bearer trl_nobody"}
    http, tried = house.app.test_client(), 0
    for rule, method, address, _twin, _has_id in addresses(house, rest=True):
        foreign = http.open(address, method=method, headers=headers)
        unknown = http.open(address, method=method, headers=forged)
        tried += 1
        if rule.endpoint == "rest.docs":
            assert (foreign.status_code, foreign.headers["Location"][:11]) == (303, "/acme/login")
            continue
        assert foreign.status_code == 401, address
        assert (foreign.data, foreign.status_code) == (unknown.data, unknown.status_code), address
    assert tried > 100


def test_a_session_of_another_workspace_is_sent_to_sign_in(house: House) -> None:
    browser = sign_in(house, "other", "chief@other.test")
    token = token_of(browser.get("/other/profile").text)
    for _rule, method, address, _twin, _has_id in addresses(house, rest=False):
        answer = browser.open(
            address, method=method, data={"csrf_token": token} if method == "POST" else None
        )
        assert (answer.status_code, answer.headers["Location"][:11]) == (303, "/acme/login"), address
        assert SECRET not in answer.text
    for _rule, method, address, _twin, _has_id in addresses(house, rest=True):
        assert browser.open(address, method=method, headers={"X-CSRF-Token": token}).status_code in (401, 303)


@pytest.mark.parametrize("role", ["nothing", "own"])
def test_rest_tells_a_lower_role_nothing(house: House, role: str) -> None:
    browser = sign_in(house, "acme", f"{role}@acme.test")
    headers = {"X-CSRF-Token": token_of(browser.get("/acme/profile").text)}
    told, tried = [], 0
    for rule, method, address, twin, has_id in addresses(house, rest=True):
        body = BODIES.get(rule.endpoint, {}) if method in ("POST", "PATCH") else None
        mine = "/user/" in address
        found = browser.open(address, method=method, headers=headers, json=body)
        tried += 1
        assert found.status_code < 500, address
        if SECRET in found.text or SECRET.lower() in found.text:
            told.append(f"{method} {address} told {SECRET}")
        if has_id and not mine:
            nobody = browser.open(twin, method=method, headers=headers, json=body)
            there = address.rsplit("/", 1)[1].partition(":")[0]
            if not alike(found, nobody, there):
                told.append(f"{method} {address} {found.status_code} {nobody.status_code}")
    assert told == []
    assert tried > 100


@pytest.mark.parametrize("role", ["nothing", "own"])
def test_pages_tell_a_lower_role_nothing(house: House, role: str) -> None:
    browser = sign_in(house, "acme", f"{role}@acme.test")
    token = token_of(browser.get("/acme/profile").text)
    told = []
    for rule, method, address, twin, has_id in addresses(house, rest=False):
        if "/session/" in rule.rule or "/profile/sessions/" in rule.rule:  # one's own
            continue
        data = {"csrf_token": token, "ids": str(house.ids["customer"])} if method == "POST" else None
        if rule.endpoint == "bulk.act":
            entity = address.split("/")[2]
            has_id, data = (
                True,
                {"csrf_token": token, "ids": str(house.ids[entity]), "field": "owner", "value": "1"},
            )
        found = browser.open(address, method=method, data=data)
        later = notices(browser, found)
        assert found.status_code < 500, (method, address)
        if any(secret.encode() in found.data or secret in str(later) for secret in (SECRET, SECRET.lower())):
            told.append(f"{method} {address} told {SECRET}")
        if has_id and "/user" not in address:
            other = {**data, "ids": str(MISSING)} if data else None
            nobody = browser.open(twin, method=method, data=other)
            there = str(house.ids[address.split("/")[2]]) if address.split("/")[2] in house.ids else "1"
            if later != notices(browser, nobody) or not alike(found, nobody, there):
                told.append(f"{method} {address} {found.status_code} {nobody.status_code}")
    asked = [f"/acme/customer?view={house.view_id}", f"/acme/customer?owner={house.ids['user']}"]
    asked += [f"/acme/{page}?q={SECRET[:5]}" for page in ("search", "palette", "customer")]
    asked += [f"/acme/{entity}?group=name" for entity in house.edition.entities]
    asked += [f"/acme/palette?recent=customer:{house.ids['customer']}"]
    told += [address for address in asked if SECRET in browser.get(address).text]
    assert told == []


def test_what_clashes_tells_no_more_than_that_a_value_is_taken(house: House, tmp_path: Path) -> None:
    """The constraint of the database holds; whose a key is, is not said. Keys that may repeat tell nothing at all."""
    clerk = open_client(house.app, house.installation, house.acme, "clerk@acme.test", ["own.own"])
    boss = open_client(house.app, house.installation, house.acme, "key@acme.test", ["administrator"])
    hidden = boss.create("customer", name=SECRET, external_id="K1", email="zed@zed.test")
    binned = boss.create("customer", name=SECRET, external_id="K2")
    assert boss.delete(f"/customer/{binned}").status_code == 204
    clerk.create("customer", name="Mine", external_id="K3")
    answers = [clerk.post("/customer", {"name": "A", "external_id": key}) for key in ("K1", "K2", "K3")]
    texts = {one.text.replace(key, "#") for one, key in zip(answers, ("K1", "K2", "K3"), strict=True)}
    assert ({one.status_code for one in answers}, len(texts)) == ({422}, 1)

    def imported(key: str, *lines: str) -> tuple[list[int], str]:
        workspace = house.acme
        path = tmp_path / "rows.csv"
        path.write_text("\n".join(lines))
        with workspace.read() as session:
            actor = actor_of(session, workspace.edition(session), "clerk@acme.test", "import")
        report = run_import(workspace, actor, "customer", path, key=key, errors=tmp_path / "errors.csv")
        reasons = (tmp_path / "errors.csv").read_text() if report.rejected else ""
        return [report.created, report.updated, report.rejected], reasons

    counts, reasons = imported("external_id", "external_id,name", "K1,A", "K2,B", "K3,C", "K4,D")
    assert counts == [1, 1, 2]
    assert {line.split(",")[0] for line in reasons.splitlines()[1:]} == {"K1", "K2"}
    assert (reasons.count("is taken"), "recycle bin" in reasons, "may not" in reasons) == (2, False, False)
    assert imported("email", "email,name", "zed@zed.test,Own", "new@zed.test,Own")[0] == [2, 0, 0]
    missing = imported("id", "id,name", f"{hidden},A", f"{MISSING},B")
    assert (missing[0], missing[1].count("There is no such record")) == ([0, 0, 2], 2)
    assert boss.get(f"/customer/{hidden}").json["name"] == SECRET  # type: ignore[index]


def test_events_after_those_of_others_are_as_events_after_none(house: House) -> None:
    clerk = open_client(house.app, house.installation, house.acme, "clerk@acme.test", ["own.nothing"])
    answers = {clerk.get(f"/events?after={number}").status_code for number in (1, 2, 3, MISSING)}
    assert answers == {200}
    boss = open_client(house.app, house.installation, house.acme, "key@acme.test", ["administrator"])
    items = boss.get("/events?limit=500").json["items"]  # type: ignore[index]
    assert [one["id"] for one in items] == sorted(one["id"] for one in items)
    later = boss.get(f"/events?after={items[-2]['id']}").json["items"]  # type: ignore[index]
    assert [one["id"] for one in later] == [items[-1]["id"]]
    assert boss.get(f"/events?after={MISSING}").json["items"] == []  # type: ignore[index]


def test_adding_somebody_does_not_tell_whether_they_are_known_elsewhere(house: House) -> None:
    boss = sign_in(house, "acme", "boss@acme.test")
    csrf = token_of(boss.get("/acme/profile").text)
    answers = []
    for email in ("chief@other.test", "nobody@other.test"):
        form = {"csrf_token": csrf, "email": email, "name": "New", "roles": "own.own", "password": OTHER}
        answer = boss.post("/acme/settings/users/new", data=form)
        answers.append((answer.status_code, answer.location, answer.text))
    assert answers[0] == answers[1]
    assert answers[0][0] == 302
    sign_in(house, "other", "chief@other.test")  # by the password that was there


def test_references_filters_and_keys_tell_nothing_of_what_is_out_of_sight(house: House) -> None:
    clerk = open_client(house.app, house.installation, house.acme, "clerk@acme.test", ["own.own"])
    hidden = house.ids["customer"]
    answers = []
    for target in (hidden, MISSING):
        got = clerk.post("/order", {"number": "N", "ordered_at": "2026-01-01T00:00:00Z", "customer": target})
        answers.append((got.status_code, got.text.replace(f"the id {target}", "the id #")))
    assert answers[0] == answers[1]
    assert clerk.get(f"/order?customer={hidden}&count=true").json["total"] == 0  # type: ignore[index]
    assert clerk.get(f"/customer?q={SECRET}&count=true").json["total"] == 0  # type: ignore[index]
    assert clerk.get("/events").json["items"] == [] or SECRET not in clerk.get("/events").text  # type: ignore[index]
    boss = open_client(house.app, house.installation, house.acme, "key@acme.test", ["administrator"])
    for number in range(3):
        boss.create("customer", name=f"{SECRET} {number}")
    cursor = boss.get("/customer?limit=1&sort=name").json["next"]  # type: ignore[index]
    answer = clerk.get(f"/customer?limit=1&sort=name&cursor={cursor}")
    assert (answer.status_code, SECRET in answer.text) == (200, False)
    key = {"Idempotency-Key": "one"}
    boss.post("/customer", {"name": f"{SECRET} again"}, headers=key)
    again = clerk.post("/customer", {"name": "Mine"}, headers=key)
    assert (again.status_code, SECRET in again.text) == (201, False)
