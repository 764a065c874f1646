"""Mails from records: written by hand or from a template, kept on the timeline, sent once; and the editor of templates."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
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
from trellis.security.roles import save_role
from trellis.workspace import Workspace
from web.conftest import token_of

SignIn = Callable[[str], FlaskClient]
Drain = Callable[[], int]

BODY = "Dear {record.name},\nyour city is {record.city}, {when(empty(record.phone), 'no phone', 'a phone')}.\n{record.owner.name} / {sender.email}"


@pytest.fixture
def config(config: Config, post_office: tuple[str, Box]) -> Config:
    """With a mail server."""
    return replace(config, smtp_url=post_office[0], mail_from="crm@acme.test")


@pytest.fixture
def workspace(installation: Installation) -> Workspace:
    return installation.workspace("acme")


@pytest.fixture
def boss(app: Flask, installation: Installation, workspace: Workspace) -> Client:
    return open_client(app, installation, workspace, "boss@acme.test", ["administrator"])


@pytest.fixture
def anna(boss: Client) -> int:
    return boss.create("customer", name="Anna", city="Brno", email="anna@x.test")


def test_a_mail_is_written_from_a_template_sent_once_and_kept(
    boss: Client, anna: int, sign_in: SignIn, drain: Drain, post_office: tuple[str, Box], workspace: Workspace
) -> None:
    admin = sign_in("admin@acme.test")
    template = boss.create(
        "mail_template", name="Hello", of_entity="customer", subject="For {record.name}", body=BODY
    )
    boss.create("mail_template", name="Old", of_entity="customer", subject="x", body="x", active=False)
    record = admin.get(f"/acme/customer/{anna}").text
    assert f'href="/acme/customer/{anna}/mail"' in record
    page = unescape(admin.get(f"/acme/customer/{anna}/mail").text)
    assert 'value="anna@x.test"' in page and ">Hello<" in page and ">Old<" not in page
    draft = unescape(admin.get(f"/acme/customer/{anna}/mail/draft?template={template}").text)
    assert 'value="For Anna"' in draft
    assert "Dear Anna,\nyour city is Brno, no phone.\nBoss / admin@acme.test" in draft
    form = {"csrf_token": token_of(record), "to": "anna@x.test", "subject": "For Anna", "text": "Dear Anna"}
    refused = admin.post(f"/acme/customer/{anna}/mail", data={**form, "to": "nobody", "text": " "})
    assert refused.status_code == 422
    assert "Must be a mail address" in refused.text and "needs a value" in refused.text
    assert admin.post(f"/acme/customer/{anna}/mail", data=form).location == f"/acme/customer/{anna}"
    before = unescape(admin.get(f"/acme/customer/{anna}").text)
    assert "to anna@x.test" in before and "Not sent yet" in before
    drain()
    (mail,) = received(post_office[1])
    assert (mail["To"], mail["Subject"], mail["Reply-To"]) == ("anna@x.test", "For Anna", "admin@acme.test")
    assert mail["Auto-Submitted"] is None and mail.get_content().strip() == "Dear Anna"
    assert "Not sent yet" not in admin.get(f"/acme/customer/{anna}").text
    with workspace.write() as session:
        session.execute(sa.update(Job).where(Job.kind == "letter").values(finished_at=None, state="waiting"))
    drain()
    assert received(post_office[1]) == []


def test_a_mail_that_cannot_leave_is_told_and_one_removed_does_not_leave(
    boss: Client, anna: int, drain: Drain, post_office: tuple[str, Box], workspace: Workspace
) -> None:
    sent = {"subject": "S", "text": "T"}
    lost = boss.post(f"/customer/{anna}:mail", {**sent, "to": "lost@x.test"})
    gone = boss.post(f"/customer/{anna}:mail", {**sent, "to": "gone@x.test"})
    assert (lost.status_code, gone.status_code) == (202, 202)
    boss.delete(f"/activity/{gone.json['activity']}")  # type: ignore[index]
    with workspace.write() as session:  # as if a worker had been killed while it was sending
        first = session.scalars(sa.select(Job).where(Job.kind == "letter").order_by(Job.id)).first()
        assert first is not None
        first.done = 1
    drain()
    assert received(post_office[1]) == []
    told = [one["text"] for one in boss.get("/notifications").json["items"]]  # type: ignore[index]
    assert told == ["Your mail was not sent. See why"]
    assert boss.get(f"/activity/{lost.json['activity']}").json["done_at"] is None  # type: ignore[index]
    assert boss.post(f"/customer/{anna}:mail", {"to": "x"}).status_code == 422
    assert boss.post("/customer/987654:mail", {"to": "x"}).status_code == 404
    assert boss.post("/product:batch", []).status_code < 500
    product = boss.create("product", name="P")
    assert boss.post(f"/product/{product}:mail", {**sent, "to": "a@x.test"}).status_code == 409


def test_templates_are_checked_and_say_no_more_than_their_writer_sees(
    boss: Client, anna: int, app: Flask, installation: Installation, workspace: Workspace
) -> None:
    wrong = {
        "{record.nmae}": "nmae",
        "{customer}": "begin with",
        "{__import__('os')}": "there is no function",
        "{record.name.__class__}": "leads nowhere",
        "{record.}": "is not an expression",
    }
    for text, problem in wrong.items():
        values = {"name": "T", "of_entity": "customer", "subject": "S", "body": text}
        answer = boss.post("/mail_template", values)
        assert (answer.status_code, list(answer.json["errors"])) == (422, ["body"]), text  # type: ignore[index]
        assert problem in answer.text, answer.text
    answer = boss.post("/mail_template", {"name": "T", "of_entity": "nothing", "subject": "S", "body": "B"})
    assert list(answer.json["errors"]) == ["of_entity"]  # type: ignore[index]
    template = boss.create(
        "mail_template", name="T", of_entity="customer", subject="S", body="{record.email}"
    )
    rights = {"customer": {"read": "all", "fields": {"email": "none"}}, "mail_template": {"read": "all"}}
    with workspace.write() as session:
        save_role(session, "own.clerk", "Clerk", rights)
    clerk = open_client(app, installation, workspace, "clerk@acme.test", ["own.clerk"])
    listed = clerk.get("/customer/mail-templates").json["items"]  # type: ignore[index]
    assert [one["name"] for one in listed] == [str(template)]
    drafts = [one.post(f"/customer/{anna}:draft", {"template": str(template)}) for one in (boss, clerk)]
    assert (drafts[0].json["text"], drafts[1].status_code) == ("anna@x.test", 422)  # type: ignore[index]
    assert "anna@x.test" not in drafts[1].text
    assert clerk.post(f"/customer/{anna}:draft", {"template": "none"}).status_code == 422
    assert clerk.get("/order/mail-templates").json == {"items": []}


def test_the_editor_offers_fields_and_shows_what_comes_of_it(
    anna: int, boss: Client, sign_in: SignIn
) -> None:
    admin = sign_in("admin@acme.test")
    first = admin.get("/acme/mail_template/new").text
    assert 'name="of_entity"' in first
    page = unescape(admin.get("/acme/mail_template/new?of_entity=customer").text)
    for text in ("{record.name}", "{record.gym.card}", "{record.owner.name}", "{sender.name}"):
        assert f'data-insert="{text}"' in page, text
    token = token_of(page)
    form = {"csrf_token": token, "of_entity": "customer", "name": "T", "subject": "<b>{record.name}</b>"}
    shown = admin.post("/acme/mail_template/preview", data={**form, "body": BODY, "record": str(anna)})
    assert "&lt;b&gt;Anna&lt;/b&gt;" in shown.text and "your city is Brno" in shown.text
    said = admin.post("/acme/mail_template/preview", data={**form, "body": "{record.x}", "record": str(anna)})
    assert (said.status_code, "has no field" in unescape(said.text)) == (200, True)
    refused = admin.post("/acme/mail_template/new", data={**form, "body": "{record.x}"})
    assert (refused.status_code, "has no field" in unescape(refused.text)) == (422, True)
    made = admin.post("/acme/mail_template/new", data={**form, "body": "Hi"}).location
    number = re.sub(r"\D", "", made)
    edited = admin.get(f"/acme/mail_template/{number}/edit").text
    version = re.search(r'name="version" value="(\d+)"', edited)
    assert version is not None
    data = {**form, "body": "Hello", "active": "false", "version": version[1]}
    assert admin.post(f"/acme/mail_template/{number}/edit", data=data).location == made
    late = admin.post(f"/acme/mail_template/{number}/edit", data={**data, "body": "Mine"})
    assert (late.status_code, ">Mine<" in late.text) == (409, True)
    kept = boss.get(f"/mail_template/{number}").json
    assert (kept["body"], kept["active"]) == ("Hello", False)  # type: ignore[index]
    reader = sign_in("reader@acme.test")
    assert reader.get("/acme/mail_template/new").status_code == 403
    assert reader.post(
        f"/acme/customer/{anna}/mail", data={"csrf_token": token_of(first), "to": "a@b.test"}
    ).status_code in (400, 403, 422)
