"""Rules on the page: chips above a list, and the fields and comparisons that the rule builder offers."""

from __future__ import annotations

from typing import Any

from trellis.contributions import Rule
from trellis.edition import Edition, EntityView
from trellis.i18n import Text, translator
from trellis.records import types
from trellis.records.entity import Field
from trellis.records.rules import Operator, describe, operators, parse
from trellis.records.rules.describe import PERIODS
from trellis.security.actor import Actor
from trellis.web.display import origin

_ = translator("trellis")

TITLES: dict[Operator, Text] = {
    Operator.EQ: _("is"),
    Operator.NE: _("is not"),
    Operator.LT: _("below"),
    Operator.LTE: _("at most"),
    Operator.GT: _("above"),
    Operator.GTE: _("at least"),
    Operator.IN: _("is any of"),
    Operator.NOT_IN: _("is none of"),
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


def chips(rule: Rule, view: EntityView, edition: Edition) -> list[tuple[str, Rule | None]]:
    """(words, the rule without this part) for each part of a rule that is joined by “and”."""
    parts = list(rule["all"]) if set(rule) == {"all"} else [rule]
    found: list[tuple[str, Rule | None]] = []
    for index, part in enumerate(parts):
        rest = parts[:index] + parts[index + 1 :]
        found.append((describe(parse(part, view, edition)), {"all": rest} if rest else None))
    return found


def fields_of(view: EntityView, edition: Edition, base: str) -> list[dict[str, Any]]:
    """The fields of an entity itself that the rule builder offers, with the comparisons that fit each."""
    return [_field(field, view, edition, base) for field in view.fields.values() if operators(field)]


def builder_fields(view: EntityView, edition: Edition, actor: Actor, base: str) -> list[dict[str, Any]]:
    """The fields of :func:`fields_of`, and those of the records referred to."""
    related: list[dict[str, Any]] = []
    for hop in view.references.values():
        assert isinstance(hop.type, types.Reference)
        if not actor.may(hop.type.entity, "read"):
            continue
        target = edition.entity(hop.type.entity)
        for field in target.fields.values():
            if operators(field):
                made = _field(field, target, edition, base)
                through = {
                    "name": f"{hop.name}.{field.name}",
                    "label": f"{hop.label} › {field.label}",
                    "group": f"{hop.label} ›",
                }
                related.append({**made, **through})
    return fields_of(view, edition, base) + related


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
    options = [
        (stage.value, str(stage.title))
        for lifecycle in view.lifecycles
        if lifecycle.field == field.name
        for stage in lifecycle.stages
    ]
    if isinstance(field.type, types.Choice):
        options = [(option.value, str(option.label)) for option in field.type.options]
    mark = origin(edition, field.owner)
    titles = TITLES | OF_DAYS if field.type.kind in ("date", "datetime") else TITLES
    return {
        "name": field.name,
        "label": str(field.label),
        "group": mark["title"] if mark else str(view.info.title),
        "kind": "choice" if options else field.type.name if field.type.kind == "number" else field.type.kind,
        "ops": [(operator.value, str(titles[operator])) for operator in operators(field)],
        "options": options,
        "search": f"{base}/{field.type.entity}/options" if isinstance(field.type, types.Reference) else "",
    }
