"""Random SIGKILLs of a server at work: what it acknowledged is there, once, and nothing is half done.

    uv run python -m bench.kills --kills 100 --database postgresql

People and programs write, import, export, back up and switch plugins while the whole group of processes is killed again
and again, at any moment, also while it starts. After each kill the database is looked at before the server comes up by
itself. The seed is printed: ``--seed`` draws the same acts and pauses again. Ends with 1 when something was found.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from trellis.installation import Installation
from trellis.jobs import Job
from trellis.rest.idempotency import SILENT
from trellis.security.identities import add_user
from trellis.security.tokens import new_token
from trellis.system import IdempotentCall
from trellis.workspace import Workspace

from bench.callers import ADMIN, PASSWORD, Caller, Clerk, Ledger, Switcher
from bench.kept import DAILY, problems
from bench.server import Server, free_port
from bench.setting import installed

WRITERS = 4
MOST_ANSWERS = 60
"""A server dies at a random moment after so many answers at most, however slow the machine is."""
LONGEST_LIFE, LONGEST_START = 30.0, 4.0
"""Seconds that a server lives at most, and that one lives which dies while it starts."""
DIES_STARTING = 0.15
"""How often it is killed before it is up."""
LONGEST_END = 600.0


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    asked = parser.parse_args()
    print(f"{asked.kills} kills on {asked.database}, seed {asked.seed}", flush=True)
    with installed(asked.database) as (installation, workspace):
        found = Run(installation, workspace, asked.seed).done(asked.kills)
    print("\n".join(found) or "nothing is lost, doubled or half done")
    return 1 if found else 0


class Run:
    """One installation that is killed."""

    def __init__(self, installation: Installation, workspace: Workspace, seed: int) -> None:
        self._installation = installation
        self._workspace = workspace
        self._chance = random.Random(seed)
        self._ledger = Ledger()
        self._up = threading.Event()
        add_user(installation, workspace, ADMIN, "Admin", ["administrator"], PASSWORD)
        token = new_token(workspace, ADMIN, "kills")
        log = Path(tempfile.mkdtemp(prefix="trellis-kills-")) / "server.log"
        workers = 2 if installation.config.on_postgresql else 1
        self._server = Server(installation.config, free_port(), workers, log)
        place = (self._server.url, workspace.name, token, self._ledger, self._up)
        self._callers: list[Caller] = [Clerk(*place, f"{seed}-{number}") for number in range(WRITERS)]
        self._callers.append(Switcher(*place, f"{seed}-switcher"))

    def done(self, kills: int) -> list[str]:
        """Kills so often; what was found wrong."""
        found: list[str] = []
        for caller in self._callers:
            caller.start()
        for number in range(1, kills + 1):
            self._live_and_die(number)
            found += [f"kill {number}: {one}" for one in self._looked_at()]
            if number % 10 == 0 or found:
                print(f"{number} kills, {self._ledger.told()}", flush=True)
            if found:
                break
        return found + self._last(found)

    def _live_and_die(self, number: int) -> None:
        self._server = replace(self._server, worker=number % 4 == 0)
        self._server.start()
        if self._chance.random() < DIES_STARTING:
            time.sleep(self._chance.uniform(0, LONGEST_START))
        else:
            self._server.wait_until_up()
            self._up.set()
            self._ledger.wait_for(self._chance.randrange(MOST_ANSWERS), LONGEST_LIFE)
            time.sleep(self._chance.uniform(0, 0.3))
        self._up.clear()
        self._server.kill()

    def _looked_at(self, *, ended: bool = False) -> list[str]:
        for caller in self._callers:
            caller.idle.wait(LONGEST_END)
        return [*problems(self._installation, self._workspace, self._ledger, ended=ended)]

    def _last(self, found: list[str]) -> list[str]:
        """Lets everything that waits come to its end, and looks at all of it."""
        for caller in self._callers:
            caller.finish()
        if not found:
            self._let_go()
            self._server.start()
            self._server.wait_until_up()
            self._up.set()
            self._wait_for_jobs()
        for caller in self._callers:
            caller.stopping.set()
        self._up.set()
        for caller in self._callers:
            caller.join()
        self._server.kill()
        print(f"at the end, {self._ledger.told()}; log {self._server.log}", flush=True)
        return [f"at the end: {one}" for one in self._looked_at(ended=True)] if not found else []

    def _let_go(self) -> None:
        """Ends what the dead had taken: the leases of their jobs, and the keys of their calls."""
        now = datetime.now(UTC)
        with self._workspace.write() as session:
            session.execute(sa.update(Job).where(Job.finished_at.is_(None)).values(due_at=now))
            at_work = sa.update(IdempotentCall).where(IdempotentCall.status.is_(None))
            session.execute(at_work.values(at=now - 2 * SILENT))

    def _wait_for_jobs(self) -> None:
        until = time.monotonic() + LONGEST_END
        waiting = sa.select(sa.func.count()).select_from(Job)
        waiting = waiting.where(Job.finished_at.is_(None), Job.kind.not_in(DAILY))
        while time.monotonic() < until:
            with self._workspace.read() as session:
                if not session.scalar(waiting) and not any(caller.owes for caller in self._callers):
                    return
            time.sleep(0.5)


if __name__ == "__main__":
    sys.exit(main())
