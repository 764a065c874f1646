"""Parts of pages that are written once and kept: they are always the reader's own, and as it is now."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from markupsafe import Markup
from trellis.edition import Settings
from trellis.installation import Installation
from trellis.records.door import Records
from trellis.security.actor import SYSTEM
from trellis.security.identities import add_user, set_roles
from trellis.web import list_page
from trellis.web.patterns import Pattern
from web.conftest import PEOPLE

SignIn = Callable[[str], FlaskClient]
HOSTILE = '<b onclick="x">\'%s %(name)s & 100 %'


def records_of(installation: Installation) -> Callable[[str, str, dict[str, object]], None]:
    """What creates a record in a workspace."""

    def create(workspace: str, entity: str, values: dict[str, object]) -> None:
        with (place := installation.workspace(workspace)).write() as session:
            Records(session, place.edition(session), SYSTEM).create(entity, values)

    return create


def test_a_pattern_escapes_what_fills_it_and_keeps_what_is_html() -> None:
    pattern = Pattern(
        ("one", "two"), lambda gaps: f"<i>{gaps['two']}</i>100 %<u>{gaps['one']}{gaps['two']}</u>"
    )
    filled = pattern.fill({"one": "<&%s", "two": Markup("<hr>")})
    assert filled == "<i><hr></i>100 %<u>&lt;&amp;%s<hr></u>"


def test_pages_are_those_of_their_reader(app: Flask, installation: Installation, sign_in: SignIn) -> None:
    installation.create_workspace("other", Settings(title="Other & Sons", currency="CZK"))
    add_user(installation, installation.workspace("other"), "admin@acme.test", "Admin", ["administrator"])
    create = records_of(installation)
    create("other", "customer", {"name": "Foreign customer"})
    people = {email: sign_in(email) for email in PEOPLE}
    tokens = {}
    for _round in range(2):
        for language, word in (("en", "Customers"), ("ru", "Клиенты")):
            for email, client in people.items():
                client.set_cookie("language", language)
                for page in ("", "customer", "customer?sort=name&q=customer", "opportunity/board"):
                    text = client.get(f"/acme/{page}").text
                    tokens[email] = re.findall(r'X-CSRF-Token": "([^"]+)"', text)[0]
                    assert set(re.findall(r'name="csrf_token" value="([^"]+)"', text)) == {tokens[email]}
                    assert email in text and not any(one in text for one in PEOPLE if one != email), page
                    assert ("Other &amp; Sons" in text) == (email == "admin@acme.test")
                    assert ("/acme/settings" in text) == (email == "admin@acme.test")
                    assert word in text and "Foreign customer" not in text
    assert len(set(tokens.values())) == len(PEOPLE)
    lists = {email: client.get("/acme/customer").text for email, client in people.items()}
    assert "data-bulk-act" in lists["admin@acme.test"] and "data-cell" in lists["admin@acme.test"]
    assert "data-bulk-act" not in lists["reader@acme.test"] and "data-cell" not in lists["reader@acme.test"]
    assert "data-rules-segment" in lists["admin@acme.test"]
    assert "data-rules-segment" not in lists["agent@acme.test"] + lists["reader@acme.test"]
    other = people["admin@acme.test"].get("/other/customer").text
    assert "Foreign customer" in other and "/acme/customer" not in other


def test_what_changed_is_shown_at_once(installation: Installation, sign_in: SignIn) -> None:
    reader, admin = sign_in("reader@acme.test"), sign_in("admin@acme.test")
    assert "data-bulk-act" not in reader.get("/acme/customer").text
    admin.set_cookie("theme", "dark")
    assert 'data-theme="dark"' in admin.get("/acme/customer").text
    workspace = installation.workspace("acme")
    with workspace.write() as session:
        edition = workspace.edition(session)
        records = Records(session, edition, SYSTEM)
        (user,) = records.list("user", rule={"field": "email", "op": "eq", "value": "reader@acme.test"}).items
        records.update("user", user.id, {"name": "Renamed Reader"})
        set_roles(session, edition, SYSTEM, user.id, ["agent"])
    text = reader.get("/acme/customer").text
    assert "Renamed Reader" in text and "data-bulk-act" in text
    with workspace.write() as session:
        workspace.save_settings(session, {"title": "Acme renamed"})
    assert "Acme renamed" in reader.get("/acme/customer").text


def test_whatever_people_write_is_text(installation: Installation, sign_in: SignIn) -> None:
    records_of(installation)("acme", "customer", {"name": HOSTILE, "city": HOSTILE, "gym.card": "%s"})
    admin = sign_in("admin@acme.test")
    for _round in range(2):
        rule = json.dumps({"field": "city", "op": "eq", "value": HOSTILE})
        for arguments in ({"sort": "-created_at"}, {"filter": rule}, {"q": HOSTILE}, {"group": "city"}):
            text = admin.get("/acme/customer", query_string=arguments).text
            assert "<b onclick" not in text
            assert HOSTILE in unescape(text)
            assert text.count("<tr") == text.count("</tr>") >= (1 if "q" in arguments else 2), arguments


def test_a_long_list_is_counted_after_its_page(sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_page, "COUNT_AT_ONCE", 20)
    admin = sign_in("admin@acme.test")
    page = unescape(admin.get("/acme/order?sort=number").text)
    assert 'id="list-total">20+<' in page and "1–50 of 20+" in page
    url = re.search(r'hx-get="(/acme/order/counts\?[^"]*)"', page)
    assert url is not None
    counts = unescape(admin.get(url[1]).text)
    assert 'id="list-total" hx-swap-oob="true">60<' in counts and "1–50 of 60" in counts
    assert "€2 370.00" in counts.replace("\u00a0", " ") and "All 60 selected" in counts
    following = re.search(r'href="([^"]*)">Next', page)
    assert following is not None
    second = unescape(admin.get(following[1]).text)
    assert "51–60 of 20+" in second
    url = re.search(r'hx-get="(/acme/order/counts\?[^"]*)"', second)
    assert url is not None and "51–60 of 60" in unescape(admin.get(url[1]).text)
    assert "counts?" not in admin.get("/acme/opportunity").text
