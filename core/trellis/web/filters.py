"""Rules on the page: chips above a list, and the fields and comparisons that the rule builder offers.

Figures of related records and membership in segments stand among the fields, under names of their own.
"""

from __future__ import annotations

from typing import Any

from trellis import naming
from trellis.contributions import Rule, Segment
from trellis.edition import Edition, EntityView
from trellis.i18n import Text, translator
from trellis.records import types
from trellis.records.door import Records
from trellis.records.entity import SYSTEM_FIELDS, Field
from trellis.records.rules import Measure, Operator, measurable, operators
from trellis.records.rules.describe import PERIODS, figure_title
from trellis.records.rules.figures import COUNT, SHARE
from trellis.records.rules.nodes import ON_FIELDS
from trellis.records.rules.values import ON_CHOICES
from trellis.records.saying import in_words
from trellis.security.actor import Actor
from trellis.web.display import origin

_ = translator("trellis")

SEGMENT = "@segment"
"""Membership in a segment, where the builder offers fields."""
_OF_EVERYTHING = ("owner", "unit", "created_by", "updated_by")

TITLES: dict[Operator, Text] = {
    Operator.EQ: _("is"),
    Operator.NE: _("is not"),
    Operator.LT: _("below"),
    Operator.LTE: _("at most"),
    Operator.GT: _("above"),
    Operator.GTE: _("at least"),
    Operator.IN: _("is any of"),
    Operator.NOT_IN: _("is none of"),
    Operator.WITHIN: _("is, or is part of"),
    Operator.CONTAINS: _("contains"),
    Operator.STARTS_WITH: _("starts with"),
    Operator.IS_EMPTY: _("is empty"),
    Operator.IS_NOT_EMPTY: _("is not empty"),
    Operator.BETWEEN: _("between"),
}

OF_DAYS: dict[Operator, Text] = {
    Operator.LT: _("before"),
    Operator.LTE: _("on or before"),
    Operator.GT: _("after"),
    Operator.GTE: _("on or after"),
}


def chips(rule: Rule, view: EntityView, records: Records) -> list[tuple[str, Rule | None]]:
    """(words, the rule without this part) for each part of a rule that is joined by “and”."""
    parts = list(rule["all"]) if set(rule) == {"all"} else [rule]
    found: list[tuple[str, Rule | None]] = []
    for index, part in enumerate(parts):
        rest = parts[:index] + parts[index + 1 :]
        found.append((in_words(records, view, part), {"all": rest} if rest else None))
    return found


def fields_of(view: EntityView, edition: Edition, base: str) -> list[dict[str, Any]]:
    """The fields of an entity itself that the rule builder offers, with the comparisons that fit each."""
    return [_field(field, view, edition, base) for field in view.fields.values() if operators(field, edition)]


def builder_fields(view: EntityView, edition: Edition, actor: Actor, base: str) -> list[dict[str, Any]]:
    """The fields of :func:`fields_of`, segments, figures of related records, and the fields of the records referred to."""
    related: list[dict[str, Any]] = []
    for hop in view.references.values():
        assert isinstance(hop.type, types.Reference)
        if not actor.may(hop.type.entity, "read"):
            continue
        target = edition.entity(hop.type.entity)
        for field in target.fields.values():
            if operators(field, edition):
                made = _field(field, target, edition, base)
                through = {
                    "name": f"{hop.name}.{field.name}",
                    "label": f"{hop.label} › {field.label}",
                    "group": f"{hop.label} ›",
                }
                related.append({**made, **through})
    figures = [
        figure
        for target, reference in edition.referring(view.name)
        if reference.name not in _OF_EVERYTHING and actor.may(target.name, "read")
        for figure in _figures(target, reference, edition, base)
    ]
    return fields_of(view, edition, base) + _segments(view, edition) + figures + related


def _segments(view: EntityView, edition: Edition) -> list[dict[str, Any]]:
    """Membership in segments as a field; none where the entity has no segments."""
    known = [(name, str(one.title)) for name, one in edition.all(Segment).items() if one.entity == view.name]
    if not known:
        return []
    field = {"name": SEGMENT, "label": str(_("Segment")), "group": str(view.info.title), "kind": "segment"}
    ops = [(Operator.EQ.value, str(_("is a member of"))), (Operator.NE.value, str(_("is no member of")))]
    return [{**field, "ops": ops, "options": known, "search": ""}]


def _figures(target: EntityView, reference: Field, edition: Edition, base: str) -> list[dict[str, Any]]:
    """What records that refer here come to: their number, sums, first and last days, and shares."""
    plural = str(target.info.plural)
    several = sum(one.type == reference.type for one in target.references.values()) > 1
    group = f"{plural} ({reference.label})" if several else plural
    related = {
        "related": f"{target.name}.{reference.name}",
        "entity": target.name,
        "group": group,
        "where": _lately(target),
        "fields_url": f"{base}/{target.name}/rule-fields",
    }
    found = []
    for measure in Measure:
        measured: list[Field | None] = [None]
        if measure in ON_FIELDS:
            measured = [one for one in target.fields.values() if _is_told(measure, one)]
        for field in measured:
            result = field or (COUNT if measure is Measure.COUNT else SHARE)
            named = {
                "name": f"{related['related']}|{measure.value}|{field.name if field else ''}",
                "measure": measure.value,
                "field": field.name if field else "",
                "label": str(figure_title(measure, Text(group), field)),
            }
            found.append({**_field(result, target, edition, base), **related, **named})
    return found


def _is_told(measure: Measure, field: Field) -> bool:
    """Whether people ask for this figure: days for the first and the last, numbers for their sum, amounts for the greatest."""
    if not measurable(measure, field) or field.name in SYSTEM_FIELDS or isinstance(field.type, types.Percent):
        return False
    if measure is Measure.SUM:
        return field.type.adds_up
    return field.type.kind != "number" or isinstance(field.type, types.Money)


def _lately(target: EntityView) -> Rule | None:
    """What a figure looks at when it is chosen: the last 90 days, where records have a day."""
    if target.info.date_field not in target.fields:
        return None
    return {
        "field": target.info.date_field,
        "op": Operator.EQ.value,
        "value": {"period": "day", "from": -89, "to": 0},
    }


def builder_words() -> dict[str, Any]:
    """What the rule builder says of days: a choice of periods, as (JSON, title)."""
    return {
        "date": str(_("day")),
        "ago": str(_("days ago")),
        "ahead": str(_("days from now")),
        "periods": [
            ({"period": period.unit.value, "from": period.first, "to": period.last}, str(title))
            for period, title in PERIODS.items()
        ],
    }


def _field(field: Field, view: EntityView, edition: Edition, base: str) -> dict[str, Any]:
    options = [(value, str(title)) for value, title in naming.titles(edition, field).items()]
    mark = origin(edition, field.owner)
    titles = TITLES | OF_DAYS if field.type.kind in ("date", "datetime") else TITLES
    return {
        "name": field.name,
        "label": str(field.label),
        "group": mark["title"] if mark else str(view.info.title),
        "kind": "choice" if options else field.type.name if field.type.kind == "number" else field.type.kind,
        "ops": [
            (one.value, str(titles[one]))
            for one in operators(field, edition)
            if not options or one in ON_CHOICES
        ],
        "options": options,
        "search": f"{base}/{field.type.entity}/options" if isinstance(field.type, types.Reference) else "",
    }
