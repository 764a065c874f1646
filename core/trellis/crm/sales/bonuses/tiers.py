"""Tiers of plan attainment: how they are written, and what a figure comes to in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from trellis.i18n import translator
from trellis.records.numbers import NumberUnclear, read_number
from trellis.records.types import ValueInvalid

_ = translator("trellis")

Tiers = tuple[tuple[Decimal, Decimal], ...]
"""(share of the plan from which on, rate), as ratios, rising from 0."""
_MOST = 20


def read_tiers(text: str) -> Tiers:
    """``0: 3; 100: 5`` in percent, as ratios. Raises ValueInvalid."""
    found: list[tuple[Decimal, Decimal]] = []
    for part in (one.strip() for one in text.split(";") if one.strip()):
        start, colon, rate = part.partition(":")
        try:
            numbers = [read_number(one.strip().rstrip("%").strip()) / 100 for one in (start, rate)]
        except NumberUnclear:
            numbers = []
        if not colon or not numbers or any(not 0 <= one <= 100 for one in numbers):
            raise ValueInvalid(
                _("Write tiers as 0: 3; 100: 5: from which percent of the plan on, which percent")
            )
        found.append((numbers[0], numbers[1]))
    check_tiers(found)
    return tuple(found)


def check_tiers(tiers: Sequence[tuple[Decimal, Decimal]]) -> None:
    """Raises ValueInvalid unless they begin at 0 and rise."""
    if not tiers or tiers[0][0] != 0 or len(tiers) > _MOST:
        raise ValueInvalid(_("The first tier begins at 0"))
    if any(one[0] >= following[0] for one, following in pairwise(tiers)):
        raise ValueInvalid(_("Each tier begins above the one before it"))


def written(tiers: Tiers) -> str:
    """The opposite of :func:`read_tiers`."""
    return "; ".join(f"{_percent(start)}: {_percent(rate)}" for start, rate in tiers)


def _percent(share: Decimal) -> str:
    return f"{(share * 100).normalize():f}"


@dataclass(frozen=True)
class Slice:
    """What of a figure lies in one tier, and its rate."""

    start: Decimal
    rate: Decimal
    of: Decimal

    @property
    def amount(self) -> Decimal:
        """What it comes to, exactly."""
        return self.of * self.rate


def slices(tiers: Tiers, figure: Decimal, plan: Decimal) -> list[Slice]:
    """The parts of a figure in each tier that it reaches; none for a figure or a plan that is not above zero."""
    if figure <= 0 or plan <= 0:
        return []
    ends = [start * plan for start, _rate in tiers[1:]]
    found = []
    for (start, rate), end in zip(tiers, [*ends, figure], strict=True):
        reached = min(figure, end)
        if reached > start * plan:
            found.append(Slice(start, rate, reached - start * plan))
    return found
