"""One's own profile: browsers that are signed in, and tokens that may do less than their owner."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from trellis.control import BrowserSession
from trellis.installation import Installation
from trellis.records.door import Records
from trellis.security.actor import SYSTEM
from trellis.security.browser_sessions import device_name
from trellis.security.people import ApiToken
from web.conftest import token_of
from werkzeug.test import TestResponse

SignIn = Callable[[str], FlaskClient]
PROFILE = "/acme/profile"


def post(client: FlaskClient, path: str, **form: object) -> TestResponse:
    return client.post(path, data={"csrf_token": token_of(client.get(PROFILE).text), **form})


def test_one_sees_and_ends_the_own_browsers(sign_in: SignIn) -> None:
    here, there, third = (sign_in("agent@acme.test") for _number in range(3))
    other = sign_in("reader@acme.test")
    page = here.get(PROFILE).text
    ends = re.findall(r'action="(/acme/profile/sessions/\d+/end)"', page)
    assert (len(ends), page.count("This browser")) == (2, 1)
    mine = re.findall(r'action="(/acme/profile/sessions/\d+/end)"', there.get(PROFILE).text)
    (first,) = set(mine) - set(ends)
    assert post(other, ends[0]).status_code == 302  # nobody else's: as if it had never been
    assert [one.get("/acme/customer").status_code for one in (here, there, third)] == [200] * 3
    assert post(here, ends[0]).status_code == 302
    assert sorted(one.get("/acme/customer").status_code for one in (there, third)) == [200, 303]
    assert post(here, "/acme/profile/sessions/end").status_code == 302
    assert [one.get("/acme/customer").status_code for one in (here, there, third)] == [200, 303, 303]
    assert other.get("/acme/customer").status_code == 200
    assert first not in ends


def test_a_copied_cookie_opens_nothing_after_signing_out(app: Flask, sign_in: SignIn) -> None:
    here = sign_in("agent@acme.test")
    copied = here.get_cookie("trellis")
    assert copied is not None
    assert post(here, "/acme/logout").status_code == 303
    thief = app.test_client()
    thief.set_cookie("trellis", copied.value)
    assert thief.get("/acme/customer").status_code == 303


def test_the_use_of_a_session_is_noted_now_and_then(installation: Installation, sign_in: SignIn) -> None:
    here = sign_in("agent@acme.test")
    long_ago = datetime.now(UTC) - timedelta(hours=2)

    def last_used() -> datetime:
        with installation.control.read() as session:
            return session.scalars(sa.select(BrowserSession.last_used_at)).one()

    fresh = last_used()
    here.get("/acme/customer")
    assert last_used() == fresh
    with installation.control.write() as session:
        session.execute(sa.update(BrowserSession).values(last_used_at=long_ago))
    assert here.get("/acme/customer").status_code == 200
    assert datetime.now(UTC) - last_used() < timedelta(minutes=5)


def made_token(client: FlaskClient, **form: object) -> dict[str, str]:
    page = post(client, "/acme/profile/tokens", **{"title": "Shop", "reach": "read", "days": "30", **form})
    assert page.status_code == 200
    found = re.search(r"trl_[\w-]+", page.text)
    assert found is not None
    assert found[0] not in client.get(PROFILE).text
    return {"Authorization": f"Bearer {found[0]}"}


def test_a_token_may_do_less_than_its_owner(app: Flask, sign_in: SignIn) -> None:
    admin, http, api = sign_in("admin@acme.test"), app.test_client(), "/api/v1/acme"
    reads = made_token(admin)
    assert http.get(f"{api}/customer", headers=reads).status_code == 200
    assert http.post(f"{api}/customer", json={"name": "A"}, headers=reads).status_code == 403
    assert http.delete(f"{api}/customer/1", headers=reads).status_code == 403
    assert http.get(f"{api}/plugins", headers=reads).status_code == 403
    assert http.get(f"{api}/entities/customer", headers=reads).json["permissions"] == {  # type: ignore[index]
        "read": "all",
        "create": "none",
        "update": "none",
        "delete": "none",
    }
    products = made_token(admin, reach="write", entities=["product"])
    assert http.post(f"{api}/product", json={"name": "Chair"}, headers=products).status_code == 201
    beyond = http.get(f"{api}/customer", headers=products)
    assert (beyond.status_code, beyond.json["detail"]) == (  # type: ignore[index]
        403,
        "This token does not reach “customer”, only product",
    )
    events = http.get(f"{api}/events", headers=products).json["items"]  # type: ignore[index]
    assert {event["entity"] for event in events} == {"product", "user"}  # and oneself
    whole = made_token(admin, reach="write", days="")
    assert http.get(f"{api}/plugins", headers=whole).status_code == 200


def test_a_token_ends(app: Flask, installation: Installation, sign_in: SignIn) -> None:
    admin, http = sign_in("admin@acme.test"), app.test_client()
    headers = made_token(admin, days="30")
    workspace = installation.workspace("acme")
    with workspace.write() as session:
        kept = session.scalars(sa.select(ApiToken)).one()
        assert kept.expires_at is not None
        assert timedelta(days=29) < kept.expires_at - datetime.now(UTC) <= timedelta(days=30)
        kept.expires_at = datetime.now(UTC) - timedelta(seconds=1)
    ended = http.get("/api/v1/acme/customer", headers=headers)
    assert (ended.status_code, "The token ended on" in ended.json["detail"]) == (401, True)  # type: ignore[index]
    assert "/revoke" not in admin.get(PROFILE).text
    again = made_token(admin)
    path = re.findall(r'action="(/acme/profile/tokens/\d+/revoke)"', admin.get(PROFILE).text)[0]
    assert post(sign_in("agent@acme.test"), path).status_code == 404
    assert http.get("/api/v1/acme/customer", headers=again).status_code == 200
    assert post(admin, path).status_code == 302
    revoked = http.get("/api/v1/acme/customer", headers=again)
    assert (revoked.status_code, "The token was revoked on" in revoked.json["detail"]) == (401, True)  # type: ignore[index]


def test_bad_tokens_are_not_made(sign_in: SignIn) -> None:
    admin = sign_in("admin@acme.test")
    assert "what the token is for" in post(admin, "/acme/profile/tokens", title=" ").text
    assert post(admin, "/acme/profile/tokens", title="A", entities="nothing").status_code == 422
    assert "trl_" not in admin.get(PROFILE).text


def test_devices_are_named_for_people() -> None:
    linux = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18.0 Safari/604.1"
    edge = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0"
    found = [device_name(one) for one in (linux, phone, edge, "curl/8.5", "")]
    assert found == ["Firefox, Linux", "Safari, iPhone", "Edge, Windows", "curl/8.5", ""]


def test_one_reads_pages_in_the_own_language_formats_and_time_zone(
    installation: Installation, sign_in: SignIn
) -> None:
    here = sign_in("admin@acme.test")
    at = datetime(2026, 1, 31, 23, 30, tzinfo=UTC)
    order = {"number": "NEW", "ordered_at": at, "amount": "1234.5"}
    workspace = installation.workspace("acme")
    with workspace.write() as session:
        made = Records(session, workspace.edition(session), SYSTEM).create("order", order)
    wrong = post(here, f"{PROFILE}/preferences", language="xx", timezone="Mars/Base")
    assert wrong.status_code == 422 and 'id="e-language"' in wrong.text and 'id="e-timezone"' in wrong.text
    page = here.get(f"/acme/order/{made.id}").text
    assert "€1\xa0234.50" in page and "31 Jan" in page
    given = {"language": "", "formats": "ru", "timezone": "Asia/Tokyo"}
    assert post(here, f"{PROFILE}/preferences", **given).status_code == 302
    page = here.get(f"/acme/order/{made.id}").text
    assert "Amount" in page and "1\xa0234,50\xa0€" in page, "English words, Russian numbers"
    assert "1 февр., 08:30" in page, "it is the next day in Tokyo"
    assert 'value="2026-02-01T08:30"' in here.get(f"/acme/order/{made.id}/field/ordered_at").text
    assert "€1\xa0234.50" in sign_in("reader@acme.test").get(f"/acme/order/{made.id}").text
    assert post(here, f"{PROFILE}/preferences", language="ru", formats="", timezone="").status_code == 302
    assert "Мой профиль" in here.get(PROFILE).text and "data-keys-on" in here.get(PROFILE).text


def test_whoever_goes_away_names_a_substitute_until_they_are_back(
    installation: Installation, sign_in: SignIn
) -> None:
    here = sign_in("agent@acme.test")
    today = datetime.now(UTC).date()
    with installation.workspace("acme").read() as session:
        reader = session.scalar(sa.text("SELECT id FROM \"user\" WHERE email = 'reader@acme.test'"))
    wrong = post(here, f"{PROFILE}/absence", starts="soon", ends="", substitute="")
    assert wrong.status_code == 422 and "First day" in wrong.text
    days = {"starts": today.isoformat(), "ends": (today + timedelta(days=400)).isoformat()}
    wrong = post(here, f"{PROFILE}/absence", **days, substitute="999999")
    assert wrong.status_code == 422 and "Choose somebody else who works here" in wrong.text
    assert post(here, f"{PROFILE}/absence", **days, substitute=reader).status_code == 302
    page = here.get(PROFILE).text
    assert "I am there" in page and days["ends"] in page and "Reader" in page
    assert post(here, f"{PROFILE}/absence", back="1").status_code == 302
    assert "I am there" not in here.get(PROFILE).text
