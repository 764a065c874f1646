"""Background jobs in the browser: a long export, the queue, stopping and trying again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from trellis.installation import Installation
from trellis.jobs import enqueue
from trellis.security.people import User
from trellis.web.views import lists
from web.conftest import token_of

SignIn = Callable[[str], FlaskClient]
Drain = Callable[[], int]


def post(browser: FlaskClient, url: str, **form: str) -> str:
    """Sends a form; where it leads."""
    token = token_of(browser.get("/acme/customer/import").text)
    answer = browser.post(url, data={"csrf_token": token, **form})
    assert answer.status_code == 302, answer.text
    return answer.location


def test_a_long_export_is_made_by_a_job_and_downloaded(
    sign_in: SignIn, installation: Installation, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "EXPORT_AT_ONCE", 10)
    mine, other = sign_in("admin@acme.test"), sign_in("reader@acme.test")
    url = "/acme/customer/export?format=csv&sort=-name&columns=name,city"
    assert "This list is long" in mine.get(url).text
    place = post(mine, url)
    assert "Waiting" in mine.get(place).text and mine.get(f"{place}/file").status_code == 404
    assert drain() == 1
    assert "Download" in mine.get(f"{place}/progress").text
    lines = mine.get(f"{place}/file").text.splitlines()
    assert (lines[0], len(lines)) == ("id,external_id,name,city", 31)
    assert [line.split(",")[2] for line in lines[1:3]] == ["Customer 29", "Customer 28"]
    for path in ("", "/progress", "/file"):
        assert other.get(f"{place}{path}").status_code == 404, path


def test_an_export_holds_what_its_owner_may_read_when_it_is_made(
    sign_in: SignIn, installation: Installation, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "EXPORT_AT_ONCE", 1)
    person = sign_in("admin@acme.test")
    place = post(person, "/acme/customer/export")
    _give(installation, "agent")  # who sees their own customers only
    drain()
    _give(installation, "administrator")
    assert len(person.get(f"{place}/file").text.splitlines()) == 1


def _give(installation: Installation, role: str) -> None:
    person = sa.update(User).where(User.email == "admin@acme.test")
    with installation.workspace("acme").write() as session:
        session.execute(person.values(roles=[role], version=User.version + 1))


def test_administrators_see_the_queue_and_try_again_what_failed(
    sign_in: SignIn, installation: Installation, drain: Drain
) -> None:
    admin, agent = sign_in("admin@acme.test"), sign_in("agent@acme.test")
    assert "No background jobs" in admin.get("/acme/settings/jobs").text
    with installation.workspace("acme").write() as session:
        number = enqueue(session, "nothing", {}, None)
    drain()
    page = admin.get("/acme/settings/jobs").text
    assert "Nothing here knows how to do" in page and "Failed" in page
    assert post(admin, f"/acme/jobs/{number}/retry", list="1").endswith("/settings/jobs")
    assert "Waiting" in admin.get("/acme/settings/jobs").text
    post(admin, f"/acme/jobs/{number}/stop", list="1")
    assert "Stopped" in admin.get("/acme/settings/jobs").text
    assert agent.get("/acme/settings/jobs").status_code == 403
    assert agent.get(f"/acme/jobs/{number}").status_code == 404


def test_administrators_make_backups_and_copies(
    sign_in: SignIn, installation: Installation, drain: Drain
) -> None:
    admin, agent = sign_in("admin@acme.test"), sign_in("agent@acme.test")
    place = post(admin, "/acme/settings/backup")
    copy = post(admin, "/acme/settings/backup/copy", name="trial", title="Trial")
    assert drain() == 2
    assert admin.get(f"{place}/file").data[:2] == b"PK"
    assert "/trial/" in admin.get(copy).text and "Download" in admin.get("/acme/settings/backup").text
    assert "Trial" in admin.get("/trial/").text
    token = token_of(admin.get("/acme/customer/import").text)
    for name in ("trial", "No Name", ""):
        form = {"csrf_token": token, "name": name, "title": "Again"}
        assert admin.post("/acme/settings/backup/copy", data=form).status_code == 422, name
    assert agent.get("/acme/settings/backup").status_code == 403
    _give(installation, "agent")
    assert admin.get(f"{place}/file").status_code == 403
