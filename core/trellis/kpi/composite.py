"""Composite KPIs: formulas over other KPIs, ``revenue / orders``, in the expression language of import mappings.

A part that has no value, and a division by zero, leave the formula without a value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

from trellis.contributions import Kpi
from trellis.edition import Edition
from trellis.errors import TrellisError
from trellis.i18n import translator
from trellis.kpi.results import Value, number
from trellis.records.expressions import (
    Expression,
    ExpressionFailed,
    ExpressionInvalid,
    compile_expression,
    names_of,
)

_ = translator("trellis")

_DOTTED = re.compile(r"\b[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+\b")
DEEPEST = 20


class FormulaInvalid(TrellisError):
    """A formula over KPIs cannot be computed, whatever they come to."""

    code = "formula_invalid"


def parts_of(kpi: Kpi) -> tuple[str, ...]:
    """The names of the KPIs that a formula is over, in order. Raises FormulaInvalid."""
    return tuple(sorted(compiled(kpi.expression)[1]))


def leaves(edition: Edition, kpi: Kpi) -> list[Kpi]:
    """The KPIs with a select of their own that a KPI comes down to. One that is not there is left out."""
    found: dict[str, Kpi] = {}
    waiting = [(kpi, 0)]
    while waiting:
        one, depth = waiting.pop()
        if one.select is not None:
            found[one.name] = one
        elif depth < DEEPEST:
            known = edition.all(Kpi)
            waiting += [(known[name], depth + 1) for name in parts_of(one) if name in known]
    return list(found.values())


def evaluate(edition: Edition, kpi: Kpi, values: Mapping[str, Value | None], depth: int = 0) -> Value | None:
    """What a KPI comes to, given the ``values`` of its leaves."""
    if kpi.select is not None or depth > DEEPEST:
        return values.get(kpi.name)
    expression, names = compiled(kpi.expression)
    known = edition.all(Kpi)
    given: dict[str, Any] = {}
    for name in names:
        value = evaluate(edition, known[name], values, depth + 1) if name in known else None
        if value is None:
            return None
        given[flat(name)] = Decimal(str(value))
    try:
        raw = expression(names_of(given, 0))
        return number(kpi.unit, raw) if _is_number(raw) else None
    except (ExpressionFailed, ArithmeticError):
        return None


def check_formula(edition: Edition, kpi: Kpi) -> None:
    """Raises FormulaInvalid for a formula that cannot be read, an unknown KPI, and one that comes back to itself."""
    known = {**edition.all(Kpi), kpi.name: kpi}
    names = parts_of(kpi)
    if not names:
        raise FormulaInvalid(_("The formula names no KPI"))
    unknown = [name for name in names if name not in known]
    if unknown:
        raise FormulaInvalid(_("There is no KPI “%(name)s” for the formula", name=unknown[0]))
    _check_circle(known, kpi.name, [kpi.name])


def _check_circle(known: Mapping[str, Kpi], start: str, way: Sequence[str]) -> None:
    one = known.get(way[-1])
    if one is None or one.select is not None:
        return
    if len(way) > DEEPEST:
        raise FormulaInvalid(_("The formula is over formulas that are over too many others"))
    for name in parts_of(one):
        if name == start:
            circle = " → ".join([*way, name])
            raise FormulaInvalid(_("The formula comes back to itself: %(circle)s", circle=circle))
        _check_circle(known, start, [*way, name])


@lru_cache(maxsize=1000)
def compiled(text: str) -> tuple[Expression, frozenset[str]]:
    """An expression over KPIs, and the names in it. Dots of names are not those of the expression language."""
    dotted = {flat(name): name for name in _DOTTED.findall(text)}
    try:
        expression = compile_expression(_DOTTED.sub(lambda found: flat(found[0]), text))
    except ExpressionInvalid as error:
        raise FormulaInvalid(error.detail) from None
    return expression, frozenset(dotted.get(name, name) for name in expression.columns)


def flat(name: str) -> str:
    """The name by which an expression of :func:`compiled` is given a value."""
    return name.replace(".", "__")


def _is_number(raw: Any) -> bool:
    return isinstance(raw, int | float | Decimal) and not isinstance(raw, bool)
