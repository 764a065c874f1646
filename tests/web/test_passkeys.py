"""Passkeys as the server sees them: what a device answers, what others might answer in its place."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from flask import Flask
from flask.testing import FlaskClient
from trellis.config import Config
from trellis.edition import Settings
from trellis.installation import Installation
from trellis.security.identities import add_user
from trellis.security.passkeys import Site, site_of
from trellis.testing.templates import Prepare
from trellis.web.app import create_app
from web.conftest import PASSWORD, token_of
from webauthn.helpers import bytes_to_base64url
from werkzeug.test import TestResponse

PASSKEYS = "/acme/profile/passkeys"
LOGIN = "/acme/login/passkey"
PRESENT, VERIFIED, NEW = 0x01, 0x04, 0x40


class Device:
    """What keeps passkeys: one key, which counts its uses unless ``counts`` is False."""

    def __init__(self, credential: bytes = b"credential one", counts: bool = True) -> None:
        self.key, self.credential, self.uses, self.counts = (
            generate_private_key(SECP256R1()),
            credential,
            0,
            counts,
        )
        self.handle = ""

    def made(self, options: Mapping[str, Any], flags: int = PRESENT | VERIFIED, **said: str) -> str:
        self.handle = options["user"]["id"]
        numbers = self.key.public_key().public_numbers()
        public = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        body = bytes(16) + struct.pack(">H", len(self.credential)) + self.credential + cbor2.dumps(public)
        data = self._data(flags | NEW, said.get("host", "localhost")) + body
        answer = {
            "clientDataJSON": self._client("webauthn.create", options, said),
            "attestationObject": cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data}),
        }
        return self._sent(answer)

    def used(self, options: Mapping[str, Any], flags: int = PRESENT | VERIFIED, **said: str) -> str:
        self.uses += self.counts
        data = self._data(flags, said.get("host", "localhost"))
        client = self._client("webauthn.get", options, said)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ECDSA(SHA256()))
        answer = {"clientDataJSON": client, "authenticatorData": data, "signature": signature}
        return self._sent(answer, userHandle=said.get("handle", self.handle))

    def _data(self, flags: int, host: str) -> bytes:
        return hashlib.sha256(host.encode()).digest() + bytes([flags]) + struct.pack(">I", self.uses)

    def _client(self, kind: str, options: Mapping[str, Any], said: Mapping[str, str]) -> bytes:
        origin = said.get("origin", "http://localhost")
        challenge = said.get("challenge", options["challenge"])
        return json.dumps({"type": kind, "challenge": challenge, "origin": origin}).encode()

    def _sent(self, answer: Mapping[str, bytes], **more: str) -> str:
        named = bytes_to_base64url(self.credential)
        response = {name: bytes_to_base64url(value) for name, value in answer.items()} | more
        whole = {"id": named, "rawId": named, "type": "public-key", "response": response}
        return json.dumps({**whole, "clientExtensionResults": {}})


def two_houses(config: Config) -> None:
    """Two workspaces with people who have passwords."""
    installation = Installation(config)
    for email in ("agent@acme.test", "reader@acme.test"):
        add_user(installation, installation.workspace("acme"), email, email[:5], ["agent"], PASSWORD)
    other = installation.create_workspace("other", Settings())
    add_user(installation, other, "agent@acme.test", "Agent", ["agent"])
    installation.close()


@pytest.fixture
def prepare() -> Prepare:
    return two_houses


@pytest.fixture
def app(installation: Installation) -> Flask:
    return create_app(installation)


def post(client: FlaskClient, path: str, page: str = "/acme/login", **form: object) -> TestResponse:
    return client.post(path, data={"csrf_token": token_of(client.get(page).text), **form})


def browser(app: Flask, email: str = "agent@acme.test") -> FlaskClient:
    client = app.test_client()
    assert post(client, "/acme/login", email=email, password=PASSWORD).status_code == 303
    return client


def options(client: FlaskClient, path: str, page: str = "/acme/login") -> dict[str, Any]:
    found = post(client, f"{path}/options", page)
    assert found.status_code == 200, found.text
    return dict(found.json)  # type: ignore[arg-type]


def add(client: FlaskClient, device: Device, **said: Any) -> TestResponse:
    asked = options(client, PASSKEYS, "/acme/profile")
    return post(client, PASSKEYS, "/acme/profile", name="Phone", answer=device.made(asked, **said))


def enter(
    app: Flask, device: Device, path: str = LOGIN, **said: Any
) -> tuple[FlaskClient, TestResponse, str]:
    client, page = app.test_client(), f"/{path.split('/')[1]}/login"
    answer = device.used(options(client, path, page), **said)
    return client, post(client, path, page, answer=answer), answer


def test_a_new_passkey_is_of_this_site_and_of_a_verified_person(app: Flask) -> None:
    here, device = browser(app), Device()
    for wrong in (
        {"origin": "https://evil.test"},
        {"host": "evil.test"},
        {"flags": PRESENT},
        {"challenge": "AAAA"},
    ):
        assert add(here, device, **wrong).status_code == 422, wrong
    assert post(here, PASSKEYS, "/acme/profile", name="A", answer="{}").status_code == 422
    asked = options(here, PASSKEYS, "/acme/profile")
    assert asked["authenticatorSelection"]["userVerification"] == "required"
    assert asked["authenticatorSelection"]["residentKey"] == "required"
    made = device.made(asked)
    assert post(here, PASSKEYS, "/acme/profile", name=" ", answer=made).status_code == 422
    assert add(here, device).status_code == 200
    assert "Phone" in here.get("/acme/profile").text
    handle = device.handle
    assert add(here, device).status_code == 422  # it is known
    assert add(browser(app, "reader@acme.test"), device).status_code == 422  # and not somebody else's too
    second = Device(b"credential two")
    assert add(here, second).status_code == 302  # recovery codes are given once
    assert second.handle == handle
    asked = options(here, PASSKEYS, "/acme/profile")
    assert [one["id"] for one in asked["excludeCredentials"]] == [
        bytes_to_base64url(one.credential) for one in (device, second)
    ]


def test_only_the_device_answers_and_each_answer_counts_once(app: Flask) -> None:
    device, stranger = Device(), Device()
    here = browser(app)
    add(here, device)
    client, entered, answer = enter(app, device)
    assert (entered.status_code, client.get("/acme/customer").status_code) == (303, 200)
    for wrong in (
        {"origin": "https://evil.test"},
        {"host": "evil.test"},
        {"flags": PRESENT},
        {"handle": "AAAA"},
        {"challenge": "AAAA"},
    ):
        assert enter(app, device, **wrong)[1].status_code == 401, wrong
    stranger.handle = device.handle
    assert enter(app, stranger)[1].status_code == 401  # another key under the same name
    for nonsense in (
        answer,
        "",
        "{}",
        "[]",
        "null",
        '{"id": 1, "response": {}}',
        "[" * 19_000,
        '{"id": "ü"}',
    ):
        asked = app.test_client()
        options(asked, LOGIN)
        assert post(asked, LOGIN, answer=nonsense).status_code == 401, nonsense[:20]
    assert post(app.test_client(), LOGIN, answer=answer).status_code == 401  # nothing was asked
    again = app.test_client()
    sent = device.used(options(again, LOGIN))
    copied = again.get_cookie("trellis")
    assert copied is not None
    assert post(again, LOGIN, answer=sent).status_code == 303
    thief = app.test_client()
    thief.set_cookie("trellis", copied.value)
    assert post(thief, LOGIN, answer=sent).status_code == 401


def test_a_device_that_counts_backwards_is_a_copy(app: Flask) -> None:
    counting, synced = Device(), Device(b"credential two", counts=False)
    here = browser(app)
    add(here, counting)
    add(here, synced)
    assert [enter(app, counting)[1].status_code for _number in range(2)] == [303, 303]
    counting.uses = 0
    assert enter(app, counting)[1].status_code == 401
    counting.uses = 9
    assert enter(app, counting)[1].status_code == 303
    assert [enter(app, synced)[1].status_code for _number in range(2)] == [303, 303]


def test_a_passkey_opens_the_workspaces_of_its_owner_and_is_removed_by_nobody_else(app: Flask) -> None:
    mine, theirs = Device(), Device(b"credential two")
    here, reader = browser(app), browser(app, "reader@acme.test")
    add(here, mine)
    add(reader, theirs)
    assert enter(app, mine, "/other/login/passkey")[1].status_code == 303
    assert enter(app, theirs, "/other/login/passkey")[1].status_code == 401
    (remove,) = [part for part in here.get("/acme/profile").text.split('"') if part.endswith("/remove")]
    assert post(reader, remove, "/acme/profile").status_code == 404
    asked = options(reader, "/acme/confirm/passkey", "/acme/profile")
    assert len(asked["allowCredentials"]) == 1
    foreign = post(reader, "/acme/confirm/passkey", "/acme/profile", answer=mine.used(asked))
    assert foreign.status_code == 401
    assert post(here, remove, "/acme/profile").status_code == 302
    assert enter(app, mine)[1].status_code == 401
    half = app.test_client()
    assert post(half, "/acme/login", email="agent@acme.test", password=PASSWORD).location == "/acme/"


def test_passkeys_are_offered_where_browsers_have_them(app: Flask) -> None:
    login = app.test_client().get("/acme/login")
    assert "data-passkey" in login.text
    for address in ("http://127.0.0.1:8000", "http://crm.acme.test"):
        client = app.test_client()
        assert "data-passkey" not in client.get("/acme/login", base_url=address).text
    config = Config(home=app.root_path)  # type: ignore[arg-type]
    found = [
        site_of(config, one) for one in ("https://CRM.test:8443/", "http://localhost:5/", "http://a.test/")
    ]
    assert found == [Site("crm.test", "https://crm.test:8443"), Site("localhost", "http://localhost:5"), None]
    named = Config(home=app.root_path, url="https://crm.acme.test/trellis")  # type: ignore[arg-type]
    assert site_of(named, "http://10.0.0.1/") == Site("crm.acme.test", "https://crm.acme.test")
