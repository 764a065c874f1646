"""What people are told of, in the app, by REST and by mail: as they chose, and of nothing that they may not see."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape

import pytest
import sqlalchemy as sa
from callers import Client, open_client
from flask import Flask
from flask.testing import FlaskClient
from posting import Box, received
from trellis.config import Config
from trellis.installation import Installation
from trellis.jobs import Job
from trellis.notifications.inbox import KEPT
from trellis.notifications.notify import notify
from trellis.notifications.tables import Notification
from trellis.records.door import Records
from trellis.security.actor import SYSTEM
from trellis.workspace import Workspace
from web.conftest import token_of

SignIn = Callable[[str], FlaskClient]
Drain = Callable[[], int]


@pytest.fixture
def config(config: Config, post_office: tuple[str, Box]) -> Config:
    """With a mail server."""
    return replace(config, smtp_url=post_office[0], mail_from="crm@acme.test", url="https://crm.acme.test/")


@pytest.fixture
def box(post_office: tuple[str, Box]) -> Box:
    return post_office[1]


@pytest.fixture
def workspace(installation: Installation) -> Workspace:
    return installation.workspace("acme")


@pytest.fixture
def boss(app: Flask, installation: Installation, workspace: Workspace) -> Client:
    return open_client(app, installation, workspace, "boss@acme.test", ["administrator"])


@pytest.fixture
def clerk(app: Flask, installation: Installation, workspace: Workspace) -> Client:
    return open_client(app, installation, workspace, "clerk@acme.test", ["agent"])


def told(client: Client, query: str = "") -> list[str]:
    return [one["text"] for one in client.get(f"/notifications{query}").json["items"]]  # type: ignore[index]


def test_a_record_given_to_somebody_is_told_and_read(
    boss: Client, clerk: Client, sign_in: SignIn, workspace: Workspace
) -> None:
    anna = boss.create("customer", name="Anna", owner=clerk.user_id)
    clerk.create("customer", name="Mine")
    assert boss.patch(f"/customer/{anna}", {"name": "Anna Nová", "owner": clerk.user_id}).status_code == 200
    assert told(clerk) == ["Boss gave you “Anna Nová” (Customer)"]  # once: the owner stayed
    answer = clerk.get("/notifications?unread=true").json
    assert answer is not None and answer["unread"] == 1
    (one,) = answer["items"]
    assert (one["kind"], one["entity"], one["record"], one["path"]) == (
        "assigned",
        "customer",
        anna,
        f"customer/{anna}",
    )
    assert boss.post(f"/notifications/{one['id']}:read").status_code == 404  # not one's own
    assert clerk.post(f"/notifications/{one['id']}:read").json["read"] is True  # type: ignore[index]
    assert told(clerk, "?unread=true") == []

    several = {"records": [{"name": f"C{n}", "owner": clerk.user_id} for n in range(3)]}
    batch = boss.post("/customer:batch", several["records"])
    assert batch.status_code in (200, 201), batch.text
    assert told(clerk, "?limit=1") == ["Boss gave you 3 records: Customers"]
    first = clerk.get("/notifications?limit=1").json
    assert told(clerk, f"?limit=1&cursor={first['next']}") == ["Boss gave you “Anna Nová” (Customer)"]  # type: ignore[index]
    assert clerk.get("/notifications?cursor=x").status_code == 400
    assert clerk.post("/notifications:read").json == {"unread": 0}
    assert told(boss) == []

    # who may not see the record any more learns nothing of it
    with workspace.write() as session:
        edition = workspace.edition(session)
        hidden = Records(session, edition, SYSTEM).create("gym.membership", {"name": "Secret"}).id
        assert notify(session, edition, "assigned", [clerk.user_id], about=("gym.membership", hidden)) == []
        Records(session, edition, SYSTEM).delete("customer", anna)
    assert told(clerk)[-1] == "This was about a record that is not there for you any more"


def test_the_bell_counts_and_the_list_marks_and_opens(boss: Client, sign_in: SignIn) -> None:
    agent = sign_in("agent@acme.test")
    me = re.search(r'href="/acme/user/(\d+)"', agent.get("/acme/").text)
    assert me is not None
    assert 'class="bell-count"' not in agent.get("/acme/").text
    ids = [boss.create("customer", name=f"<b>{name}</b>", owner=int(me[1])) for name in "ABC"]
    page = agent.get("/acme/customer").text
    assert "Notifications: 3 unread" in page and re.search(r'class="bell-count"[^>]*>3<', page)
    listed = agent.get("/acme/notifications")
    assert "&lt;b&gt;C&lt;/b&gt;" in listed.text and "<b>C</b>" not in listed.text
    form = {"csrf_token": token_of(listed.text)}
    opens = re.findall(r'action="(/acme/notifications/\d+/open)"', listed.text)
    assert agent.post(opens[0], data=form).location == f"/acme/customer/{ids[2]}"
    assert "2 unread" in agent.get("/acme/notifications/bell").text
    marks = re.findall(r'action="(/acme/notifications/\d+/read)"', listed.text)
    agent.post(marks[1], data=form)
    agent.post(marks[0], data={**form, "unread": "1"})
    only = agent.get("/acme/notifications?show=unread").text
    assert ("&lt;b&gt;A" in only, "&lt;b&gt;B" in only, "&lt;b&gt;C" in only) == (True, False, True)
    agent.post("/acme/notifications/read", data=form)
    assert "Nothing is unread" in agent.get("/acme/notifications?show=unread").text
    assert agent.post("/acme/notifications/999/open", data=form).status_code == 404


def test_everybody_chooses_and_a_mail_leaves_once_in_the_language_of_its_reader(
    boss: Client, sign_in: SignIn, drain: Drain, box: Box, workspace: Workspace
) -> None:
    agent = sign_in("agent@acme.test")
    me = int(re.findall(r'href="/acme/user/(\d+)"', agent.get("/acme/").text)[0])
    profile = agent.get("/acme/profile").text
    assert "In the app" in profile and 'name="mail:assigned"' in profile
    form = {"csrf_token": token_of(profile)}
    agent.post("/acme/profile/preferences", data={**form, "language": "ru"})
    agent.post("/acme/profile/notifications", data={**form, "mail:assigned": "1"})
    boss.create("customer", name="Anna", owner=me)
    drain()
    (mail,) = received(box)
    assert mail["To"] == "agent@acme.test"
    assert "Boss" in mail["Subject"] and "«Anna»" in mail["Subject"]
    assert "https://crm.acme.test/acme/customer/" in mail.get_content()
    drain()
    assert received(box) == []
    assert "Anna" not in unescape(agent.get("/acme/notifications").text)  # by mail alone

    agent.post("/acme/profile/notifications", data=form)
    boss.create("customer", name="Bob", owner=me)
    hidden = boss.create("customer", name="Cid")
    drain()
    assert received(box) == []
    agent.post("/acme/profile/notifications", data={**form, "mail:assigned": "1", "in_app:assigned": "1"})
    boss.patch(f"/customer/{hidden}", {"owner": me})
    boss.delete(f"/customer/{hidden}")  # before the mail leaves
    drain()
    assert received(box) == []
    with workspace.write() as session:
        edition = workspace.edition(session)
        assert notify(session, edition, "assigned", [me], key="once") == [me]
        assert notify(session, edition, "assigned", [me], key="once") == []
        assert notify(session, edition, "assigned", [987654]) == []


def test_rest_keeps_what_one_chose_and_refuses_what_is_none(clerk: Client) -> None:
    kinds = {one["name"]: one for one in clerk.get("/notifications/kinds").json["items"]}  # type: ignore[index]
    assert kinds["assigned"]["in_app"] and not kinds["assigned"]["mail"]
    answer = clerk.patch("/notifications/kinds", {"assigned": {"mail": True}}).json
    kept = next(one for one in answer["items"] if one["name"] == "assigned")  # type: ignore[index]
    assert (kept["in_app"], kept["mail"]) == (True, True)
    for wrong, status in (({"x": {}}, 422), ({"assigned": {"mail": 1}}, 422), ({"assigned": 1}, 400)):
        assert clerk.patch("/notifications/kinds", wrong).status_code == status, wrong


def test_the_end_of_an_export_is_told_and_what_is_old_is_forgotten(
    sign_in: SignIn, drain: Drain, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = sign_in("agent@acme.test")
    token = token_of(agent.get("/acme/search").text)
    started = agent.post("/acme/customer/export", data={"csrf_token": token})
    drain()
    page = unescape(agent.get("/acme/notifications").text)
    assert "Export: done" in page
    (opens,) = re.findall(r'action="(/acme/notifications/\d+/open)"', page)
    assert agent.post(opens, data={"csrf_token": token}).location == started.location
    with workspace.write() as session:
        session.execute(sa.update(Notification).values(at=datetime.now(UTC) - 2 * KEPT))
        session.add(Job(kind="notification_forget", due_at=datetime.now(UTC), created_at=datetime.now(UTC)))
    drain()
    with workspace.read() as session:
        assert session.scalars(sa.select(Notification)).all() == []
