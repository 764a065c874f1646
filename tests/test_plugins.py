"""Finding and loading plugins."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from samples import gym
from trellis.plugins import PluginRegistry


@dataclass
class SlowEntry:
    """An entry point that takes its time, so that a second caller can come in between."""

    name: str = "gym"
    both: threading.Barrier = field(default_factory=lambda: threading.Barrier(2))

    def load(self) -> Any:
        with suppress(threading.BrokenBarrierError):
            self.both.wait(0.2)
        return gym()


def test_two_first_requests_at_once_load_a_plugin_once() -> None:
    registry = PluginRegistry(entry_points=[SlowEntry()])  # type: ignore[list-item]
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(registry.load, ["gym", "gym"])
    assert first is second
