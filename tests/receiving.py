"""A program on the network that webhooks tell, for tests."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Receiver(ThreadingHTTPServer):
    """A program that is told: ``got`` is what it was sent, ``status`` what it answers."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.status = 204
        self.hurried = threading.Event()
        self.hurried.set()
        self.told = threading.Semaphore(0)
        self.url = f"http://127.0.0.1:{self.server_address[1]}/hook?of=acme"

    @property
    def names(self) -> list[str]:
        """The names of customers in the order in which they were told."""
        return [
            item["changes"]["name"][1]
            for _headers, body in self.got
            for item in json.loads(body)["items"]
            if item["entity"] == "customer"
        ]


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server: Any = self.server
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server.got.append((dict(self.headers), body))
        self.send_response(server.status)
        self.send_header("Content-Length", "5")
        self.end_headers()
        with suppress(OSError):
            for letter in (b"s", b"o", b"r", b"r", b"y"):
                self.wfile.write(letter)
                server.hurried.wait(0.3)
        server.told.release()

    def log_message(self, *_arguments: Any) -> None:
        """Says nothing."""


@contextmanager
def receiving() -> Iterator[Receiver]:
    """One that listens until the block ends."""
    server = Receiver()
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
