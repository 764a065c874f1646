"""Programs that fill templates (:mod:`filling`): each makes one document, and the next one is started ahead.

To start Python with the libraries takes longer than most documents do. After the first document a program with all of them
waits for the next; who comes while none does starts one, so that two never wait for each other.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import threading
from contextlib import suppress

from trellis.documents import filling

Program = subprocess.Popen[bytes]

_waiting: list[Program] = []
_starting = threading.Lock()


def answer(asked: bytes, patience: float) -> tuple[int, bytes, bytes]:
    """Status, output and complaints of a program that was asked. Raises TimeoutExpired when it takes longer than ``patience``."""
    with _taken() as program:
        try:
            written, said = program.communicate(asked, timeout=patience)
        except subprocess.TimeoutExpired:
            program.kill()
            program.communicate()
            raise
    _start_ahead()
    return program.returncode, written, said


def _taken() -> Program:
    """One that waits and is still there, or a new one."""
    with suppress(IndexError):
        while True:
            program = _waiting.pop()
            if program.poll() is None:
                return program
            _end(program)
    return _start()


def _start(*options: str) -> Program:
    command = [sys.executable, "-P", filling.__file__, *options]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe)


def _start_ahead() -> None:
    with _starting:
        if not _waiting:
            _waiting.append(_start(filling.AHEAD))


def _end(program: Program) -> None:
    """Ends one that nobody asks: it ends by itself when its input does."""
    program.communicate()


def _end_all() -> None:
    while _waiting:
        _end(_waiting.pop())


atexit.register(_end_all)
os.register_at_fork(after_in_child=_waiting.clear)  # those of the parent are asked by it
