"""One more process of the server, which runs a script and may be killed at a chosen moment.

It is forked from a process that holds nothing but the imported code, so that a test of many deaths does not wait for as many
starts of Python.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import tempfile
import textwrap
import traceback
from dataclasses import dataclass
from pathlib import Path

from samples import gym, registry
from trellis.config import Config
from trellis.installation import Installation

LONGEST = 120.0
_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(["trellis.web.app", "trellis.serve", "samples"])

PRELUDE = """
import os, signal, sys
from pathlib import Path
from samples import gym, registry
from trellis import enabling
from trellis.config import Config
from trellis.installation import Installation
from trellis.records.door import Records, Write
from trellis.security.actor import SYSTEM

def die(*_a, **_k):
    os.kill(os.getpid(), signal.SIGKILL)

installation = Installation(Config(home=Path(sys.argv[1]), database_url=sys.argv[2]), registry(gym()))
workspace = installation.workspace("acme")
"""


@dataclass(frozen=True)
class Ended:
    """How a process ended: its status, negative for a signal, and what it wrote."""

    returncode: int
    stdout: str
    stderr: str


def run(config: Config, script: str, *more: str) -> Ended:
    """Runs a script that finds ``installation``, ``workspace`` and ``die`` made, and ``more`` from ``sys.argv[3]`` on."""
    with tempfile.TemporaryDirectory() as place:
        wrote = [Path(place) / name for name in ("stdout", "stderr")]
        given = ["-c", str(config.home), config.database_url, *more]
        whole = PRELUDE + textwrap.dedent(script)
        process = _SERVER.Process(target=_act, args=(whole, given, [str(path) for path in wrote]))
        process.start()
        process.join(LONGEST)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise TimeoutError(f"after {LONGEST:.0f} s: {wrote[1].read_text()}")
        return Ended(process.exitcode, *(path.read_text() for path in wrote))


def reopened(config: Config) -> Installation:
    """The installation as the next process of the server finds it."""
    return Installation(config, registry(gym()))


def _act(script: str, given: list[str], wrote: list[str]) -> None:
    for path, number in zip(wrote, (1, 2), strict=True):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), number)
    sys.argv = given
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        exec(compile(script, "<script>", "exec"), {"__name__": "__main__"})
    except SystemExit:
        raise
    except BaseException:
        traceback.print_exc()
        sys.exit(1)
