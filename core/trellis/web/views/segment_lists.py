"""Members of lists: the ticked rows of a list of records, keys that are pasted, and taking somebody out."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, g, request
from werkzeug.wrappers import Response as BaseResponse

from trellis.contributions import Segment
from trellis.edition import EntityView
from trellis.errors import RecordInvalid
from trellis.i18n import format_number, plural_translator, translator
from trellis.segments import lists, own
from trellis.segments.lists import Added, Chosen
from trellis.segments.own import Draft
from trellis.web.overlay import dialog_form
from trellis.web.shell import toast
from trellis.web.views.bulk import selection_of
from trellis.web.views.lists import base, go, messages, view_of, whole_numbers

_ = translator("trellis")
_n = plural_translator("trellis")

blueprint = Blueprint("segment_lists", __name__)

NEW = "+"
NAMED = 5


@blueprint.post("/<workspace>/<entity>/bulk/segment")
def choose(workspace: str, entity: str) -> str:
    """The dialog that asks which list the ticked rows go into."""
    g.actor.require_administrator()
    return _chooser(view_of(entity), {})


@blueprint.post("/<workspace>/<entity>/bulk/segment/add")
def add_selected(workspace: str, entity: str) -> BaseResponse | tuple[str, int]:
    view = view_of(entity)
    g.actor.require_administrator()
    selection = selection_of(view)
    name, title = request.form.get("segment", ""), request.form.get("title", "")
    chosen = Chosen(ids=selection.ids, rule=selection.rule, text=selection.text)
    try:
        edition = g.edition
        if name == NEW:
            made = own.create(g.session, edition, g.actor, Draft(title=title, entity=entity))
            name, edition = made.name, own.with_segment(edition, made)
        number = lists.add(g.session, edition, g.actor, name, chosen)
    except RecordInvalid as error:
        return _chooser(view, messages(error)), 422
    toast(str(_n("%(num)s record is added to the list.", "%(num)s records are added to the list.", number)))
    return go(f"{base()}/segments/{name}")


@blueprint.get("/<workspace>/segments/<name>/add")
def ask_for_keys(workspace: str, name: str) -> str:
    return _keys(_list(name), {})


@blueprint.post("/<workspace>/segments/<name>/add")
def add_keys(workspace: str, name: str) -> BaseResponse | tuple[str, int]:
    found = _list(name)
    keys = request.form.get("values", "").splitlines()
    try:
        done = lists.add_by_key(g.session, g.edition, g.actor, name, request.form.get("field", ""), keys)
    except RecordInvalid as error:
        return _keys(found, messages(error)), 422
    toast(_told(done))
    return go(f"{base()}/segments/{name}")


@blueprint.post("/<workspace>/segments/<name>/take-out")
def take_out(workspace: str, name: str) -> BaseResponse:
    _list(name)
    number = lists.take_out(g.session, g.edition, g.actor, name, whole_numbers(request.form.get("ids", "")))
    toast(str(_n("%(num)s record is taken out.", "%(num)s records are taken out.", number)))
    return go(f"{base()}/segments/{name}")


def _told(done: Added) -> str:
    said = str(
        _n("%(num)s record is added to the list.", "%(num)s records are added to the list.", done.number)
    )
    if not done.missing:
        return said
    shown = ", ".join(done.missing[:NAMED])
    more = len(done.missing) - NAMED
    if more > 0:
        shown = str(_("%(names)s and %(number)s more", names=shown, number=format_number(more)))
    missing = _("Not found: %(keys)s", keys=shown)
    return f"{said} {missing}"


def _list(name: str) -> Segment:
    g.actor.require_administrator()
    found: Segment | None = g.edition.all(Segment).get(name)
    if found is None or not found.listed:
        abort(404)
    return found


def _chooser(view: EntityView, errors: dict[str, list[str]]) -> str:
    known = lists.lists_of(g.edition, view.name)
    chosen = request.form.get("segment", "") or (known[0].name if known else NEW)
    options = [(one.name, str(one.title)) for one in known] + [(NEW, str(_("A new list")))]
    fields = [
        {
            **_field("segment", str(_("List")), "choice", errors),
            "options": [
                {"value": value, "title": title, "selected": value == chosen} for value, title in options
            ],
        },
        {
            **_field("title", str(_("Name of a new list")), "text", errors),
            "value": request.form.get("title", ""),
            "maxlength": own.LONGEST_TITLE,
        },
    ]
    dialog = {
        "title": str(_("Add to a list")),
        "text": "",
        "action": f"{base()}/{view.name}/bulk/segment/add",
        "verb": str(_("Add")),
        "danger": False,
        "fields": fields,
        "hidden": [(name, request.form[name]) for name in ("ids", "all", "query") if name in request.form],
    }
    return dialog_form(dialog)


def _keys(found: Segment, errors: dict[str, list[str]]) -> str:
    view = g.edition.entity(found.entity)
    chosen = request.form.get("field", "")
    fields = [
        {
            **_field("field", str(_("Known by")), "choice", errors),
            "options": [
                {"value": name, "title": str(view.fields[name].label), "selected": name == chosen}
                for name in lists.key_fields(view)
            ],
        },
        {
            **_field("values", str(_("One in each line")), "long", errors),
            "value": request.form.get("values", ""),
            "required": True,
        },
    ]
    dialog = {
        "title": str(_("Add to “%(title)s”", title=found.title)),
        "text": "",
        "action": f"{base()}/segments/{found.name}/add",
        "verb": str(_("Add")),
        "danger": False,
        "fields": fields,
        "hidden": [],
    }
    return dialog_form(dialog)


def _field(name: str, label: str, kind: str, errors: dict[str, list[str]]) -> dict[str, Any]:
    return {
        "id": name,
        "name": name,
        "label": label,
        "kind": kind,
        "value": "",
        "required": kind == "choice",
        "no_blank": True,
        "help": "",
        "errors": errors.get(name, []),
        "origin": None,
        "options": [],
    }
