"""A few random SIGKILLs of a real server; a hundred are made by the same command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]


@pytest.mark.slow
def test_a_server_that_is_killed_at_work_loses_and_doubles_nothing(database: str) -> None:
    command = [sys.executable, "-m", "bench.kills", "--kills", "2", "--database", database]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stdout + done.stderr
