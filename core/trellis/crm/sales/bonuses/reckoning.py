"""What a person earns: the lines of a statement from figures, exactly.

All arithmetic is decimal. What the parts come to is kept exact and rounded once, half up, to the smallest coin; each line is
by how much the rounded sum of the parts so far grew, so that the lines of a statement add up to its total.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any

from trellis.contributions import BonusKind
from trellis.crm.sales.bonuses.terms import ON_FORMULAS, Part
from trellis.crm.sales.bonuses.tiers import slices
from trellis.errors import Conflict
from trellis.i18n import translator
from trellis.kpi.composite import compiled, flat
from trellis.records.expressions import ExpressionFailed, names_of

_ = translator("trellis")

_DIGITS = 50
"""Of the arithmetic; amounts have at most fourteen before the point, rates four after it."""
_LARGEST = Decimal(10) ** 11
"""No line comes to more, so that all people together fit into a field."""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What one person's statement is made from.

    ``facts`` and ``plans`` by place of the part; ``shares`` are (what of a team's bonus is the person's, what the team's
    figure is, how many share it); ``named`` what formulas name. What is not known is missing.
    """

    facts: Mapping[int, Decimal] = field(default_factory=dict)
    plans: Mapping[int, Decimal] = field(default_factory=dict)
    shares: Mapping[int, tuple[Decimal, Decimal, int]] = field(default_factory=dict)
    named: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of a statement; ``basis`` says what it was reckoned from, numbers as decimal strings."""

    name: str
    kind: str
    period: str
    amount: Decimal
    basis: Mapping[str, Any]


def reckon(parts: Sequence[Part], figures: Figures, period: str, digits: int) -> list[Line]:
    """The lines of a statement, one a part. Raises Conflict for more than a field of money holds."""
    exact, shown, coin = Decimal(0), Decimal(0), Decimal(1).scaleb(-digits)
    lines = []
    with localcontext() as context:
        context.prec = _DIGITS
        for place, part in enumerate(parts):
            step, basis = _step(part, place, figures, exact)
            exact += step
            if abs(exact) > _LARGEST:
                raise Conflict(_("The part “%(name)s” comes to too large an amount", name=part.name))
            now = exact.quantize(coin, ROUND_HALF_UP)
            lines.append(Line(name=part.name, kind=part.kind, period=period, amount=now - shown, basis=basis))
            shown = now
    return lines


def total(lines: Sequence[Line]) -> Decimal:
    """What lines come to."""
    return sum((line.amount for line in lines), Decimal(0))


def _step(part: Part, place: int, figures: Figures, above: Decimal) -> tuple[Decimal, dict[str, Any]]:
    """By how much a part changes what those before it come to, exactly, and from what."""
    if part.kind in ON_FORMULAS:
        return _by_formula(part, figures, above)
    if part.kind == BonusKind.CAP:
        return min(part.amount - above, Decimal(0)), {"amount": _text(part.amount), "above": _text(above)}
    basis: dict[str, Any] = {"kpi": part.kpi, "rule": part.rule} if part.rule else {"kpi": part.kpi}
    if part.kind == BonusKind.TEAM:
        share, figure, heads = figures.shares.get(place, (Decimal(0), Decimal(0), 0))
        shared = {"figure": _text(figure), "rate": _text(part.rate), "sharing": part.sharing}
        return share, {**basis, **shared, "heads": heads}
    fact = figures.facts.get(place, Decimal(0))
    basis["figure"] = _text(fact)
    if part.kind == BonusKind.PERCENT:
        return fact * part.rate, {**basis, "rate": _text(part.rate)}
    return _by_tiers(part, fact, figures.plans.get(place), basis)


def _by_tiers(
    part: Part, fact: Decimal, plan: Decimal | None, basis: dict[str, Any]
) -> tuple[Decimal, dict[str, Any]]:
    """Nothing without a plan, and under the threshold."""
    if plan is None or plan <= 0:
        return Decimal(0), {**basis, "plan": None}
    reached = [] if fact < plan * part.threshold else slices(part.tiers, fact, plan)
    told = [{"from": _text(one.start), "rate": _text(one.rate), "of": _text(one.of)} for one in reached]
    basis |= {"plan": _text(plan), "threshold": _text(part.threshold), "tiers": told}
    return sum((one.amount for one in reached), Decimal(0)), basis


def _by_formula(part: Part, figures: Figures, above: Decimal) -> tuple[Decimal, dict[str, Any]]:
    """An amount, or a factor of what is above; nothing changes where a figure is not known."""
    known = {name: figures.named[name] for name in sorted(part.names) if name in figures.named}
    basis: dict[str, Any] = {
        "formula": part.formula,
        "named": {name: _text(value) for name, value in known.items()},
        "above": _text(above),
    }
    value = None
    if len(known) == len(part.names):
        value = _evaluated(part.formula, known)
    basis["value"] = None if value is None else _text(value)
    if value is None:
        return Decimal(0), basis
    return (value if part.kind == BonusKind.FORMULA else above * (value - 1)), basis


def _evaluated(formula: str, known: Mapping[str, Decimal]) -> Decimal | None:
    expression, _names = compiled(formula)
    try:
        found = expression(names_of({flat(name): value for name, value in known.items()}, 0))
    except (ExpressionFailed, ArithmeticError):
        return None
    if isinstance(found, bool) or not isinstance(found, int | Decimal):
        return None
    value = Decimal(found)
    return value if value.is_finite() and abs(value) <= _LARGEST else None


def _text(value: Decimal) -> str:
    """A number as it is kept, without zeros at its end."""
    return f"{value.normalize():f}" if value else "0"
