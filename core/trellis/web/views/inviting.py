"""Inviting to a survey: whom, how many that are, and sending."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, request
from werkzeug.wrappers import Response as BaseResponse

from trellis import mail
from trellis.crm.customers import inviting, sending
from trellis.crm.customers.inviting import Chosen, Counted
from trellis.crm.marketing.contacting import usual
from trellis.errors import Conflict
from trellis.i18n import format_number, plural_translator, translator
from trellis.segments.engine import SegmentNotFound
from trellis.web.display import title_of
from trellis.web.shell import entity_page, toast
from trellis.web.views.lists import base, go, view_of, whole_number

_ = translator("trellis")
_n = plural_translator("trellis")

blueprint = Blueprint("inviting", __name__)


@blueprint.get("/<workspace>/survey/<int:record_id>/invite")
def ask(workspace: str, record_id: int) -> str:
    """Who would be invited; nothing is sent."""
    return _page(record_id, request.args.get("segment", ""), whole_number(request.args.get("customer", "")))


@blueprint.post("/<workspace>/survey/<int:record_id>/invite")
def send(workspace: str, record_id: int) -> BaseResponse | tuple[str, int]:
    """Puts the sending into the queue."""
    segment, customer = request.form.get("segment", ""), whole_number(request.form.get("customer", ""))
    try:
        chosen = _chosen(segment, customer)
        _job, counted = sending.start(g.records, record_id, chosen, g.installation.config)
    except Conflict as error:
        return _page(record_id, segment, customer, str(error)), error.status
    if customer is None:
        toast(
            _n(
                "Sending %(num)s mail in the background",
                "Sending %(num)s mails in the background",
                counted.mails,
            )
        )
        return go(f"{base()}/survey/{record_id}")
    toast(_("The invitation is on its way") if counted.invited else _("Nobody was invited"))
    return go(f"{base()}/customer/{customer}")


def _chosen(segment: str, customer: int | None) -> Chosen:
    return Chosen(segment=segment, customers=() if customer is None else (customer,))


def _page(survey: int, segment: str, customer: int | None, problem: str = "") -> str:
    view = view_of("survey")
    record = g.records.get("survey", survey)
    if not problem and not mail.may_send(g.installation.config):
        problem = str(_("This server sends no mail, so nobody can be invited"))
    counted = None
    try:
        inviting.open_survey(g.records, survey)
        if segment or customer is not None:
            counted = inviting.count(g.records, survey, _chosen(segment, customer))
    except (Conflict, SegmentNotFound) as error:
        problem = str(error)
    who = g.records.get("customer", customer) if customer is not None else None
    context = {
        "survey_url": f"{base()}/survey/{survey}",
        "customer": title_of(view_of("customer"), who) if who else "",
        "options": [
            {"value": one.name, "title": str(one.title), "selected": one.name == segment}
            for one in inviting.segments_of(g.edition)
        ],
        "counts": _counts(counted) if counted else None,
        "action": request.path,
        "hidden": [("segment", segment)] if customer is None else [("customer", customer)],
        "mails": counted.mails if counted else 0,
        "verb": str(_n("Send %(num)s mail", "Send %(num)s mails", counted.mails if counted else 0)),
        "problem": problem,
        "quiet": _quiet(),
    }
    title = _("Invite to “%(survey)s”", survey=title_of(view, record))
    return entity_page("surveys/invite.html", view, title=title, inside=True, invite=context)


def _quiet() -> str:
    """When mails leave, where that is not at once."""
    terms = usual(g.edition)
    if not terms["quiet_from"]:
        return ""
    told = {"begin": terms["quiet_from"], "end": terms["quiet_to"]}
    return str(
        _(
            "Mails leave at once, but not in quiet hours: %(begin)s–%(end)s by the clock of the customer",
            **told,
        )
    )


def _counts(counted: Counted) -> list[tuple[str, str]]:
    rows: list[tuple[Any, int]] = [
        (_("Chosen"), counted.chosen),
        (_("Invited"), counted.invited),
        (_("Left out: no mail address"), counted.no_address),
        (_("Left out: refused mail"), counted.refused),
        (_("Left out: asked a short while ago"), counted.recent),
        (_("Left out: got enough messages of late"), counted.enough),
    ]
    if counted.waiting:
        rows.append((_("Invited before, and not sent yet"), counted.waiting))
    return [(str(label), format_number(number)) for label, number in rows]
