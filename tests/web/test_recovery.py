"""A forgotten password: a link by mail through a real mail server, good once and for an hour."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from dataclasses import replace

import pyotp
import pytest
from flask import Flask
from itsdangerous import TimestampSigner
from posting import Box
from trellis import mail
from trellis.config import Config
from trellis.edition import Settings
from trellis.health import examine
from trellis.installation import Installation
from trellis.security import second_factor
from trellis.security.actor import SYSTEM
from trellis.security.identities import (
    add_user,
    authenticate,
    change_email,
    change_password,
    end_sessions,
    find_user,
    give_password,
    reset_second_factor,
)
from trellis.testing.templates import Prepare
from trellis.web.app import create_app
from web.conftest import PASSWORD, token_of
from werkzeug.test import TestResponse

NEW = "four quiet wooden boats"


def two_houses(config: Config) -> None:
    """Two workspaces with people of their own."""
    installation = Installation(config)
    workspace = installation.workspace("acme")
    add_user(installation, workspace, "anna@acme.test", "Anna", ["agent"], PASSWORD)
    add_user(installation, workspace, "new@acme.test", "New", ["agent"])
    other = installation.create_workspace("other", Settings())
    add_user(installation, other, "stranger@other.test", "Stranger", ["agent"], PASSWORD)
    installation.close()


@pytest.fixture
def prepare() -> Prepare:
    return two_houses


@pytest.fixture
def app(config: Config, post_office: tuple[str, Box]) -> Iterator[Flask]:
    configured = replace(
        config, smtp_url=post_office[0], mail_from="crm@acme.test", url="https://crm.acme.test/"
    )
    installation = Installation(configured)
    application = create_app(installation)
    application.extensions["installation"] = installation
    yield application
    installation.close()


def ask(app: Flask, email: str, host: str = "localhost") -> TestResponse:
    client = app.test_client()
    form = {
        "csrf_token": token_of(client.get("/acme/recover", base_url=f"http://{host}").text),
        "email": email,
    }
    return client.post("/acme/recover", data=form, base_url=f"http://{host}")


def link_in(box: Box) -> str:
    received = box.get(timeout=20)
    assert (received["From"], received["To"]) == ("crm@acme.test", "anna@acme.test")
    found = re.search(r"https://crm\.acme\.test(/acme/recover/\S+)", received.get_content())
    assert found is not None
    return found[1]


def choose(app: Flask, link: str, password: str) -> TestResponse:
    client = app.test_client()
    form = {"csrf_token": token_of(client.get("/acme/login").text), "password": password}
    return client.post(link, data=form)


def enters(app: Flask, password: str, email: str = "anna@acme.test") -> bool:
    client = app.test_client()
    form = {"csrf_token": token_of(client.get("/acme/login").text), "email": email, "password": password}
    return client.post("/acme/login", data=form).status_code == 303


def test_a_link_gives_a_new_password_once(app: Flask, post_office: tuple[str, Box]) -> None:
    assert "Forgotten the password?" in app.test_client().get("/acme/login").text
    assert ask(app, "Anna@acme.test", host="evil.test").status_code == 200
    link = link_in(post_office[1])
    assert "anna@acme.test" in app.test_client().get(link).text
    weak = choose(app, link, "qwertyuiop123")
    assert (weak.status_code, "easily guessed" in weak.text) == (422, True)
    assert enters(app, PASSWORD)
    assert choose(app, link, NEW).status_code == 200
    assert (enters(app, PASSWORD), enters(app, NEW)) == (False, True)
    assert choose(app, link, "another fine long lamp").status_code == 404
    assert app.test_client().get(link).status_code == 404
    assert enters(app, NEW)


def test_people_are_told_of_each_change(app: Flask, post_office: tuple[str, Box]) -> None:
    installation, box = app.extensions["installation"], post_office[1]
    workspace, anna = installation.workspace("acme"), "anna@acme.test"

    def told(number: int = 1) -> list[tuple[str, str]]:
        mails = [box.get(timeout=20) for _number in range(number)]
        return sorted((one["To"], one.get_content().splitlines()[0].removesuffix(".")) for one in mails)

    identity = authenticate(installation, "acme", anna, PASSWORD)
    assert identity is not None
    change_password(installation, anna, PASSWORD, NEW)
    assert told() == [(anna, "Your password was changed")]
    give_password(installation, workspace, anna, PASSWORD)
    assert told() == [(anna, "An administrator gave you a new password")]
    draft = second_factor.draft(installation, identity.id, anna)
    code = pyotp.TOTP(draft.secret).now()
    codes = second_factor.switch_on(installation, identity.id, anna, draft.sealed, code)
    assert told() == [(anna, "An app for one-time codes was set up")]
    assert second_factor.prove(installation, identity, codes[0], "")
    assert told() == [(anna, "A recovery code was used")]
    reset_second_factor(installation, workspace, anna, SYSTEM)
    assert told() == [(anna, "Your second factor and passkeys were reset")]
    change_email(installation, workspace, find_user(workspace, anna), "rosa@acme.test", SYSTEM)
    happened = "The mail address of your sign-in was changed from anna@acme.test to rosa@acme.test"
    assert told(2) == [(anna, happened), ("rosa@acme.test", happened)]


def test_nobody_waits_for_a_mail_server_that_is_down(config: Config) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:  # it takes calls and says nothing
        address = f"smtp://127.0.0.1:{deaf.getsockname()[1]}"
        configured = replace(config, smtp_url=address, mail_from="crm@acme.test", url="https://crm.acme.test")
        installation = Installation(configured)
        began = time.monotonic()
        change_password(installation, "anna@acme.test", PASSWORD, NEW)
        assert time.monotonic() - began < mail.TIMEOUT / 2
        installation.close()


def test_nobody_learns_who_has_an_account(app: Flask, post_office: tuple[str, Box]) -> None:
    answers = [
        ask(app, email) for email in ("anna@acme.test", "nobody@acme.test", "stranger@other.test", "x")
    ]
    plain = {one.text.partition("<main")[2] for one in answers}
    assert ({one.status_code for one in answers}, len(plain)) == ({200}, 1)
    link_in(post_office[1])
    assert post_office[1].empty()


def test_a_link_ends_with_time_with_the_sessions_and_when_it_is_bent(
    app: Flask, post_office: tuple[str, Box], monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(app, "anna@acme.test")
    link = link_in(post_office[1])
    # the last character ends in bits that mean nothing, so the one before it is bent
    bent = link[:-2] + ("A" if link[-2] != "A" else "B") + link[-1]
    assert app.test_client().get(bent).status_code == 404
    assert app.test_client().get("/acme/recover/x").status_code == 404
    present = TimestampSigner.get_timestamp
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda self: present(self) + 3601)
    assert app.test_client().get(link).status_code == 404
    monkeypatch.undo()
    assert app.test_client().get(link).status_code == 200
    end_sessions(app.extensions["installation"], "anna@acme.test")
    assert app.test_client().get(link).status_code == 404


def test_links_are_not_sent_without_end_and_signing_in_stays_open(
    app: Flask, post_office: tuple[str, Box]
) -> None:
    for email in ("anna@acme.test", "nobody@acme.test"):
        assert [ask(app, email).status_code for _number in range(6)] == [200] * 5 + [429]
    assert enters(app, PASSWORD)


def test_without_a_mail_server_it_says_what_to_do(config: Config) -> None:
    installation = Installation(config)
    page = create_app(installation).test_client().get("/acme/recover").text
    assert "sends no mail" in page
    assert "<form" not in page
    installation.close()


def test_a_mail_has_one_line_in_its_head(config: Config) -> None:
    with pytest.raises(ValueError, match=r"linefeed|newline"):
        mail.message(replace(config, mail_from="crm@acme.test"), "a@b.test\nBcc: c@d.test", "S", "T")


def test_system_health_reaches_the_mail_server(app: Flask) -> None:
    mailing = next(
        check for check in examine(app.extensions["installation"], ["acme"]) if check.name == "mail"
    )
    assert mailing.findings == ()
