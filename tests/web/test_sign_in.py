"""Signing in from a browser: locks, one's own password, another mail address."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from flask import Flask
from flask.testing import FlaskClient
from trellis.config import Config
from trellis.edition import Settings
from trellis.installation import Installation
from trellis.security.identities import add_user
from trellis.security.tokens import new_token
from trellis.web.app import create_app
from web.conftest import PASSWORD, token_of
from werkzeug.test import TestResponse

SignIn = Callable[[str], FlaskClient]
NEW = "four quiet wooden boats"


def try_password(client: FlaskClient, email: str, password: str) -> TestResponse:
    form = {"csrf_token": token_of(client.get("/acme/login").text), "email": email, "password": password}
    return client.post("/acme/login", data=form)


def post(client: FlaskClient, page: str, path: str, **form: str) -> TestResponse:
    return client.post(path, data={"csrf_token": token_of(client.get(page).text), **form})


def test_many_failures_lock_and_an_administrator_unlocks(app: Flask, sign_in: SignIn) -> None:
    stranger = app.test_client()
    pages = []
    for email in ("agent@acme.test", "nobody@acme.test"):
        assert [try_password(stranger, email, "wrong").status_code for _n in range(5)] == [401] * 5
        answer = try_password(stranger, email, PASSWORD)
        assert answer.status_code == 429
        assert 0 < int(answer.headers["Retry-After"]) <= 31
        pages.append(answer.text.replace(email, "").split("Try again in")[0])
    assert pages[0].partition('role="alert"')[2] == pages[1].partition('role="alert"')[2]
    admin = sign_in("admin@acme.test")
    people = admin.get("/acme/settings/users").text
    assert people.count("Locked until") == 1
    users = [line for line in people.split('"') if line.endswith("/unlock")]
    assert post(admin, "/acme/settings/users", users[0]).status_code == 302
    assert "Locked until" not in admin.get("/acme/settings/users").text
    assert try_password(stranger, "agent@acme.test", PASSWORD).status_code == 303


def test_nobody_else_unlocks(sign_in: SignIn) -> None:
    assert (
        post(sign_in("agent@acme.test"), "/acme/profile", "/acme/settings/users/1/unlock").status_code == 403
    )


def test_one_changes_the_own_password_and_other_browsers_are_signed_out(app: Flask, sign_in: SignIn) -> None:
    here, elsewhere = sign_in("agent@acme.test"), sign_in("agent@acme.test")
    path = "/acme/profile/password"
    wrong = post(here, "/acme/profile", path, current="wrong", password=NEW)
    assert (wrong.status_code, "not the present password" in wrong.text) == (422, True)
    weak = post(here, "/acme/profile", path, current=PASSWORD, password="qwertyuiop123")
    assert (weak.status_code, "easily guessed" in weak.text) == (422, True)
    assert post(here, "/acme/profile", path, current=PASSWORD, password=NEW).status_code == 302
    assert here.get("/acme/customer").status_code == 200
    assert elsewhere.get("/acme/customer").status_code == 303
    assert try_password(app.test_client(), "agent@acme.test", PASSWORD).status_code == 401
    assert try_password(app.test_client(), "agent@acme.test", NEW).status_code == 303


def test_a_stolen_session_cannot_guess_the_password(sign_in: SignIn) -> None:
    here = sign_in("agent@acme.test")
    found = [
        post(here, "/acme/profile", "/acme/profile/password", current=f"guess {n}", password=NEW).status_code
        for n in range(6)
    ]
    assert found == [422] * 5 + [429]


def user_id_of(app: Flask, admin: FlaskClient, email: str) -> str:
    rows = admin.get("/acme/settings/users").text.split("<tr")
    (row,) = [row for row in rows if email in row]
    return row.split("/acme/user/")[1].split('"')[0]


def test_the_sign_in_moves_with_the_mail_address(app: Flask, sign_in: SignIn) -> None:
    admin, agent = sign_in("admin@acme.test"), sign_in("agent@acme.test")
    path = f"/acme/settings/users/{user_id_of(app, admin, 'agent@acme.test')}"
    form = {"name": "Agent", "roles": "agent", "active": "true"}
    page = "/acme/settings/users"
    taken = post(admin, page, path, email="reader@acme.test", **form)
    assert (taken.status_code, "is a user of this workspace already" in taken.text) == (422, True)
    assert post(admin, page, path, email="Rosa@acme.test", **form).status_code == 302
    assert agent.get("/acme/customer").status_code == 200
    assert try_password(app.test_client(), "agent@acme.test", PASSWORD).status_code == 401
    assert try_password(app.test_client(), "rosa@acme.test", PASSWORD).status_code == 303


def test_the_record_page_does_not_move_it_half(app: Flask, installation: Installation) -> None:
    token = new_token(installation.workspace("acme"), "admin@acme.test")
    call = app.test_client().patch(
        "/api/v1/acme/user/1", json={"email": "x@acme.test"}, headers={"Authorization": f"Bearer {token}"}
    )
    assert (call.status_code, list(call.json["errors"])) == (422, ["email"])  # type: ignore[index]


def test_an_administrator_does_not_reach_another_workspace_through_a_shared_person(
    app: Flask, installation: Installation, sign_in: SignIn
) -> None:
    other = installation.create_workspace("other", Settings())
    add_user(installation, other, "agent@acme.test", "Agent", ["administrator"], PASSWORD)
    admin = sign_in("admin@acme.test")
    path = f"/acme/settings/users/{user_id_of(app, admin, 'agent@acme.test')}"
    form = {"name": "Agent", "roles": "agent", "active": "true"}
    refused = post(admin, "/acme/settings/users", path, password=NEW, **form)
    assert (refused.status_code, "works in other workspaces" in refused.text) == (422, True)
    assert post(admin, "/acme/settings/users", path, email="rosa@acme.test", **form).status_code == 302
    assert post(admin, "/acme/settings/users", path, password=NEW, **form).status_code == 302
    outside = app.test_client()
    form = {"csrf_token": token_of(outside.get("/other/login").text)}
    entered = {
        (email, password): outside.post(
            "/other/login", data={**form, "email": email, "password": password}
        ).status_code
        for email, password in (
            ("rosa@acme.test", NEW),
            ("rosa@acme.test", PASSWORD),
            ("agent@acme.test", NEW),
            ("agent@acme.test", PASSWORD),
        )
    }
    assert list(entered.values()) == [401, 401, 401, 303]


def test_a_token_that_calls_too_often_waits(config: Config, installation: Installation) -> None:
    workspace = installation.workspace("acme")
    add_user(installation, workspace, "anna@acme.test", "Anna", ["administrator"])
    token = new_token(workspace, "anna@acme.test")
    limited = Installation(replace(config, api_rate=12))
    client = create_app(limited).test_client()
    headers = {"Authorization": f"Bearer {token}"}
    answers = [client.get("/api/v1/acme/entities", headers=headers) for _n in range(4)]
    assert [one.status_code for one in answers] == [200, 200, 200, 429]
    assert int(answers[-1].headers["Retry-After"]) in (5, 6)
    assert answers[-1].json["code"] == "too_many"  # type: ignore[index]
    limited.close()
