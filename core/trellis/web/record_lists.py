"""The records that refer to a record: short lists beside it, and a table each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from flask import g

from trellis.edition import EntityView
from trellis.i18n import format_number, translator
from trellis.records import related, types
from trellis.records.entity import Field
from trellis.records.query import Record
from trellis.web.display import new_title, origin, second_line, shown, title_of

_ = translator("trellis")


def short_list(one: related.RelatedList, base: str, record_id: int) -> dict[str, Any]:
    view = one.view
    rows = []
    for record in one.items:
        title, note = _called(one, record, base, record_id)
        if view.info.date_field and view.info.date_field != view.info.title_field:
            note = shown(g.edition, base, view.fields[view.info.date_field], record)["text"]
        amount = view.fields[view.info.amount_field] if view.info.amount_field else None
        figure = shown(g.edition, base, amount, record)["text"] if amount else ""
        badge = next(iter(_badges_of_stage(view, record, base)), None)
        url = f"{base}/{view.name}/{record.id}"
        rows.append({"title": title, "note": note, "figure": figure, "badge": badge, "url": url})
    return {
        "title": list_title(one),
        "total": format_number(one.count),
        "url": _list_url(one, base),
        "origin": origin(g.edition, view.owner),
        "rows": rows,
    }


def list_title(one: related.RelatedList) -> str:
    """What a list is called; with the field by which its records refer, where others of them refer by another."""
    plural = str(one.view.info.plural)
    if one.key == one.view.name:
        return plural
    return str(_("%(plural)s: %(field)s", plural=plural, field=one.field.label))


def _called(one: related.RelatedList, record: Record, base: str, record_id: int) -> tuple[str, str]:
    """The title and the second line of a record, neither of them the name of the record that it stands beside."""
    view = one.view
    title, note = title_of(view, record), second_line(g.edition, base, view, record)
    beside = {one.field.name, *(view.info.mutual or ())}
    if note and view.info.title_field in beside and record.values.get(view.info.title_field) == record_id:
        return note, ""
    return title, "" if view.info.subtitle_field in beside else note


def _badges_of_stage(view: EntityView, record: Record, base: str) -> Iterator[dict[str, str]]:
    lifecycle = view.lifecycle(record.values)
    if lifecycle is not None:
        value = shown(g.edition, base, view.fields[lifecycle.field], record)
        if value["kind"] == "badge":
            yield {"text": value["text"], "tone": value["tone"]}


def _list_url(one: related.RelatedList, base: str) -> str:
    return f"{base}/{one.view.name}?{urlencode({'filter': json.dumps(one.rule)})}"


def table_of(one: related.RelatedList, base: str, record_id: int) -> dict[str, Any]:
    view = one.view
    named = {view.info.title_field, one.field.name, *(view.info.mutual or ())}
    if view.info.title_field == one.field.name:
        named.add(view.info.subtitle_field or "")  # it stands as the title
    names = [name for name, field in view.fields.items() if field.in_list and name not in named]
    columns = [
        {"label": _title_column(one), "align": "start"},
        *({"label": str(view.fields[name].label), "align": _align(view.fields[name])} for name in names),
    ]
    rows = [
        {
            "url": f"{base}/{view.name}/{record.id}",
            "title": _called(one, record, base, record_id)[0],
            "cells": [shown(g.edition, base, view.fields[name], record) for name in names],
        }
        for record in one.items
    ]
    return {
        "title": list_title(one),
        "columns": columns,
        "rows": rows,
        "url": _list_url(one, base),
        "new_url": f"{base}/{view.name}/new?{one.field.name}={record_id}"
        if view.info.by_hand and g.actor.may(view.name, "create")
        else "",
        "new_title": new_title(view),
        "total": format_number(one.count),
    }


def _title_column(one: related.RelatedList) -> str:
    """The head of the column of titles: the field that they are, and of records seen from either side what they are."""
    info = one.view.info
    name = info.subtitle_field if info.title_field == one.field.name else info.title_field
    field = None if info.mutual else one.view.fields.get(name or "")
    return str(field.label if field else info.title)


def _align(declared: Field) -> str:
    return "end" if isinstance(declared.type, types.Integer | types.Decimal) else "start"
