"""Figures of related records: how many orders, their sum, the last day of one, the share that was discounted.

A rule asks for them by the reference that leads here: ``{"related": "order.customer", "measure": "count", "where":
{"field": "ordered_at", "op": "gte", "value": {"days": -90}}, "op": "gte", "value": 3}``.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from trellis.errors import RuleInvalid
from trellis.i18n import translator
from trellis.records.entity import Field
from trellis.records.rules.nodes import ON_FIELDS, Measure
from trellis.records.types import Integer, Money, Percent

if TYPE_CHECKING:
    from trellis.edition import Edition, EntityView

_ = translator("trellis")

KEYS = {"related", "measure", "field", "where", "part", "op", "value"}
COUNT = Field(name="count", type=Integer(), label=_("count"), column="count", required=True)
SHARE = Field(name="share", type=Percent(), label=_("share"), column="share")
_ADDED = ("number",)
_ORDERED = ("number", "date", "datetime")


def reference_of(name: str, view: EntityView, edition: Edition, at: str) -> tuple[EntityView, Field]:
    """The entity and its field that refers to ``view``, from ``order.customer``. Raises RuleInvalid."""
    known = {f"{target.name}.{field.name}": (target, field) for target, field in edition.referring(view.name)}
    if name in known:
        return known[name]
    guess = difflib.get_close_matches(name[:80], known, n=1)
    said = {"name": name[:80], "entity": view.info.title}
    if guess:
        text = _(
            "Nothing refers to %(entity)s by “%(name)s”; did you mean “%(guess)s”?", guess=guess[0], **said
        )
    else:
        text = _("Nothing refers to %(entity)s by “%(name)s”", **said)
    raise RuleInvalid(text, f"{at}.related")


def figure_of(rule: Mapping[str, Any], target: EntityView, at: str) -> tuple[Measure, Field]:
    """The measure, and its result as a field. Raises RuleInvalid."""
    named = rule.get("measure", Measure.COUNT)
    if named not in list(Measure):
        raise RuleInvalid(_("“measure” is one of: %(known)s", known=", ".join(Measure)), f"{at}.measure")
    measure = Measure(named)
    if ("part" in rule) is not (measure is Measure.SHARE):
        raise RuleInvalid(_("“part” is a rule, and belongs to the measure “share” alone"), f"{at}.part")
    if measure in ON_FIELDS:
        return measure, _measured(measure, rule.get("field"), target, at)
    if "field" in rule:
        raise RuleInvalid(_("“%(measure)s” takes no field", measure=measure), f"{at}.field")
    return measure, COUNT if measure is Measure.COUNT else SHARE


def measurable(measure: Measure, field: Field) -> bool:
    """Whether the field has a sum, or a least and a greatest value."""
    return field.type.kind in (_ADDED if measure is Measure.SUM else _ORDERED)


def currency_field(target: EntityView, field: Field | None) -> Field | None:
    """Where a record says in which currency the amount is; None where it says nothing, or no amount is measured."""
    return target.fields.get(field.type.currency) if field and isinstance(field.type, Money) else None


def _measured(measure: Measure, name: Any, target: EntityView, at: str) -> Field:
    known = {one.name: one for one in target.fields.values() if measurable(measure, one)}
    if isinstance(name, str) and name in known:
        return known[name]
    text = _(
        "“field” is what “%(measure)s” looks at; %(entity)s has: %(known)s",
        measure=measure,
        entity=target.info.title,
        known=", ".join(known) or "–",
    )
    raise RuleInvalid(text, f"{at}.field")
