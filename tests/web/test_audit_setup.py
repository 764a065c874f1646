"""Changes of the set-up stand in the audit trail: each kind through its door, without secrets, for administrators alone."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable
from html import unescape
from typing import Any

from flask.testing import FlaskClient
from trellis.installation import Installation
from trellis.records.feed import Feed, newest
from trellis.records.setup import KINDS
from trellis.security.actor import SYSTEM
from web.conftest import token_of

SignIn = Callable[[str], FlaskClient]
Drain = Callable[[], int]
AUDIT = "/acme/settings/audit"


def post(browser: FlaskClient, path: str, **form: Any) -> str:
    token = token_of(browser.get("/acme/customer/new").text)
    answer = browser.post(f"/acme/{path}", data={"csrf_token": token, **form})
    assert answer.status_code < 400, (path, answer.text)
    return answer.text or answer.location


def file_of(browser: FlaskClient, drain: Drain, query: str, **form: str) -> bytes:
    """The file that a filter gives."""
    token = token_of(browser.get("/acme/customer/new").text)
    place = browser.post(f"{AUDIT}/export?{query}", data={"csrf_token": token, **form}).location
    drain()
    return browser.get(f"{place}/file").data


def secrets_of(admin: FlaskClient, drain: Drain) -> list[str]:
    """Changes every kind of set-up through its page; what may be found nowhere afterwards."""
    post(admin, "settings/roles/new", title="Clerk", **{"customer.read": "own", "customer/city": "none"})
    role = {"title": "Clerk", "customer.read": "all", "customer.create": "true"}
    post(admin, "settings/roles/own.clerk", **role)
    post(admin, "settings/roles/own.clerk", **role)  # the same again: nothing to say
    post(admin, "settings/roles/own.clerk/remove")
    post(admin, "settings/fields/customer/new", name="size", label="Size", type="text")
    field = "settings/fields/customer/own.size"
    post(admin, f"{field}/edit", label="Measure", position="1", required="true")
    post(admin, f"{field}/remove")
    general = {"title": "Acme Ltd", "language": "en", "currency": "USD", "timezone": "UTC"}
    general |= {"first_weekday": "6", "fiscal_month": "4"}
    post(admin, "settings/general", **general)
    seen = re.search(r'name="seen" value="(\w+)"', admin.get("/acme/settings/funnels/sales").text)
    assert seen is not None
    post(admin, "settings/funnels/sales", seen=seen[1], **{"qualify.probability": "15"})
    rule = {"field": "city", "op": "eq", "value": "Wien"}
    kpi = {"title": "Counted", "entity": "order", "aggregate": "count", "date": "ordered_at", "unit": "count"}
    kpi |= {"direction": "sales", "level": "tactics", "higher_is_better": "true", "rule": "null"}
    made = admin.post(
        "/api/v1/acme/segments",
        json={"title": "Vienna", "entity": "customer", "rule": rule},
        headers={"X-CSRF-Token": token_of(admin.get("/acme/customer/new").text)},
    )
    assert made.status_code < 400, made.text
    post(admin, "settings/kpis/new", name="counted", **kpi)
    for act in ("disable", "enable", "disable", "purge"):
        post(admin, f"settings/plugins/gym/{act}", name="gym")
    page = unescape(post(admin, "profile/tokens", title="Shop", reach="read", days="30"))
    token = re.search(r"trl_[\w-]+", page)
    revoke = re.search(r"profile/tokens/\d+/revoke", admin.get("/acme/profile").text)
    assert token is not None and revoke is not None
    post(admin, revoke[0])
    secret = re.search(r"whsec_[\w+/=]+", post(admin, "settings/webhooks", url="https://example.org/k3y"))
    assert secret is not None
    post(admin, "settings/webhooks/1/secret")
    post(admin, "settings/webhooks/1/remove")
    post(admin, "settings/backup")
    post(admin, "settings/backup/copy", name="trial", title="Trial")
    drain()
    return [token[0], secret[0], "k3y"]


def test_every_kind_stands_in_the_trail_and_in_its_file(
    sign_in: SignIn, drain: Drain, installation: Installation
) -> None:
    admin = sign_in("admin@acme.test")
    with installation.workspace("acme").read() as session:
        before = newest(session)
    secrets = secrets_of(admin, drain)
    content = file_of(admin, drain, "entity=setup").decode()
    rows = [row for row in csv.DictReader(io.StringIO(content)) if int(row["id"]) > before]
    acts = [(row["entity"].partition(":")[2], row["action"]) for row in reversed(rows)]
    assert acts == [
        *(("role", act) for act in ("created", "updated", "deleted")),
        *(("field", act) for act in ("created", "updated", "deleted")),
        ("settings", "updated"),
        ("stages", "updated"),
        ("segment", "created"),
        ("kpi", "created"),
        *(("plugin", act) for act in ("updated", "updated", "updated", "deleted")),
        *(("token", act) for act in ("created", "deleted")),
        *(("webhook", act) for act in ("created", "updated", "deleted")),
        *(("backup", act) for act in ("created", "created")),
    ]
    assert {row["entity"] for row in rows} == set(KINDS)
    assert {row["actor_name"] for row in rows} == {"Admin"}
    changes = json.loads(rows[-2]["changes"])
    assert changes["grants/customer/read"] == ["own", "all"]
    assert changes["grants/customer/fields/city"] == ["none", None]
    assert json.loads(rows[-7]["changes"])["currency"] == ["EUR", "USD"]
    assert not [one for one in secrets if one in content]
    assert zipfile.is_zipfile(io.BytesIO(file_of(admin, drain, "entity=setup", ending="xlsx")))

    page = unescape(admin.get(f"{AUDIT}?entity=setup").text)
    for text in (
        "Role “Clerk”",
        "Field “Customers: Measure”",
        "<b>Customers, Reads</b> <s>Own</s> → All",
        "<b>Customers, City</b> <s>Hidden</s> → Reads and edits",
        "<b>Currency</b> <s>EUR</s> → USD",
        "<b>First day of the week</b> <s>Monday</s> → Sunday",
        "<b>First month of the fiscal year</b> <s>January</s> → April",
        "<b>Colour</b> Grey",
        "<b>State</b> <s>Enabled</s> → Disabled",
        "Plugin “Gym”",
        "Token “Shop”",
        "Webhook “example.org”",
        "City is “Wien”",
        "<b>User</b> Admin",
        "<b>What is computed</b> Number of records",
        "<b>Unit of measure</b> A number",
        "<b>Direction</b> Sales",
        "<b>Level</b> Tactics",
        "<b>Belongs to a period by</b> Ordered",
    ):
        assert text in page, text
    assert "Role “Clerk”" not in unescape(admin.get(f"{AUDIT}?entity=setup:token").text)
    post(admin, "profile/preferences", language="ru")
    assert "Роль «Clerk»" in unescape(admin.get(f"{AUDIT}?entity=setup:role").text)

    trial = installation.workspace("trial")
    with trial.read() as session:
        edition = trial.edition(session)
        feed = Feed(session, trial.namespace, edition, SYSTEM)
        assert not [one for one in feed.page(0, 1000) if one["entity"] not in edition.entities]
        assert feed.end() > before


def test_the_feed_of_programs_and_those_without_the_right_see_nothing_of_it(sign_in: SignIn) -> None:
    admin, agent = sign_in("admin@acme.test"), sign_in("agent@acme.test")
    post(admin, "settings/fields/customer/new", name="hush", label="Hushed", type="text")
    for browser in (admin, agent):
        told = browser.get("/api/v1/acme/events?limit=500")
        assert told.status_code == 200 and "setup:" not in told.text and "Hushed" not in told.text
        assert browser.get("/api/v1/acme/events?entity=setup:field").status_code >= 400
    assert agent.get(f"{AUDIT}?entity=setup").status_code == 403
    assert "Hushed" in admin.get(f"{AUDIT}?entity=setup").text
    assert "Hushed" not in admin.get(f"{AUDIT}?entity=customer").text.partition("<tbody>")[2]
