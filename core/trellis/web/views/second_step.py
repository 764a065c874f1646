"""Signing in: the second factor after the password, or a passkey alone."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, jsonify, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from trellis.control import Identity
from trellis.errors import TooMany
from trellis.i18n import translator
from trellis.security import attempts, second_factor
from trellis.security.identities import works_in
from trellis.security.passkeys import PasskeyRefused
from trellis.web import language as languages
from trellis.web import passkeys
from trellis.web import session as sessions
from trellis.web.plain import plain_shell
from trellis.web.views.lists import base
from trellis.web.views.session import login_page, next_path

_ = translator("trellis")

blueprint = Blueprint("second_step", __name__)


@blueprint.get("/<workspace>/login/second")
def show(workspace: str) -> BaseResponse:
    identity = sessions.half_signed_in(g.installation)
    if identity is None:
        return _again(workspace)
    return languages.remember(make_response(_page(identity)), request.args.get(languages.ARGUMENT, ""))


@blueprint.post("/<workspace>/login/second")
def sign_in(workspace: str) -> BaseResponse:
    identity = sessions.half_signed_in(g.installation)
    if identity is None or not works_in(g.installation, identity, workspace):
        return _again(workspace)
    code = request.form.get("code", "")
    try:
        right = second_factor.prove(g.installation, identity, code, request.remote_addr or "")
    except TooMany as error:
        return _waiting(_page(identity, str(error.detail)), error)
    if not right:
        return make_response(_page(identity, str(_("This code is not right, or was used before"))), 401)
    sessions.sign_in(g.installation, identity)
    return redirect(next_path(workspace), 303)


@blueprint.post("/<workspace>/login/passkey/options")
def ask_passkey(workspace: str) -> BaseResponse:
    identity = sessions.half_signed_in(g.installation)
    return jsonify(passkeys.ask(identity.id if identity else None))


@blueprint.post("/<workspace>/login/passkey")
def passkey(workspace: str) -> BaseResponse:
    """Signs in by a passkey alone: the device has asked for a finger, a face or a PIN."""
    address = request.remote_addr or ""
    try:
        attempts.begin(g.installation, "", address)
        identity = passkeys.answered()
        if not works_in(g.installation, identity, workspace):
            raise PasskeyRefused()
    except TooMany as error:
        return _waiting(login_page(str(error.detail)), error)
    except PasskeyRefused as error:
        return make_response(login_page(str(error)), error.status)
    attempts.succeeded(g.installation, attempts.second_step(identity.email), address)
    sessions.sign_in(g.installation, identity)
    return redirect(next_path(workspace), 303)


def _again(workspace: str) -> BaseResponse:
    place = url_for("session.login", workspace=workspace, next=request.values.get("next") or None)
    return redirect(place, 303)


def _waiting(page: str, error: TooMany) -> BaseResponse:
    response = make_response(page, error.status)
    response.headers["Retry-After"] = str(error.seconds)
    return response


def _page(identity: Identity, problem: str = "") -> str:
    found = second_factor.factors_of(g.installation, identity.id)
    asked: dict[str, Any] = {
        "title": str(_("Second factor")),
        "email": identity.email,
        "problem": problem,
        "action": f"{base()}/login/second",
        "next": request.values.get("next", ""),
        "app": found.app_since is not None,
        "passkey": passkeys.asking(f"{base()}/login/passkey", _("Use a passkey")) if found.passkeys else None,
        "login_url": f"{base()}/login",
    }
    return render_template("second_step.html", asked=asked, page_title=asked["title"], shell=plain_shell())
