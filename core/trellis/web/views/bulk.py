"""Acts on the ticked rows of a list, or on all that it finds: editing a field, the bin, undoing."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, g, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from trellis.edition import EntityView
from trellis.errors import RecordInvalid, RecordNotFound, TrellisError
from trellis.i18n import format_number, plural_translator, translator
from trellis.records import mass
from trellis.records.entity import Field
from trellis.records.mass import MOST, Done, MassRefused, Refused, Selection
from trellis.records.query import ListQuery
from trellis.records.undoing import undo as undo_change
from trellis.web.display import control, read_form
from trellis.web.listing import full_rule, listed_at
from trellis.web.rows import is_typed
from trellis.web.shell import shell, toast
from trellis.web.views.lists import base, go, sentences, view_of, whole_number, whole_numbers

_ = translator("trellis")
_n = plural_translator("trellis")

blueprint = Blueprint("bulk", __name__)

SHOWN = 20
NAMED = 3


@blueprint.post("/<workspace>/<entity>/bulk/edit")
def edit(workspace: str, entity: str) -> str:
    """The dialog that asks which field becomes what."""
    view = view_of(entity)
    g.actor.require(entity, "update")
    name = request.form.get("choose") or request.args.get("field", "")
    return _editor(view, _field(view, name), None, [])


@blueprint.post("/<workspace>/<entity>/bulk/<any(update,delete,restore):act>")
def act(workspace: str, entity: str, act: str) -> BaseResponse | str | tuple[str, int]:
    """Does it, all or nothing; names the records that cannot be changed, and offers to go on without them."""
    view = view_of(entity)
    selection, leave_out = selection_of(view), request.form.get("leave_out") == "true"
    try:
        if act == "update":
            field = _field(view, request.form.get("field", ""))
            value = read_form(field, _typed())
            done = mass.update(g.records, entity, selection, {field.name: value}, leave_out=leave_out)
        elif act == "delete":
            done = mass.delete(g.records, entity, selection, leave_out=leave_out)
        else:
            done = mass.restore(g.records, entity, selection, leave_out=leave_out)
    except RecordInvalid as error:
        return _editor(view, field, _typed(), sentences(error)), 422
    except MassRefused as error:
        return _refused(view, act, error), 422
    except mass.TooManyRecords as error:
        return _too_many(error), 422
    undo_url = f"{base()}/{entity}/bulk/undo?change={done.id}" if done.id else ""
    toast(" ".join(_sentences(done)), undo_url)
    return _back(entity)


@blueprint.post("/<workspace>/<entity>/bulk/undo")
def undo(workspace: str, entity: str) -> BaseResponse:
    """Takes an act back, as far as nobody has changed the records since."""
    view_of(entity)
    try:
        done = undo_change(g.records, entity, whole_number(request.args.get("change", "")) or 0)
    except RecordNotFound as error:
        toast(str(error))
        return _back(entity)
    text = _n("%(num)s record is as it was.", "%(num)s records are as they were.", done.changed)
    toast(" ".join([str(text), *_left(done.refused)]))
    return _back(entity)


def _back(entity: str) -> BaseResponse:
    return go(request.headers.get("HX-Current-URL") or f"{base()}/{entity}")


def _sentences(done: Done) -> list[str]:
    if done.kind == "update":
        text = _n("%(num)s record is changed.", "%(num)s records are changed.", done.changed)
    elif done.kind == "delete":
        text = _n("%(num)s record is in the bin.", "%(num)s records are in the bin.", done.changed)
    else:
        text = _n("%(num)s record is back.", "%(num)s records are back.", done.changed)
    return [str(text), *_left(done.refused)]


def _left(refused: Any) -> list[str]:
    """What is said of records that were left as they are."""
    if not refused:
        return []
    names = ", ".join(one.title for one in refused[:NAMED])
    if len(refused) <= NAMED:
        return [str(_("Left as they are: %(names)s.", names=names))]
    more = format_number(len(refused) - NAMED)
    return [str(_("Left as they are: %(names)s and %(number)s more.", names=names, number=more))]


def selection_of(view: EntityView) -> Selection:
    """The ticked rows of a list, or all that it finds."""
    if request.form.get("all") == "true":
        listing = listed_at(view, request.form.get("query", ""))
        return Selection(rule=full_rule(listing), text=listing.query)
    return Selection(ids=whole_numbers(request.form.get("ids", "")))


def _number(view: EntityView) -> str:
    """How many records are selected, in words."""
    selection = selection_of(view)
    if selection.ids is not None:
        return format_number(len(selection.ids))
    query = ListQuery(view, g.edition, g.actor, rule=selection.rule, text=selection.text)
    number = query.count(g.session, MOST + 1)
    return f"{format_number(MOST)}+" if number > MOST else format_number(number)


def _typed() -> str:
    given = request.form.getlist("value")
    return given[-1] if given else ""


def _editable(view: EntityView) -> list[Field]:
    """The fields that many records can share a value of."""
    return [field for field in view.fields.values() if is_typed(field) and not field.unique]


def _field(view: EntityView, name: str) -> Field:
    known = {field.name: field for field in _editable(view)}
    if not known or (name and name not in known):
        abort(404)
    return known[name] if name else next(iter(known.values()))


def _hidden(*names: str) -> list[tuple[str, str]]:
    return [(name, request.form[name]) for name in names if name in request.form]


def _editor(view: EntityView, field: Field, value: Any, errors: list[str]) -> str:
    number = _number(view)
    dialog = {
        "title": str(_("Edit %(entity)s: %(number)s", entity=str(view.info.plural).lower(), number=number)),
        "action": f"{base()}/{view.name}/bulk/update",
        "edit_url": f"{base()}/{view.name}/bulk/edit",
        "hidden": _hidden("ids", "all", "query"),
        "field": field.name,
        "fields": [
            {"value": one.name, "title": str(one.label), "selected": one is field} for one in _editable(view)
        ],
        "control": {
            **control(g.edition, base(), field, value, errors=errors),
            "id": "bulk-value",
            "name": "value",
            "label": str(_("%(field)s: new value", field=field.label)),
            "required": True,
            "help": "" if field.required else str(_("Left empty, the field is cleared in all of them.")),
        },
    }
    return render_template("bulk.html", dialog=dialog, shell=shell())


def _refused(view: EntityView, act: str, error: MassRefused) -> str:
    """The dialog with each record that cannot be changed, and why."""
    number = len(error.refused)
    others = error.asked > number and number < mass.MOST_REASONS
    labels = {name: str(field.label) for name, field in view.fields.items()}
    dialog = {
        "title": str(_n("%(num)s record cannot be changed", "%(num)s records cannot be changed", number)),
        "text": str(error.title) + ".",
        "action": f"{base()}/{view.name}/bulk/{act}",
        "verb": str(_("Go on without them")) if others else "",
        "hidden": [*_hidden("ids", "all", "query", "field", "value"), ("leave_out", "true")],
        "refused": [_reason(one, labels) for one in error.refused[:SHOWN]],
        "more": format_number(number - SHOWN) if number > SHOWN else "",
    }
    return render_template("bulk_refused.html", dialog=dialog, shell=shell())


def _reason(refused: Refused, labels: dict[str, str]) -> dict[str, str]:
    told = [
        f"{labels[name]}: {message}" if name in labels else str(message)
        for name, found in refused.errors.items()
        for message in found
    ]
    return {"title": refused.title, "text": " ".join(told)}


def _too_many(error: TrellisError) -> str:
    dialog = {"title": str(_("Too many records at once")), "text": str(error), "action": "", "verb": ""}
    return render_template("bulk_refused.html", dialog=dialog, shell=shell())
