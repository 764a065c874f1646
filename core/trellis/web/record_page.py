"""What ``record.html`` and its parts show of a record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from flask import g, render_template
from markupsafe import Markup

from trellis.contributions import Lifecycle, Panel
from trellis.edition import EntityView
from trellis.errors import PermissionRefused
from trellis.i18n import (
    format_date,
    format_datetime,
    format_number,
    plural_translator,
    translator,
)
from trellis.letters.writing import links
from trellis.plugins import Fault
from trellis.privacy import is_person
from trellis.quality.merged import parts_of
from trellis.quality.merging import mergeable
from trellis.records import related
from trellis.records.conditions import State
from trellis.records.door import Records
from trellis.records.entity import SYSTEM_FIELDS, Field
from trellis.records.query import Record
from trellis.records.types import Rule
from trellis.web import process_page, record_acts, script_panel
from trellis.web.changes import names_in
from trellis.web.conditions import in_state, states_of
from trellis.web.deadlines import deadline_of
from trellis.web.display import is_shown, origin, person, shown, title_of
from trellis.web.plugin_calls import read, sized
from trellis.web.record_files import card
from trellis.web.record_lists import list_title, short_list, table_of
from trellis.web.record_timeline import KINDS, change, composer_for, timeline_context

_ = translator("trellis")
_n = plural_translator("trellis")


def record_context(
    view: EntityView, record: Record, base: str, tab: str, kind: str, *, deleted: bool = False
) -> dict[str, Any]:
    """Everything the page shows; the number of queries follows the edition, never the number of rows."""
    lists = [] if deleted else related.related_lists(g.session, g.edition, g.actor, view.name, record.id, tab)
    tab = (
        tab if tab in ("timeline", "details", "history") or tab in {one.key for one in lists} else "timeline"
    )
    may_edit = g.actor.reaches(view.name, "update", record.values) and not deleted and not view.info.kept
    url = f"{base}/{view.name}/{record.id}"
    context = {
        "id": record.id,
        "version": record.version,
        "title": title_of(view, record),
        "entity": {"name": view.name, "title": str(view.info.title), "icon": view.info.icon},
        "url": url,
        "avatar": person(title_of(view, record), record.id)
        if view.name in ("customer", "contact", "user")
        else None,
        "badges": _badges(view, record, base),
        "subline": _subline(view, record, base),
        "owner": person(record.titles["owner"], record.values["owner"])
        if record.titles.get("owner")
        else None,
        "position": None,
        "acts": [*record_acts.links(view.name, record, base), *(_acts(view, record) if may_edit else [])]
        if not deleted
        else [],
        "menu": _menu(view, record, url, may_edit),
        "may_edit": may_edit,
        "merged": [] if deleted else list(_merged(view, record, url)),
        "deleted": str(_("This record is in the bin")) if deleted else "",
        "restore_url": f"{url}/restore",
        "stages": _stages(view, record, url, may_edit),
        "tabs": _tabs(view, url, tab, lists),
        "tab": tab if tab in ("timeline", "details", "history") else "related",
        "next_step": _next_step(view, record, base),
        "cards": [],
        "related": [short_list(one, base, record.id) for one in lists if one.count],
        "panels": list(_panels(view, record)) if not deleted else [],
        "files": None if deleted else card(view.name, record.id, may_change=may_edit),
        "processes": process_page.record_context(view.name, record, base) if not deleted else None,
        **(script_panel.beside(record, base) if not deleted else {"scripts": [], "conversation": None}),
    }
    groups = list(_groups(view, record, base, may_edit))
    context |= {"groups": [one for one in groups if one["props"]], "all_groups": groups}
    if tab == "timeline":
        context |= timeline_context(view, record, base, kind)
    elif tab == "history":
        events = related.history(g.session, g.edition, view.name, record.id)
        names = names_in((view, one) for one in events)
        context["changes"] = [change(view, one, names) for one in events]
    elif tab != "details":
        context["table"] = table_of(next(one for one in lists if one.key == tab), base, record.id)
    return context


def prop(
    view: EntityView,
    record: Record,
    declared: Field,
    base: str,
    *,
    may_edit: bool = True,
    state: State | None = None,
) -> dict[str, Any]:
    """A field of a record with its value, and where it is edited."""
    url = f"{base}/{view.name}/{record.id}"
    may_edit = may_edit and not declared.read_only
    editable = may_edit and declared.type.kind != "json"
    is_rule = may_edit and isinstance(declared.type, Rule)
    made = {
        "name": declared.name,
        "label": str(declared.label),
        "help": str(declared.help) if declared.help else "",
        "value": shown(g.edition, base, declared, record),
        "edit_url": f"{url}/field/{declared.name}" if editable else "",
        "form_url": f"{url}/edit#f-{declared.name.replace('.', '-')}" if is_rule else "",
    }
    return in_state(made, state)


def _badges(view: EntityView, record: Record, base: str) -> list[dict[str, Any]]:
    """At most three: that it is late, and the badges among the fields that lists show."""
    deadline = deadline_of(view, record.values)
    found: list[dict[str, Any]] = []
    if deadline is not None and deadline.late:
        found.append({"text": str(_("Overdue")), "tone": "danger"})
    lifecycle = view.lifecycle(record.values)
    for declared in view.fields.values():
        if not declared.in_list or (lifecycle and declared.name == lifecycle.field):
            continue
        value = shown(g.edition, base, declared, record)
        if value["kind"] == "badge":
            found.append({"text": value["text"], "tone": value["tone"]})
        elif declared.name == "rfm_code" and value["text"]:
            found.append({"text": f"{declared.label} {value['text']}", "outline": True})
    return found[:3]


def _subline(view: EntityView, record: Record, base: str) -> list[str]:
    parts = [str(view.info.title)]
    if view.info.subtitle_field:
        parts.append(shown(g.edition, base, view.fields[view.info.subtitle_field], record)["text"])
    deadline = deadline_of(view, record.values)
    if deadline is not None:
        parts.append(deadline.text)
    elif view.info.date_field:
        parts.append(shown(g.edition, base, view.fields[view.info.date_field], record)["text"])
    elif record.values.get("created_at"):
        parts.append(str(_("since %(date)s", date=format_date(record.values["created_at"]))))
    return [part for part in parts if part]


def _acts(view: EntityView, record: Record) -> list[dict[str, Any]]:
    if not g.actor.may("activity", "create") or not links(view, g.edition, record):
        return []
    url = f"/{g.workspace.name}/{view.name}/{record.id}/mail"
    mail = {"title": str(_("Mail")), "icon": "mail", "kind": "link", "url": url}
    if composer_for(view) is None:
        return [mail]
    names = {"call": _("Call"), "task": _("Task"), "note": _("Note")}
    acts = [{"title": str(title), "icon": KINDS[kind][1], "kind": kind} for kind, title in names.items()]
    return [mail, *acts]


def _menu(view: EntityView, record: Record, url: str, may_edit: bool) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if may_edit:
        found.append({"title": str(_("Edit all fields")), "icon": "pencil", "url": f"{url}/edit"})
    if may_edit and mergeable(view) and g.actor.may(view.name, "delete"):
        act = {"title": str(_("Merge with another")), "icon": "merge", "url": f"{url}/merge", "overlay": True}
        found.append(act)
    if is_person(view) and (g.actor.administrator or g.actor.personal_data):
        found.append({"title": str(_("Personal data")), "icon": "shield-user", "url": f"{url}/personal-data"})
    if g.actor.reaches(view.name, "delete", record.values) and not view.info.kept:
        act = {
            "title": str(_("Move to bin")),
            "icon": "trash",
            "url": f"{url}/delete",
            "danger": True,
            "method": "post",
        }
        found.append(act)
    return found


def _merged(view: EntityView, record: Record, url: str) -> Iterator[dict[str, str]]:
    """The records that were merged into this one."""
    for one in parts_of(g.session, view.name, record.id):
        text = _(
            "%(who)s merged #%(number)s into this record, %(when)s",
            who=one.user_name,
            number=one.record_id,
            when=format_datetime(one.at, inside=True),
        )
        yield {"text": str(text), "undo_url": f"{url}/unmerge/{one.record_id}"}


def _stages(view: EntityView, record: Record, url: str, may_edit: bool) -> dict[str, Any] | None:
    lifecycle: Lifecycle | None = view.lifecycle(record.values)
    if lifecycle is None:
        return None
    values = [stage.value for stage in lifecycle.stages]
    value = record.values.get(lifecycle.field)
    at = values.index(value) if value in values else -1
    present = lifecycle.stages[at] if at >= 0 else None
    items, words = [], _days_in_stage(record)
    for index, stage in enumerate(lifecycle.stages):
        closed = present is not None and present.kind in ("won", "lost") and stage.kind in ("won", "lost")
        state = "current" if index == at else "done" if index < at and not closed else "ahead"
        allowed = present is None or not present.moves or stage.value in present.moves
        move = f"{url}/move?stage={stage.value}" if may_edit and allowed and index != at else ""
        note = words if index == at else ""
        items.append(
            {"title": str(stage.title), "state": state, "kind": stage.kind, "note": note, "move_url": move}
        )
    return {"items": items, "current_title": str(present.title) if present else "", "current_words": words}


def _days_in_stage(record: Record) -> str:
    since = record.values.get("stage_since")
    if since is None:
        return ""
    return str(_n("%(num)s day", "%(num)s days", max((datetime.now(UTC) - since).days, 0)))


def _groups(view: EntityView, record: Record, base: str, may_edit: bool) -> Iterator[dict[str, Any]]:
    """Field groups: the core's by heading, then a group for each plugin, then the system's."""
    states = states_of(view, record)
    groups: dict[tuple[str, str], list[Field]] = {}
    for declared in view.fields.values():
        if not is_shown(declared):
            continue
        heading = str(_("Record")) if declared.name in SYSTEM_FIELDS else str(declared.group or "")
        groups.setdefault((heading, declared.owner if declared.is_extension else ""), []).append(declared)
    for (heading, owner), fields in groups.items():
        if all(one.read_only and record.values.get(one.name) is None for one in fields):
            continue  # Trellis has nothing to keep there yet
        mark = origin(g.edition, owner) if owner else None
        title = heading or (mark["title"] if mark else str(_("Main")))
        props = [
            prop(view, record, one, base, may_edit=may_edit, state=states.get(one.name)) for one in fields
        ]
        yield {"title": title, "origin": mark, "props": props}


def _tabs(view: EntityView, url: str, tab: str, lists: Sequence[related.RelatedList]) -> list[dict[str, Any]]:
    tabs: list[tuple[str, Any, str | None]] = [
        ("timeline", _("Timeline"), None),
        ("details", _("Details"), None),
    ]
    tabs += [
        (one.key, list_title(one), format_number(one.count))
        for one in lists
        if one.count or one.view.info.parent == one.field.name  # parts are added where there are none yet
    ]
    tabs.append(("history", _("History"), None))
    return [
        {"title": str(title), "url": f"{url}?tab={key}", "current": key == tab, "count": count}
        for key, title, count in tabs
    ]


def _next_step(view: EntityView, record: Record, base: str) -> dict[str, Any] | None:
    step = record.values.get("next_step") if "next_step" in view.fields else None
    if not step:
        return None
    day = record.values.get("next_step_on")
    return {"title": step, "text": format_date(day) if day else "", "act": None, "later_url": ""}


def _panel(panel: Panel, record_id: int, records: Records) -> Markup:
    variables = panel.load(records, record_id)
    return Markup(sized(render_template(panel.template, **variables)))  # rendered with autoescape


def _panels(view: EntityView, record: Record) -> Iterator[dict[str, Any]]:
    """Cards of plugins. One that fails gives a quiet card and a fault; the page goes on."""
    for panel in g.edition.all(Panel).values():
        if panel.entity != view.name:
            continue
        mark = origin(g.edition, panel.owner)
        try:
            html = read(panel.owner, partial(_panel, panel, record.id))
            yield {"title": str(panel.title), "origin": mark, "html": html}
        except Exception as error:  # a panel is code of a plugin
            if isinstance(error, PermissionRefused):
                text = str(_("It shows what your role does not open"))
            else:
                g.records.faults.append(Fault.of(panel.owner, "trellis_panels", error))
                text = str(_("The rest of the page works. The administrator can see why"))
            yield {
                "fault": {"title": str(_("“%(panel)s” is not available", panel=panel.title)), "text": text}
            }
