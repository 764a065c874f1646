"""What happened with a record: the timeline on its page, and its history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from flask import g

from trellis.contributions import Segment
from trellis.crm.customers.circulation.desk import Happened, happened
from trellis.crm.service.entities import BEFORE
from trellis.edition import Edition, EntityView
from trellis.i18n import (
    format_datetime,
    format_day,
    format_moment,
    format_time,
    translator,
)
from trellis.letters.writing import about_field
from trellis.records import related, types
from trellis.records.events import ENTERED, LEFT
from trellis.records.query import Record
from trellis.scripts.tables import RUN
from trellis.web.changes import Names, field_changes, names_in
from trellis.web.display import second_line, shown, title_of

_ = translator("trellis")

KINDS: Mapping[str, tuple[Any, str]] = {
    "note": (_("Note"), "sticky-note"),
    "mail": (_("Mail"), "mail"),
    "call": (_("Log a call"), "phone"),
    "meeting": (_("Meeting"), "users"),
    "task": (_("Task"), "circle-check"),
}
MOST = 50
"""Entries about documents."""
_TALKS = frozenset(KINDS) | {"activity"}


def composer_for(view: EntityView) -> str | None:
    """The field by which an activity refers to a record of this entity; None for who may make none."""
    return about_field(g.edition, view.name) if g.actor.may("activity", "create") else None


def timeline_context(view: EntityView, record: Record, base: str, kind: str) -> dict[str, Any]:
    """The timeline: composer, kinds to choose from, and what happened, by day."""
    url = f"{base}/{view.name}/{record.id}"
    entries = [
        *related.timeline(g.session, g.edition, g.actor, view.name, record.id),
        *(related.Entry(one.at, "document", told=one) for one in _documents(view, record)),
    ]
    entries.sort(key=lambda entry: entry.at, reverse=True)
    groups = {"talks": _TALKS, "records": None, "changes": frozenset({"change"})}
    wanted = [entry for entry in entries if _wanted(entry, kind, groups)]
    names = names_in((view, entry.event) for entry in wanted if entry.event)
    days = groupby(wanted, key=lambda entry: format_day(entry.at))
    link = composer_for(view)
    return {
        "composer": {
            "url": f"{url}/compose",
            "kinds": [
                {"value": key, "title": str(title), "icon": icon} for key, (title, icon) in KINDS.items()
            ],
            "placeholder": str(_("What happened, or what is to be done; @ mentions somebody")),
            "people_url": f"{base}/user/options",
            "reminders": [{"value": one.value, "title": str(one.label)} for one in BEFORE],
        }
        if link
        else None,
        "kinds": [
            {"title": str(title), "url": f"{url}?kind={key}", "current": kind == key}
            for key, title in (
                ("", _("All")),
                ("talks", _("Talks")),
                ("records", _("Records")),
                ("changes", _("Changes")),
            )
        ],
        "days": [
            {"title": title, "events": [_event(view, entry, base, names) for entry in group]}
            for title, group in days
        ],
        "more_url": "",
    }


def _documents(view: EntityView, record: Record) -> Sequence[Happened]:
    return happened(g.records, view.name, record.id, MOST)


def _wanted(entry: related.Entry, kind: str, groups: Mapping[str, frozenset[str] | None]) -> bool:
    if kind not in groups:
        return True
    known = groups[kind]
    return entry.kind in known if known is not None else entry.kind not in _TALKS | {"change"}


def _event(view: EntityView, entry: related.Entry, base: str, names: Names) -> dict[str, Any]:
    common = {
        "time": format_time(entry.at),
        "moment": entry.at.isoformat(),
        "moment_text": format_moment(entry.at),
        "tone": "neutral",
    }
    if entry.told is not None:
        url = f"{base}/document/{entry.told.document}"
        return common | {
            "icon": entry.told.icon,
            "title": str(entry.told.title),
            "url": url,
            "card": entry.told.text,
        }
    if entry.record is None or entry.view is None:
        return common | _change_event(view, entry.event or {}, names)
    named = entry.view.fields[entry.view.info.title_field].type
    title = title_of(entry.view, entry.record)
    if isinstance(named, types.Reference) and named.entity == view.name:  # the name of this record once more
        title = second_line(g.edition, base, entry.view, entry.record) or title
    found = common | {
        "icon": KINDS[entry.kind][1] if entry.kind in KINDS else entry.view.info.icon,
        "title": title if entry.kind in KINDS else f"{entry.view.info.title} {title}",
        "url": f"{base}/{entry.view.name}/{entry.record.id}",
        "card": entry.record.values.get("body") or "",
    }
    if entry.kind == RUN:
        found |= _conversation(entry.view, entry.record, base)
    amount = entry.view.info.amount_field
    if amount:
        found["text"] = shown(g.edition, base, entry.view.fields[amount], entry.record)["text"]
    if entry.kind == "mail" and entry.record.values.get("mail_to"):
        found["text"] = str(_("to %(address)s", address=entry.record.values["mail_to"]))
        if sent := entry.record.values.get("mail_files"):
            said = {"address": entry.record.values["mail_to"], "files": ", ".join(sent.splitlines())}
            found["text"] = str(_("to %(address)s, with %(files)s", **said))
        if entry.record.values.get("done_at") is None:
            found["badge"] = {"text": str(_("Not sent yet")), "tone": "info"}
    if entry.kind == "task" and entry.record.values.get("done_at") is None:
        late = entry.at < datetime.now(UTC)
        found["badge"] = {
            "text": str(_("Overdue") if late else _("To do")),
            "tone": "danger" if late else "info",
        }
    return found


def _conversation(view: EntityView, record: Record, base: str) -> dict[str, Any]:
    """How a conversation ended, or that it has not, and its path."""
    state = "result" if record.values.get("result") else "state"
    badge = shown(g.edition, base, view.fields[state], record)
    title = record.values.get("outcome") or badge["text"]
    path = record.values.get("path") or ""
    return {"badge": {"text": title, "tone": badge.get("tone", "neutral")}, "card": path}


def segment_of(edition: Edition, changes: Mapping[str, Any]) -> str:
    """The title of the segment that an entry of the log is about; its name where it is no more, or not for the reader."""
    before, after = changes["segment"]
    known = edition.all(Segment).get(after or before)
    return str(known.title) if known else ""


def _segment_event(event: Mapping[str, Any]) -> dict[str, Any]:
    """By the rule of a segment, or by the hand of somebody; it leads to the segment, which says its rule."""
    before, after = event["changes"]["segment"]
    said = {"title": segment_of(g.edition, event["changes"]), "who": event["actor_name"]}
    by_hand = event["actor_id"] is not None
    if event["action"] == ENTERED:
        title = (
            _("%(who)s put this record into the list “%(title)s”", **said)
            if by_hand
            else _("Entered the segment “%(title)s”", **said)
        )
    else:
        title = (
            _("%(who)s took this record out of the list “%(title)s”", **said)
            if by_hand
            else _("Left the segment “%(title)s”", **said)
        )
    return {
        "icon": "log-in" if event["action"] == ENTERED else "log-out",
        "title": str(title),
        "url": f"/{g.edition.workspace}/segments/{after or before}",
        "changes": [],
    }


def _change_event(view: EntityView, event: Mapping[str, Any], names: Names) -> dict[str, Any]:
    if event["action"] in (ENTERED, LEFT):
        return _segment_event(event)
    titles = {
        "created": _("%(who)s made this record", who=event["actor_name"]),
        "updated": _("%(who)s changed this record", who=event["actor_name"]),
        "deleted": _("%(who)s moved this record to the bin", who=event["actor_name"]),
        "restored": _("%(who)s brought this record back", who=event["actor_name"]),
        "erased": _("%(who)s erased personal data of this record", who=event["actor_name"]),
    }
    icons = {
        "created": "plus",
        "updated": "pencil",
        "deleted": "trash",
        "restored": "undo-2",
        "erased": "eraser",
    }
    changes = field_changes(view, event, names) if event["action"] in ("updated", "erased") else []
    return {"icon": icons[event["action"]], "title": str(titles[event["action"]]), "changes": changes}


def change(view: EntityView, event: Mapping[str, Any], names: Names) -> dict[str, Any]:
    return {
        "when": format_datetime(event["at"]),
        "moment": event["at"].isoformat(),
        "who": event["actor_name"],
        "act": _change_event(view, event, names)["title"],
        "fields": field_changes(view, event, names),
    }
