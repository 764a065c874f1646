"""The public page on which a customer asks for no more mail: no sign-in, one button, with or without scripts.

The link alone opens it, so no token of a session is asked for, and programs that read mail press the button by themselves
(RFC 8058). Looking at the page changes nothing: programs that guard mail look at each link.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, g, render_template, request

from trellis.crm.customers import unsubscribing
from trellis.crm.customers.entities import Customer
from trellis.crm.customers.unsubscribing import PATH, REFUSED, Way
from trellis.errors import WorkspaceNotFound
from trellis.i18n import translator
from trellis.web import context
from trellis.web.language import speak_to_customer
from trellis.web.plain import plain_shell

_ = translator("trellis")

blueprint = Blueprint("unsubscribing", __name__)

_Answer = str | tuple[str, int]


@blueprint.get(f"/{PATH}/<link>")
def show(link: str) -> _Answer:
    way = _way(link)
    customer = _open(way, writes=False) if way else None
    if customer is None:
        return _nothing()
    return _page(_done() if customer.consent_mail == REFUSED else _question())


@blueprint.post(f"/{PATH}/<link>")
def take(link: str) -> _Answer:
    way = _way(link)
    customer = _open(way, writes=True) if way else None
    if way is None or customer is None:
        return _nothing()
    g.records = g.work.records = unsubscribing.withdraw(g.session, g.edition, way, customer)
    return _page(_done())


def _way(link: str) -> Way | None:
    """What a link holds. Only those that were never given out are counted: programs of one address press many buttons."""
    way = unsubscribing.read_link(g.installation.config, link)
    if way is None:
        current_app.extensions["trellis_answer_rates"].take(request.remote_addr)
    return way


def _open(way: Way, *, writes: bool) -> Customer | None:
    """Enters the workspace of a link, as nobody who has signed in; None when the customer is not there any more."""
    try:
        workspace = g.installation.workspace(way.workspace)
    except WorkspaceNotFound:
        return None
    session = context.enter(workspace, writes=writes)
    g.edition = workspace.edition(session)
    customer = unsubscribing.find(session, way)
    if customer is not None:
        speak_to_customer(unsubscribing.spoken_by(customer, g.edition))
    return customer


def _company() -> str:
    return str(g.edition.settings.title or g.workspace.name)


def _question() -> dict[str, Any]:
    text = _(
        "You get no more offers, news and surveys. Mail about what you have ordered or asked for still comes."
    )
    return {
        "company": _company(),
        "title": str(_("No more such mails?")),
        "text": str(text),
        "button": str(_("Unsubscribe")),
    }


def _done() -> dict[str, Any]:
    text = _(
        "You get no more offers, news and surveys by mail. If this was a mistake, tell us, and we take it back."
    )
    return {"company": _company(), "title": str(_("You have unsubscribed")), "text": str(text), "button": ""}


def _nothing() -> _Answer:
    text = _("This link is not complete, or we do not know you any more: then you get no mails from us.")
    told = {"company": "", "title": str(_("There is nothing to unsubscribe from here")), "text": str(text)}
    return _page({**told, "button": ""}), 404


def _page(told: dict[str, Any]) -> str:
    shell = plain_shell()
    if told["company"]:
        shell["workspace"] = {"title": told["company"]}
    return render_template("unsubscribe.html", told=told, page_title=told["title"], shell=shell)
