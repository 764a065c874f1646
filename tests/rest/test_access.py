"""Who may call: tokens, browser sessions, rights. Nothing of one workspace opens another."""

from __future__ import annotations

import pytest
from callers import Client, open_client
from flask import Flask
from sqlalchemy import update
from trellis.edition import Settings
from trellis.installation import Installation
from trellis.records.door import Records
from trellis.security.actor import SYSTEM
from trellis.security.identities import add_user, set_roles
from trellis.security.people import ApiToken
from trellis.security.tokens import new_token, revoke_token, tokens_of
from trellis.workspace import Workspace


@pytest.fixture
def agent(app: Flask, installation: Installation, workspace: Workspace) -> Client:
    return open_client(app, installation, workspace, "agent@acme.test", ["agent"])


def give_roles(workspace: Workspace, user_id: int, *roles: str) -> None:
    with workspace.write() as session:
        set_roles(session, workspace.edition(session), SYSTEM, user_id, roles)


@pytest.mark.parametrize(
    ("header", "why"),
    [
        (None, None),
        *((header, "Send the token as") for header in ("", "Bearer", "Bearer ", "Basic YTpi", "trl_x")),
        *((header, "does not know the token") for header in ("Bearer trl_wrong", "Bearer \u00e9")),
    ],
)
def test_a_stranger_is_asked_to_sign_in(client: Client, header: str | None, why: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    response = client.http.get(f"{client.base}/customer", headers=headers)
    assert (response.status_code, response.json["code"]) == (401, "not_signed_in")
    assert "detail" not in response.json if why is None else why in response.json["detail"]
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_token_opens_its_own_workspace_only(client: Client, installation: Installation) -> None:
    other = installation.create_workspace("other", Settings())
    add_user(installation, other, "admin@acme.test", "Admin", ["administrator"])
    assert client("GET", "/customer").status_code == 200
    client.base = "/api/v1/other"
    assert client("GET", "/customer").status_code == 401


def test_only_the_digest_of_a_token_is_kept(client: Client, workspace: Workspace) -> None:
    assert (client.token[:4], len(client.token)) == ("trl_", 47)
    with workspace.read() as session:
        (kept,) = tokens_of(session, client.user_id)
        assert client.token not in (kept.digest, kept.title)


def test_a_revoked_token_and_an_inactive_user_are_strangers(
    client: Client, agent: Client, workspace: Workspace
) -> None:
    assert agent.get("/customer").status_code == 200
    client.patch(f"/user/{agent.user_id}", {"active": False})
    refused = agent.get("/customer")
    assert (refused.status_code, "does not work here" in refused.json["detail"]) == (401, True)
    client.patch(f"/user/{agent.user_id}", {"active": True})
    assert agent.get("/customer").status_code == 200
    with workspace.write() as session:
        for kept in tokens_of(session, agent.user_id):
            revoke_token(session, SYSTEM, kept.id)
    assert agent.get("/customer").status_code == 401
    agent.token = new_token(workspace, "agent@acme.test")
    assert agent.get("/customer").status_code == 200


def test_the_use_of_a_token_is_noted_once_an_hour(client: Client, workspace: Workspace) -> None:
    client.get("/customer")
    with workspace.write() as session:
        (kept,) = tokens_of(session, client.user_id)
        first = kept.last_used_at
        assert first is not None
        client_hour_ago = first.replace(year=first.year - 1)
        session.execute(update(ApiToken).values(last_used_at=client_hour_ago))
    client.get("/customer")
    client.get("/customer")
    with workspace.read() as session:
        (kept,) = tokens_of(session, client.user_id)
        assert kept.last_used_at is not None
        assert kept.last_used_at > first


def test_new_rights_count_from_the_next_call_on(client: Client, agent: Client, workspace: Workspace) -> None:
    record_id = client.create("customer", name="Anna")
    assert agent.get(f"/customer/{record_id}").status_code == 404
    give_roles(workspace, agent.user_id, "reader")
    assert agent.get(f"/customer/{record_id}").status_code == 200
    assert agent.post("/customer", {"name": "B"}).status_code == 403
    assert agent.patch(f"/customer/{record_id}", {"name": "B"}).status_code == 403
    give_roles(workspace, agent.user_id)
    assert agent.get("/customer").status_code == 403


def test_a_unit_is_reached_by_who_works_above_it(client: Client, agent: Client) -> None:
    north = client.create("unit", name="North")
    shop = client.create("unit", name="Shop")
    client.patch(f"/user/{agent.user_id}", {"unit": north})
    path = f"/customer/{client.create('customer', name='Anna', unit=shop)}"
    assert agent.get(path).status_code == 404
    client.patch(f"/unit/{shop}", {"parent": north})
    assert agent.get(path).status_code == 200
    assert [item["name"] for item in agent.get("/customer").json["items"]] == ["Anna"]
    client.patch(f"/unit/{shop}", {"parent": None})
    assert agent.get(path).status_code == 404


def test_a_batch_says_which_record_may_not_be_changed(client: Client, agent: Client) -> None:
    product = client.create("product", name="Tea", code="t")
    own = agent.create("customer", name="Own")
    refused = agent.post("/product:batch", [{"id": product, "name": "Coffee"}])
    assert (refused.status_code, [one["index"] for one in refused.json["failures"]]) == (403, [0])
    assert agent.post("/customer:batch", [{"id": own, "name": "Mine"}]).status_code == 200


def test_only_administrators_see_and_change_plugins(client: Client, agent: Client) -> None:
    assert client.get("/plugins").status_code == 200
    assert [agent.get("/plugins").status_code, agent.post("/plugins/retail:enable").status_code] == [403, 403]


def sign_in(app: Flask, workspace: Workspace, email: str, password: str) -> Client:
    """A browser that has signed in; its token is that of CSRF."""
    http = app.test_client()
    page = http.get(f"/{workspace.name}/login").text
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    form = {"email": email, "password": password, "csrf_token": token}
    assert http.post(f"/{workspace.name}/login", data=form).status_code == 303
    return Client(http, f"/api/v1/{workspace.name}", "", 0)


def test_a_browser_session_reads_and_with_its_csrf_token_writes(
    app: Flask, installation: Installation, workspace: Workspace
) -> None:
    add_user(installation, workspace, "boss@acme.test", "Boss", ["administrator"], "a long password")
    browser = sign_in(app, workspace, "boss@acme.test", "a long password")
    http, base = browser.http, browser.base
    assert http.get(f"{base}/customer").status_code == 200
    refused = http.post(f"{base}/customer", json={"name": "A"})
    assert (refused.status_code, refused.json["code"]) == (403, "csrf")
    with http.session_transaction() as session:
        session["csrf"] = "known"
    for header in ("X-CSRF-Token", "X-CSRFToken"):
        assert http.post(f"{base}/customer", json={"name": "A"}, headers={header: "known"}).status_code == 201
    assert http.post(f"{base}/customer", json={"name": "A"}, headers={header: "other"}).status_code == 403
    assert "Set-Cookie" not in http.get(f"{base}/customer").headers


def test_answers_are_private_and_set_no_cookie(client: Client) -> None:
    headers = client.get("/customer").headers
    assert headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in headers


def test_who_wrote_a_record_and_how_is_kept(client: Client, workspace: Workspace) -> None:
    client.create("customer", name="Anna")
    event = client.get("/events?entity=customer").json["items"][-1]
    assert (event["actor"], event["source"]) == ({"id": client.user_id, "name": "Admin"}, "rest")
    with workspace.read() as session:
        assert (
            Records(session, workspace.edition(session), SYSTEM).get("customer", 1).values["owner"]
            == client.user_id
        )
