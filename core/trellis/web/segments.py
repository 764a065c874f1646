"""Segments as pages show them: rows, tabs, the form of one, history, overlap and profile."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from flask import g

from trellis.contributions import Rule, Segment
from trellis.edition import OWN, EntityView
from trellis.i18n import (
    Text,
    format_date,
    format_datetime,
    format_money,
    format_number,
    format_percent,
    translator,
)
from trellis.records.query import ListQuery
from trellis.records.saying import in_words
from trellis.segments.history import Day, history, latest
from trellis.segments.overlap import Overlap
from trellis.segments.own import LONGEST_TITLE, TONES, Draft
from trellis.web.display import currency_of, second_line, title_of
from trellis.web.figures import signed
from trellis.web.sheets import Sheet

_ = translator("trellis")

SHOWN = 200
TONE_TITLES: Mapping[str, Text] = {
    "neutral": _("Grey"),
    "good": _("Green"),
    "info": _("Blue"),
    "warn": _("Amber"),
    "danger": _("Red"),
    "violet": _("Violet"),
    "rose": _("Pink"),
    "teal": _("Teal"),
}
DAYS_BACK = 90


def rule_text(segment: Segment) -> str:
    """The rule in words; for a list and a select, what there is to say instead."""
    if segment.listed:
        return str(_("Chosen by hand"))
    if segment.rule is None:
        return ""
    return in_words(g.records, g.edition.entity(segment.entity), segment.rule)


def list_url(base: str, entity: str, rule: Rule) -> str:
    """A list of the records that a rule finds."""
    return f"{base}/{entity}?{urlencode({'filter': json.dumps(rule, ensure_ascii=False)})}"


def moved(entered: int, left: int) -> str:
    """The change of a size, with its sign; empty where there is none. Whether it is good depends on the segment."""
    return signed(format_number(entered - left), entered - left) if entered != left else ""


def tabs_of(segment: Segment, base: str, current: str) -> list[dict[str, Any]]:
    """The pages of one segment."""
    url = f"{base}/segments/{segment.name}"
    pages: list[tuple[str, Text]] = [("", _("Members")), ("history", _("History"))]
    if segment.entity == "customer":
        pages.append(("profile", _("Profile")))
    return [
        {"title": str(title), "url": f"{url}/{path}" if path else url, "current": path == current}
        for path, title in pages
    ]


def acts_of(segment: Segment, base: str) -> dict[str, str]:
    """What the reader may do with a segment; what is not open to them is empty."""
    url = f"{base}/segments/{segment.name}"
    administrator, own = g.actor.administrator, segment.owner == OWN
    return {
        "edit_url": f"{url}/edit" if administrator and own else "",
        "copy_url": f"{url}/copy" if administrator and segment.select is None else "",
        "remove_url": f"{url}/remove" if administrator and own else "",
        "add_url": f"{url}/add" if administrator and segment.listed else "",
        "take_out_url": f"{url}/take-out" if administrator and segment.listed else "",
    }


def member_rows(view: EntityView, base: str, ids: list[int]) -> list[dict[str, Any]]:
    """Records with their second line and their figure."""
    if not ids:
        return []
    found = ListQuery(view, g.edition, g.actor, ids=ids, limit=len(ids)).page(g.session).items
    return [
        {
            "id": record.id,
            "title": title_of(view, record),
            "url": f"{base}/{view.name}/{record.id}",
            "sub": second_line(g.edition, base, view, record),
            "figure": _amount(view, record),
        }
        for record in found
    ]


def figure_title(view: EntityView) -> str:
    """What the figure of a record is; empty where it has none."""
    amount = view.fields.get(view.info.amount_field or "")
    return str(amount.label) if amount else ""


def _amount(view: EntityView, record: Any) -> str:
    amount = view.fields.get(view.info.amount_field or "")
    if amount is None or record.values.get(amount.name) is None:
        return ""
    return format_money(record.values[amount.name], currency_of(g.edition, amount, record.values))


def form_of(
    base: str, draft: Draft, action: str, errors: Mapping[str, list[str]], listed: bool
) -> dict[str, Any]:
    """The form of a segment of the organisation's own."""
    url = f"{base}/{draft.entity}"
    known = [one for one in g.edition.entities.values() if one.name != "user"]
    return {
        "action": action,
        "listed": listed,
        "fields": _fields(draft, errors),
        "entity": draft.entity,
        "plural": str(g.edition.entity(draft.entity).info.plural),
        "entities": [
            {"title": str(one.info.plural), "value": one.name, "selected": one.name == draft.entity}
            for one in known
            if g.actor.may(one.name, "read")
        ],
        "editor": {
            "name": "rule",
            "label": str(_("Rule")),
            "value": json.dumps(draft.rule, ensure_ascii=False),
            "fields_url": f"{url}/rule-fields",
            "count_url": f"{url}/count",
            "text_url": f"{url}/rule-text",
        },
        "rule_errors": errors.get("rule", []),
        "preview_url": f"{base}/segments/preview",
        "problems": [
            {"field": str(_LABELS.get(name, name)), "id": name, "text": " ".join(found)}
            for name, found in errors.items()
        ],
    }


