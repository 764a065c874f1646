"""Works through the jobs of all workspaces, in threads: inside the server, or in ``trellis worker``."""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from datetime import time as dt_time
from functools import partial
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis import files
from trellis.errors import Conflict, TrellisError, WorkspaceNotFound
from trellis.i18n import known_timezone, translator, use_locale
from trellis.jobs import queue
from trellis.jobs.job import DONE, FAILED, STOPPED
from trellis.jobs.work import JobInterrupted, Kinds, Work
from trellis.security import recognition
from trellis.security.actor import SYSTEM, Actor
from trellis.system import WorkspaceState
from trellis.workspace_state import settings_of

if TYPE_CHECKING:
    from trellis.installation import Installation
    from trellis.workspace import Workspace

_ = translator("trellis")
log = logging.getLogger(__name__)

TICK = 0.5
"""Seconds between two looks at what has become due."""
AT_A_STRETCH = 2.0
"""Seconds after which a thread that works for one workspace looks for others whose jobs are due."""
AT_NIGHT = dt_time(0, 10)
"""When daily jobs begin, in the time zone of the workspace."""
ALL_EVERY = 60.0
"""Seconds after which every workspace is looked at, whether its bell rang or not."""


class Runner:
    """Takes due jobs and does them, ``threads`` at a time."""

    def __init__(self, installation: Installation, kinds: Kinds, threads: int = 1) -> None:
        self._installation = installation
        self._kinds = kinds
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="job")
        self._stopping = threading.Event()
        self._due: dict[str, datetime] = {}
        self._held: dict[tuple[str, int], int] = {}
        self._lock = threading.Lock()
        self._renewed = time.monotonic()
        self._looked = float("-inf")

    def start(self) -> threading.Thread:
        """Works in a thread of this process until :meth:`stop`."""
        thread = threading.Thread(target=self.run, name="jobs", daemon=True)
        thread.start()
        return thread

    def stop(self) -> None:
        """Takes no more jobs; :meth:`run` returns when those at hand are done."""
        self._stopping.set()

    def run(self) -> None:
        """Works until it is told to stop."""
        bell = self._installation.bell()
        try:
            while not self._stopping.is_set():
                try:
                    heard = bell.wait(TICK)
                    if heard is None:
                        self._looked = float("-inf")
                    else:
                        self._look_at(heard)
                    self._round()
                except sa.exc.SQLAlchemyError:
                    log.exception("the queue of jobs cannot be read; trying again")
                    self._stopping.wait(TICK)
        finally:
            bell.close()
            self._pool.shutdown(wait=True)

    def drain(self) -> int:
        """Does all that is due now, here and in this thread; how many jobs that were."""
        number = 0
        for entry in self._installation.workspaces():
            workspace = self._installation.workspace(entry.name)
            while (row := self._claimed(workspace)) is not None:
                self._do(workspace, row)
                number += 1
        return number

    def _round(self) -> None:
        """Looks at all workspaces when it is time, renews leases, and hands out what is due."""
        now = time.monotonic()
        if now - self._looked > ALL_EVERY:
            self._looked = now
            self._look_at({entry.name for entry in self._installation.workspaces()}, tidy=True)
        if now - self._renewed > queue.RENEWED_EVERY.total_seconds():
            self._renewed = now
            self._renew()
        with self._lock:
            due = sorted((at, name) for name, at in self._due.items() if at <= datetime.now(UTC))
        for _at, name in due:
            if len(self._held) >= self._threads:
                return
            self._hand_out(name)

    def _look_at(self, names: set[str], *, tidy: bool = False) -> None:
        for name in names:
            try:
                workspace = self._installation.workspace(name)
                if tidy:
                    with workspace.write() as session:
                        queue.forget_old(session)
                        files.forget_old(session)
                        self._keep_daily(session)
                with workspace.read() as session:
                    due = queue.next_due(session)
            except (WorkspaceNotFound, sa.exc.OperationalError, sa.exc.ProgrammingError):
                due = None  # gone, or not upgraded yet: looked at again with all others
            with self._lock:
                if due is None:
                    self._due.pop(name, None)
                else:
                    self._due[name] = due

    def _keep_daily(self, session: Session) -> None:
        """Sees that what is done every day is in the queue, for the beginning of the next day in the workspace."""
        daily = [name for name, kind in self._kinds.items() if kind.daily]
        if daily:
            state = session.get_one(WorkspaceState, 1)
            zone = ZoneInfo(settings_of(state.settings).timezone)
            tomorrow = datetime.now(zone).date() + timedelta(days=1)
            night = datetime.combine(tomorrow, AT_NIGHT, zone).astimezone(UTC)
            for name in daily:
                queue.keep_daily(session, name, night)

    def _hand_out(self, name: str) -> None:
        workspace = self._installation.workspace(name)
        row = self._claimed(workspace)
        self._look_at({name})
        if row is None:
            return
        with self._lock:
            self._held[name, row.id] = row.attempt
        self._pool.submit(self._take, workspace, row)

    def _take(self, workspace: Workspace, row: Any) -> None:
        """Does a job, and then what else is due there, but lets other workspaces have their turn."""
        until = time.monotonic() + AT_A_STRETCH
        while row is not None:
            try:
                self._do(workspace, row)
            except Exception:
                log.exception("job %s of %s could not be ended", row.id, workspace.name)
            finally:
                with self._lock:
                    self._held.pop((workspace.name, row.id), None)
            row = self._next(workspace) if time.monotonic() < until else None

    def _next(self, workspace: Workspace) -> Any:
        if self._stopping.is_set():
            return None
        try:
            row = self._claimed(workspace)
        except sa.exc.SQLAlchemyError:
            log.exception("the queue of %s cannot be read; trying again", workspace.name)
            return None
        if row is not None:
            with self._lock:
                self._held[workspace.name, row.id] = row.attempt
        return row

    def _renew(self) -> None:
        with self._lock:
            held = dict(self._held)
        for name in {name for name, _number in held}:
            leases = [(number, attempt) for (of, number), attempt in held.items() if of == name]
            with self._installation.workspace(name).write() as session:
                queue.renew(session, leases)

    def _claimed(self, workspace: Workspace) -> Any:
        with workspace.write() as session:
            return queue.claim(session)

    def _do(self, workspace: Workspace, row: Any) -> None:
        """Does one claimed job to its end, and keeps how it ended."""
        with workspace.read() as session:
            settings = workspace.edition(session).settings
            known = recognition.by_id(workspace, session, row.user_id) if row.user_id else None
        language, zone, formats = (
            (known.language, known.timezone, known.formats) if known else (None, None, None)
        )
        language = row.arguments.get(queue.SPOKEN) or language
        with use_locale(language or settings.language, known_timezone(zone) or settings.timezone, formats):
            try:
                self._attempt(workspace, row, known.actor if known else None)
            except JobInterrupted as interrupted:
                if interrupted.stopped:
                    self._end(workspace, row, STOPPED, "")
            except TrellisError as error:
                self._end(workspace, row, FAILED, str(error))
            except Exception as error:
                log.exception("job %s (%s) of %s failed", row.id, row.kind, workspace.name)
                name = type(error).__name__
                problem = _("Unexpected error (%(name)s); the log of the server says more", name=name)
                with workspace.write() as session:
                    if queue.fail(session, row, str(problem)):
                        self._tell(workspace, row, session, FAILED)
            else:
                self._end(workspace, row, DONE, "")

    def _attempt(self, workspace: Workspace, row: Any, actor: Actor | None) -> None:
        kind = self._kinds.get(row.kind)
        if kind is None:
            raise Conflict(_("Nothing here knows how to do “%(kind)s”", kind=row.kind))
        if row.user_id and actor is None:
            raise Conflict(_("The user who asked for this is no longer here"))
        if row.attempt > queue.MOST_ATTEMPTS:
            raise Conflict(_("The process that did this was killed again and again"))
        work = Work(
            installation=self._installation,
            workspace=workspace,
            actor=actor or SYSTEM,
            job_id=row.id,
            attempt=row.attempt,
            arguments=queue.given(row.arguments),
            done=row.done,
            ended=partial(self._tell, workspace, row),
        )
        if kind.for_administrators:
            work.actor.require_administrator()
        kind.do(work)

    def _end(self, workspace: Workspace, row: Any, state: str, problem: str) -> None:
        """Ends a job that has not ended itself."""
        with workspace.write() as session:
            if queue.finish(session, row.id, row.attempt, state, problem=problem):
                self._tell(workspace, row, session, state)

    def _tell(self, workspace: Workspace, row: Any, session: Session, state: str) -> None:
        """Tells who asked for a job how it has ended, where its kind does so."""
        kind = self._kinds.get(row.kind)
        if kind is not None and kind.told is not None and row.user_id:
            kind.told(session, workspace.edition(session), row.id, kind.title, row.user_id, state)


def late(installation: Installation) -> dict[str, int]:
    """How many jobs of each workspace nobody takes; empty when workers run as they should."""
    found = {}
    for entry in installation.workspaces():
        with installation.workspace(entry.name).read() as session:
            found[entry.name] = queue.overdue(session)
    return {name: number for name, number in found.items() if number}
