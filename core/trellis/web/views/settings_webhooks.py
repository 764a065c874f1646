"""Settings: webhooks, the addresses that are told of what is written."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import Blueprint, g, request
from werkzeug.wrappers import Response as BaseResponse

from trellis.errors import RecordInvalid
from trellis.i18n import Text, format_datetime, format_number, translator
from trellis.jobs.job import FAILED, STOPPED, Job
from trellis.web.shell import toast
from trellis.web.views.lists import base, go, messages
from trellis.web.views.settings import only_administrators, settings_page
from trellis.webhooks import KIND, Webhook, keeping
from trellis.webhooks.delivering import try_out
from trellis.webhooks.sending import NotDelivered

_ = translator("trellis")

blueprint = Blueprint("settings_webhooks", __name__)
blueprint.before_request(only_administrators)

Errors = dict[str, list[str]]


@blueprint.get("/<workspace>/settings/webhooks")
def show(workspace: str) -> str:
    return _page({})


@blueprint.post("/<workspace>/settings/webhooks")
def add(workspace: str) -> str | tuple[str, int]:
    """A new webhook; its secret is on this page and nowhere else."""
    g.signed_in.require_fresh(_url())
    entities = [name for name in request.form.getlist("entities") if name]
    url = request.form.get("url", "").strip()
    try:
        _webhook, secret = keeping.add(g.installation.config, g.session, g.edition, g.actor, url, entities)
    except RecordInvalid as error:
        return _page(messages(error), url=url, entities=entities), 422
    return _page({}, secret)


@blueprint.post("/<workspace>/settings/webhooks/<int:number>/secret")
def new_secret(workspace: str, number: int) -> str:
    g.signed_in.require_fresh(_url())
    return _page({}, keeping.new_secret(g.installation.config, g.session, g.actor, number))


@blueprint.post("/<workspace>/settings/webhooks/<int:number>/try")
def try_one(workspace: str, number: int) -> BaseResponse:
    """Sends a message without events, and says what came of it."""
    webhook = keeping.find(g.session, g.actor, number)
    g.session.expunge(webhook)
    g.release()  # nothing waits for the address
    try:
        try_out(g.installation.config, webhook)
    except NotDelivered as error:
        toast(_("Not delivered. %(reason)s", reason=error))
    else:
        toast(_("Delivered"))
    return go(_url())


@blueprint.post("/<workspace>/settings/webhooks/<int:number>/pause")
def pause(workspace: str, number: int) -> BaseResponse:
    keeping.pause(g.session, g.actor, number)
    toast(_("Paused. It keeps its place: what is written meanwhile is sent later"))
    return go(_url())


@blueprint.post("/<workspace>/settings/webhooks/<int:number>/resume")
def resume(workspace: str, number: int) -> BaseResponse:
    keeping.resume(g.session, g.actor, number)
    toast(_("It goes on where it stopped"))
    return go(_url())


@blueprint.post("/<workspace>/settings/webhooks/<int:number>/remove")
def remove(workspace: str, number: int) -> BaseResponse:
    keeping.remove(g.session, g.actor, number)
    toast(_("The webhook is removed"))
    return go(_url())


def _url() -> str:
    return f"{base()}/settings/webhooks"


def _page(errors: Errors, secret: str = "", url: str = "", entities: list[str] | None = None) -> str:
    ended = _ended()
    shown = {
        "url": _url(),
        "rows": [_row(one, ended.get(one.id)) for one in keeping.listed(g.session, g.actor)],
        "secret": secret,
        "fields": _fields(errors, url, entities or []),
        "confirm_url": "" if g.signed_in.fresh else f"{base()}/confirm?next={_url()}",
        "feed": f"GET /api/v1/{g.workspace.name}/events",
    }
    return settings_page("settings/webhooks.html", "webhooks", _("Webhooks"), webhooks=shown)


def _ended() -> dict[int, str]:
    """Why the newest job of a webhook works no more, by webhook."""
    job = Job.__table__.c
    query = sa.select(job.arguments, job.state, job.problem).where(job.kind == KIND).order_by(job.id)
    newest = {int(row.arguments["webhook"]): row for row in g.session.execute(query)}
    return {
        number: row.problem or str(_("Its job was stopped"))
        for number, row in newest.items()
        if row.state in (FAILED, STOPPED)
    }


def _row(webhook: Webhook, ended: str | None) -> dict[str, Any]:
    state, tone, problem = _state(webhook, ended)
    titles = {view.name: str(view.info.plural) for view in g.edition.entities.values()}
    here = f"{_url()}/{webhook.id}"
    return {
        "url": webhook.url,
        "entities": ", ".join(titles.get(name, name) for name in webhook.entities) or str(_("All records")),
        "state": str(state),
        "tone": tone,
        "problem": problem,
        "delivered": format_number(webhook.delivered),
        "delivered_at": format_datetime(webhook.delivered_at) if webhook.delivered_at else "–",
        "works": not webhook.paused and ended is None,
        "here": here,
    }


def _state(webhook: Webhook, ended: str | None) -> tuple[Text, str, str]:
    if webhook.paused:
        return _("Paused"), "neutral", webhook.problem
    if ended is not None:
        return _("Stopped"), "danger", ended
    if webhook.failures:
        return _("Tried again"), "warn", webhook.problem
    return _("Delivers"), "good", ""


def _fields(errors: Errors, url: str, chosen: list[str]) -> list[dict[str, Any]]:
    options = [
        {"value": view.name, "title": str(view.info.plural), "selected": view.name in chosen}
        for view in g.edition.entities.values()
    ]
    return [
        {
            "id": "url",
            "name": "url",
            "label": str(_("Address")),
            "kind": "url",
            "value": url,
            "required": True,
            "errors": errors.get("url", []),
            "help": str(_("It answers each message with 2xx within 10 seconds")),
        },
        {
            "id": "entities",
            "name": "entities",
            "label": str(_("Records")),
            "kind": "choices",
            "value": "",
            "options": options,
            "required": False,
            "errors": errors.get("entities", []),
            "help": str(_("None chosen means all")),
        },
    ]
