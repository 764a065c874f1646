"""What the function of a job gets: where to work, for whom, and whom to tell how far it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from trellis import files
from trellis.i18n import Text
from trellis.jobs import queue
from trellis.jobs.job import DONE, STOPPING
from trellis.records.door import Records
from trellis.security.actor import Actor

if TYPE_CHECKING:
    from trellis.edition import Edition
    from trellis.installation import Installation
    from trellis.workspace import Workspace


class JobInterrupted(Exception):
    """The job is to end now: somebody stopped it, or another worker has it. Not an error; let it pass."""

    def __init__(self, stopped: bool) -> None:
        super().__init__("stopped" if stopped else "another worker has this job")
        self.stopped = stopped


@dataclass(frozen=True, kw_only=True)
class Work:
    """One attempt at a job. The attempt before it may have been killed anywhere, so its function can be done again.

    ``done`` is how far the attempt before came, as it told; ``ended`` is told, with the end of the job, how it ended.
    """

    installation: Installation
    workspace: Workspace
    actor: Actor
    job_id: int
    attempt: int
    arguments: Mapping[str, Any]
    done: int = 0
    ended: Callable[[Session, str], None] = lambda _session, _state: None

    def tell(self, done: int, total: int) -> None:
        """Keeps how many of about how many are done. Raises JobInterrupted when the job is to end."""
        with self.workspace.write() as session:
            state = queue.tell(session, self.job_id, self.attempt, done, total)
        if state is None or state == STOPPING:
            raise JobInterrupted(stopped=state is not None)

    @contextmanager
    def door(self) -> Iterator[Records]:
        """The door for whoever asked, in a transaction of its own; plugins are told of what was committed."""
        with self.workspace.write() as session:
            records = Records(session, self.workspace.edition(session), self.actor)
            yield records
        records.committed()
        self.workspace.record_faults(records.faults)

    def finish(self, session: Session, result: Mapping[str, Any]) -> None:
        """Ends the job in the transaction of its effect, so that both are there or neither. Raises JobInterrupted."""
        if not queue.finish(session, self.job_id, self.attempt, DONE, result=dict(result), problem=""):
            raise JobInterrupted(stopped=False)
        self.ended(session, DONE)

    def again(self, session: Session, at: datetime, problem: str = "") -> None:
        """Ends the job without a trace, and has it done anew from ``at`` on. Raises JobInterrupted.

        With a ``problem`` it waits until then; without, it can be woken before.
        """
        if not queue.again(session, self.job_id, self.attempt, at, problem):
            raise JobInterrupted(stopped=False)

    def finish_with(self, path: Path, filename: str, **result: Any) -> None:
        """Ends the job with a file that it made, kept for those who may see the job. Raises JobInterrupted."""
        name = f"job/{self.job_id}"
        with self.workspace.write() as session:
            files.keep(session, name, path)
            self.finish(session, {"file": name, "filename": filename, **result})


@dataclass(frozen=True)
class JobKind:
    """A kind of job: what people call it, and the function that does it.

    A job whose function ends without :meth:`Work.finish` is done all the same. One ``for_administrators`` is done for them
    only, and what it made is for those who are administrators when they ask for it. One that is ``daily`` is put into the
    queue of each workspace by whoever works through it, for the night of the workspace. ``told`` is called in the transaction
    in which a job that somebody asked for has ended.
    """

    title: Text
    do: Callable[[Work], None]
    for_administrators: bool = False
    daily: bool = False
    told: Callable[[Session, Edition, int, Text, int, str], None] | None = None


Kinds = Mapping[str, JobKind]
"""What can be done, by the name that jobs are put into the queue under."""
