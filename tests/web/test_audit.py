"""The audit trail in the settings: filters, pages, export, and who may see it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient
from trellis.web.views import settings_audit
from web.conftest import token_of

SignIn = Callable[[str], FlaskClient]
Drain = Callable[[], int]


def rows(browser: FlaskClient, drain: Drain, **asked: object) -> list[dict[str, str]]:
    """The entries of the file that a filter gives."""
    token = token_of(browser.get("/acme/customer/new").text)
    place = browser.post(
        "/acme/settings/audit/export", query_string=asked, data={"csrf_token": token}
    ).location
    drain()
    return list(csv.DictReader(io.StringIO(browser.get(f"{place}/file").text)))


def change(browser: FlaskClient, record: int, **values: str) -> None:
    token = token_of(browser.get("/acme/customer/new").text)
    for name, value in values.items():
        form = {"csrf_token": token, "version": "1", name: value}
        assert browser.post(f"/acme/customer/{record}/field/{name}", data=form).status_code < 400


def test_each_filter_finds_what_was_done(sign_in: SignIn, drain: Drain) -> None:
    admin = sign_in("admin@acme.test")
    change(admin, 3, city="Linz")
    found = rows(admin, drain, action="updated", entity="customer", source="web", record=3)
    assert [(row["actor_name"], row["changes"]) for row in found] == [("Admin", '{"city":["Wien","Linz"]}')]
    assert rows(admin, drain, field="city", action="updated") == found
    assert rows(admin, drain, field="name", action="updated") == []
    who = found[0]["actor_id"]
    assert rows(admin, drain, who=who, entity="customer") == found
    assert rows(admin, drain, entity="customer", action="created") and not rows(admin, drain, entity="lead")
    today = date.today()
    assert len(rows(admin, drain, since=today - timedelta(days=1))) == len(rows(admin, drain)) > 30
    assert (
        rows(admin, drain, since=today + timedelta(days=2))
        == rows(admin, drain, until=today - timedelta(days=2))
        == []
    )
    assert rows(admin, drain, who="x", since="yesterday", action="burned") == rows(admin, drain)
    assert all(f'value="{name}"' in admin.get("/acme/settings/audit").text for name in ("import", "process"))
    page = admin.get("/acme/settings/audit?action=updated&entity=customer").text
    assert "Linz" in page and "<s>Wien</s>" in page and "/acme/customer/3" in page


def test_older_entries_are_on_the_next_page(
    sign_in: SignIn, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings_audit, "PER_PAGE", 20)
    admin = sign_in("admin@acme.test")
    seen, url = 0, "/acme/settings/audit?entity=customer"
    while url:
        page = admin.get(url).text
        seen += page.count("<time datetime")
        older = page.split('rel="next" href="')
        url = older[1].split('"')[0].replace("&amp;", "&") if len(older) > 1 else ""
    assert seen == len(rows(admin, drain, entity="customer")) > 20


def test_the_trail_is_for_administrators(sign_in: SignIn) -> None:
    agent = sign_in("agent@acme.test")
    assert agent.get("/acme/settings/audit").status_code == 403
    form = {"csrf_token": token_of(agent.get("/acme/search").text)}
    assert agent.post("/acme/settings/audit/export", data=form).status_code == 403
