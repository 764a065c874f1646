"""The calendar of a list: days with their records, moving one to another day, and the way back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from html import unescape
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient
from trellis.web.calendar import read_span
from trellis.web.week import minute_of, places
from web.conftest import token_of

SignIn = Callable[[str], FlaskClient]
AT = "2026-03-10"


@pytest.fixture
def admin(sign_in: SignIn) -> FlaskClient:
    return sign_in("admin@acme.test")


def post(client: FlaskClient, path: str, url: str = "", **data: str) -> tuple[int, str, dict[str, str]]:
    headers = {
        "X-CSRF-Token": token_of(client.get("/acme/search").text),
        "HX-Request": "true",
        "HX-Current-URL": url,
    }
    answer = client.post(f"/acme/{path}", data=data, headers=headers)
    return answer.status_code, unescape(answer.text), dict(answer.headers)


def create(client: FlaskClient, **values: str) -> int:
    headers = {"X-CSRF-Token": token_of(client.get("/acme/search").text)}
    answer = client.post("/api/v1/acme/activity", json=values, headers=headers)
    assert answer.status_code == 201, answer.text
    return int(answer.json["id"])  # type: ignore[index]


def days(client: FlaskClient, query: str = f"at={AT}") -> dict[str, list[str]]:
    """The titles on the days that have any, and the words that there are more."""
    answer = client.get(f"/acme/activity/calendar?{query}")
    assert answer.status_code == 200, answer.text
    return shown(answer.text)


def shown(page: str) -> dict[str, list[str]]:
    cells = re.findall(r'data-day="([^"]+)">(.*?)</li>\s*(?=<li class="calendar-day|</ol>)', page, re.DOTALL)
    items = {
        day: re.findall(r'(?:title|class="calendar-more")[^>]*>([^<]+)</a>', cell) for day, cell in cells
    }
    return {day: [unescape(one) for one in found] for day, found in items.items() if found}


def test_records_stand_on_their_days_and_move_to_others(admin: FlaskClient, sign_in: SignIn) -> None:
    late = create(admin, subject="Late call", due_at="2026-03-10T22:30:00Z")
    for number in range(6):
        create(admin, subject=f"Call {number}", due_at=f"2026-03-12T0{number}:00:00Z")
    create(admin, subject="Next month", due_at="2026-05-01T08:00:00Z")
    busy = [*(f"Call {number}" for number in range(4)), "+2 more"]
    assert days(admin) == {"2026-03-10": ["Late call"], "2026-03-12": busy}
    only = json.dumps({"field": "subject", "op": "eq", "value": "Late call"})
    assert days(admin, f"at={AT}&filter={only}") == {"2026-03-10": ["Late call"]}
    assert days(admin, f"at={AT}&q=Late") == {"2026-03-10": ["Late call"]}
    assert len(days(admin, "span=week&at=2026-03-12")["2026-03-12"]) == 6
    page = admin.get(f"/acme/activity/calendar?at={AT}").text
    more = re.search(r'class="calendar-more"[^>]* href="([^"]+)"', page)
    assert more is not None
    assert unescape(admin.get(unescape(more[1])).text).count('data-row="') == 6
    assert 'href="/acme/activity/new?due_at=2026-03-11T09:00"' in page

    place = f"http://localhost/acme/activity/calendar?at={AT}"
    status, answer, headers = post(admin, f"activity/{late}/day", place, day="2026-03-20", version="1")
    assert (status, headers["HX-Retarget"]) == (200, "#calendar")
    assert shown(answer)["2026-03-20"] == ["Late call"]
    assert admin.get(f"/api/v1/acme/activity/{late}").json["due_at"] == "2026-03-20T22:30:00Z"  # type: ignore[index]
    undo = json.loads(headers["HX-Trigger"])["toast"]["undo_url"]
    status, answer, headers = post(admin, undo.removeprefix("/acme/"), place)
    assert shown(answer)["2026-03-10"] == ["Late call"]
    assert json.loads(headers["HX-Trigger"])["toast"]["undo_url"] == ""

    assert post(admin, f"activity/{late}/day", place, day="soon")[0] == 422
    assert "2026-03-10T22:30" in admin.get(f"/acme/activity/{late}/day").text
    status, answer, _headers = post(admin, f"activity/{late}/day", place, day="2026-03-21", version="1")
    assert status == 422  # somebody was faster
    reader = sign_in("reader@acme.test")
    assert "data-day-move" not in reader.get(f"/acme/activity/calendar?at={AT}").text
    assert post(reader, f"activity/{late}/day", place, day="2026-03-21")[0] in (403, 404, 422)
    assert days(admin)["2026-03-10"] == ["Late call"]


def test_only_what_has_a_date_has_a_calendar(admin: FlaskClient) -> None:
    assert admin.get("/acme/customer/calendar").status_code == 404
    assert "/acme/opportunity/calendar" in admin.get("/acme/opportunity").text
    assert admin.get("/acme/opportunity/calendar?at=nonsense&span=year").status_code == 200


def test_weeks_begin_when_the_workspace_says() -> None:
    monday = read_span("month", "2026-03-10", date(2026, 1, 1), 0)
    assert (monday.first, monday.last) == (date(2026, 2, 23), date(2026, 4, 5))
    sunday = read_span("week", "2026-03-10", date(2026, 1, 1), 6)
    assert (sunday.first, sunday.last) == (date(2026, 3, 8), date(2026, 3, 14))
    assert monday.moved(-1) == date(2026, 2, 1)
    assert monday.moved(1).replace(day=1) == date(2026, 4, 1)
    assert read_span("month", "9999-99-99", date(2026, 1, 1), 0).at == date(2026, 1, 1)


def test_one_sees_the_own_days_and_what_is_done_or_late(admin: FlaskClient) -> None:
    assert 'href="/acme/activity/calendar?view=mine"' in admin.get("/acme/tasks").text
    create(admin, subject="Late call", due_at=f"{AT}T10:00:00Z")
    create(admin, subject="Done call", due_at=f"{AT}T11:00:00Z", done_at=f"{AT}T12:00:00Z")
    other = create(admin, subject="Of another", due_at=f"{AT}T13:00:00Z")
    changed = {"X-CSRF-Token": token_of(admin.get("/acme/search").text)}
    given = admin.patch(f"/api/v1/acme/activity/{other}", json={"owner": 2}, headers=changed)
    assert given.status_code == 200, given.text
    page = admin.get(f"/acme/activity/calendar?at={AT}").text
    mine = re.search(r'<a class="tab" href="([^"]+)">Mine</a>', page)
    assert mine is not None and "Bin" not in page
    own = admin.get(unescape(mine[1])).text
    assert shown(own) == {AT: ["Late call", "Done call"]}
    late, done = re.findall(r'<li class="calendar-item.*?</li>', own, re.DOTALL)
    assert "dot-danger" in late and "Overdue</span>" in late
    assert "is-done" in done and "Done</span>" in done


def test_a_week_has_hours_for_what_has_a_time(admin: FlaskClient) -> None:
    meeting = create(admin, subject="Meeting", kind="meeting", due_at="2026-03-10T10:05:00Z")
    create(admin, subject="Beside", kind="call", due_at="2026-03-10T10:30:00Z")
    create(admin, subject="Some time", due_at="2026-03-10T00:00:00Z")
    page = admin.get(f"/acme/activity/calendar?span=week&at={AT}").text
    (day,) = re.findall(r'data-day="2026-03-10">(.*?)data-day="2026-03-11"', page, re.DOTALL)
    whole, hours = day.split("data-hours")
    assert "Some time" in whole and "<time>" not in whole
    assert "at-h10 at-m5 for-60 lane-0 lanes-2" in hours and "at-h10 at-m30 for-30 lane-1 lanes-2" in hours
    assert "data-hours" not in admin.get(f"/acme/activity/calendar?at={AT}").text
    assert "data-hours" not in admin.get(f"/acme/opportunity/calendar?span=week&at={AT}").text  # days alone

    place = f"http://localhost/acme/activity/calendar?span=week&at={AT}"
    moved, _answer, headers = post(admin, f"activity/{meeting}/day", place, day="2026-03-12T15:45")
    assert moved == 200 and "12 Mar, 15:45" in json.loads(headers["HX-Trigger"])["toast"]["text"]
    assert admin.get(f"/api/v1/acme/activity/{meeting}").json["due_at"] == "2026-03-12T15:45:00Z"  # type: ignore[index]
    undo = json.loads(headers["HX-Trigger"])["toast"]["undo_url"]
    assert post(admin, undo.removeprefix("/acme/"), place)[0] == 200
    assert admin.get(f"/api/v1/acme/activity/{meeting}").json["due_at"] == "2026-03-10T10:05:00Z"  # type: ignore[index]
    assert post(admin, f"activity/{meeting}/day", place, day="2026-03-12T25:00")[0] == 422


def test_records_at_the_same_time_stand_beside_each_other_also_when_clocks_change() -> None:
    half, hour = timedelta(minutes=30), timedelta(hours=1)
    found = places([(600, hour), (615, half), (645, half), (660, half), (700, half)])
    assert [(one.start, one.lane, one.lanes) for one in found] == [
        (600, 0, 2),
        (615, 1, 2),
        (645, 1, 2),
        (660, 0, 2),
        (700, 0, 1),
    ]
    berlin = ZoneInfo("Europe/Berlin")
    spring = [datetime(2026, 3, 29, hour, 30, tzinfo=UTC) for hour in (0, 1)]
    autumn = [datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1)]
    assert [minute_of(one, berlin) for one in spring] == [90, 210]
    assert [minute_of(one, berlin) for one in autumn] == [150, 150]
