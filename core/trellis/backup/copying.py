"""A copy of a workspace for trying things."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from trellis.backup.archive import Told
from trellis.backup.restoring import restore
from trellis.backup.saving import save
from trellis.installation import Installation
from trellis.security.actor import SYSTEM, Actor


def copy_workspace(
    installation: Installation,
    name: str,
    new: str,
    *,
    title: str | None = None,
    told: Told = lambda done, total: None,
    actor: Actor = SYSTEM,
) -> None:
    """Makes the workspace ``new`` of all that ``name`` holds now. Raises what :func:`save` and :func:`restore` raise."""
    installation.require_free(new)
    with TemporaryDirectory(prefix="trellis-copy-") as folder:
        path = Path(folder) / "workspace.zip"
        save(installation, name, path, lambda done, total: told(done, 2 * total), actor=actor, copy=new)
        after = lambda done, total: told(total + done, 2 * total)  # noqa: E731
        restore(installation, new, path, title=title, told=after, actor=actor)
