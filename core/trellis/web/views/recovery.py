"""A forgotten password: asking for a link by mail, and choosing a new one behind it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, make_response, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from trellis import mail
from trellis.errors import RecordInvalid, TooMany, TrellisError
from trellis.i18n import translator
from trellis.security import recovery
from trellis.security.keys import secret_key
from trellis.web import language as languages
from trellis.web.plain import plain_shell
from trellis.web.views.lists import base

_ = translator("trellis")

blueprint = Blueprint("recovery", __name__)


@blueprint.get("/<workspace>/recover")
def show(workspace: str) -> BaseResponse:
    return languages.remember(make_response(_ask()), request.args.get(languages.ARGUMENT, ""))


@blueprint.post("/<workspace>/recover")
def ask(workspace: str) -> BaseResponse:
    try:
        recovery.ask(
            g.installation, workspace, request.form.get("email", ""), request.remote_addr or "", _secret()
        )
    except TooMany as error:
        response = make_response(_ask(problem=str(error.detail)), error.status)
        response.headers["Retry-After"] = str(error.seconds)
        return response
    text = _("If this address works here, a link is on its way to it. It lasts an hour")
    return make_response(_ask(done=str(text)))


@blueprint.get("/<workspace>/recover/<link>")
def choose(workspace: str, link: str) -> BaseResponse | tuple[str, int]:
    try:
        email = recovery.check(g.installation, link, _secret())
    except TrellisError as error:
        return _ask(problem=str(error.detail)), error.status
    return languages.remember(make_response(_choose(link, email)), request.args.get(languages.ARGUMENT, ""))


@blueprint.post("/<workspace>/recover/<link>")
def use(workspace: str, link: str) -> str | tuple[str, int]:
    try:
        recovery.use(g.installation, link, request.form.get("password", ""), _secret())
    except RecordInvalid as error:
        problem = " ".join(str(one) for one in error.errors["password"])
        return _choose(link, recovery.check(g.installation, link, _secret()), problem), 422
    except TrellisError as error:
        return _ask(problem=str(error.detail)), error.status
    return _page(title=_("The password is changed"), done=str(_("Sign in with the new one")))


def _secret() -> str:
    return secret_key(g.installation.config)


def _ask(problem: str = "", done: str = "") -> str:
    if not mail.may_send(g.installation.config):
        text = str(
            _("This server sends no mail. An administrator of the workspace can give you a new password")
        )
        return _page(title=_("Forgotten password"), done=text)
    field = {"kind": "email", "name": "email", "label": str(_("E-mail")), "autocomplete": "username"}
    return _page(
        title=_("Forgotten password"),
        problem=problem,
        done=done,
        field=None if done else field,
        action=f"{base()}/recover",
        verb=_("Send me a link"),
    )


def _choose(link: str, email: str, problem: str = "") -> str:
    advice = _("At least 12 characters; four words that have nothing to do with each other are good")
    field = {"kind": "password", "name": "password", "label": str(_("New password")), "help": str(advice)}
    field["autocomplete"] = "new-password"
    return _page(
        title=_("New password"),
        email=email,
        problem=problem,
        field=field,
        action=f"{base()}/recover/{link}",
        verb=_("Change the password"),
    )


def _page(*, title: Any, verb: Any = "", **more: Any) -> str:
    recover = {"title": str(title), "verb": str(verb), "login_url": f"{base()}/login", **more}
    return render_template("recover.html", recover=recover, page_title=str(title), shell=plain_shell())
