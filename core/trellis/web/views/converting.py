"""Converting a lead: what it would become, what it may be already, and the few fields that are looked at before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flask import Blueprint, abort, g, request
from werkzeug.wrappers import Response as BaseResponse

from trellis.crm.sales import conversion
from trellis.crm.sales.conversion import Part, Parts, Proposal
from trellis.edition import EntityView
from trellis.errors import Conflict, RecordInvalid, RecordNotFound
from trellis.i18n import Text, translator
from trellis.quality.duplicates import SURE, compared
from trellis.records.entity import Field
from trellis.records.query import Record
from trellis.records.types import Reference
from trellis.web.display import control, read_form, shown, title_of
from trellis.web.shell import entity_page, toast
from trellis.web.views.lists import base, go, messages, view_of, whole_number

_ = translator("trellis")

blueprint = Blueprint("converting", __name__)

NEW, NONE = "new", "none"
PARTS: Mapping[str, Text] = {
    "customer": _("Customer"),
    "contact": _("Contact"),
    "opportunity": _("Opportunity"),
}
NEW_TITLES: Mapping[str, Text] = {
    "customer": _("A new customer"),
    "contact": _("A new contact"),
    "opportunity": _("A new opportunity"),
}
NONE_TITLES: Mapping[str, Text] = {"contact": _("No contact"), "opportunity": _("No opportunity")}
FIELDS: Mapping[str, tuple[str, ...]] = {
    "customer": ("name", "kind", "email", "phone", "city"),
    "contact": ("name", "position", "email", "phone"),
    "opportunity": ("name", "funnel", "amount", "expected_close", "product"),
}
"""What is looked at of each part, beside what is carried over and what must have a value."""


@blueprint.get("/<workspace>/lead/<int:record_id>/convert")
def ask(workspace: str, record_id: int) -> str:
    view = view_of("lead")
    return _page(view, g.records.get("lead", record_id), {})


@blueprint.post("/<workspace>/lead/<int:record_id>/convert")
def convert(workspace: str, record_id: int) -> BaseResponse | tuple[str, int]:
    view = view_of("lead")
    lead = g.records.get("lead", record_id)
    offer = conversion.proposal(g.records, lead)
    wished: dict[str, Any] = {name: _wished(name, _proposed(offer, name)) for name in PARTS}
    parts = Parts(**wished)
    try:
        done = conversion.convert(g.records, record_id, parts, whole_number(request.form.get("version", "")))
    except RecordInvalid as error:
        return _page(view, lead, messages(error)), 422
    toast(_("The lead is a customer now"))
    made = done.values.get("converted_opportunity")
    return go(
        f"{base()}/opportunity/{made}" if made else f"{base()}/customer/{done.values['converted_customer']}"
    )


def _proposed(offer: Proposal, name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = getattr(offer, name)
    return found


def _wished(name: str, proposed: Mapping[str, Any]) -> Part:
    """What the form says of a part."""
    chosen = request.form.get(name, NEW if name == "customer" else NONE)
    if chosen == NONE and name != "customer":
        return False
    if chosen != NEW and name != "opportunity":
        return whole_number(chosen) or 0
    values = {
        field.name: read_form(field, request.form.getlist(_key(name, field))[-1])
        for field in _fields(name, proposed)
        if _key(name, field) in request.form
    }
    empty = {one for one, value in values.items() if value is None and one not in proposed}
    return {one: value for one, value in values.items() if one not in empty}


def _key(name: str, field: Field) -> str:
    return f"{name}.{field.name}"


def _fields(name: str, proposed: Mapping[str, Any]) -> list[Field]:
    """The fields of a part that the form has."""
    if not g.actor.may(name, "create"):
        return []
    known = g.actor.sees(g.edition).entity(name).fields
    needed = [one.name for one in known.values() if one.always_required and one.default is None]
    names = dict.fromkeys([*FIELDS[name], *proposed, *needed])
    left_out = {"owner", "unit", "customer"}
    return [known[one] for one in names if one in known and one not in left_out and not known[one].read_only]


def _page(view: EntityView, lead: Record, errors: Mapping[str, list[str]]) -> str:
    """The form. Raises Conflict for a lead that was converted; 403 for those who may not."""
    if lead.values.get("converted_at") is not None:
        raise Conflict(_("This lead was converted already"))
    if not conversion.offered(g.records, lead):
        abort(403)
    offer = conversion.proposal(g.records, lead)
    labels = {
        _key(name, field): f"{title}: {field.label}"
        for name, title in PARTS.items()
        for field in _fields(name, _proposed(offer, name))
    }
    form = {
        "action": request.path,
        "version": lead.version,
        "cancel_url": f"{base()}/lead/{lead.id}",
        "parts": [_part(name, lead, offer, errors) for name in PARTS if _choosable(name)],
        "problems": [
            {
                "field": labels.get(key, str(PARTS.get(key.partition(".")[0], ""))),
                "id": key.replace(".", "-"),
                "text": " ".join(found),
            }
            for key, found in errors.items()
        ],
    }
    title = _("Convert “%(name)s”", name=title_of(view, lead))
    return entity_page("convert.html", view, title=title, inside=True, convert=form)


def _choosable(name: str) -> bool:
    return g.actor.may(name, "create") or (name == "contact" and g.actor.may(name, "read"))


def _part(name: str, lead: Record, offer: Proposal, errors: Mapping[str, list[str]]) -> dict[str, Any]:
    """One part of the form: what it may be already, a new one with its fields, or none."""
    proposed = _proposed(offer, name)
    choices = list(_choices(name, lead, offer))
    usual = _usual(name, offer, choices)
    chosen = request.form.get(name, usual)
    fields = _fields(name, proposed)
    return {
        "name": name,
        "title": str(PARTS[name]),
        "choices": [{**one, "checked": one["value"] == chosen} for one in choices],
        "fields": [_control(name, field, proposed, errors) for field in fields],
        "error": " ".join(errors.get(name, ())),
    }


def _control(name: str, field: Field, proposed: Mapping[str, Any], errors: Mapping[str, list[str]]) -> Any:
    key = _key(name, field)
    value = request.form.get(
        key, proposed.get(field.name, field.default if not callable(field.default) else None)
    )
    title = _title(field, value)
    made = control(g.edition, base(), field, value, title=title, errors=errors.get(key))
    return {**made, "id": key.replace(".", "-"), "name": key}


def _title(field: Field, value: Any) -> str:
    """The name of a record that was chosen; empty for one that is not there, or that the reader does not see."""
    if not isinstance(field.type, Reference) or not str(value or "").isdecimal():
        return ""
    view = g.edition.entity(field.type.entity)
    try:
        return title_of(view, g.records.get(view.name, int(value)))
    except RecordNotFound:
        return ""


def _choices(name: str, lead: Record, offer: Proposal) -> Iterator[dict[str, Any]]:
    """What can be chosen for a part: records that are there, the likeliest first, then a new one, or none."""
    if name != "opportunity" and g.actor.may(name, "read"):
        known = offer.known if name == "customer" else None
        if known is not None:
            yield _there(name, g.records.get(name, known), str(_("the lead names it")), score=1.0)
        for one in conversion.alike(g.records, lead, name):
            if one.record.id != known:
                yield _there(name, one.record, ", ".join(map(str, one.reasons)), score=one.score)
    if g.actor.may(name, "create"):
        yield {"value": NEW, "title": str(NEW_TITLES[name])}
    if name in NONE_TITLES:
        yield {"value": NONE, "title": str(NONE_TITLES[name])}


def _there(name: str, record: Record, reasons: str, score: float) -> dict[str, Any]:
    view = g.edition.entity(name)
    others = [one for one in compared(view) if one != view.info.title_field]
    told = [shown(g.edition, base(), view.fields[one], record)["text"] for one in others]
    return {
        "value": str(record.id),
        "title": title_of(view, record),
        "url": f"{base()}/{name}/{record.id}",
        "sub": " · ".join(one for one in told if one),
        "reasons": reasons,
        "score": score,
    }


def _usual(name: str, offer: Proposal, choices: list[dict[str, Any]]) -> str:
    """What is chosen at first: a record that is surely the same, else a new one; no opportunity, nor a needless contact."""
    if name == "opportunity" or (name == "contact" and not offer.of_company):
        return NONE
    sure = next((one["value"] for one in choices if one.get("score", 0) >= SURE), None)
    return str(sure or next(one["value"] for one in choices if one["value"] in (NEW, NONE)))
