"""Showing again who one is, before one changes how one signs in: by the password or a passkey."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, jsonify, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from trellis.errors import TooMany
from trellis.i18n import translator
from trellis.security import browser_sessions
from trellis.security.identities import authenticate
from trellis.security.passkeys import PasskeyRefused
from trellis.web import language as languages
from trellis.web import passkeys
from trellis.web.plain import plain_shell
from trellis.web.views.lists import base
from trellis.web.views.session import next_path

_ = translator("trellis")

blueprint = Blueprint("confirming", __name__)


@blueprint.get("/<workspace>/confirm")
def show(workspace: str) -> BaseResponse:
    return languages.remember(make_response(_page()), request.args.get(languages.ARGUMENT, ""))


@blueprint.post("/<workspace>/confirm")
def confirm(workspace: str) -> BaseResponse:
    g.release()  # the password is checked outside the workspace
    password = request.form.get("password", "")
    try:
        identity = authenticate(g.installation, None, g.email, password, request.remote_addr or "")
    except TooMany as error:
        response = make_response(_page(str(error.detail)), error.status)
        response.headers["Retry-After"] = str(error.seconds)
        return response
    if identity is None or identity.id != g.signed_in.identity_id:
        return make_response(_page(str(_("The password is not right"))), 401)
    return _confirmed(workspace)


@blueprint.post("/<workspace>/confirm/passkey/options")
def ask_passkey(workspace: str) -> BaseResponse:
    return jsonify(passkeys.ask(g.signed_in.identity_id))


@blueprint.post("/<workspace>/confirm/passkey")
def passkey(workspace: str) -> BaseResponse:
    g.release()
    try:
        if passkeys.answered().id != g.signed_in.identity_id:
            raise PasskeyRefused()
    except PasskeyRefused as error:
        return make_response(_page(str(error)), error.status)
    return _confirmed(workspace)


def _confirmed(workspace: str) -> BaseResponse:
    browser_sessions.prove(g.installation, g.signed_in.number)
    return redirect(next_path(workspace), 303)


def _page(problem: str = "") -> str:
    asked: dict[str, Any] = {
        "title": str(_("Confirm that it is you")),
        "email": g.email,
        "problem": problem,
        "action": f"{base()}/confirm",
        "next": request.values.get("next", ""),
        "passkey": passkeys.asking(f"{base()}/confirm/passkey", _("Use a passkey")),
        "back_url": next_path(g.workspace.name),
    }
    return render_template("confirm.html", asked=asked, page_title=asked["title"], shell=plain_shell())
