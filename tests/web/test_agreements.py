"""Agreements in the pages: the board, and one that follows another without anything typed again."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

from callers import open_client
from flask import Flask
from flask.testing import FlaskClient
from trellis.installation import Installation
from web.conftest import token_of


def test_an_agreement_is_renewed_from_its_page(
    app: Flask, installation: Installation, sign_in: Callable[[str], FlaskClient]
) -> None:
    boss = open_client(app, installation, installation.workspace("acme"), "key@acme.test", ["administrator"])
    term = {"starts": "2025-01-01", "ends": "2025-12-31", "signed_on": "2024-12-01", "stage": "active"}
    first = boss.create("agreement", title="Support", customer=1, value="1200.00", **term)
    admin, reader = sign_in("admin@acme.test"), sign_in("reader@acme.test")
    assert "Support" in admin.get("/acme/agreement/board").text
    assert "agreement/new" not in reader.get(f"/acme/agreement/{first}").text
    link = re.search(
        r'href="(/acme/agreement/new\?renews=[^"]+)"', admin.get(f"/acme/agreement/{first}").text
    )
    assert link is not None
    form = admin.get(unescape(link[1])).text
    assert 'value="2026-01-01"' in form and 'value="2026-12-31"' in form and "Customer 00" in form
    given = {"customer": "1", "title": "Support", "renews": str(first), "value": "1300", "kind": "service"}
    sent = admin.post("/acme/agreement/new", data={"csrf_token": token_of(form), **given})
    assert sent.status_code == 302
    made = boss.get(f"/agreement?renews={first}").json["items"][0]  # type: ignore[index]
    assert (made["value"], made["starts"], made["ends"]) == ("1300.00", "2026-01-01", "2026-12-31")
    assert made["stage"] == "draft" and made["number"] != "A-000001"
    assert boss.patch(f"/agreement/{first}", {"ends": "9999-12-31"}).status_code == 200
    assert "agreement/new?renews=" in admin.get(f"/acme/agreement/{first}").text
