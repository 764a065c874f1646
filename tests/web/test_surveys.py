"""Surveys: invited by segment or one by one, mailed once, answered once without signing in, and low answers become cases."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest
import sqlalchemy as sa
from callers import Client, open_client
from flask import Flask
from flask.testing import FlaskClient
from posting import Box, received
from samples import gym, registry
from trellis.config import Config
from trellis.crm.customers.invitations import Survey, SurveyInvitation
from trellis.installation import Installation
from trellis.job_kinds import JOB_KINDS
from trellis.jobs import Job, Runner
from trellis.security.roles import save_role
from trellis.web.app import create_app
from web.conftest import token_of
from werkzeug.test import TestResponse


@dataclass
class House:
    """A server that can mail, its administrator over REST, and what was mailed."""

    app: Flask
    installation: Installation
    boss: Client
    box: Box

    def work(self) -> list[EmailMessage]:
        """Does the jobs; the mails that left."""
        Runner(self.installation, JOB_KINDS).drain()
        return received(self.box)

    def invitations(self) -> dict[str, str]:
        """The states by address."""
        items = self.boss.get("/survey_invitation").json["items"]  # type: ignore[index]
        return {one["email"]: one["state"] for one in items}

    def send(self, link: str, browser: FlaskClient | None = None, **form: str) -> TestResponse:
        """Opens a link in a new browser and sends an answer."""
        browser = browser or self.app.test_client()
        token = re.search(r'X-CSRF-Token": "([^"]+)"', browser.get(link).text)
        assert token is not None
        return browser.post(link, data={"csrf_token": token[1], **form})


@pytest.fixture
def house(config: Config, post_office: tuple[str, Box]) -> Iterator[House]:
    address, box = post_office
    mailing = {"smtp_url": address, "mail_from": "crm@acme.test", "url": "https://crm.acme.test/"}
    installation = Installation(replace(config, **mailing), registry(gym()))  # type: ignore[arg-type]
    app = create_app(installation)
    boss = open_client(app, installation, installation.workspace("acme"), "key@acme.test", ["administrator"])
    at_any_time(installation)
    yield House(app, installation, boss, box)
    installation.close()


def at_any_time(installation: Installation, **terms: object) -> None:
    """Mails may leave at any time, under these terms."""
    workspace = installation.workspace("acme")
    with workspace.write() as session:
        workspace.save_settings(session, {"mailing": {"quiet_from": "", "quiet_to": "", **terms}})


@pytest.fixture
def app(house: House) -> Flask:
    return house.app


def link_in(mail: EmailMessage) -> str:
    found = re.search(r"https://crm\.acme\.test(/s/\S+)", mail.get_content())
    assert found is not None
    return found[1]


def test_a_segment_is_asked_once_and_a_low_answer_opens_a_case(house: House) -> None:
    boss = house.boss
    people = {
        "Anna": {"email": "anna@x.test", "language": "русский", "notes": "ask"},
        "Bob Ltd": {"email": "bob@x.test", "kind": "company", "notes": "ask"},
        "Cid": {"email": "cid@x.test", "consent_mail": "refused", "notes": "ask"},
        "Dora": {"notes": "ask"},
        "Emil": {"email": "nobody@x.test", "notes": "ask"},
        "Fay": {"email": "fay@x.test"},
    }
    ids = {name: boss.create("customer", name=name, **values) for name, values in people.items()}
    rule = {"field": "notes", "op": "eq", "value": "ask"}
    segment = boss.post("/segments", {"title": "Ask", "rule": rule}).json["segment"]  # type: ignore[index]
    sofa = boss.create("product", name="Sofa")
    survey = boss.create("survey", name="After a visit", kind="nps", product=sofa)
    answer = boss.post(f"/survey/{survey}:invite", {"segment": segment})
    assert (answer.status_code, answer.json) == (
        202,
        {
            "chosen": 5,
            "invited": 3,
            "no_address": 1,
            "refused": 1,
            "recent": 0,
            "enough": 0,
            "waiting": 0,
            "mails": 3,
        },
    )
    mails = {str(mail["To"]): mail for mail in house.work()}
    assert mails.keys() == {"anna@x.test", "bob@x.test"}
    assert "Здравствуйте, Anna" in mails["anna@x.test"].get_content()
    assert (
        "How likely" in mails["bob@x.test"].get_content() and "Bob" not in mails["bob@x.test"].get_content()
    )
    assert house.invitations() == {"anna@x.test": "sent", "bob@x.test": "sent", "nobody@x.test": "failed"}
    again = boss.post(f"/survey/{survey}:invite", {"segment": segment}).json
    assert (again["recent"], again["invited"]) == (2, 1)  # type: ignore[index]

    out = mails["bob@x.test"]["List-Unsubscribe"].removeprefix("<https://crm.acme.test").removesuffix(">")
    assert f"https://crm.acme.test{out}" in mails["bob@x.test"].get_content()
    assert "Unsubscribe" in house.app.test_client().get(out).text
    link = link_in(mails["anna@x.test"])
    page = house.app.test_client().get(link)
    assert page.status_code == 200 and '<html lang="ru"' in page.text and "Насколько вероятно" in page.text
    assert '<html lang="en"' in house.app.test_client().get(f"{link}?language=en").text
    browser = house.app.test_client()
    missing = house.send(link, browser, comment="Долго ждали")
    assert missing.status_code == 422 and "Выберите число" in missing.text and "Долго ждали" in missing.text
    assert house.send(link, browser, nps="11").status_code == 422
    thanks = house.send(link, browser, nps="3", comment="Долго ждали")
    assert thanks.status_code == 200 and "Спасибо" in thanks.text
    (kept,) = boss.get(f"/survey_answer?asked_in={survey}").json["items"]  # type: ignore[index]
    assert (kept["customer"], kept["nps"], kept["comment"]) == (ids["Anna"], 3, "Долго ждали")
    assert kept["product"] == sofa
    case = boss.get(f"/case/{kept['case']}").json
    assert (case["customer"], case["priority"], case["kind"]) == (ids["Anna"], "high", "complaint")  # type: ignore[index]
    assert case["product"] == sofa  # type: ignore[index]
    assert "Долго ждали" in case["description"] and "3" in case["subject"]  # type: ignore[index]
    second = house.send(link, browser, nps="10")
    assert (
        second.status_code == 404
        and '<html lang="ru"' in second.text
        and "Здесь не на что отвечать" in second.text
    )
    assert '<html lang="ru"' in house.app.test_client().get(link).text  # nothing is known of this browser
    assert boss.delete(f"/product/{sofa}").status_code == 204
    house.send(link_in(mails["bob@x.test"]), nps="9")  # kept without it
    items = boss.get("/survey_answer?count=true").json
    assert (items["total"], sorted(one["nps"] for one in items["items"])) == (2, [3, 9])  # type: ignore[index]
    assert boss.get("/case?count=true").json["total"] == 1  # type: ignore[index]
    figures = boss.get(f"/analytics/satisfaction?survey={survey}").json["details"]  # type: ignore[index]
    assert figures["nps"]["n"] == 2


def test_links_that_open_nothing_are_all_alike(house: House) -> None:
    customer = house.boss.create("customer", name="Anna", email="anna@x.test")
    survey = house.boss.create("survey", name="Index", kind="acsi")
    assert house.boss.post(f"/survey/{survey}:invite", {"customers": [customer]}).status_code == 202
    (mail,) = house.work()
    link = link_in(mail)
    workspace = house.installation.workspace("acme")

    def told(address: str) -> tuple[int, str]:
        """What a stranger sees, without the token of the page."""
        page = house.app.test_client().get(address, environ_base={"REMOTE_ADDR": str(len(seen))})
        return page.status_code, re.sub(r"X-CSRF-Token[^}]*|csrf_token[^>]*", "", page.text)

    seen: list[tuple[int, str]] = []
    half = len(link) // 2
    for wrong in ("/s/x", f"{link[:half]}x{link[half:]}", f"{link}x", "/s/%00", "/s/acme"):
        seen.append(told(wrong))
    with workspace.write() as session:
        session.execute(sa.update(SurveyInvitation).values(expires_at=datetime.now(UTC) - timedelta(days=1)))
    seen.append(told(link))
    with workspace.write() as session:
        session.execute(sa.update(SurveyInvitation).values(expires_at=datetime.now(UTC) + timedelta(days=1)))
        session.execute(sa.update(Survey).values(active=False))
    seen.append(told(link))
    with workspace.write() as session:
        session.execute(sa.update(Survey).values(active=True))
    assert house.send(link, q1="9", q2="8", q3="7").status_code == 200
    seen.append(told(link))
    house.installation.delete_workspace("acme")
    seen.append(told(link))
    assert len(set(seen)) == 1 and seen[0][0] == 404
    browser = house.app.test_client()
    codes = [browser.get("/s/x").status_code for _try in range(40)]
    assert codes[0] == 404 and codes[-1] == 429
    assert int(browser.get("/s/x").headers["Retry-After"]) > 0


def test_staff_invite_from_the_pages(house: House, sign_in: Callable[[str], FlaskClient]) -> None:
    agent, admin = sign_in("agent@acme.test"), sign_in("admin@acme.test")
    page = admin.get("/acme/settings/general").text
    kept = {
        "title": "Acme",
        "language": "en",
        "currency": "EUR",
        "timezone": "UTC",
        "csrf_token": token_of(page),
    }
    terms = {"quiet_from": "", "quiet_to": "", "quiet_days": ["6"], "limit": "3", "limit_days": "7"}
    for wrong, name in (({"quiet_from": "late"}, "quiet_from"), ({"limit": "0"}, "limit")):
        refused = admin.post("/acme/settings/general", data={**kept, **terms, **wrong})
        assert refused.status_code == 422 and f'id="e-{name}"' in refused.text
    assert admin.post("/acme/settings/general", data={**kept, **terms}).status_code == 302
    with house.installation.workspace("acme").read() as session:
        known = house.installation.workspace("acme").edition(session).settings.mailing
    assert (known["quiet_days"], known["limit"]) == ([6], 3)
    at_any_time(house.installation)
    survey = house.boss.create("survey", name="After a visit", kind="csat")
    rule = {"field": "city", "op": "eq", "value": "Brno"}
    segment = house.boss.post("/segments", {"title": "In Brno", "rule": rule}).json["segment"]  # type: ignore[index]
    assert admin.get("/acme/survey/options").json["items"][0]["sub"] == "CSAT"  # type: ignore[index]
    page = f"/acme/survey/{survey}/invite"
    shown = admin.get(f"{page}?segment={segment}").text
    assert "In Brno" in shown and "There is nobody to invite" in shown
    assert house.boss.patch("/customer/2", {"email": "two@x.test"}).status_code == 200
    shown = admin.get(f"{page}?segment={segment}").text
    assert "Send 1 mail" in shown
    sent = admin.post(page, data={"csrf_token": token_of(shown), "segment": segment})
    assert (sent.status_code, sent.location) == (302, f"/acme/survey/{survey}")
    assert [mail["To"] for mail in house.work()] == ["two@x.test"]
    assert "Sent" in admin.get(f"/acme/survey/{survey}").text
    assert house.boss.patch("/customer/3", {"email": "three@x.test"}).status_code == 200
    one = admin.get("/acme/customer/3").text
    assert f"{page}?customer=3" in one.replace("&amp;", "&")
    form = {"csrf_token": token_of(admin.get(f"{page}?customer=3").text), "customer": "3"}
    assert admin.post(page, data=form).location == "/acme/customer/3"
    assert [mail["To"] for mail in house.work()] == ["three@x.test"]
    token = token_of(agent.get("/acme/profile").text)
    changed = agent.post(f"/acme/survey/{survey}/field/name", data={"csrf_token": token, "name": "Mine"})
    assert changed.status_code in (403, 422)
    assert house.boss.get(f"/survey/{survey}").json["name"] == "After a visit"  # type: ignore[index]
    assert agent.get(f"{page}?customer=3").status_code == 404  # a customer of nobody's unit


def test_surveys_keep_quiet_hours_by_the_clock_of_the_customer_and_the_limit_of_all_mails(
    house: House, sign_in: Callable[[str], FlaskClient]
) -> None:
    boss, now = house.boss, datetime.now(UTC)
    at_any_time(house.installation, quiet_from="15:00", quiet_to="09:00", limit=1)
    noon, night = (f"Etc/GMT{(now.hour - hour + 12) % 24 - 12:+d}" for hour in (12, 0))
    zones = {"noon@x.test": noon, "night@x.test": night}
    people = [boss.create("customer", name="C", email=one, time_zone=zone) for one, zone in zones.items()]
    wrong = boss.post("/customer", {"name": "C", "time_zone": "Mars/Crater"})
    assert wrong.status_code == 422 and "Europe/Prague" in wrong.text
    first, second = (boss.create("survey", name=name) for name in ("After a visit", "Other"))
    assert boss.post(f"/survey/{first}:invite", {"customers": people}).json["invited"] == 2  # type: ignore[index]
    assert [mail["To"] for mail in house.work()] == ["noon@x.test"]
    assert house.invitations() == {"noon@x.test": "sent", "night@x.test": "waiting"}
    with house.installation.workspace("acme").read() as session:
        waiting = sa.select(Job.due_at).where(Job.kind == "survey_invitations", Job.finished_at.is_(None))
        (due,) = session.scalars(waiting)
    assert timedelta(hours=8) < due - now < timedelta(hours=10)  # nine o'clock of whoever sleeps now
    counted = boss.post(f"/survey/{second}:invite", {"customers": people}).json
    assert (counted["invited"], counted["enough"]) == (1, 1)  # type: ignore[index]
    refused = boss.post("/survey_invitation", {"survey": second, "customer": people[0]})
    assert refused.status_code == 422 and "enough messages" in refused.text
    at_any_time(house.installation, limit=1)
    for survey in (first, second):
        assert boss.post(f"/survey/{survey}:invite", {}).status_code == 202
        house.work()
    made = boss.get("/survey_invitation").json["items"]  # type: ignore[index]
    assert [one["state"] for one in made].count("sent") == 2
    (failed,) = (one for one in made if one["state"] == "failed")
    assert failed["problem"] == "limit"
    page, reader = f"/acme/survey_invitation/{failed['id']}", sign_in("admin@acme.test")
    assert "Got enough messages of late" in reader.get(f"{page}?language=en").text
    assert "Недавно получил достаточно сообщений" in reader.get(f"{page}?language=ru").text
    with house.installation.workspace("acme").write() as session:  # kept as a text by earlier versions
        session.execute(sa.update(SurveyInvitation).values(problem="Согласия, похоже, нет"))
    assert "Согласия, похоже, нет" in reader.get(f"{page}?language=en").text


def test_a_server_that_mails_nothing_says_so(open_installation: Callable[..., Installation]) -> None:
    installation = open_installation(plugins=registry(gym()))
    app, workspace = create_app(installation), installation.workspace("acme")
    boss = open_client(app, installation, workspace, "key@acme.test", ["administrator"])
    survey = boss.create("survey", name="After a visit")
    refused = boss.post(f"/survey/{survey}:invite", {"customers": [1]})
    assert refused.status_code == 409 and "sends no mail" in refused.text
    assert boss.post(f"/survey/{survey}:invite", {"segment": "nowhere"}).status_code == 404
    both = boss.post(f"/survey/{survey}:invite", {"segment": "a", "customers": [1]})
    assert both.status_code == 400 and "segment" in both.json["errors"]  # type: ignore[index]
    lone = boss.post("/survey_invitation", {"survey": survey, "customer": 1})
    assert lone.status_code == 422 and "email" in lone.json["errors"]  # type: ignore[index]


def test_an_invitation_tells_nothing_of_customers_that_its_writer_does_not_see(house: House) -> None:
    workspace, boss = house.installation.workspace("acme"), house.boss
    inviting = {"survey": {"read": "all"}, "survey_invitation": {"read": "all", "create": True}}
    with workspace.write() as session:
        save_role(session, "own.near", "Near", {**inviting, "customer": {"read": "own"}})
        blind = {"read": "all", "fields": {"email": "none"}}
        save_role(session, "own.blind", "Blind", {**inviting, "customer": blind})
    survey = boss.create("survey", name="After a visit")
    refused = boss.create("customer", name="Cid", email="cid@x.test", consent_mail="refused")
    asked = {"survey": survey, "customer": refused}
    clients = [
        open_client(house.app, house.installation, workspace, f"{name}@acme.test", [f"own.{name}"])
        for name in ("near", "blind")
    ]
    near, blinded = (client.post("/survey_invitation", asked) for client in clients)
    assert near.status_code == 422 and "There is no Customer" in near.text
    assert blinded.status_code == 403
    open_to_all = boss.create("customer", name="Anna", email="anna@x.test")
    blinded = clients[1].post("/survey_invitation", {"survey": survey, "customer": open_to_all})
    assert blinded.status_code == 403 and "anna@x.test" not in blinded.text


def test_an_invitation_stays_with_whom_it_was_made_for(house: House) -> None:
    boss = house.boss
    anna, double = (boss.create("customer", name="Anna", email=f"{name}@x.test") for name in ("a", "d"))
    survey, other = (boss.create("survey", name=name) for name in ("After a visit", "Other"))
    made = f"/survey_invitation/{boss.create('survey_invitation', survey=survey, customer=double)}"
    assert boss.patch(made, {"customer": double, "email": "new@x.test"}).status_code == 200
    turned = boss.patch(made, {"customer": anna, "survey": other})
    assert turned.status_code == 422 and turned.json["errors"].keys() == {"customer", "survey"}  # type: ignore[index]
    assert boss.post(f"/survey/{survey}:invite", {"customers": []}).status_code == 202
    assert [mail["To"] for mail in house.work()] == ["new@x.test"]
    late = boss.patch(made, {"email": "late@x.test"})
    assert late.status_code == 422 and late.json["errors"].keys() == {"email"}  # type: ignore[index]
    assert boss.post(f"/customer/{anna}:merge", {"from": double}).status_code == 200
    assert boss.get(made).json["customer"] == anna  # type: ignore[index]
    assert boss.post(f"/customer/{double}:unmerge").status_code == 200
    assert boss.get(made).json["customer"] == double  # type: ignore[index]
