"""How often somebody may ask: counted in the memory of one server process, so that it costs a request nothing to speak of."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable

from trellis.errors import TooMany

MOST_CALLERS = 10_000


class Rates:
    """A bucket for each caller: it holds a quarter of a minute's calls and is filled evenly. ``per_minute`` 0 is no limit."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = per_minute / 60
        self._size = max(1.0, per_minute / 4)
        self._clock = clock
        self._buckets: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, caller: Hashable) -> None:
        """Notes one call. Raises TooMany when the bucket of the caller is empty."""
        if not self._rate:
            return
        now = self._clock()
        with self._lock:
            left, at = self._buckets.pop(caller, (self._size, now))
            left = min(self._size, left + (now - at) * self._rate)
            self._buckets[caller] = (left - 1 if left >= 1 else left, now)
            if len(self._buckets) > MOST_CALLERS:
                self._buckets.popitem(last=False)
        if left < 1:
            raise TooMany(int((1 - left) / self._rate) + 1)
