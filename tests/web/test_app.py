"""The application: headers, sessions, signing in and out, errors, health."""

from __future__ import annotations

import re
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from trellis.config import Config
from trellis.control import Identity
from trellis.edition import Settings
from trellis.installation import Installation
from trellis.security.identities import add_user, end_sessions
from trellis.security.keys import secret_key
from trellis.web.app import create_app
from trellis.web.views.session import safe_path
from trellis.workspace import Workspace
from werkzeug.test import TestResponse

PASSWORD = "a long password"
EMAIL = "boss@acme.test"


@pytest.fixture
def prepare() -> None:
    """Nothing: these tests make their own people."""


@pytest.fixture
def app(installation: Installation, workspace: Workspace) -> Flask:
    add_user(installation, workspace, EMAIL, "Boss", ["administrator"], PASSWORD)
    return create_app(installation)


@pytest.fixture
def browser(app: Flask) -> FlaskClient:
    return app.test_client()


def csrf(browser: FlaskClient, workspace: str = "acme") -> str:
    page = browser.get(f"/{workspace}/login?language=en").text
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def sign_in(browser: FlaskClient, **form: str) -> TestResponse:
    sent = {"email": EMAIL, "password": PASSWORD, "csrf_token": csrf(browser), **form}
    return browser.post("/acme/login", data=sent)


def test_every_answer_is_hardened(browser: FlaskClient) -> None:
    sign_in(browser)
    for path in (
        "/acme/",
        "/acme/login",
        "/nothing/at/all",
        "/healthz",
        "/api/v1/acme/customer",
        "/static/css/base.css",
    ):
        headers = browser.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "script-src 'self'" in policy and "frame-ancestors 'none'" in policy, path
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "Strict-Transport-Security" not in headers
        if "/static/" not in path:
            assert headers["Cache-Control"] == "no-store", path


def test_static_files_are_kept_while_their_address_says_so(browser: FlaskClient) -> None:
    page = browser.get("/acme/login").text
    found = re.search(r'href="(/static/css/base\.css\?v=\w+)"', page)
    assert found is not None
    assert "immutable" in browser.get(found[1]).headers["Cache-Control"]
    assert "no-cache" in browser.get("/static/css/base.css").headers["Cache-Control"]
    assert "immutable" not in browser.get("/static/css/nothing.css?v=1").headers["Cache-Control"]


def test_over_https_cookie_and_page_stay_there(browser: FlaskClient) -> None:
    for scheme, secure in (("http", False), ("https", True)):
        answer = browser.get("/acme/login", base_url=f"{scheme}://localhost")
        cookie = answer.headers["Set-Cookie"]
        assert ("Secure" in cookie, "HttpOnly" in cookie, "SameSite=Lax" in cookie) == (secure, True, True)
        assert ("Strict-Transport-Security" in answer.headers) is secure
        browser = browser.application.test_client()


def test_signing_in_begins_a_new_session_and_signing_out_ends_it(browser: FlaskClient) -> None:
    before = csrf(browser)
    assert sign_in(browser).headers["Location"] == "/acme/"
    with browser.session_transaction() as session:
        assert session.get("csrf") != before
        assert "password" not in str(dict(session))
    assert browser.get("/acme/").status_code == 200
    assert browser.post("/acme/logout").status_code == 403
    with browser.session_transaction() as session:
        token = session["csrf"]
    assert browser.post("/acme/logout", data={"csrf_token": token}).headers["Location"] == "/acme/login"
    assert browser.get("/acme/").status_code == 303


@pytest.mark.parametrize(("email", "password"), [(EMAIL, "wrong"), ("nobody@acme.test", PASSWORD), ("", "")])
def test_a_failed_sign_in_tells_nothing(browser: FlaskClient, email: str, password: str) -> None:
    answer = sign_in(browser, email=email, password=password)
    assert answer.status_code == 401
    texts = re.findall(r'role="alert">.*?</div>', answer.text, re.S)
    assert len(texts) == 1
    assert "address or the password" in texts[0]
    assert browser.get("/acme/").status_code == 303


