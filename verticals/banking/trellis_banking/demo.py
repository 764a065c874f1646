"""A small bank to try the edition with."""

from __future__ import annotations

import trellis

DEMOS: list[trellis.Demo] = []
