"""Bonus schemes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from trellis.contributions.base import Contribution, Rule
from trellis.i18n import Text as Label


class BonusKind(StrEnum):
    """What a part of a bonus scheme is; see :class:`BonusPart`."""

    PERCENT = "percent"
    TIERS = "tiers"
    TEAM = "team"
    FORMULA = "formula"
    MULTIPLIER = "multiplier"
    CAP = "cap"


@dataclass(frozen=True, kw_only=True)
class BonusPart:
    """One line of a bonus scheme.

    - ``percent``: ``rate`` of the ``kpi`` of the person
    - ``tiers``: of the part of the ``kpi`` in each tier its rate; ``tiers`` are pairs (from this share of the plan on, rate),
      and under the share ``threshold`` of the plan there is nothing
    - ``team``: ``rate`` of the ``kpi`` of the person's unit, ``sharing`` it ``equally`` or ``by_figure`` among its people
    - ``formula``: an amount, ``multiplier``: a factor of what the parts before come to; both expressions over KPIs of the
      person (``revenue``), their plans (``plan.revenue``) and attainment (``attainment.revenue``)
    - ``cap``: the parts before come to no more than ``amount``

    Rates and shares are decimal strings, ``"0.03"`` is 3 %. ``rule`` limits the records of the ``kpi`` that count.
    """

    title: Label
    kind: BonusKind
    kpi: str = ""
    rate: str = ""
    tiers: Sequence[tuple[str, str]] = ()
    threshold: str = ""
    sharing: str = ""
    formula: str = ""
    amount: str = ""
    rule: Rule | None = None


@dataclass(frozen=True, kw_only=True)
class BonusScheme(Contribution):
    """Rules by which people earn a bonus each ``rhythm`` (month or quarter). An organisation makes it its own to use it."""

    parts: Sequence[BonusPart]
    rhythm: str = "month"
