"""A mail server for tests: it keeps what is sent to it, and refuses some."""

from __future__ import annotations

import queue
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller

Box = "queue.Queue[EmailMessage]"
NOBODY, LATER, LOST = "nobody@", "later@", "lost@"
"""Addresses that begin so are refused for good, and put off; with mail to the last one the line breaks when it was taken."""


class _Post:
    """Takes what is sent to it."""

    def __init__(self) -> None:
        self.box: Box = queue.Queue()

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address.startswith((NOBODY, LATER)):
            return "550 No such box" if address.startswith(NOBODY) else "450 Try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        received = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(received, EmailMessage)
        self.box.put(received)
        if envelope.rcpt_tos[0].startswith(LOST):
            server.transport.abort()
        return "250 OK"


@contextmanager
def open_post() -> Iterator[tuple[str, Box]]:
    """Opens the server; its address, and what it has taken."""
    post = _Post()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(post, hostname="127.0.0.1", port=port)
    controller.start()
    yield f"smtp://127.0.0.1:{port}", post.box
    controller.stop()


def received(box: Box) -> list[EmailMessage]:
    """What has come in, without waiting."""
    found = []
    while not box.empty():
        found.append(box.get())
    return found
