"""One's own second factor: an app for codes, recovery codes, passkeys."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, jsonify, make_response, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from trellis.control import Identity
from trellis.errors import RecordInvalid, TooMany, TrellisError
from trellis.i18n import translator
from trellis.security import passkeys as keys
from trellis.security import second_factor
from trellis.security.identities import authenticate
from trellis.web import language as languages
from trellis.web import passkeys
from trellis.web.context import lacks_second_factor
from trellis.web.plain import plain_shell
from trellis.web.shell import toast
from trellis.web.views.lists import base, go, messages

_ = translator("trellis")

blueprint = Blueprint("factors", __name__)

Errors = dict[str, list[str]]


@blueprint.before_request
def only_fresh() -> None:
    """Nobody who finds an open browser changes how its owner signs in."""
    g.signed_in.require_fresh(request.path if request.method == "GET" else _back())


def _back() -> str:
    return f"{base()}/profile/second-factor" if lacks_second_factor() else f"{base()}/profile"


@blueprint.get("/<workspace>/profile/second-factor")
def show(workspace: str) -> BaseResponse:
    """Setting up: the app's picture and key, and a field for its first code."""
    return languages.remember(make_response(_setting_up({})), request.args.get(languages.ARGUMENT, ""))


@blueprint.post("/<workspace>/profile/second-factor")
def switch_on(workspace: str) -> str | tuple[str, int]:
    given = request.form
    g.release()  # identities are kept outside the workspace
    try:
        codes = second_factor.switch_on(
            g.installation, g.signed_in.identity_id, g.email, given.get("sealed", ""), given.get("code", "")
        )
    except RecordInvalid as error:
        return _setting_up(messages(error)), 422
    return _codes(codes)


@blueprint.post("/<workspace>/profile/second-factor/codes")
def new_codes(workspace: str) -> BaseResponse | str:
    """Recovery codes in place of the present ones; they are on this page and nowhere else."""
    g.release()
    if not second_factor.factors_of(g.installation, g.signed_in.identity_id):
        return go(f"{base()}/profile")
    return _codes(second_factor.new_codes(g.installation, g.signed_in.identity_id, g.email))


@blueprint.get("/<workspace>/profile/second-factor/off")
def ask_off(workspace: str) -> str:
    return _off({})


@blueprint.post("/<workspace>/profile/second-factor/off")
def switch_off(workspace: str) -> BaseResponse | tuple[str, int]:
    given, address = request.form, request.remote_addr or ""
    g.release()
    try:
        identity = authenticate(g.installation, None, g.email, given.get("password", ""), address)
        if identity is None or identity.id != g.signed_in.identity_id:
            raise RecordInvalid({"password": [_("The password is not right")]})
        if not second_factor.prove(g.installation, identity, given.get("code", ""), address):
            raise RecordInvalid({"code": [_("This code is not right, or was used before")]})
    except TooMany as error:
        return _off({"password": [str(error.detail)]}), error.status
    except RecordInvalid as error:
        return _off(messages(error)), 422
    second_factor.switch_off(g.installation, identity.id, identity.email)
    toast(_("The app is switched off"))
    return go(f"{base()}/profile")


@blueprint.post("/<workspace>/profile/passkeys/options")
def ask_passkey(workspace: str) -> BaseResponse:
    return jsonify(passkeys.ask_new(g.signed_in.identity_id, g.email))


@blueprint.post("/<workspace>/profile/passkeys")
def add_passkey(workspace: str) -> BaseResponse | str | tuple[str, int]:
    g.release()
    try:
        codes = passkeys.add(_identity())
    except TrellisError as error:
        return _setting_up({"passkey": [text for found in messages(error).values() for text in found]}), 422
    if codes:
        return _codes(codes)
    toast(_("The passkey is added"))
    return go(f"{base()}/profile")


@blueprint.post("/<workspace>/profile/passkeys/<int:number>/remove")
def remove_passkey(workspace: str, number: int) -> BaseResponse:
    g.release()
    name = keys.remove(g.installation, g.signed_in.identity_id, g.email, number)
    toast(_("The passkey “%(name)s” opens nothing any more", name=name))
    return go(f"{base()}/profile")


def _identity() -> Identity:
    with g.installation.control.read() as control:
        found = control.get_one(Identity, g.signed_in.identity_id)
        control.expunge_all()
        return found  # type: ignore[no-any-return]


def _setting_up(errors: Errors) -> str:
    draft = _draft(request.form.get("sealed", ""))
    setup: dict[str, Any] = {
        "title": str(_("Second factor")),
        "email": g.email,
        "required": lacks_second_factor(),
        "action": f"{base()}/profile/second-factor",
        "key": " ".join(draft.secret[start : start + 4] for start in range(0, len(draft.secret), 4)),
        "picture": _picture(draft.address),
        "sealed": draft.sealed,
        "errors": errors,
        "passkey": passkeys.asking(f"{base()}/profile/passkeys", _("Add a passkey"), new=True),
        "back_url": f"{base()}/profile",
        "logout_url": f"{base()}/logout",
    }
    return render_template("second_factor.html", setup=setup, page_title=setup["title"], shell=plain_shell())


def _draft(sealed: str) -> second_factor.Draft:
    """The secret that was shown before, so that a wrong code does not ask for the picture again; else a new one."""
    try:
        return second_factor.draft_again(g.installation, g.signed_in.identity_id, g.email, sealed)
    except RecordInvalid:
        return second_factor.draft(g.installation, g.signed_in.identity_id, g.email)


def _picture(address: str) -> str:
    """The QR code of an address, as SVG."""
    import segno

    found = segno.make(address, error="m", micro=False)
    title = str(_("QR code for the app"))
    return str(found.svg_inline(scale=4, border=3, dark="#000", light="#fff", title=title, svgclass="qr"))


def _codes(codes: list[str]) -> str:
    kept = {"title": str(_("Recovery codes")), "codes": codes, "back_url": f"{base()}/profile"}
    return render_template("recovery_codes.html", kept=kept, page_title=kept["title"], shell=plain_shell())


def _off(errors: Errors) -> str:
    asked = {
        "title": str(_("Switch off the app for codes")),
        "email": g.email,
        "action": f"{base()}/profile/second-factor/off",
        "errors": errors,
        "back_url": f"{base()}/profile",
    }
    return render_template(
        "second_factor_off.html", asked=asked, page_title=asked["title"], shell=plain_shell()
    )
