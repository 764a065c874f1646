"""Conversation scripts in the web face: the panel beside a record, the editor, the catalogue and the figures."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from samples import gym, registry
from talking import OFFER, probe
from trellis.enabling import enable
from trellis.installation import Installation
from trellis.records.door import Records
from trellis.scripts.tables import RUN
from trellis.security.actor import SYSTEM
from trellis.web.app import create_app
from web.conftest import token_of

SignIn = Callable[[str], FlaskClient]


@pytest.fixture
def house(open_installation: Callable[..., Installation]) -> Installation:
    """The installation of the server, with the sample script."""
    installation = open_installation(plugins=registry(gym(), probe(OFFER)))
    enable(installation.workspace("acme"), "probe")
    return installation


@pytest.fixture
def app(house: Installation) -> Flask:
    return create_app(house)


def test_a_conversation_is_led_in_the_panel_beside_a_record(house: Installation, sign_in: SignIn) -> None:
    admin = sign_in("admin@acme.test")
    page = admin.get("/acme/customer/1").text
    assert 'hx-post="/acme/customer/1/script"' in page and 'id="script"' not in page
    form = {"csrf_token": token_of(admin.get("/acme/profile").text)}
    begun = admin.post("/acme/customer/1/script", data=form | {"script": "probe.offer"})
    assert begun.location == "/acme/customer/1?conversation=1"
    page = unescape(admin.get(begun.location).text)
    assert "Good day, Customer 00. A minute?" in page and 'data-key="Digit2"' in page
    run = "/acme/scripts/runs/1"
    shown = admin.post(f"{run}/object", data=form | {"step": "greet", "objection": "who"}).text
    assert "I am Admin." in shown and "A minute?" in shown
    assert admin.post(f"{run}/answer", data=form | {"step": "mail", "choice": "may"}).status_code == 409
    empty = admin.post(f"{run}/answer", data=form | {"step": "greet", "choice": "no", "value": " "})
    assert empty.status_code == 422 and "Give a value, or choose another answer" in empty.text
    shown = admin.post(f"{run}/answer", data=form | {"step": "greet", "choice": "yes"})
    assert "May I write to you?" in shown.text and "prop-" not in shown.text
    shown = admin.post(f"{run}/answer", data=form | {"step": "mail", "choice": "may"})
    assert (
        'id="prop-consent_mail" hx-swap-oob="true"' in shown.text
        and "record-version" in shown.headers["HX-Trigger"]
    )
    back = admin.post(f"{run}/back", data=form)
    assert 'id="prop-consent_mail" hx-swap-oob="true"' in back.text
    admin.post(f"{run}/answer", data=form | {"step": "mail", "choice": "may"})
    assert admin.post(f"{run}/stop", data=form).location == "/acme/customer/1?conversation=1"
    assert "Broken off here" in admin.get("/acme/customer/1").text
    admin.post(f"{run}/resume", data=form)
    done = admin.post(f"{run}/answer", data=form | {"step": "town", "choice": "town", "value": "Linz"})
    page = unescape(admin.get(done.location).text)
    assert "Takes it" in page and "A minute → You may → Tells it" in page and ">Linz<" in page
    assert 'id="script"' not in admin.get("/acme/customer/1").text
    path = unescape(admin.get("/acme/script_run/1").text)
    assert (
        "Who are you?" in path
        and "City: Linz" in path
        and "New conversation" not in admin.get("/acme/script_run").text
    )
    assert "A minute → You may → Tells it" in admin.get("/acme/script_run/export?format=csv").text
    reader = sign_in("reader@acme.test")
    assert 'hx-post="/acme/customer/1/script"' not in reader.get("/acme/customer/1").text
    assert (
        reader.post(
            f"{run}/back", data={"csrf_token": token_of(reader.get("/acme/profile").text)}
        ).status_code
        == 403
    )


def test_the_figures_are_drawn_and_told_by_branch(house: Installation, sign_in: SignIn) -> None:
    admin = sign_in("admin@acme.test")
    assert "No conversations by this script here" in admin.get("/acme/scripts/probe.offer").text
    form = {"csrf_token": token_of(admin.get("/acme/profile").text)}
    for number, choice in enumerate(("yes", "no", "no"), 1):
        admin.post(f"/acme/customer/{number}/script", data=form | {"script": "probe.offer"})
        given = form | {"step": "greet", "choice": choice, "value": "Ill"}
        admin.post(f"/acme/scripts/runs/{number}/answer", data=given)
    page = unescape(admin.get("/acme/scripts/probe.offer").text)
    assert "<title>Not now: 2</title>" in page and "2 (67 %)".replace(" %", "\N{NO-BREAK SPACE}%") in page
    assert "Here now: 1" in page and "Refuses" in page
    assert "No conversations by this script here" in admin.get("/acme/scripts/probe.offer?period=2020").text
    assert admin.get("/acme/scripts/nothing").status_code == 404
    assert admin.get("/acme/scripts/probe.offer?period=never").status_code == 400
    every = admin.get("/acme/scripts").text
    assert "An offer" in every and 'hx-post="/acme/scripts/probe.offer/copy"' in every
    assert (
        "An offer" in admin.get("/acme/model").text
        or "1 script, 3 conversations" in admin.get("/acme/model").text
    )
    with house.workspace("acme").write() as session:
        records = Records(session, house.workspace("acme").edition(session), SYSTEM)
        records.delete(RUN, 1)
    assert admin.get("/acme/scripts/runs/1").status_code == 404


def test_a_script_is_made_checked_tried_and_published_without_code(sign_in: SignIn) -> None:
    admin = sign_in("admin@acme.test")
    form = {"csrf_token": token_of(admin.get("/acme/script/new").text)}
    assert admin.post("/acme/script/new", data=form | {"name": ""}).status_code == 422
    made = admin.post("/acme/script/new", data=form | {"name": "Welcome", "of_entity": "customer"})
    edit = made.location
    assert edit == "/acme/script/1/edit"

    def send(act: str, step: str = "start", **fields: str) -> str:
        version = re.search(r'name="version" value="(\d+)"', admin.get(edit).text)
        assert version is not None
        given = (
            form
            | {"step": step, "act": act, "version": version[1]}
            | {k.replace("__", "-"): v for k, v in fields.items()}
        )
        answer = admin.post(edit, data=given)
        assert answer.status_code == 200, answer.text
        return unescape(answer.text)

    assert "Good day. Do you have a minute?" in admin.get(f"{edit}?step=start").text
    shown = send("save", say="Hello {record.name}", answer__0__leads="new", answer__1__title="Never")
    assert "Says nothing yet" in shown and "It has no answers" not in shown and "Never" in shown
    shown = unescape(admin.get(f"{edit}?step=step_1").text)
    assert "Say what is said here" in shown and "It has no answers: nothing leads on from here" in shown
    refused = admin.post("/acme/script/1/publish", data=form)
    assert refused.status_code == 422 and "It cannot be published yet" in refused.text
    shown = send("add-answers", "step_1", say="Which town, {record.shoe}?")
    assert "customer has no field “shoe”" in shown and "Give the answer its words" in shown
    send(
        "save",
        "step_1",
        say="Which town?",
        answer__0__title="It",
        answer__0__leads="outcome:agreed",
        answer__0__fills="city",
    )
    shown = send("save", "step_1", answer__0__asks="Town")
    assert "Nothing is wrong with it" in shown
    shown = send("add-answers", "step_1", say="Which town?")
    send(
        "save",
        "step_1",
        answer__1__title="Mail",
        answer__1__leads="step:start",
        answer__1__fills="consent_mail",
    )
    shown = send("save", "step_1", answer__1__value="granted")
    assert '<option value="granted" selected>' in shown
    shown = send("move-answers:1", "step_1")
    assert shown.index('value="Mail"') < shown.index('value="It"')
    send("remove-answers:0", "step_1")
    send("add-objections", "step_1")
    send("save", "step_1", objection__0__title="Why?", objection__0__reply="To greet you, {record.name}")
    whole = send("add-outcomes", "", name="Welcome again", entities="customer")
    assert "Give the outcome a name" in whole
    send("remove-outcomes:2", "", name="Welcome again", entities="customer")
    stale = admin.post(edit, data=form | {"step": "start", "act": "save", "version": "1", "say": "Lost?"})
    assert stale.status_code == 409 and "Somebody else changed this" in stale.text
    walked = unescape(admin.get("/acme/script/1/preview?path=yes").text)
    assert "Which town?" in walked and "To greet you, Customer 29" in walked and "fills “City”" in walked
    assert "Outcome" in admin.get("/acme/script/1/preview?path=yes,answer_1").text
    assert admin.post("/acme/script/1/publish", data=form).status_code == 302
    assert "Welcome again" in admin.get("/acme/customer/1").text
    assert "Version 1 is in use" in admin.get(edit).text
    shown = send("remove-step", "step_1")
    assert "leads nowhere" in shown
    assert admin.post("/acme/script/1/withdraw", data=form).status_code == 302
    admin.get("/acme/scripts")  # tells of it once
    assert "Welcome again" not in admin.get("/acme/customer/1").text
    copied = admin.post("/acme/scripts/probe.offer/copy", data=form)
    assert copied.location == "/acme/script/2/edit"
    assert "offered instead of An offer" in admin.get("/acme/script/2/edit").text
    agent = sign_in("agent@acme.test")
    assert agent.get(edit).status_code == 404 and agent.get("/acme/script/new").status_code in (403, 404)
    assert "New script" not in agent.get("/acme/scripts").text
    assert 'class="nav-item" href="/acme/script"' in admin.get("/acme/model").text
