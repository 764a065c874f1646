"""A form that is out of date: what others changed meanwhile is brought in, and told beside a field that both changed."""

from __future__ import annotations

from typing import Any

from flask import g
from werkzeug.datastructures import MultiDict

from trellis.edition import EntityView
from trellis.errors import RecordInvalid, StaleVersion
from trellis.i18n import translator
from trellis.records.entity import Field
from trellis.records.events import ENTERED, LEFT
from trellis.records.query import Record
from trellis.records.related import history
from trellis.records.types import ValueInvalid
from trellis.web.changes import names_in, word_of
from trellis.web.display import read_form, typed

_ = translator("trellis")


def settled(
    view: EntityView, record: Record, form: MultiDict[str, str], version: int
) -> tuple[dict[str, str], dict[str, list[str]]]:
    """What a form of ``version`` holds after the changes since, and what is told beside the fields that both sides changed.

    What only others changed is left out of the first, so that the form shows the record's.
    """
    log = history(g.session, g.edition, view.name, record.id)
    since = max(record.version - version, 0)
    events = [one for one in log if one["action"] not in (ENTERED, LEFT)][:since]
    names = names_in((view, event) for event in events)
    mine = form.to_dict()
    told: dict[str, list[str]] = {}
    for name, (before, after, who) in _since(events).items():
        if name not in form or name not in view.fields:
            continue
        declared = view.fields[name]
        value = read_form(declared, typed(declared, form))
        if _alike(declared, value, before):
            del mine[name]
        elif not _alike(declared, value, after):
            now = word_of(declared, after, names)
            emptied = _("%(who)s emptied this meanwhile", who=who)
            told[name] = [
                str(_("%(who)s made this “%(value)s” meanwhile", who=who, value=now) if now else emptied)
            ]
    return mine, told


def update_field(
    view: EntityView, record: Record, name: str, form: MultiDict[str, str], version: int | None
) -> Record:
    """Writes one field that was edited in place; what others made of other fields since ``version`` stays.

    Raises what the door raises; RecordInvalid that tells who made what of this field meanwhile.
    """
    declared = view.fields[name]
    values = {name: read_form(declared, typed(declared, form))}
    try:
        saved: Record = g.records.update(view.name, record.id, values, version)
        return saved
    except StaleVersion:
        mine, told = settled(view, record, form, version or record.version)
    if told:
        raise RecordInvalid(told)
    if name not in mine:
        return record
    saved = g.records.update(view.name, record.id, values, record.version)
    return saved


def _since(events: list[Any]) -> dict[str, tuple[Any, Any, str]]:
    """What each field was before the events (the newest first), what it is after them, and who changed it last."""
    found: dict[str, tuple[Any, Any, str]] = {}
    for event in events:
        for name, (old, new) in event["changes"].items():
            _old, after, who = found.get(name, (old, new, event["actor_name"]))
            found[name] = (old, after, who)
    return found


def _alike(declared: Field, one: Any, other: Any) -> bool:
    try:
        return bool(declared.type.check(one) == declared.type.check(other))
    except ValueInvalid:
        return False
