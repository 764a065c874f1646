"""Keeping the code of plugins within bounds: time, transactions and sizes.

Code of a plugin runs in a thread of its own while its caller waits; when it takes too long it is left behind, and so is the
connection it was using. Inside our transaction it may write, but neither end the transaction nor leave a part of it open.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import copy_context
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

SECONDS = 10.0
"""How long one call of a plugin's code may take."""
STATEMENT_SECONDS = 30.0
"""How long the database may work on a statement that a plugin's code has built."""
MOST_CONTRIBUTIONS = 5_000
"""How many contributions one hook may return."""
LARGEST_ANSWER = 4 * 1024 * 1024
"""How many characters a panel, a page or a REST call of a plugin may answer with."""

_GUEST = "trellis_guest"
T = TypeVar("T")


class TookTooLong(Exception):
    """The code of a plugin did not come back in time."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"took longer than {seconds:g} s")


class TooLarge(Exception):
    """The code of a plugin answered with more than can be shown or kept."""

    def __init__(self, what: str, most: int) -> None:
        super().__init__(f"returned more than {most} {what}")


class TransactionLeaked(Exception):
    """The code of a plugin ended our transaction, or left part of its own open."""

    def __init__(self, what: str) -> None:
        super().__init__(what)


class Stopwatch:
    """The time that is left to the call at hand, where one thread makes many calls."""

    def __init__(self, seconds: float | None = None) -> None:
        self.seconds = SECONDS if seconds is None else seconds
        self.started = time.monotonic()
        self.at_work: tuple[str, str] | None = None

    def start(self, plugin: str, hook: str) -> None:
        """The next call begins."""
        self.started, self.at_work = time.monotonic(), (plugin, hook)

    def go_on(self) -> None:
        """The call at hand goes on to the next record, with as much time again."""
        self.started = time.monotonic()

    def left(self) -> float:
        """Seconds that are left; our own code between two calls is not counted."""
        return self.seconds - (time.monotonic() - self.started) if self.at_work else self.seconds

    def stop(self) -> None:
        """The call is over."""
        self.at_work = None


def limited(function: Callable[[], T], watch: Stopwatch | None = None) -> T:
    """The result of ``function``, or what it raises. Raises TookTooLong; the function is then left to itself."""
    if watch is None:
        watch = Stopwatch()
        watch.start("", "")
    call = _Call(partial(copy_context().run, function))
    try:
        hand = _idle.pop()
    except IndexError:
        hand = _Hand()
    hand.calls.put(call)
    while not call.done.acquire(timeout=max(watch.left(), 0.0)):
        if watch.left() <= 0:
            raise TookTooLong(watch.seconds)
    if call.error is not None:
        raise call.error
    result: T = call.result
    return result


class _Call:
    """One call: what is to be done, what came of it, and a lock that is free when it is over."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self.function = function
        self.result: Any = None
        self.error: BaseException | None = None
        self.done = threading.Lock()
        self.done.acquire()


class _Hand(threading.Thread):
    """A thread that does one call after another; one that is left behind comes back when its call ends, if ever."""

    def __init__(self) -> None:
        super().__init__(name="plugin", daemon=True)
        self.calls: SimpleQueue[_Call] = SimpleQueue()
        self.start()

    def run(self) -> None:
        while True:
            call = self.calls.get()
            try:
                call.result = call.function()
            except BaseException as error:
                call.error = error
            call.function = _nothing  # keep nothing alive until the next call
            _idle.append(self)
            call.done.release()
            del call


def _nothing() -> None:
    """What a call that is over would do."""


_idle: list[_Hand] = []
os.register_at_fork(after_in_child=_idle.clear)  # threads stay behind in the parent


def rows_of(session: Session, statement: sa.Executable) -> Sequence[Any]:
    """All rows of a statement that a plugin's code has built. Raises TookTooLong; the session then begins anew."""
    watch = Stopwatch(STATEMENT_SECONDS)
    watch.start("", "")
    try:
        return limited(lambda: session.execute(statement).all(), watch)
    except TookTooLong:
        abandon(session)
        raise


def abandon(session: Session) -> None:
    """Ends the transaction of a session that another thread may still be using: what it wrote is taken back."""
    with suppress(sa.exc.SQLAlchemyError, sa.exc.ResourceClosedError):
        driver: Any = session.connection().connection.driver_connection
        stop = getattr(driver, "interrupt", None) or driver.cancel
        stop()
    session.invalidate()


def has_abandoned(error: BaseException) -> bool:
    """The error is that of a plugin that took too long: what was written in the transaction before is gone, and it must not go on."""
    return isinstance(error.__cause__, TookTooLong)


@contextmanager
def inside(session: Session) -> Iterator[None]:
    """Around code of a plugin in our transaction. Raises TransactionLeaked when it did not leave it as it was."""
    if not session.in_transaction():  # its connection was in one, of which the session knows nothing
        session.begin()
    before, part = session.get_transaction(), session.get_nested_transaction()
    host = session.info.get(_GUEST)
    session.info[_GUEST] = part or before
    try:
        yield
        session.flush()
    finally:
        session.info[_GUEST] = host
    if session.get_transaction() is not before:
        raise TransactionLeaked("ended the transaction that it was called in")
    if session.get_nested_transaction() is not part:
        raise TransactionLeaked("left a part of the transaction open, or ended one that is not its own")
    status = getattr(
        getattr(session.connection().connection.driver_connection, "info", None), "transaction_status", 0
    )
    if status == 3:  # libpq's PQTRANS_INERROR: it swallowed an error of the database
        raise TransactionLeaked("left the transaction failed")


@sa.event.listens_for(Session, "before_commit")
def _only_its_own(session: Session) -> None:
    """A plugin may commit the savepoints that it began, and nothing else."""
    host = session.info.get(_GUEST)
    if host is not None and (session.get_nested_transaction() or session.get_transaction()) is host:
        raise TransactionLeaked("tried to commit the transaction that it was called in")
