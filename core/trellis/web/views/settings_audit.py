"""Settings: the audit trail, filtered, and as a file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa
from flask import Blueprint, g, request
from werkzeug.wrappers import Response as BaseResponse

from trellis.edition import EntityView
from trellis.i18n import Text, current_timezone, format_datetime, translator
from trellis.records.audit import ACTIONS, SET_UP, SOURCES, Trail, start_export
from trellis.records.events import ENTERED, LEFT
from trellis.records.setup import KINDS
from trellis.security.people import User
from trellis.web.changes import Names, field_changes, names_in
from trellis.web.display import person
from trellis.web.record_timeline import segment_of
from trellis.web.setup_words import TITLES, people_in, setup_changes, setup_title
from trellis.web.views.lists import base, go, whole_number
from trellis.web.views.settings import only_administrators, settings_page

_ = translator("trellis")

blueprint = Blueprint("settings_audit", __name__)
blueprint.before_request(only_administrators)

PER_PAGE = 50
MOST_PEOPLE = 200
ACTS: Mapping[str, tuple[Text, str]] = {
    "created": (_("Created"), "good"),
    "updated": (_("Changed"), "info"),
    "deleted": (_("Deleted"), "danger"),
    "restored": (_("Restored"), "neutral"),
    "erased": (_("Personal data erased"), "danger"),
    ENTERED: (_("Entered a segment"), "neutral"),
    LEFT: (_("Left a segment"), "neutral"),
}
FACES: Mapping[str, Text] = {
    "web": _("Browser"),
    "rest": _("REST"),
    "cli": _("Command line"),
    "import": _("Import"),
    "process": _("Process"),
    "system": _("System"),
}


@blueprint.get("/<workspace>/settings/audit")
def show(workspace: str) -> str:
    trail = _trail()
    below = whole_number(request.args.get("below", ""))
    rows = trail.page(g.session, g.actor, PER_PAGE + 1, below)
    asked = [(name, value) for name, value in request.args.items() if value and name != "below"]
    url = f"{base()}/settings/audit"
    older = urlencode([*asked, ("below", rows[PER_PAGE - 1]["id"])]) if len(rows) > PER_PAGE else ""
    entities = g.edition.entities
    names = {
        **names_in((entities[one["entity"]], one) for one in rows if one["entity"] in entities),
        **people_in(one for one in rows if one["entity"] in KINDS),
    }
    audit = {
        "url": url,
        "filters": _filters(),
        "filtered": bool(asked),
        "rows": [_row(row, names) for row in rows[:PER_PAGE]],
        "older_url": f"{url}?{older}" if older else "",
        "newest_url": f"{url}?{urlencode(asked)}" if below else "",
        "export_url": f"{url}/export?{urlencode(asked)}",
    }
    return settings_page("settings/audit.html", "audit", _("Audit trail"), audit=audit)


@blueprint.post("/<workspace>/settings/audit/export")
def export(workspace: str) -> BaseResponse:
    """All entries of the filter, as a file that a job makes."""
    ending = "xlsx" if request.form.get("ending") == "xlsx" else "csv"
    return go(f"{base()}/jobs/{start_export(g.session, g.actor, _trail(), ending)}")


def _trail() -> Trail:
    """What the address asks for; what cannot be read is left out."""
    given = {name: value.strip() for name, value in request.args.items()}
    since, until = _day(given.get("since", "")), _day(given.get("until", ""))
    return Trail(
        actor_id=whole_number(given.get("who", "")),
        entity=given.get("entity") or None,
        record_id=whole_number(given.get("record", "")),
        action=given["action"] if given.get("action") in ACTIONS else None,
        source=given["source"] if given.get("source") in SOURCES else None,
        field=given.get("field") or None,
        since=since,
        before=until + timedelta(days=1) if until else None,
    )


def _day(text: str) -> datetime | None:
    """The beginning of a day where the reader is."""
    try:
        return datetime.combine(datetime.fromisoformat(text).date(), time(), current_timezone())
    except ValueError:
        return None


def _row(row: Mapping[str, Any], names: Names) -> dict[str, Any]:
    view = g.edition.entities.get(row["entity"])
    title, tone = ACTS.get(row["action"], (row["action"], "neutral"))
    return {
        "when": format_datetime(row["at"]),
        "moment": row["at"].isoformat(),
        "person": person(row["actor_name"], row["actor_id"]),
        "face": str(FACES.get(row["source"], row["source"])),
        "record": _record(view, row),
        "url": f"{base()}/{view.name}/{row['record_id']}" if view and row["record_id"] else "",
        "act": str(title),
        "tone": tone,
        "changes": _changes(view, row, names),
    }


def _record(view: EntityView | None, row: Mapping[str, Any]) -> str:
    if row["entity"] in KINDS:
        return setup_title(row)
    return f"{view.info.title if view else row['entity']} {row['record_id'] or ''}"


def _changes(view: EntityView | None, row: Mapping[str, Any], names: Names) -> list[dict[str, str]]:
    if row["entity"] in KINDS:
        return setup_changes(row, names)
    if view is None:
        return []
    if row["action"] in (ENTERED, LEFT):
        return [{"label": str(_("Segment")), "before": "", "after": segment_of(g.edition, row["changes"])}]
    return field_changes(view, row, names) if row["action"] in ("updated", "erased") else []


def _filters() -> list[dict[str, Any]]:
    people = g.session.execute(sa.select(User.id, User.name).order_by(User.name).limit(MOST_PEOPLE)).all()
    entities = [(view.name, str(view.info.plural)) for view in g.edition.entities.values()]
    kinds = [(SET_UP, str(_("Set-up: all"))), *((kind, str(TITLES[kind])) for kind in KINDS)]
    entity = g.edition.entities.get(request.args.get("entity", ""))
    fields = [(name, str(one.label)) for name, one in entity.fields.items()] if entity else []
    return [
        _choice("who", _("Who"), [(str(one.id), one.name) for one in people]),
        _choice("entity", _("What"), [*sorted(entities, key=lambda one: one[1]), *kinds]),
        *([_choice("field", _("Field"), fields)] if fields else []),
        _choice("action", _("Act"), [(name, str(ACTS[name][0])) for name in ACTIONS]),
        _choice("source", _("Through"), [(name, str(FACES[name])) for name in SOURCES]),
        _input("record", _("Number"), "number"),
        _input("since", _("From"), "date"),
        _input("until", _("To"), "date"),
    ]


def _input(name: str, label: Text, kind: str) -> dict[str, Any]:
    value = request.args.get(name, "")
    return {"id": f"audit-{name}", "name": name, "label": str(label), "kind": kind, "value": value}


def _choice(name: str, label: Text, pairs: list[tuple[str, str]]) -> dict[str, Any]:
    chosen = request.args.get(name, "")
    options = [{"value": value, "title": title, "selected": value == chosen} for value, title in pairs]
    return {**_input(name, label, "choice"), "options": options}
