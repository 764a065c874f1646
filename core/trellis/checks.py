"""The engines' checks of contributions, by kind: run when an edition is built."""

from __future__ import annotations

from collections.abc import Mapping

from trellis.contributions import Contribution
from trellis.edition import Check

CHECKS: Mapping[type[Contribution], Check] = {}
