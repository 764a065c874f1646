"""The ways in and out: choosing a workspace, signing in and out, choosing a language."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, g, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from trellis.control import WorkspaceEntry
from trellis.i18n import LANGUAGES, translator
from trellis.security.identities import authenticate
from trellis.web import session as sessions
from trellis.web.plain import plain_shell
from trellis.web.work import installation

_ = translator("trellis")

blueprint = Blueprint("entrance", __name__)


@blueprint.get("/")
def workspaces() -> str | Response:
    """The workspaces one may enter, or the only one."""
    known = sessions.signed_in(installation())
    entries = list(known.memberships) if known else installation().workspaces()
    if len(entries) == 1:
        return redirect(f"/{entries[0].name}/")
    cards = [_card(entry) for entry in entries]
    return render_template(
        "workspaces.html", workspaces=cards, note="", page_title=str(_("Workspaces")), shell=plain_shell()
    )


def _card(entry: WorkspaceEntry) -> dict[str, str]:
    return {"title": entry.title, "edition": "", "url": f"/{entry.name}/", "tone": "info", "icon": "layout-grid"}


@blueprint.get("/<workspace>/login")
def login(workspace: str) -> str | Response:
    known = sessions.signed_in(installation())
    if known is not None and known.may_enter(workspace):
        return redirect(_next(workspace))
    return _form(workspace)


@blueprint.post("/<workspace>/login")
def enter(workspace: str) -> tuple[str, int] | Response:
    sessions.require_csrf()
    identity = authenticate(
        installation(), workspace, request.form.get("email", ""), request.form.get("password", "")
    )
    if identity is None:
        return _form(workspace, _("The mail address or the password is not right.")), 422
    sessions.sign_in(identity)
    return redirect(_next(workspace), 303)


@blueprint.post("/<workspace>/logout")
def logout(workspace: str) -> Response:
    sessions.require_csrf()
    sessions.sign_out()
    return redirect(url_for("entrance.login", workspace=workspace), 303)


@blueprint.post("/<workspace>/session/language")
def language(workspace: str) -> Response:
    """Reads on in another language, on this browser."""
    sessions.require_csrf()
    if request.form.get("language") in LANGUAGES:
        session["language"] = request.form["language"]
    came_from = urlsplit(request.referrer or "")
    inside = came_from.netloc == request.host
    return redirect(safe_path(came_from.path if inside else "", workspace), 303)


def safe_path(path: str, workspace: str) -> str:
    """``path`` if it leads into the workspace and nowhere else, or the workspace's home."""
    home = f"/{workspace}/"
    try:
        parts = urlsplit(path)
    except ValueError:
        return home
    plain = not (parts.scheme or parts.netloc or "\\" in path or any(ord(letter) < 33 for letter in path))
    return path if plain and path.startswith(home) and "//" not in parts.path else home


def _next(workspace: str) -> str:
    return safe_path(request.values.get("next", ""), workspace)


def _form(workspace: str, problem: object = "") -> str:
    settings = g.edition.settings
    form = {
        "action": url_for("entrance.enter", workspace=workspace),
        "title": settings.title or workspace,
        "edition": "",
        "email": request.form.get("email", ""),
        "problem": str(problem),
        "next": request.values.get("next", ""),
        "hint": "",
    }
    return render_template("login.html", login=form, page_title=str(_("Sign in")), shell=plain_shell())