def test_a_page_of_another_site_cannot_sign_somebody_in(browser: FlaskClient) -> None:
    csrf(browser)
    for token in ("", "wrong", "\u00e9"):
        answer = browser.post("/acme/login", data={"email": EMAIL, "password": PASSWORD, "csrf_token": token})
        assert answer.status_code == 403
    fresh = browser.application.test_client()
    assert fresh.post("/acme/login", data={"email": EMAIL, "password": PASSWORD}).status_code == 403


def test_a_stolen_cookie_ends_with_the_sessions(browser: FlaskClient, installation: Installation) -> None:
    sign_in(browser)
    assert browser.get("/acme/").status_code == 200
    end_sessions(installation, EMAIL)
    assert browser.get("/acme/").status_code == 303
    sign_in(browser)
    with installation.control.write() as session:
        session.execute(sa.update(Identity).values(active=False))
    assert browser.get("/acme/").status_code == 303


def test_a_forged_cookie_is_nobody(browser: FlaskClient, app: Flask) -> None:
    for content in (
        {"identity": 1},
        {"identity": "1", "uniquifier": "x"},
        {"identity": 1, "uniquifier": "x"},
    ):
        with browser.session_transaction() as session:
            session.clear()
            session.update(content)
        assert browser.get("/acme/").status_code == 303
    browser.set_cookie("trellis", "eyJpZGVudGl0eSI6MX0.forged.forged")
    assert browser.get("/acme/").status_code == 303


def test_one_sign_in_opens_the_workspaces_of_ones_own_only(
    browser: FlaskClient, installation: Installation
) -> None:
    installation.create_workspace("other", Settings())
    sign_in(browser)
    assert browser.get("/").headers["Location"] == "/acme/"
    assert browser.get("/other/").headers["Location"].startswith("/other/login")
    assert browser.get("/api/v1/other/customer").status_code == 401
    stranger = browser.application.test_client()
    page = stranger.get("/").text
    assert "/acme/" in page and "/other/" in page


@pytest.mark.parametrize(
    ("path", "safe"),
    [
        ("/acme/customer?q=a%20b", True),
        ("/acme/customer/1", True),
        ("/api/v1/acme/docs", True),
        ("", False),
        ("/other/", False),
        ("/acme", False),
        ("//evil.test/acme/", False),
        ("/acme//evil.test", False),
        ("/acme/\\evil.test", False),
        ("https://evil.test/acme/", False),
        ("/acme/\nSet-Cookie: x", False),
        ("javascript:alert(1)", False),
    ],
)
def test_signing_in_leads_back_only_into_the_workspace(path: str, safe: bool) -> None:
    assert safe_path(path, "acme") == (path if safe else "/acme/")


def test_strangers_are_led_back_after_signing_in(browser: FlaskClient) -> None:
    asked = browser.get("/acme/customer?q=x")
    assert asked.headers["Location"] == "/acme/login?next=/acme/customer?q%3Dx"
    assert sign_in(browser, next="/acme/customer?q=x").headers["Location"] == "/acme/customer?q=x"
    stranger = browser.application.test_client()
    assert (
        stranger.get("/acme/customer", headers={"HX-Request": "true"})
        .headers["HX-Redirect"]
        .startswith("/acme/login")
    )


def test_the_language_is_that_of_the_browser_until_another_is_chosen(browser: FlaskClient) -> None:
    russian = {"Accept-Language": "ru"}
    assert '<html lang="ru"' in browser.get("/acme/login", headers=russian).text
    assert '<html lang="en"' in browser.get("/acme/login?language=en", headers=russian).text
    assert '<html lang="en"' in browser.get("/acme/login", headers=russian).text
    sign_in(browser)
    with browser.session_transaction() as session:
        session["csrf"] = "known"
    chosen = browser.post("/acme/session/language", data={"language": "ru", "csrf_token": "known"})
    assert chosen.headers["Location"] == "/acme/"
    assert '<html lang="ru"' in browser.get("/acme/").text


