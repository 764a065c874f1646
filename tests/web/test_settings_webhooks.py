"""Settings: webhooks are added, tried, paused and removed by administrators."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from web.conftest import token_of

SignIn = Callable[[str], FlaskClient]
PAGE = "/acme/settings/webhooks"


def test_a_webhook_is_added_tried_paused_and_removed(
    sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    monkeypatch.setattr(
        "trellis.webhooks.delivering.send", lambda url, *_arguments, **_named: sent.append(url)
    )
    admin = sign_in("admin@acme.test")

    def post(path: str = "", **form: str) -> str:
        token = token_of(admin.get(PAGE).text)
        answer = admin.post(f"{PAGE}{path}", data={"csrf_token": token, **form}, follow_redirects=True)
        return answer.text

    refused = post(url="http://example.org/hook")
    assert "Give a whole address" in refused and "http://example.org/hook" in refused
    added = post(url="https://example.org/hook", entities="customer")
    secret = re.search(r"whsec_[\w+/=]+", added)
    assert secret is not None and "https://example.org/hook" in added and "Delivers" in added
    assert secret[0] not in admin.get(PAGE).text
    assert "Delivered" in post("/1/try") and sent == ["https://example.org/hook"]
    assert "Paused" in post("/1/pause")
    assert "Delivers" in post("/1/resume")
    assert "whsec_" in post("/1/secret")
    assert "https://example.org/hook" not in post("/1/remove")


def test_a_test_that_is_not_taken_says_why(sign_in: SignIn) -> None:
    admin = sign_in("admin@acme.test")
    token = token_of(admin.get(PAGE).text)
    admin.post(PAGE, data={"csrf_token": token, "url": "https://127.0.0.1/hook"})
    told = admin.post(f"{PAGE}/1/try", data={"csrf_token": token}, follow_redirects=True).text
    assert "Not delivered. The address is inside the network of this server" in told


def test_others_see_no_webhooks(sign_in: SignIn) -> None:
    assert sign_in("agent@acme.test").get(PAGE).status_code == 403
