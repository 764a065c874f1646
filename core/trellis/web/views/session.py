"""Signing in and out, choosing a workspace and a language."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, g, make_response, redirect, render_template, request, session
from werkzeug.wrappers import Response as BaseResponse

from trellis.control import Identity, workspaces_of
from trellis.i18n import LANGUAGES, current_language, translator
from trellis.security.identities import authenticate
from trellis.web.shell import edition_title

_ = translator("trellis")

blueprint = Blueprint("session", __name__)
YEAR = 365 * 24 * 3600


@blueprint.get("/")
def index() -> str | BaseResponse:
    """The workspaces one may enter; straight to the only one."""
    everything = g.installation.workspaces()
    with g.installation.control.read() as control:
        identity = control.get(Identity, session.get("identity", 0))
        mine = [one.name for one in workspaces_of(control, identity)] if identity else None
    shown = [one for one in everything if mine is None or one.name in mine] or everything
    if len(shown) == 1:
        return redirect(f"/{shown[0].name}/")
    cards = [
        {"title": one.title, "edition": _edition(one.name), "url": f"/{one.name}/", "tone": tone, "icon": "building-2"}
        for one, tone in zip(shown, ["good", "info", "warn", "violet", "teal", "rose"] * len(shown), strict=False)
    ]
    return render_template("workspaces.html", workspaces=cards, note="", page_title=str(_("Workspaces")), shell=bare_shell())


@blueprint.get("/<workspace>/login")
def login(workspace: str) -> BaseResponse:
    response = make_response(_page(""))
    return _keep_language(response, request.args.get("lang", ""))


@blueprint.post("/<workspace>/login")
def sign_in(workspace: str) -> BaseResponse | tuple[str, int]:
    email, password = request.form.get("email", ""), request.form.get("password", "")
    identity = authenticate(g.installation, workspace, email, password)
    if identity is None:
        return _page(str(_("The address or the password is not right"))), 401
    session.clear()  # a session of before signing in must not live on
    session.permanent = True
    session["identity"], session["uniquifier"] = identity.id, identity.uniquifier
    return redirect(_safe(request.form.get("next", ""), workspace))


@blueprint.post("/<workspace>/logout")
def logout(workspace: str) -> BaseResponse:
    session.clear()
    return redirect(f"/{workspace}/login")


@blueprint.post("/<workspace>/session/language")
def language(workspace: str) -> BaseResponse:
    chosen = request.form.get("language", "")
    here = urlsplit(request.referrer or "")
    return _keep_language(redirect(_safe(f"{here.path}?{here.query}".rstrip("?"), workspace)), chosen)


def _keep_language(response: BaseResponse, chosen: str) -> BaseResponse:
    if chosen in LANGUAGES:
        response.set_cookie("language", chosen, max_age=YEAR, samesite="Lax", secure=request.is_secure)
    return response


def _safe(url: str, workspace: str) -> str:
    """Only pages of this workspace: an address from outside must not lead elsewhere."""
    return url if url.startswith(f"/{workspace}/") and "\\" not in url and "//" not in url else f"/{workspace}/"


def _edition(name: str) -> str:
    workspace = g.installation.workspace(name)
    with workspace.read() as opened:
        return edition_title(workspace.edition(opened))


def bare_shell() -> dict[str, object]:
    """The frame of pages outside a workspace."""
    theme = request.cookies.get("theme", "")
    other, title = ("en", "English") if current_language() == "ru" else ("ru", "Русский")
    return {
        "base": "",
        "language": current_language(),
        "theme": theme if theme in ("light", "dark") else "",
        "csrf_token": g.csrf_token,
        "toasts": [],
        "workspace": None,
        "other_language": {"code": other, "title": title, "url": f"?lang={other}"},
    }


def _page(problem: str) -> str:
    with g.workspace.read() as opened:
        edition = g.workspace.edition(opened)
    context = {
        "action": f"/{g.workspace.name}/login",
        "title": edition.settings.title or g.workspace.name,
        "edition": edition_title(edition),
        "email": request.form.get("email", ""),
        "problem": problem,
        "next": request.values.get("next", ""),
        "hint": "",
    }
    return render_template("login.html", login=context, page_title=str(_("Sign in")), shell=bare_shell())

