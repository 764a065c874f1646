"""One's own calendar in other programs: its times, what is cancelled, and who may read it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from zoneinfo import ZoneInfo

import pytest
from callers import Client, open_client
from flask import Flask
from flask.testing import FlaskClient
from icalendar import Calendar
from trellis.installation import Installation
from web.conftest import token_of

SignIn = Callable[[str], FlaskClient]
PRAGUE = ZoneInfo("Europe/Prague")
# In the present year, on both sides of the change of the clock, and within the days that a calendar shows.
NOW = datetime.now(UTC)


@pytest.fixture
def boss(app: Flask, installation: Installation) -> Client:
    return open_client(app, installation, installation.workspace("acme"), "boss@acme.test", ["administrator"])


def test_a_calendar_follows_the_activities_of_its_owner(app: Flask, boss: Client, sign_in: SignIn) -> None:
    agent = sign_in("agent@acme.test")
    profile = agent.get("/acme/profile").text
    me = int(re.findall(r'href="/acme/user/(\d+)"', profile)[0])
    form = {"csrf_token": token_of(profile)}
    agent.post("/acme/profile/preferences", data={**form, "timezone": "Europe/Prague"})

    def address() -> str:
        found = re.search(
            r'readonly value="http://localhost(/s/calendar/[^"]+\.ics)"', agent.get("/acme/profile").text
        )
        return unescape(found[1]) if found else ""

    assert address() == ""
    agent.post("/acme/profile/calendar", data=form)
    first = address()
    stranger = app.test_client()

    def events() -> dict[str, dict[str, object]]:
        answer = stranger.get(first)
        assert (answer.status_code, answer.mimetype) == (200, "text/calendar")
        calendar = Calendar.from_ical(answer.data)
        return {str(one["summary"]): one for one in calendar.walk("VEVENT")}

    assert events() == {}
    winter, summer = (
        next(day for day in (NOW + timedelta(days=n) for n in range(1, 380)) if day.month == month)
        for month in (1, 7)
    )
    at = {
        name: datetime(day.year, day.month, day.day, 14, 30, tzinfo=PRAGUE)
        for name, day in (("Winter", winter), ("Summer", summer))
    }
    ids = {
        name: boss.create(
            "activity",
            subject=name,
            kind="meeting",
            due_at=moment.astimezone(UTC).isoformat(),
            owner=me,
            remind_before="15",
            body="Řekni\nněco; a, b",
        )
        for name, moment in at.items()
    }
    boss.create("activity", subject="Note", kind="note", due_at=NOW.isoformat(), owner=me)
    boss.create("activity", subject="Whenever", owner=me)
    boss.create("activity", subject="Others'", due_at=NOW.isoformat())
    boss.create("activity", subject="Long ago", due_at="2020-01-01T00:00:00Z", owner=me)
    found = events()
    assert found.keys() == {"Winter", "Summer"}
    for name, moment in at.items():
        event = found[name]
        start = event["dtstart"]
        assert start.dt == moment and start.params["TZID"] == "Europe/Prague"  # type: ignore[attr-defined]
        assert event["dtend"].dt - start.dt == timedelta(hours=1)  # type: ignore[attr-defined]
        (alarm,) = event.walk("VALARM")  # type: ignore[attr-defined]
        assert alarm["trigger"].dt == moment - timedelta(minutes=15)
        assert "Řekni\nněco; a, b" in str(event["description"])
        assert str(event["url"]).endswith(f"/acme/activity/{ids[name]}")
    raw = stranger.get(first)
    assert b"BEGIN:VTIMEZONE" in raw.data and b"\r\n" in raw.data
    assert max(len(line) for line in raw.data.split(b"\r\n")) <= 75

    assert b"REFRESH-INTERVAL;VALUE=DURATION:PT15M" in raw.data

    tag = raw.headers["ETag"]
    assert stranger.get(first, headers={"If-None-Match": tag}).status_code == 304
    boss.delete(f"/activity/{ids['Winter']}")
    boss.patch(f"/activity/{ids['Summer']}", {"done_at": NOW.isoformat()})
    changed = stranger.get(first, headers={"If-None-Match": tag})
    assert (changed.status_code, changed.headers["ETag"] != tag) == (200, True)
    now = events()
    assert (now["Winter"]["status"], now["✓ Summer"]["status"]) == ("CANCELLED", "CONFIRMED")
    assert int(str(now["Winter"]["sequence"])) > int(str(found["Winter"]["sequence"]))
    assert now["Winter"]["uid"] == found["Winter"]["uid"]

    agent.post("/acme/profile/calendar", data=form)
    second = address()
    assert (stranger.get(first).status_code, stranger.get(second).status_code) == (404, 200)
    assert stranger.get(f"{second[:-4]}x.ics").status_code == 404
    boss.patch(f"/user/{me}", {"active": False})
    assert stranger.get(second).status_code == 404
    boss.patch(f"/user/{me}", {"active": True})
    agent.post("/acme/profile/calendar/off", data=form)
    assert (stranger.get(second).status_code, address()) == (404, "")
