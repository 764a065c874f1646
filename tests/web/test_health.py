"""Settings, System health."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from flask import Flask
from flask.testing import FlaskClient
from trellis.edition import Settings
from trellis.installation import Installation
from trellis.jobs import queue


def test_it_tells_of_this_workspace_and_never_of_another(
    app: Flask, installation: Installation, sign_in: Callable[[str], FlaskClient]
) -> None:
    other = installation.create_workspace("elsewhere", Settings())
    late = datetime.now(UTC) - timedelta(hours=1)
    with other.write() as session:
        queue.enqueue(session, "any", {}, None, at=late)
    admin = sign_in("admin@acme.test")
    page = admin.get("/acme/settings/health").text
    assert "Everything is in order" in page and "elsewhere" not in page and "trellis worker" not in page
    with installation.workspace("acme").write() as session:
        queue.enqueue(session, "any", {}, None, at=late)
    page = admin.get("/acme/settings/health").text
    assert "1 thing to mend" in page and "Start <code>trellis worker</code>" in page
