"""Both applications behind the same server, as processes of their own, and a client that asks them."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from gunicorn.app.base import BaseApplication
from trellis.config import Config
from trellis.installation import Installation
from trellis.serve import THREADS, Worker

_STARTS = 180
"""Seconds in which a server must answer."""


class Client:
    """One connection that is kept."""

    def __init__(self, port: int, headers: Mapping[str, str] | None = None) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self._headers = dict(headers or {})

    def get(self, path: str) -> bytes:
        """The body of an answer."""
        return self.ask("GET", path)

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> bytes:
        """The body of an answer. Raises RuntimeError unless it is one of success."""
        headers = self._headers | ({"Content-Type": "application/json"} if body is not None else {})
        text = None if body is None else json.dumps(body)
        try:
            self._connection.request(method, path, text, headers)
            answer = self._connection.getresponse()
        except http.client.RemoteDisconnected:  # it was not used for a while
            self._connection.request(method, path, text, headers)
            answer = self._connection.getresponse()
        read = answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {read[:300]!r}")
        return read


@contextmanager
def served(installation: Installation, workspace: str, workers: int) -> Iterator[tuple[int, int]]:
    """The ports of Trellis and of the hand-written application, each with this many workers, until the block ends."""
    with trellis_served(installation, workers) as ours:
        port = _free_port()
        command = [sys.executable, "-m", "bench.serving", workspace, str(port), str(workers)]
        with _running(command, installation, port):
            yield ours, port


@contextmanager
def trellis_served(installation: Installation, workers: int) -> Iterator[int]:
    """The port of Trellis."""
    port = _free_port()
    options = ["--port", str(port), "--workers", str(workers), "--no-jobs"]
    with _running([sys.executable, "-m", "trellis", "serve", *options], installation, port):
        yield port


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def _running(command: list[str], installation: Installation, port: int) -> Iterator[None]:
    config = installation.config
    known = {
        "TRELLIS_HOME": str(config.home),
        "TRELLIS_DATABASE_URL": config.database_url,
        "TRELLIS_API_RATE": "0",
    }
    environment = os.environ | known
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            until = time.monotonic() + _STARTS
            while not _answers(port):
                if process.poll() is not None or time.monotonic() > until:
                    log.seek(0)
                    raise RuntimeError(f"{command} does not serve: {log.read().decode()[-2000:]}")
                time.sleep(0.1)
            yield
        finally:
            process.terminate()
            process.wait(60)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


class _ByHand(BaseApplication):  # type: ignore[misc]
    """The hand-written application behind gunicorn, set up as ``trellis serve`` sets it up."""

    def __init__(self, workspace: str, port: int, workers: int) -> None:
        self._workspace = workspace
        self._options = {
            "bind": f"127.0.0.1:{port}",
            "workers": workers,
            "threads": THREADS,
            "worker_class": Worker,
        }
        super().__init__()

    def load_config(self) -> None:
        for name, value in {
            **self._options,
            "keepalive": 5,
            "timeout": 120,
            "control_socket_disable": True,
        }.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        from bench.by_hand import by_hand

        return by_hand(Installation(Config.from_environment()), self._workspace)


if __name__ == "__main__":
    _ByHand(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])).run()