def _fields(draft: Draft, errors: Mapping[str, list[str]]) -> list[dict[str, Any]]:
    tones = [
        {"value": tone, "title": str(TONE_TITLES[tone]), "selected": tone == draft.tone} for tone in TONES
    ]
    return [
        _control("title", _("Name"), "text", draft.title, errors, required=True, maxlength=LONGEST_TITLE),
        _control("description", _("What it is for"), "text", draft.description, errors),
        _control("tone", _("Colour"), "choice", draft.tone, errors, required=True, options=tones),
    ]


_LABELS = {"title": _("Name"), "rule": _("Rule"), "tone": _("Colour"), "entity": _("Records")}


def _control(
    name: str, label: Text, kind: str, value: str, errors: Mapping[str, list[str]], **more: Any
) -> dict[str, Any]:
    return {
        "id": name,
        "name": name,
        "label": str(label),
        "kind": kind,
        "value": value,
        "required": False,
        "no_blank": True,
        "help": "",
        "errors": errors.get(name, []),
        "origin": None,
        "options": [],
        **more,
    }


def history_of(segment: Segment, base: str) -> dict[str, Any]:
    """The size of a segment by day, and who came and went last."""
    today = datetime.now(UTC).date()
    since = today - timedelta(days=DAYS_BACK)
    days = history(g.session, g.edition, g.actor, segment.name, since)
    view = g.edition.entity(segment.entity)
    moves = latest(g.session, g.edition, g.actor, segment.name)
    titles = {row["id"]: row for row in member_rows(view, base, list({one.record_id for one in moves}))}
    return {
        "picture": _picture(days, today),
        "table": history_sheet(days).context() if days else None,
        "moves": [
            {
                **titles[one.record_id],
                "act": str(_("Entered a segment") if one.entered else _("Left a segment")),
                "tone": "good" if one.entered else "warn",
                "how": one.by or ("–" if segment.listed else str(_("By the rule"))),
                "when": format_datetime(one.at),
            }
            for one in moves
            if one.record_id in titles
        ],
    }


def history_sheet(days: list[Day]) -> Sheet:
    """The days on which the segment changed, the latest first."""
    return Sheet(
        name="history",
        title=_("Size by day"),
        heads=(_("Day"), _("Entered"), _("Left"), _("Size")),
        texts=[
            [format_date(one.day), *(format_number(number) for number in (one.entered, one.left, one.size))]
            for one in reversed(days)
        ],
        rows=[[one.day.isoformat(), one.entered, one.left, one.size] for one in reversed(days)],
    )


def _picture(days: list[Day], today: date) -> dict[str, Any] | None:
    """The size at the end of each day from the first change on; a day without a change is as the day before it."""
    if not days or days[0].day >= today:
        return None
    first, by_day = days[0].day, {one.day: one.size for one in days}
    values: list[int] = []
    for number in range((today - first).days + 1):
        values.append(by_day.get(first + timedelta(days=number), values[-1] if values else 0))
    high, step = max(values) or 1, -(-len(values) // 4)  # four days are named, which a phone has room for
    finding = _(
        "Size over %(days)s days: from %(first)s to %(last)s",
        days=format_number(len(values)),
        first=format_number(values[0]),
        last=format_number(values[-1]),
    )
    return {
        "series": [{"name": str(_("Size")), "values": values}],
        "labels": [
            format_date(first + timedelta(days=number)) if number % step == 0 else ""
            for number in range(len(values))
        ],
        "ticks": [{"value": one, "text": format_number(one)} for one in sorted({0, high // 2, high})],
        "low": 0,
        "high": high,
        "finding": str(finding),
    }


def overlap_matrix(found: Overlap, base: str) -> dict[str, Any]:
    """Each two segments: how many they share, and which share of the one in the row that is."""
    rows = []
    for one in found.segments:
        cells = []
        for other in found.segments:
            number, share = found.shared.get((one.name, other.name), 0), found.share(one.name, other.name)
            rule = {"all": [{"segment": name} for name in dict.fromkeys((one.name, other.name))]}
            part = f" · {format_percent(share, 0)}" if number and one is not other else ""
            cells.append(
                {
                    "text": f"{format_number(number)}{part}",
                    "step": round((share or 0) * 6),
                    "url": list_url(base, one.entity, rule) if number else "",
                }
            )
        rows.append({"title": str(one.title), "cells": cells})
    titles = [str(one.title) for one in found.segments]
    return {"corner": str(_("Segment")), "titles": titles, "rows": rows}


def overlap_sheet(found: Overlap) -> Sheet:
    """Each two segments as a line."""
    titles = {one.name: str(one.title) for one in found.segments}
    pairs = found.to_json()["pairs"]
    return Sheet(
        name="overlap",
        title=_("Overlap"),
        heads=(
            _("Segment"),
            _("Other segment"),
            _("In both"),
            _("Share of the first"),
            _("Share of the other"),
        ),
        texts=[
            [
                titles[one["segments"][0]],
                titles[one["segments"][1]],
                format_number(one["members"]),
                *(format_percent(share, 1) or "–" for share in one["shares"]),
            ]
            for one in pairs
        ],
        rows=[[*(titles[name] for name in one["segments"]), one["members"], *one["shares"]] for one in pairs],
    )
