"""What entries of the log say of the set-up, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

import orjson
from flask import g

from trellis.contributions import Lifecycle
from trellis.crm.customers.stages import TITLES as CUSTOMER_STAGES
from trellis.crm.project.rows import DIRECTIONS, LEVELS
from trellis.edition import EntityView
from trellis.errors import RuleInvalid
from trellis.i18n import (
    Text,
    format_datetime,
    format_number,
    format_percent,
    month_names,
    translator,
    weekday_names,
)
from trellis.kpi.own import AGGREGATES
from trellis.records import setup
from trellis.records.mass import titles_of
from trellis.records.saying import in_words
from trellis.web.changes import Names
from trellis.web.segments import TONE_TITLES
from trellis.web.views.settings import LANGUAGES
from trellis.web.views.settings_fields import TYPE_TITLES
from trellis.web.views.settings_kpis import UNITS

_ = translator("trellis")

TITLES: Mapping[str, Text] = {
    setup.ROLE: _("Role"),
    setup.FIELD: _("Field"),
    setup.SETTINGS: _("Settings"),
    setup.STAGES: _("Stages and funnels"),
    setup.SEGMENT: _("Segment"),
    setup.KPI: _("KPI"),
    setup.PLUGIN: _("Plugin"),
    setup.TOKEN: _("Token"),
    setup.WEBHOOK: _("Webhook"),
    setup.BACKUP: _("Backup"),
}

PARTS: Mapping[str, Text] = {
    "title": _("Name"),
    "entity": _("What"),
    "description": _("Description"),
    "personal_data": _("Takes out and erases personal data"),
    "read": _("Reads"),
    "create": _("Creates"),
    "update": _("Edits"),
    "delete": _("Deletes"),
    "type": _("Type"),
    "refers_to": _("Refers to"),
    "options": _("Options"),
    "group": _("Group"),
    "help": _("Help"),
    "required": _("Required"),
    "in_list": _("Show in lists"),
    "searchable": _("Found by the search"),
    "indexed": _("Fast to filter and sort"),
    "personal": _("Personal data"),
    "position": _("Place among your own fields"),
    "required_when": _("Required when"),
    "visible_when": _("Shown when"),
    "language": _("Language"),
    "currency": _("Currency"),
    "timezone": _("Time zone"),
    "first_weekday": _("First day of the week"),
    "fiscal_month": _("First month of the fiscal year"),
    "second_factor_required": _("Second factor required"),
    "mailing": _("Mails to many: journeys and surveys"),
    "analytics": _("Analytics"),
    "logo": _("Logo"),
    "stage_rules": _("Customer lifecycle"),
    "stages": _("Stages"),
    "probability": _("Probability"),
    "days": _("Days"),
    "requires": _("Asks for"),
    "exit": _("May be left when"),
    "exit_text": _("In words"),
    "tone": _("Colour"),
    "rule": _("Rule"),
    "aggregate": _("What is computed"),
    "field": _("Field"),
    "date": _("Belongs to a period by"),
    "breakdowns": _("Can be broken down by"),
    "expression": _("Formula"),
    "unit": _("Unit of measure"),
    "direction": _("Direction"),
    "level": _("Level"),
    "higher_is_better": _("More is better"),
    "about": _("How it is counted, in words"),
    "version": _("Version"),
    "state": _("State"),
    "user": _("User"),
    "read_only": _("Reads only"),
    "entities": _("Reaches only"),
    "expires_at": _("Ends"),
    "paused": _("Paused"),
    "secret": _("Secret"),
    "copy": _("Copied as"),
    "made_at": _("Made"),
}

SCOPES: Mapping[str | None, Text] = {
    None: _("None"),
    "own": _("Own"),
    "unit": _("My unit"),
    "all": _("All"),
}
FIELD_RIGHTS: Mapping[str | None, Text] = {
    None: _("Reads and edits"),
    "read": _("Reads only"),
    "none": _("Hidden"),
}
STATES: Mapping[str, Text] = {
    "enabled": _("Enabled"),
    "disabled": _("Disabled"),
    "quarantined": _("In quarantine"),
    "renewed": _("Renewed"),
}

_TITLES: Mapping[str, Mapping[str, Text]] = {
    "type": TYPE_TITLES,
    "state": STATES,
    "secret": STATES,
    "tone": TONE_TITLES,
    "language": LANGUAGES,
    "aggregate": AGGREGATES,
    "unit": {str(unit): title for unit, title in UNITS.items()},
    "direction": {str(direction): title for direction, title in DIRECTIONS.items()},
    "level": {str(level): title for level, (title, _text) in LEVELS.items()},
}
"""What the values of a part are called where they are chosen."""
_NUMBERED: Mapping[str, Callable[[], Mapping[int, str]]] = {
    "first_weekday": lambda: dict(enumerate(weekday_names())),
    "fiscal_month": lambda: dict(enumerate(month_names(), 1)),
}

_OF_FIELDS = ("date", "field", "breakdowns")
"""Parts of a KPI that name fields of what it is over."""
_UNSAID = ("grants", "fields", "stage_terms", "funnels")
"""Parts of a path that only hold others."""


def people_in(entries: Iterable[Mapping[str, Any]]) -> Names:
    """What the users are called whom entries of the set-up name."""
    ids = {one for entry in entries for one in entry["changes"].get("user", ()) if one is not None}
    return {("user", one): title for one, title in titles_of(g.records, "user", sorted(ids)).items()}


def setup_title(entry: Mapping[str, Any]) -> str:
    """Which role, field, plugin and so on an entry is about."""
    kind = TITLES[entry["entity"]]
    if entry["entity"] == setup.SETTINGS:
        return str(kind)
    changes = entry["changes"]
    view, name = _view(entry), _known(changes, "name")
    declared = view.fields.get(str(name)) if view is not None else None
    title = _known(changes, "title") or (declared.label if declared is not None else name)
    where = f"{view.info.plural}: " if view is not None and entry["entity"] == setup.FIELD else ""
    return str(_("%(kind)s “%(title)s”", kind=kind, title=f"{where}{title}") if title else kind)


def setup_changes(entry: Mapping[str, Any], names: Names) -> list[dict[str, str]]:
    """What an entry changed; of what is gone, nothing but that."""
    if entry["action"] == "deleted":
        return []
    view = _view(entry)
    return [
        {
            "label": _label(path.split("/")),
            "before": _word(path, old, view, names),
            "after": _word(path, new, view, names),
        }
        for path, (old, new) in entry["changes"].items()
        if old != new and path != "name" and (path, entry["action"]) not in (("title", "created"),)
    ]


def _known(changes: Mapping[str, Any], name: str) -> Any:
    old, new = changes.get(name, (None, None))
    return old if new is None else new


def _view(entry: Mapping[str, Any]) -> EntityView | None:
    view: EntityView | None = g.edition.entities.get(_known(entry["changes"], "entity"))
    return view


def _label(path: list[str]) -> str:
    """A path in words: ``grants/customer/read`` as “Customers, Reads”."""
    words, view, lifecycle = [], None, None
    for part in path:
        if part in _UNSAID:
            continue
        if path[0] == "grants" and part in g.edition.entities:
            view = g.edition.entities[part]
            words.append(str(view.info.plural))
        elif path[0] == "grants" and view is not None and part in view.fields:
            words.append(str(view.fields[part].label))
        elif path[0] in ("stage_terms", "funnels") and (found := _lifecycle(part)) is not None:
            lifecycle = found
            words.append(str(found.title))
        elif lifecycle is not None and (title := _stage(lifecycle, part)):
            words.append(title)
        elif path[0] == "stage_rules" and part in CUSTOMER_STAGES:
            words.append(str(CUSTOMER_STAGES[part]))
        else:
            words.append(str(PARTS.get(part, part)))
    return ", ".join(words)


def _lifecycle(name: str) -> Lifecycle | None:
    views = g.edition.entities.values()
    return next((one for view in views for one in view.lifecycles if one.name == name), None)


def _stage(lifecycle: Lifecycle, value: str) -> str:
    return next((str(one.title) for one in lifecycle.stages if one.value == value), "")


def _word(path: str, value: Any, view: EntityView | None, names: Names) -> str:
    part = path.rpartition("/")[2]
    if path.startswith("grants/") and not isinstance(value, bool):
        return str(FIELD_RIGHTS[value] if "/fields/" in path else SCOPES[value])
    if value is None or value == []:
        return ""
    if isinstance(value, bool):
        return str(_("Yes") if value else _("No"))
    if part == "user":
        return names.get(("user", value)) or f"#{value}"
    if part == "probability":
        return format_percent(value)
    if part in _NUMBERED and value in _NUMBERED[part]():
        return _NUMBERED[part]()[value]
    if isinstance(value, int | float):
        return format_number(value)
    if isinstance(value, Mapping):
        return _rule(path, value, view)
    if part in _OF_FIELDS and view is not None:
        named = value if isinstance(value, list) else [value]
        return ", ".join(str(view.fields[one].label) if one in view.fields else one for one in named)
    if isinstance(value, list):
        return ", ".join(_item(one) for one in value)
    if part in ("expires_at", "made_at"):
        return format_datetime(datetime.fromisoformat(value))
    if part in _TITLES:
        return str(_TITLES[part].get(value, value))
    return _item(value)


def _item(value: Any) -> str:
    """One of a list: an entity, a stage, an option."""
    if isinstance(value, Mapping):
        return str(value.get("title", orjson.dumps(value).decode()))
    known = g.edition.entities.get(value) if isinstance(value, str) else None
    return str(known.info.plural if known is not None else value)


def _rule(path: str, rule: Mapping[str, Any], view: EntityView | None) -> str:
    """A rule as a phrase where it can be said today, else as it is kept."""
    parts = path.split("/")
    if parts[0] == "stage_rules":
        view = g.edition.entities.get("customer")
    elif parts[0] == "stage_terms":
        lifecycles = ((one, each) for one in g.edition.entities.values() for each in one.lifecycles)
        view = next((one for one, each in lifecycles if each.name == parts[1]), None)
    if view is not None:
        try:
            return in_words(g.records, view, rule)
        except RuleInvalid:
            pass
    return orjson.dumps(rule).decode()
