"""Fields that hold a rule over records: which records it is about, what edits it, and its words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import orjson
from flask import g

from trellis import naming
from trellis.contributions import Kpi
from trellis.edition import EntityView
from trellis.errors import RuleInvalid
from trellis.i18n import translator
from trellis.records.entity import Entity, Field
from trellis.records.saying import in_words
from trellis.records.types import Rule, Text

_ = translator("trellis")


def over(field: Field, values: Mapping[str, Any]) -> EntityView | None:
    """The entity that the rule of a record is about; None where it is not known, or not for the reader."""
    assert isinstance(field.type, Rule)
    name = field.type.over or _named(field, field.type.by, values)
    view: EntityView | None = g.edition.entities.get(name)
    return view if view is not None and g.actor.may(name, "read") else None


def _named(field: Field, by: str, values: Mapping[str, Any]) -> str:
    """The entity that another field of the record names, or whose records a KPI counts that it names."""
    deciding = g.edition.entity(field.entity).fields.get(by)
    name = values.get(by) or ""
    if deciding is None or not isinstance(deciding.type, Text) or deciding.type.names != naming.KPI:
        return name
    kpi = g.edition.all(Kpi).get(name)
    counted = kpi.entity if kpi is not None else None
    if counted is None or not issubclass(counted, Entity):
        return ""
    entity: str = counted.__entity__.name
    return entity


def urls(base: str, view: EntityView | None) -> dict[str, str]:
    """Where the rule builder asks about the records; nothing where they are not known yet."""
    if view is None:
        return {"fields_url": "", "count_url": "", "text_url": ""}
    url = f"{base}/{view.name}"
    return {"fields_url": f"{url}/rule-fields", "count_url": f"{url}/count", "text_url": f"{url}/rule-text"}


def editor(base: str, field: Field, value: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """What ``rule_editor`` of ``components/rule_parts.html`` shows of a field; ``value`` is the rule, or as it was typed."""
    rule = given(value) if isinstance(value, str) else value
    return {
        "id": field.name.replace(".", "-"),
        "name": field.name,
        "label": str(field.label),
        "value": json.dumps(rule if isinstance(rule, dict) else None, ensure_ascii=False),
        **urls(base, over(field, values)),
    }


def given(text: str) -> Any:
    """The rule that a form holds as JSON; the text itself where it is none, for the door to refuse."""
    with suppress(orjson.JSONDecodeError):
        return orjson.loads(text)
    return text


def words(field: Field, value: Any, values: Mapping[str, Any]) -> str:
    """The rule of a record as people read it; empty for one over records that the reader does not see."""
    view = over(field, values)
    if view is None or not value:
        return ""
    try:
        return in_words(g.records, view, value)
    except RuleInvalid:  # of fields that are gone, or not for the reader
        return ""
