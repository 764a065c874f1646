"""System health: each check finds what is wrong in its place, and nothing in a sound installation."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
import sqlalchemy as sa
from samples import gym, registry
from trellis import enabling, health, quarantine
from trellis.health import Finding, examine
from trellis.installation import Installation
from trellis.jobs import queue
from trellis.plugins import GROUP, Fault, PluginRegistry
from trellis.workspace import Workspace

Open = Callable[..., Installation]


def found(installation: Installation, *names: str) -> dict[str, list[Finding]]:
    """What the checks find, by check; only those that find something."""
    examined = examine(installation, names or ("acme",))
    return {check.name: list(check.findings) for check in examined if check.findings}


def test_a_sound_installation_has_nothing_to_mend(installation: Installation, workspace: Workspace) -> None:
    only = found(installation)
    assert list(only) == ["mail"] and only["mail"][0].notice


def test_all_vendored_files_are_looked_for(
    installation: Installation, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = json.loads(Path(__file__).parents[1].joinpath("frontend/package.json").read_text())
    assert set(health.VENDORED) == {name for name in package["vendor"] if not name.startswith("licenses/")}
    monkeypatch.setattr(health, "VENDORED", (*health.VENDORED, "lost.js"))
    (finding,) = found(installation)["frontend"]
    assert "lost.js" in str(finding) and "htmx" not in str(finding) and "--reinstall-package" in str(finding)


def test_a_database_without_an_answer_and_old_tables(
    installation: Installation, workspace: Workspace
) -> None:
    assert found(installation, "gone")["database"][0].workspace == "gone"
    with workspace.namespace.connection() as connection:
        connection.execute(sa.text("DELETE FROM alembic_version_core"))
    (finding,) = found(installation)["migrations"]
    assert "trellis workspace upgrade acme" in str(finding)
    with workspace.namespace.connection() as connection:
        connection.execute(sa.text("DROP TABLE plugin_state"))
    assert found(installation)  # what one check cannot read does not end the others


def test_plugins_that_cannot_be_loaded_failed_or_are_in_quarantine(open_installation: Open) -> None:
    broken = PluginRegistry([EntryPoint("broken", "no_such_module_here", GROUP)])
    (finding,) = found(open_installation(plugins=broken))["plugins"]
    assert "broken" in str(finding) and finding.workspace == ""

    installation = open_installation(plugins=registry(gym()))
    workspace = installation.workspace("acme")
    enabling.enable(workspace, "gym")
    now = datetime.now(UTC)
    old = Fault("gym", "trellis_menu", "long ago", "", at=now - 2 * health.RECENT)
    new = Fault("gym", "trellis_panels", "out of order", "secret trace")
    with workspace.write() as session:
        quarantine.keep_faults(session, [old, new])
    (finding,) = found(installation)["plugins"]
    assert "trellis_panels: out of order" in str(finding) and "secret" not in str(finding)
    with workspace.write() as session:
        quarantine.keep_faults(session, [new] * quarantine.MOST)
    (finding,) = found(installation)["plugins"]
    assert "in quarantine" in str(finding)


def test_jobs_that_nobody_takes(installation: Installation, workspace: Workspace) -> None:
    with workspace.write() as session:
        queue.enqueue(session, "any", {}, None)
    assert "queue" not in found(installation)
    with workspace.write() as session:
        queue.enqueue(session, "any", {}, None, at=datetime.now(UTC) - timedelta(hours=1))
    (finding,) = found(installation)["queue"]
    assert "trellis worker" in str(finding)


def test_mail_in_part_and_without_a_server(installation: Installation, workspace: Workspace) -> None:
    whole = installation.config
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    installation.config = replace(whole, smtp_url=f"smtp://me:secret@127.0.0.1:{port}")
    (finding,) = found(installation)["mail"]
    assert not finding.notice and "TRELLIS_MAIL_FROM, TRELLIS_URL" in str(finding)
    installation.config = replace(installation.config, mail_from="crm@acme.test", url="https://crm.test/")
    (finding,) = found(installation)["mail"]
    assert not finding.notice and "ConnectionRefusedError" in str(finding) and "secret" not in str(finding)
