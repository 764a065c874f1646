"""Pages of one record: the record itself, editing in place, the form, moving between stages, the composer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, abort, g, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from trellis.edition import EntityView
from trellis.errors import Conflict, PluginError, RecordInvalid, RecordNotFound, StaleVersion, TrellisError
from trellis.i18n import Text, translator
from trellis.quality.duplicates import comparable
from trellis.quality.merged import survivor_of
from trellis.records.entity import SYSTEM_FIELDS, Field
from trellis.records.query import ListQuery, Record
from trellis.records.types import Reference
from trellis.web.conditions import in_state, states_of, states_of_form, told, told_of_form
from trellis.web.conflicts import settled, update_field
from trellis.web.display import control, is_shown, new_title, origin, read_form, title_of, typed
from trellis.web.record_page import prop, record_context
from trellis.web.record_timeline import composer_for, timeline_context
from trellis.web.shell import GIVEN_AWAY, entity_page, shell, still_seen, toast
from trellis.web.views.lists import base, go, messages, sentences, view_of, whole_number

_ = translator("trellis")

blueprint = Blueprint("records", __name__)


@blueprint.get("/<workspace>/<entity>/new")
def new(workspace: str, entity: str) -> str:
    view = view_of(entity)
    if not g.actor.may(entity, "create"):
        abort(403)
    given = {name: value for name, value in request.args.items() if name in view.fields}
    return _form(view, given, {}, None)


@blueprint.post("/<workspace>/<entity>/new")
def create(workspace: str, entity: str) -> BaseResponse | tuple[str, int]:
    view = view_of(entity)
    values = _values(view, {})
    try:
        record = g.records.create(entity, values)
    except RecordInvalid as error:
        return _form(view, request.form, messages(error), None), 422
    except (Conflict, PluginError) as error:
        return _once_more(view, None, error)
    whole = view.fields.get(view.info.parent or "")
    if whole is not None and isinstance(whole.type, Reference) and record.values.get(whole.name):
        toast(_("Saved"))
        return go(f"{base()}/{whole.type.entity}/{record.values[whole.name]}?tab={entity}")
    return _to(record)


def _to(record: Record, said: Text | None = None) -> BaseResponse:
    """To the page of a record, or to the list where it was given to somebody whose records the reader does not see."""
    if still_seen(record):
        if said is not None:
            toast(said)
        return go(f"{base()}/{record.entity}/{record.id}")
    toast(GIVEN_AWAY)
    return go(f"{base()}/{record.entity}")


@blueprint.post("/<workspace>/<entity>/conditions")
def conditions(workspace: str, entity: str) -> dict[str, Any]:
    """Which fields of a new record are shown and required, with what is typed so far."""
    view = view_of(entity)
    if not g.actor.may(entity, "create"):
        abort(403)
    return told_of_form(view, base(), request.form, None)


@blueprint.post("/<workspace>/<entity>/<int:record_id>/conditions")
def record_conditions(workspace: str, entity: str, record_id: int) -> dict[str, Any]:
    """The same for a record that is changed."""
    view = view_of(entity)
    return told_of_form(view, base(), request.form, g.records.get(entity, record_id))


@blueprint.get("/<workspace>/<entity>/<int:record_id>")
def show(workspace: str, entity: str, record_id: int) -> str | BaseResponse:
    view = view_of(entity)
    deleted = request.args.get("bin") == "1"
    try:
        record = g.records.get(entity, record_id, deleted=deleted)
    except RecordNotFound:
        survivor = survivor_of(g.session, entity, record_id)
        if survivor is None:
            raise
        g.records.get(entity, survivor)
        return go(f"{base()}/{entity}/{survivor}")
    tab = request.args.get("tab", "timeline")
    if request.headers.get("HX-Target") == "pane":
        return _pane(view, record)
    context = record_context(view, record, base(), tab, request.args.get("kind", ""), deleted=deleted)
    return entity_page("record.html", view, title=title_of(view, record), inside=True, record=context)


@blueprint.get("/<workspace>/<entity>/<int:record_id>/edit")
def edit(workspace: str, entity: str, record_id: int) -> str:
    view = view_of(entity)
    return _form(view, {}, {}, g.records.get(entity, record_id))


@blueprint.post("/<workspace>/<entity>/<int:record_id>/edit")
def save(workspace: str, entity: str, record_id: int) -> BaseResponse | tuple[str, int]:
    view = view_of(entity)
    record = g.records.get(entity, record_id)
    try:
        saved = g.records.update(entity, record_id, _values(view, record.values), version=_version())
    except RecordInvalid as error:
        return _form(view, request.form, messages(error), record), 422
    except StaleVersion as error:
        mine, clashes = settled(view, record, request.form, _version() or record.version)
        way = _("What you had not touched is up to date now. Save again to keep what you typed")
        return _form(view, mine, clashes, record, stale=f"{error}. {way}"), 409
    except (Conflict, PluginError) as error:
        return _once_more(view, record, error)
    return _to(saved, _("Saved"))


def _once_more(view: EntityView, record: Record | None, error: TrellisError) -> tuple[str, int]:
    """The form with what was typed, after an error that is not of its fields: what was written until then is taken back."""
    g.session.rollback()
    return _form(view, request.form, {}, record, stale=str(error)), error.status


@blueprint.get("/<workspace>/<entity>/<int:record_id>/field/<name>")
def field(workspace: str, entity: str, record_id: int, name: str) -> str:
    """One field, as it is read (``?read=1``) or while it is edited in place."""
    view, declared = _field(entity, name)
    record = g.records.get(entity, record_id)
    if request.args.get("read"):
        return _prop(view, record, declared)
    return _editing(declared, record, record.values.get(name), [])


@blueprint.post("/<workspace>/<entity>/<int:record_id>/field/<name>")
def save_field(workspace: str, entity: str, record_id: int, name: str) -> Response | tuple[str, int]:
    view, declared = _field(entity, name)
    record = g.records.get(entity, record_id)
    try:
        record = update_field(view, record, name, request.form, _version())
    except TrellisError as error:
        return _editing(declared, record, typed(declared, request.form), sentences(error)), 422
    if not still_seen(record):
        toast(GIVEN_AWAY)
        return Response("", headers={"HX-Redirect": f"{base()}/{entity}"})
    events: dict[str, Any] = {"record-version": {"value": record.version}}
    states = told(view, states_of(view, record))
    if states:
        events["record-fields"] = {"value": states}
    return Response(_prop(view, record, declared), headers={"HX-Trigger": json.dumps(events)})


@blueprint.post("/<workspace>/<entity>/<int:record_id>/delete")
def delete(workspace: str, entity: str, record_id: int) -> BaseResponse:
    view_of(entity)
    g.records.delete(entity, record_id)
    toast(_("The record is in the bin"), f"{base()}/{entity}/{record_id}/restore")
    return go(f"{base()}/{entity}")


@blueprint.post("/<workspace>/<entity>/<int:record_id>/restore")
def restore(workspace: str, entity: str, record_id: int) -> BaseResponse:
    view_of(entity)
    g.records.restore(entity, record_id)
    toast(_("Restored"))
    return go(f"{base()}/{entity}/{record_id}")


@blueprint.post("/<workspace>/<entity>/<int:record_id>/done")
def done(workspace: str, entity: str, record_id: int) -> Response:
    """Ticks a task off."""
    view_of(entity)
    g.records.update(entity, record_id, {"done_at": datetime.now(UTC)})
    return Response("")


@blueprint.post("/<workspace>/<entity>/<int:record_id>/compose")
def compose(workspace: str, entity: str, record_id: int) -> str | tuple[str, int]:
    """Writes an activity beside a record: a note, a call, a mail, a meeting or a task."""
    view = view_of(entity)
    record = g.records.get(entity, record_id)
    link = composer_for(view)
    if link is None:
        abort(404)
    text = request.form.get("text", "").strip()
    kind = request.form.get("kind", "note")
    values: dict[str, Any] = {
        "kind": kind,
        "subject": text.splitlines()[0][:200] if text else "",
        link: record_id,
    }
    if len(text) > len(values["subject"]):
        values["body"] = text
    due = request.form.get("due_at", "")
    if kind == "task":
        values["due_at"] = read_form(g.edition.entity("activity").fields["due_at"], due)
        values["remind_before"] = request.form.get("remind_before") or None
    else:
        values["done_at"] = datetime.now(UTC)
    if "customer" in view.fields and record.values.get("customer") and link != "customer":
        values["customer"] = record.values["customer"]
    g.records.create("activity", values)
    return _pane(view, record)


def _pane(view: EntityView, record: Record) -> str:
    context = timeline_context(view, record, base(), request.args.get("kind", ""))
    return render_template("record/timeline.html", record=context, shell=shell())


def _field(entity: str, name: str) -> tuple[EntityView, Field]:
    view = view_of(entity)
    declared = view.fields.get(name)
    if declared is None or declared.read_only:
        abort(404)
    return view, declared


def _prop(view: EntityView, record: Record, declared: Field) -> str:
    state = states_of(view, record).get(declared.name)
    one = prop(view, record, declared, base(), state=state)
    return render_template("prop.html", one=one, shell=shell())


def _editing(declared: Field, record: Record, value: Any, errors: list[str]) -> str:
    url = f"{base()}/{record.entity}/{record.id}/field/{declared.name}"
    title = record.titles.get(declared.name, "")
    editing = {
        "field": control(
            g.edition, base(), declared, value, title=title, errors=errors, values=record.values
        ),
        "url": url,
        "cancel_url": f"{url}?read=1",
        "version": record.version,
    }
    return render_template("prop.html", editing=editing, shell=shell())


def _version() -> int | None:
    return whole_number(request.form.get("version", ""))


def _values(view: EntityView, before: Mapping[str, Any]) -> dict[str, Any]:
    """What a whole form holds; a new record leaves empty fields to their defaults."""
    found: dict[str, Any] = {}
    for name, declared in view.fields.items():
        if name not in request.form or declared.read_only:
            continue
        value = read_form(declared, typed(declared, request.form))
        if (
            value is not None
            or before.get(name) is not None
            or (declared.required and declared.default is None)
        ):
            found[name] = value
    return found


def _named(field: Field, value: Any) -> str:
    """The name of the record that a new one is to refer to; empty where the reader may not see it."""
    view = g.edition.entities.get(field.type.entity) if isinstance(field.type, Reference) else None
    number = whole_number(str(value))
    if view is None or number is None or not g.actor.may(view.name, "read"):
        return ""
    fields = [view.info.title_field]
    found = ListQuery(view, g.edition, g.actor, ids=[number], fields=fields).page(g.session).items
    return title_of(view, found[0]) if found else ""


def _form(
    view: EntityView,
    given: Mapping[str, Any],
    errors: Mapping[str, list[str]],
    record: Record | None,
    *,
    stale: str = "",
) -> str:
    """The page with all fields that can be written, and what is wrong with those given."""
    values = {**(record.values if record else {}), **given}
    states = states_of_form(view, given, record)
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for name, declared in view.fields.items():
        if declared.read_only or not is_shown(declared):
            continue
        if name in SYSTEM_FIELDS and record is None and name != "owner":
            continue
        value = values.get(name)
        if (
            value is None
            and record is None
            and declared.default is not None
            and not callable(declared.default)
        ):
            value = declared.default
        title = record.titles.get(name, "") if record and name not in given else _named(declared, value)
        if name in given and request.method == "POST":
            value = typed(declared, request.form)
        made = control(
            g.edition, base(), declared, value, title=title, errors=errors.get(name), values=values
        )
        key = (str(declared.group or ""), declared.owner)
        groups.setdefault(key, []).append({**in_state(made, states.get(name)), "origin": None})
    title = title_of(view, record) if record else new_title(view)
    labels = {name: str(declared.label) for name, declared in view.fields.items()}
    form = {
        "title": title,
        "sub": "",
        "action": request.path,
        "groups": [
            {
                "title": name or _group_title(view, owner),
                "origin": origin(g.edition, owner) if owner != view.owner else None,
                "fields": fields,
            }
            for (name, owner), fields in groups.items()
        ],
        "problems": [
            {"field": labels.get(name, ""), "id": name.replace(".", "-"), "text": " ".join(found)}
            for name, found in errors.items()
        ],
        "verb": str(_("Save") if record else _("Create")),
        "cancel_url": f"{base()}/{view.name}/{record.id}" if record else f"{base()}/{view.name}",
        "version": record.version if record else "",
        "stale": stale,
        "conditions_url": f"{base()}/{view.name}{f'/{record.id}' if record else ''}/conditions"
        if states
        else "",
        "alike_url": f"{base()}/{view.name}/alike" if record is None and comparable(view) else "",
    }
    return entity_page("form.html", view, title=title, inside=True, form=form)


def _group_title(view: EntityView, owner: str) -> str:
    mark = origin(g.edition, owner) if owner != view.owner else None
    return mark["title"] if mark else str(view.info.title)
