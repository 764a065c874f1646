"""A second factor: an app for codes, recovery codes, who has one, and a workspace that requires it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from trellis.control import BrowserSession, CodeApp
from trellis.edition import Settings
from trellis.installation import Installation
from trellis.security import second_factor
from trellis.security.identities import add_user
from trellis.security.tokens import new_token
from trellis.web.app import create_app
from web.conftest import PASSWORD, PEOPLE, token_of
from werkzeug.test import TestResponse

SignIn = Callable[[str], FlaskClient]
AGENT = "agent@acme.test"
SETUP = "/acme/profile/second-factor"
NOW = 1_800_000_000


def post(client: FlaskClient, page: str, path: str, **form: object) -> TestResponse:
    return client.post(path, data={"csrf_token": token_of(client.get(page).text), **form})


def enter(app: Flask, email: str = AGENT, password: str = PASSWORD) -> tuple[FlaskClient, TestResponse]:
    client = app.test_client()
    answer = post(client, "/acme/login", "/acme/login", email=email, password=password, next="/acme/customer")
    return client, answer


def second(client: FlaskClient, code: str) -> TestResponse:
    return post(client, "/acme/login/second", "/acme/login/second", code=code, next="/acme/customer")


def codes_on(page: str) -> list[str]:
    return re.findall(r"<code>([a-z2-9]{4}(?:-[a-z2-9]{4}){3})</code>", page)


@pytest.fixture
def prepare() -> None:
    """Nobody is there from the start."""


@pytest.fixture
def app(open_installation: Callable[..., Installation]) -> Flask:
    installation = open_installation()
    for email, role in PEOPLE.items():
        add_user(installation, installation.workspace("acme"), email, email[:5].title(), [role], PASSWORD)
    return create_app(installation)


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Codes change every thirty seconds; here the clock stands still, however slow the machine is."""
    monkeypatch.setattr(second_factor, "_present_step", lambda: NOW // second_factor.STEP)


class App:
    """The app of somebody."""

    def __init__(self, client: FlaskClient) -> None:
        page = client.get(SETUP).text
        key = re.search(r"<code>([A-Z2-7 ]+)</code>", page)
        sealed = re.search(r'name="sealed" value="([^"]+)"', page)
        assert key and sealed and "<svg" in page
        self.totp, self.sealed = pyotp.TOTP(key[1].replace(" ", "")), sealed[1]

    def code(self, seconds: int = 0) -> str:
        return self.totp.at(NOW + seconds)


def set_up(client: FlaskClient) -> tuple[App, list[str]]:
    shown = App(client)
    answer = post(client, SETUP, SETUP, sealed=shown.sealed, code=shown.code(-30))
    assert answer.status_code == 200, answer.text
    return shown, codes_on(answer.text)


def test_a_code_is_asked_for_after_the_password_and_works_once(
    app: Flask, sign_in: SignIn, installation: Installation
) -> None:
    here = sign_in(AGENT)
    draft = App(here)
    wrong = post(here, SETUP, SETUP, sealed=draft.sealed, code="000000")
    assert (wrong.status_code, "not the code that the app shows" in wrong.text) == (422, True)
    assert draft.sealed in wrong.text  # the same picture, so that it need not be read again
    assert (
        post(sign_in("reader@acme.test"), SETUP, SETUP, sealed=draft.sealed, code=draft.code()).status_code
        == 422
    )
    shown, codes = set_up(here)
    assert len(set(codes)) == 10
    with installation.control.read() as session:
        assert shown.totp.secret not in session.scalars(sa.select(CodeApp.secret)).one()
    client, answer = enter(app)
    assert (answer.status_code, answer.location) == (303, "/acme/login/second?next=/acme/customer")
    assert client.get("/acme/customer").status_code == 303  # the password alone opens nothing
    assert client.get("/api/v1/acme/customer").status_code == 401
    assert second(client, "123456").status_code == 401
    assert second(client, shown.code(-30)).status_code == 401  # the code of setting up was used
    right = second(client, shown.code())
    assert (right.status_code, right.location) == (303, "/acme/customer")
    assert client.get("/acme/customer").status_code == 200
    again, _answer = enter(app)
    assert second(again, shown.code()).status_code == 401
    assert second(again, shown.code(120)).status_code == 401
    assert second(again, codes[0].upper().replace("-", " ")).status_code == 303
    third, _answer = enter(app)
    assert second(third, codes[0]).status_code == 401
    assert "9 are left" in again.get("/acme/profile").text


def test_guessing_codes_locks_and_a_right_password_does_not_unlock(app: Flask, sign_in: SignIn) -> None:
    shown, _codes = set_up(sign_in(AGENT))
    for _number in range(5):
        client, answer = enter(app)
        assert answer.status_code == 303
        assert second(client, "000000").status_code == 401
    client, _answer = enter(app)
    locked = second(client, shown.code())
    assert (locked.status_code, 0 < int(locked.headers["Retry-After"]) <= 31) == (429, True)
    admin = sign_in("admin@acme.test")
    people = admin.get("/acme/settings/users").text
    assert people.count("Locked until") == 1
    (unlock,) = [part for part in people.split('"') if part.endswith("/unlock")]
    assert post(admin, "/acme/settings/users", unlock).status_code == 302
    assert second(client, shown.code()).status_code == 303


def test_half_a_sign_in_ends_with_time_with_the_sessions_and_at_another_workspace(
    app: Flask, sign_in: SignIn, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = sign_in(AGENT)
    shown, _codes = set_up(here)
    other = installation.create_workspace("other", Settings())
    add_user(installation, other, "chief@other.test", "Chief", ["administrator"], PASSWORD)
    client, _answer = enter(app)
    form = {"csrf_token": token_of(client.get("/acme/login/second").text), "code": shown.code()}
    assert client.post("/other/login/second", data=form).location == "/other/login"
    present = time.time
    monkeypatch.setattr("trellis.web.session.time.time", lambda: present() + 601)
    assert client.get("/acme/login/second").status_code == 303
    monkeypatch.undo()
    form = {"current": PASSWORD, "password": "four quiet wooden boats"}
    assert post(here, "/acme/profile", "/acme/profile/password", **form).status_code == 302
    assert client.get("/acme/login/second").status_code == 303


def test_it_is_switched_off_by_password_and_code_and_reset_by_an_administrator(
    app: Flask, sign_in: SignIn
) -> None:
    here = sign_in(AGENT)
    _shown, codes = set_up(here)
    off = f"{SETUP}/off"
    assert "not right" in post(here, off, off, password="wrong", code=codes[0]).text
    assert "not right" in post(here, off, off, password=PASSWORD, code="000000").text
    assert post(here, off, off, password=PASSWORD, code=codes[0]).status_code == 302
    assert enter(app)[1].location == "/acme/customer"
    _shown, codes = set_up(here)
    newer = codes_on(post(here, "/acme/profile", f"{SETUP}/codes").text)
    assert (len(newer), set(newer) & set(codes)) == (10, set())
    admin = sign_in("admin@acme.test")
    people = admin.get("/acme/settings/users").text
    (reset,) = {part for part in people.split('"') if part.endswith("/second-factor")}
    assert "Reset" in admin.get(reset).text
    assert post(here, "/acme/profile", reset).status_code == 403
    assert post(admin, "/acme/settings/users", reset).status_code == 302
    assert here.get("/acme/customer").status_code == 303  # the sessions have ended
    assert enter(app)[1].location == "/acme/customer"


def test_a_workspace_may_require_it_and_tokens_go_on(
    app: Flask, sign_in: SignIn, installation: Installation
) -> None:
    admin, agent = sign_in("admin@acme.test"), sign_in(AGENT)
    token = new_token(installation.workspace("acme"), AGENT)
    assert post(agent, "/acme/profile", "/acme/settings/security").status_code == 403
    path = "/acme/settings/security"
    assert post(admin, path, path, second_factor_required="true").status_code == 302
    for page in ("/acme/", "/acme/customer", "/acme/profile", "/acme/settings/security"):
        assert agent.get(page).location == SETUP, page
    assert agent.get("/acme/customer", headers={"HX-Request": "true"}).headers["HX-Redirect"] == SETUP
    csrf = token_of(agent.get(SETUP).text)
    assert agent.post("/acme/customer/new", data={"csrf_token": csrf, "name": "A"}).location == SETUP
    assert agent.get("/api/v1/acme/customer").status_code == 403
    assert agent.get("/api/v1/acme/docs").status_code == 403
    http = app.test_client()
    assert http.get("/api/v1/acme/customer", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    set_up(agent)
    assert agent.get("/acme/customer").status_code == 200
    assert agent.get("/api/v1/acme/customer").status_code == 200


def test_an_old_sign_in_is_confirmed_before_the_sign_in_is_changed(
    sign_in: SignIn, installation: Installation
) -> None:
    admin = sign_in("admin@acme.test")
    csrf = token_of(admin.get("/acme/profile").text)
    (user,) = re.findall(
        r"/acme/settings/users/(\d+)\"[^>]*aria-label=\"Edit Agent", admin.get("/acme/settings/users").text
    ) or [""]
    with installation.control.write() as session:
        session.execute(sa.update(BrowserSession).values(proved_at=datetime.now(UTC) - timedelta(minutes=16)))
    guarded = {
        "/acme/profile/tokens": {"title": "Shop"},
        SETUP: {},
        f"{SETUP}/codes": {},
        f"{SETUP}/off": {"password": PASSWORD},
        "/acme/profile/passkeys": {},
        "/acme/profile/passkeys/options": {},
        "/acme/profile/passkeys/1/remove": {},
        "/acme/settings/security": {},
        f"/acme/settings/users/{user or 1}": {"email": "x@acme.test"},
        f"/acme/settings/users/{user or 1}/second-factor": {},
    }
    for path, form in guarded.items():
        answer = admin.post(path, data={"csrf_token": csrf, **form})
        assert (answer.status_code, answer.location.partition("?")[0]) == (303, "/acme/confirm"), path
    assert "trl_" not in admin.get("/acme/profile").text
    place = admin.get(SETUP).location
    assert place == f"/acme/confirm?next={SETUP}"
    assert post(admin, place, "/acme/confirm", password="wrong").status_code == 401
    confirmed = post(admin, place, "/acme/confirm", password=PASSWORD, next=SETUP)
    assert (confirmed.status_code, confirmed.location) == (303, SETUP)
    assert admin.get(SETUP).status_code == 200
    outside = post(admin, "/acme/confirm", "/acme/confirm", password=PASSWORD, next="//evil.test/acme/")
    assert outside.location == "/acme/"
