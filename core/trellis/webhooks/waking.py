"""Waking the jobs that deliver: after a commit, so that they find what was written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trellis.jobs import queue

if TYPE_CHECKING:
    from trellis.workspace import Workspace

KIND = "webhook"


def wake(workspace: Workspace) -> None:
    """Lets webhooks that wait for events look now. A process that is killed before has them look within a minute."""
    with workspace.read() as session:
        asleep = queue.asleep(session, KIND)
    if asleep:
        with workspace.write() as session:
            queue.wake(session, KIND)
