"""An hour of mixed load on a server with two processes: no error, and no growth of memory or of open files.

    uv run python -m bench.load --minutes 60 --rate 15

People in browsers and programs with tokens read, search, write, import, export and switch a plugin, at a bounded rate, so that
it can run beside other work. Each minute it prints requests, errors, times, and what each process of the server holds. Ends
with 1 after an error, or when the last quarter holds more than the second one.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from trellis.installation import Installation
from trellis.security.identities import add_user
from trellis.security.tokens import new_token
from trellis.workspace import Workspace

from bench.server import LONGEST_CALL, Browser, Server, free_port
from bench.setting import CITIES, fill_customers, installed

CUSTOMERS = 20_000
CALLERS = 12
PASSWORD = "a long password"
SEE_ALL = 2
"""The first of these people see the records of everybody."""
PEOPLE = {
    "admin@load.test": "administrator",
    "manager@load.test": "manager",
    "agent@load.test": "agent",
    "second@load.test": "agent",
}
MORE_MEMORY, MORE_FILES = 1.10, 8
"""How much the last quarter may hold: times the memory of the second, and so many open files more."""
PAGE = 4096
EXPECTED = (200, 201, 202, 204, 302, 303, 409)
"""409: a plugin that is off already, an import that another caller does."""


@dataclass
class Told:
    """What has happened since it was last asked."""

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Held:
    """What the processes of the server hold together: bytes of memory that are theirs, and open files."""

    memory: int
    files: int


class Load:
    """Callers at a bounded rate: each takes the next moment, waits for it and calls."""

    def __init__(self, server: Server, installation: Installation, workspace: Workspace, rate: float) -> None:
        self._rate = rate
        self._due = time.monotonic()
        self._told, self._lock = Told(), threading.Lock()
        self._stopping = threading.Event()
        self._api = f"{server.url}/api/v1/{workspace.name}"
        self._browsers = [Browser(server.url, workspace.name, email, PASSWORD) for email in PEOPLE]
        self._tokens = [new_token(workspace, email, "load") for email in PEOPLE]
        self._made = itertools.count()
        self._threads = [
            threading.Thread(target=self._call, args=(number,), daemon=True) for number in range(CALLERS)
        ]

    def start(self) -> None:
        for browser in self._browsers:
            browser.token()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(LONGEST_CALL)

    def told(self) -> Told:
        """What has happened since this was last asked."""
        with self._lock:
            told, self._told = self._told, Told()
        return told

    def _call(self, number: int) -> None:
        chance = random.Random(number)
        program = requests.Session()
        acts, weights = zip(*self._acts(chance, program), strict=True)
        while not self._stopping.is_set():
            if self._stopping.wait(max(0.0, self._moment() - time.monotonic())):
                return
            self._one(chance.choices(acts, weights)[0])

    def _moment(self) -> float:
        """When the next call is due. What a busy machine could not do in time is not made up for."""
        with self._lock:
            self._due = max(self._due + 1 / self._rate, time.monotonic())
            return self._due

    def _one(self, act: Callable[[], requests.Response]) -> None:
        began = time.monotonic()
        try:
            answer = act()
            error = "" if answer.status_code in EXPECTED else f"{answer.status_code} {answer.text[:300]}"
            error = error and f"{answer.request.method} {answer.url}: {error}"
        except (requests.RequestException, RuntimeError) as problem:
            error = f"{type(problem).__name__}: {problem}"
        with self._lock:
            self._told.seconds.append(time.monotonic() - began)
            self._told.errors += [error] if error else []

    def _acts(
        self, chance: random.Random, http: requests.Session
    ) -> list[tuple[Callable[[], requests.Response], float]]:
        """What a caller does, and how often."""

        def api(method: str, path: str, person: int | None = None, **options: Any) -> requests.Response:
            token = self._tokens[chance.randrange(SEE_ALL) if person is None else person]
            headers = {"Authorization": f"Bearer {token}"}
            return http.request(
                method, f"{self._api}/{path}", headers=headers, timeout=LONGEST_CALL, **options
            )

        def page(path: str, people: int = len(PEOPLE)) -> requests.Response:
            return self._browsers[chance.randrange(people)].get(path)

        def customer() -> int:
            return chance.randrange(1, CUSTOMERS)

        def new() -> str:
            return f"Load {next(self._made)}"

        def batch() -> requests.Response:
            items = [
                {
                    "number": f"{new()}",
                    "customer": customer(),
                    "ordered_at": "2026-11-20T10:00:00Z",
                    "amount": "12.50",
                }
                for _row in range(10)
            ]
            return api("POST", "order:batch", json={"items": items})

        def import_file() -> requests.Response:
            rows = "\n".join(["name,city", *(f"{new()},City" for _row in range(50))])
            return api("POST", "imports", 0, data={"entity": "customer"}, files={"file": ("load.csv", rows)})

        def switch() -> requests.Response:
            return api("POST", f"plugins/b2b:{chance.choice(('enable', 'disable'))}", 0)

        city = lambda: f"City {chance.randrange(CITIES)}"  # noqa: E731
        return [
            (lambda: api("GET", f"customer?city={city()}&sort=name&limit=50"), 14),
            (lambda: api("GET", f"customer/{customer()}"), 10),
            (lambda: api("GET", f"customer?q={chance.randrange(CUSTOMERS)}"), 6),
            (lambda: api("GET", "kpis/revenue?period=2026-11"), 2),
            (lambda: api("GET", "events?limit=50"), 2),
            (lambda: api("POST", "customer", json={"name": new(), "city": city()}), 6),
            (lambda: api("PATCH", f"customer/{customer()}", 0, json={"city": city()}), 5),
            (batch, 2),
            (import_file, 0.3),
            (switch, 0.1),
            (lambda: page(""), 4),
            (lambda: page("customer"), 6),
            (lambda: page(f"customer/{customer()}", SEE_ALL), 6),
            (lambda: page(f"search?q={chance.randrange(CUSTOMERS)}"), 4),
            (lambda: page("order"), 3),
            (lambda: page("opportunity/board"), 2),
            (lambda: page("kpis"), 1),
            (lambda: page("segments"), 1),
            (lambda: page("analytics/pyramid"), 0.5),
            (lambda: page("settings/jobs", 1), 1),
            (lambda: page("settings/plugins", 1) if chance.random() < 0.1 else page("tasks"), 1),
            (lambda: page("customer/export?format=csv&q=7"), 0.3),
            (lambda: self._browsers[0].post("customer/export?format=csv"), 0.1),
            (lambda: self._browsers[0].post("settings/backup"), 0.02),
        ]


def held(server: Server) -> dict[int, Held]:
    """What each process of the server holds."""
    found = {}
    for pid in server.pids():
        try:
            resident, shared = (Path(f"/proc/{pid}/statm").read_text().split())[1:3]
            found[pid] = Held((int(resident) - int(shared)) * PAGE, len(os.listdir(f"/proc/{pid}/fd")))
        except OSError:
            continue
    return found


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--rate", type=float, default=15, help="requests a second")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    asked = parser.parse_args()
    with installed(asked.database) as (installation, workspace):
        fill_customers(workspace, CUSTOMERS)
        for email, role in PEOPLE.items():
            add_user(installation, workspace, email, email.partition("@")[0].title(), [role], PASSWORD)
        log = Path(tempfile.mkdtemp(prefix="trellis-load-")) / "server.log"
        print(
            f"{asked.minutes} minutes, {asked.rate:g} requests/s on {asked.database}; log {log}", flush=True
        )
        server = Server(installation.config, free_port(), 2, log)
        server.start()
        try:
            server.wait_until_up()
            load = Load(server, installation, workspace, asked.rate)
            load.start()
            return _watched(load, server, asked.minutes)
        finally:
            server.kill()


def _watched(load: Load, server: Server, minutes: int) -> int:
    """Prints each minute; 1 when there were errors or growth."""
    history: list[Held] = []
    errors = 0
    for minute in range(1, minutes + 1):
        time.sleep(60)
        told, processes = load.told(), held(server)
        history.append(
            Held(sum(one.memory for one in processes.values()), sum(one.files for one in processes.values()))
        )
        errors += len(told.errors)
        middle, slow = _times(told.seconds)
        each = ", ".join(f"{pid} {one.memory >> 20} MB {one.files} files" for pid, one in processes.items())
        print(
            f"minute {minute}: {len(told.seconds)} requests, {len(told.errors)} errors, "
            f"p50 {middle:.0f} ms, p95 {slow:.0f} ms; {each}",
            flush=True,
        )
        for error in told.errors[:5]:
            print(f"  {error}", flush=True)
    load.stop()
    grown = _growth(history)
    print(f"{errors} errors; {grown or 'no growth'}", flush=True)
    return 1 if errors or grown else 0


def _times(seconds: list[float]) -> tuple[float, float]:
    """The median and the 95th percentile, in milliseconds."""
    if len(seconds) < 2:
        return 0.0, 0.0
    cuts = statistics.quantiles(seconds, n=20)
    return cuts[9] * 1000, cuts[18] * 1000


def _growth(history: list[Held]) -> str:
    """What the last quarter holds more than the second one; empty when that is nothing, or there is too little to tell."""
    quarter = len(history) // 4
    if not quarter:
        return ""
    second, last = history[quarter : 2 * quarter], history[-quarter:]
    memory = [statistics.mean(one.memory for one in part) for part in (second, last)]
    files = [statistics.mean(one.files for one in part) for part in (second, last)]
    found = []
    if memory[1] > memory[0] * MORE_MEMORY:
        found.append(f"memory grew from {memory[0] / 2**20:.0f} to {memory[1] / 2**20:.0f} MB")
    if files[1] > files[0] + MORE_FILES:
        found.append(f"open files grew from {files[0]:.0f} to {files[1]:.0f}")
    return ", ".join(found)


if __name__ == "__main__":
    sys.exit(main())