def test_errors_are_pages_for_people(
    browser: FlaskClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    missing = browser.get("/nothing/")
    assert (missing.status_code, missing.mimetype) == (404, "text/html")
    sign_in(browser)
    inside = browser.get("/acme/nothing")
    assert (inside.status_code, 'class="side"' in inside.text) == (404, True)

    def fail(*_args: object, **_options: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr("trellis.records.door.Records.get", fail)
    broken = browser.get("/acme/customer/1")
    code = re.search(r"<code>([0-9A-F]{8})</code>", broken.text)
    assert (broken.status_code, "secret" in broken.text) == (500, False)
    assert code is not None
    assert code[1] in caplog.text
    monkeypatch.setattr("trellis.web.errors.render_template", fail)
    monkeypatch.setattr("trellis.web.shell.render_template", fail)
    assert browser.get("/acme/customer/1").status_code == 500


def test_a_database_that_cannot_answer_is_said_so(
    browser: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(browser)

    def fail(*_args: object, **_options: object) -> None:
        raise sa.exc.OperationalError("SELECT", {}, Exception("database is locked"))

    monkeypatch.setattr("trellis.records.door.Records.get", fail)
    assert browser.get("/acme/customer/1").status_code == 503
    answer = browser.get("/api/v1/acme/customer/1")
    assert (answer.status_code, answer.json["code"], "Retry-After" in answer.headers) == (503, "busy", True)


def test_a_refused_write_leaves_nothing(browser: FlaskClient, workspace: Workspace, app: Flask) -> None:
    sign_in(browser)
    with browser.session_transaction() as session:
        session["csrf"] = "known"
    wrong = browser.post("/acme/customer/new", data={"name": "", "csrf_token": "known"})
    assert wrong.status_code == 422
    assert browser.get("/api/v1/acme/customer").json["items"] == []
    assert browser.post("/acme/customer/new", data={"name": "A", "csrf_token": "known"}).status_code == 302
    assert len(browser.get("/api/v1/acme/customer").json["items"]) == 1


def test_health_readiness_and_metrics(
    browser: FlaskClient, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert browser.get("/healthz").json == {"status": "ok"}
    assert (browser.get("/readyz").status_code, browser.get("/readyz").json["status"]) == (200, "ok")
    browser.get("/api/v1/acme/customer/17?q=secret")
    text = browser.get("/metrics").text
    assert 'route="/api/v1/<workspace>/<name:entity>/<id:record_id>",status="401"} 1.0' in text
    assert "secret" not in text and EMAIL not in text and "/17" not in text
    monkeypatch.setattr("trellis.workspace.Workspace.behind", lambda self: ["core"])
    behind = browser.get("/readyz")
    assert (behind.status_code, "acme" in behind.text, "upgrade" in behind.text) == (503, False, True)

    def fail(*_args: object) -> None:
        raise sa.exc.OperationalError("SELECT", {}, Exception("gone"))

    monkeypatch.setattr(installation, "workspaces", fail)
    assert (browser.get("/readyz").status_code, browser.get("/healthz").status_code) == (503, 200)


def test_processes_that_start_at_once_agree_on_a_key_that_others_cannot_read(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _index: secret_key(Config(home=tmp_path)), range(8)))
    assert len(keys) == 1
    assert len(keys.pop()) == 64
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600


def test_machines_may_share_a_key_by_the_environment(tmp_path: Path) -> None:
    installation = Installation(Config(home=tmp_path, secret_key="shared"))
    assert create_app(installation).secret_key == "shared"
    assert not (tmp_path / "secret_key").exists()
    installation.close()
