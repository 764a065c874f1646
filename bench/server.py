"""A server as people run it, with an installation of its own: started, watched and killed by whoever measures."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from trellis.config import Config

LONGEST_START = 180.0
"""Seconds; the machine may be busy."""
LONGEST_CALL = 120.0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@dataclass
class Server:
    """``trellis serve`` on a port, and ``trellis worker`` beside it where ``worker``; one group of processes."""

    config: Config
    port: int
    workers: int
    log: Path
    worker: bool = False
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Begins to start; returns at once."""
        options = ["--port", str(self.port), "--workers", str(self.workers)]
        self.process = self._run("serve", *options, *(["--no-jobs"] if self.worker else []), group=0)
        if self.worker:
            self._run("worker", group=self.process.pid)

    def wait_until_up(self) -> None:
        """Returns when it answers; RuntimeError when it ends, or does not come up."""
        until = time.monotonic() + LONGEST_START
        while time.monotonic() < until:
            assert self.process is not None
            if self.process.poll() is not None:
                break
            try:
                if requests.get(f"{self.url}/readyz", timeout=LONGEST_CALL).status_code == 200:
                    return
            except requests.ConnectionError:
                time.sleep(0.1)
        raise RuntimeError(f"the server did not come up:\n{self.log.read_text()[-4000:]}")

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        """Ends all its processes."""
        if self.process is None:
            return
        os.killpg(self.process.pid, how)
        self.process.wait(LONGEST_START)
        while any(self.pids()):
            time.sleep(0.05)
        self.process = None

    def pids(self) -> Iterator[int]:
        """The processes of its group that live."""
        assert self.process is not None
        for entry in Path("/proc").iterdir():
            try:
                state, _parent, group = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
            except (OSError, ValueError):
                continue
            if int(group) == self.process.pid and state != "Z":
                yield int(entry.name)

    def _run(self, command: str, *options: str, group: int) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ,
            "TRELLIS_HOME": str(self.config.home),
            "TRELLIS_DATABASE_URL": self.config.database_url,
            "TRELLIS_API_RATE": "0",
        }
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "trellis", command, *options],
                env=environment,
                stdout=log,
                stderr=log,
                process_group=group,
            )


class Browser:
    """The browser of somebody who has a password here; signs in by itself when it has to."""

    def __init__(self, url: str, workspace: str, email: str, password: str) -> None:
        self._base = f"{url}/{workspace}"
        self._person = {"email": email, "password": password}
        self._http = requests.Session()

    def get(self, path: str, **options: Any) -> requests.Response:
        """A page; ``path`` is relative to the workspace."""
        return self._http.get(f"{self._base}/{path}", timeout=LONGEST_CALL, **options)

    def post(self, path: str, **form: Any) -> requests.Response:
        """Sends a form with the token of the browser; redirects are not followed."""
        return self._send(path, {**form, "csrf_token": self.token()})

    def token(self) -> str:
        """The CSRF token, of somebody who is signed in."""
        page = self.get("profile")
        if page.url.partition("?")[0].endswith("/login"):
            self._send("login", {**self._person, "csrf_token": _token(page.text)})
            page = self.get("profile")
        return _token(page.text)

    def _send(self, path: str, form: dict[str, Any]) -> requests.Response:
        return self._http.post(f"{self._base}/{path}", data=form, timeout=LONGEST_CALL, allow_redirects=False)


def _token(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    if found is None:
        raise RuntimeError(f"a page without a form: {page[:500]}")
    return found[1]
