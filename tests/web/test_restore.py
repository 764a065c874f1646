"""A backup that an administrator sends becomes a workspace, and gives nobody rights that it should not."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from trellis.backup import save
from trellis.control import Identity, Membership
from trellis.installation import Installation
from trellis.jobs import queue
from trellis.security.actor import SYSTEM
from trellis.security.people import ApiToken
from trellis.security.tokens import new_token
from trellis.system import FilePart
from web.conftest import token_of
from werkzeug.test import TestResponse

SignIn = Callable[[str], FlaskClient]
PAGE = "/acme/settings/backup"


@pytest.fixture
def admin(sign_in: SignIn) -> FlaskClient:
    return sign_in("admin@acme.test")


@pytest.fixture
def backup(installation: Installation, admin: FlaskClient, tmp_path: Path) -> Path:
    """A backup of ``acme``; its agent has an API token."""
    new_token(installation.workspace("acme"), "agent@acme.test", "robot")
    save(installation, "acme", tmp_path / "acme.zip")
    return tmp_path / "acme.zip"


def rewritten(path: Path, **changes: Callable[[bytes], bytes]) -> Path:
    """The backup as somebody would change it by hand; files by their names without the ending."""
    made = path.with_name("changed.zip")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            change = changes.get(name.rpartition("/")[2].partition(".")[0], lambda content: content)
            new.writestr(name, change(old.read(name)))
    return made


def send(admin: FlaskClient, content: bytes, name: str = "acme.zip") -> TestResponse:
    form = {"csrf_token": token_of(admin.get(PAGE).text), "file": (io.BytesIO(content), name)}
    return admin.post(f"{PAGE}/restore", data=form, content_type="multipart/form-data")


def made(admin: FlaskClient, drain: Callable[[], int], sent: TestResponse, **form: str) -> TestResponse:
    assert sent.status_code == 302, sent.text
    token = token_of(admin.get(PAGE).text)
    asked = admin.post(sent.headers["Location"], data={"csrf_token": token, "title": "Again", **form})
    if asked.status_code == 302:
        drain()
    return asked


def entrants(installation: Installation, workspace: str) -> list[str]:
    query = sa.select(Identity.email).join(Membership).where(Membership.workspace == workspace)
    with installation.control.read() as session:
        return sorted(session.scalars(query))


def identities(installation: Installation) -> dict[str, str | None]:
    with installation.control.read() as session:
        return dict(map(tuple, session.execute(sa.select(Identity.email, Identity.password))))


def test_a_backup_becomes_a_new_workspace(
    admin: FlaskClient, installation: Installation, drain: Callable[[], int], backup: Path
) -> None:
    sent = send(admin, backup.read_bytes())
    page = admin.get(sent.headers["Location"]).text
    assert "gym 1.0" in page and re.search(r"Customers</th><td class=\"num\">30", page)
    taken = made(admin, drain, sent, name="acme", enter="as_saved")
    assert taken.status_code == 422 and "There is a workspace “acme” already" in taken.text
    done = made(admin, drain, sent, name="again", enter="as_saved")
    assert "/again/" in admin.get(done.headers["Location"]).text
    assert admin.get("/again/customer/1").status_code == 200
    assert entrants(installation, "again") == ["admin@acme.test"]
    with installation.workspace("again").read() as session:
        assert session.scalars(sa.select(ApiToken.id)).all() == []
    with installation.workspace("acme").read() as session:
        left = session.scalars(sa.select(FilePart.name).where(FilePart.name.startswith("restore/"))).all()
    assert left == []
    together = made(
        admin, drain, send(admin, backup.read_bytes()), name="more", enter="as_saved", people="true"
    )
    assert together.status_code == 302
    assert entrants(installation, "more") == ["admin@acme.test", "agent@acme.test", "reader@acme.test"]


def test_a_changed_backup_gives_rights_to_nobody(
    admin: FlaskClient, installation: Installation, drain: Callable[[], int], backup: Path
) -> None:
    before = identities(installation)
    stranger = {"email": "chief@elsewhere.test", "password": before["admin@acme.test"], "active": True}
    with installation.control.write() as session:
        session.add(Identity(email="victim@elsewhere.test", password="theirs"))

    def people(_content: bytes) -> bytes:
        victim = {"email": "victim@elsewhere.test", "password": "mine", "active": True}
        return b"\n".join(json.dumps(one).encode() for one in [stranger, victim])

    changed = rewritten(backup, people=people)
    sent = send(admin, changed.read_bytes())
    page = admin.get(sent.headers["Location"]).text
    assert "f-enter-as_saved" not in page, "the mail address of who sends it is not in it"
    assert made(admin, drain, sent, name="again", enter="as_saved", people="true").status_code == 302
    assert entrants(installation, "again") == []
    assert identities(installation) == {**before, "victim@elsewhere.test": "theirs"}
    again = made(admin, drain, send(admin, changed.read_bytes()), name="third", enter="administrator")
    assert again.status_code == 302 and entrants(installation, "third") == ["admin@acme.test"]
    assert admin.get("/third/settings/users").status_code == 200


def test_what_is_no_backup_is_told_in_words_and_leaves_nothing(
    admin: FlaskClient, installation: Installation, drain: Callable[[], int], backup: Path
) -> None:
    def told(change: Callable[[dict[str, Any]], None]) -> bytes:
        def manifest(content: bytes) -> bytes:
            read = json.loads(content)
            change(read)
            return json.dumps(read).encode()

        return rewritten(backup, manifest=manifest).read_bytes()

    for content, words in (
        (b"%PDF-1.7 ...", "the content is PDF"),
        (backup.read_bytes()[:500], "not a backup"),
        (told(lambda one: one.update(format=7)), "another version of Trellis (format 7)"),
        (told(lambda one: one["plugins"].update(ghost="1.0")), "needs the plugin “ghost”"),
        (told(lambda one: one["revisions"].update(core="core_9999")), "a later version of “core”"),
        (told(lambda one: one.update(tables=[1])), "not a backup"),
    ):
        refused = send(admin, content)
        assert refused.status_code == 422 and words in refused.text, (words, refused.text[-3000:])
        assert 'id="e-file"' in refused.text
    broken = rewritten(backup, customer=lambda content: content + b'["x"]\n')
    asked = made(admin, drain, send(admin, broken.read_bytes()), name="again", enter="as_saved")
    assert "The backup is damaged" in admin.get(asked.headers["Location"]).text
    assert [entry.name for entry in installation.workspaces()] == ["acme"]
    with installation.workspace("acme").read() as session:
        assert [row.state for row in queue.latest(session, SYSTEM, 5, kinds=("restore",))] == ["failed"]


def test_only_administrators_send_backups(sign_in: SignIn, admin: FlaskClient, backup: Path) -> None:
    sent = send(admin, backup.read_bytes())
    agent = sign_in("agent@acme.test")
    assert agent.get(sent.headers["Location"]).status_code == 403
    assert admin.get(f"{PAGE}/restore/{'0' * 32}").status_code == 404
