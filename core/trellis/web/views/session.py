"""Signing in and out, choosing a workspace and a language."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from trellis.control import WorkspaceEntry
from trellis.edition import Edition
from trellis.errors import TooMany
from trellis.i18n import translator
from trellis.security.identities import authenticate
from trellis.security.second_factor import factors_of
from trellis.web import language as languages
from trellis.web import passkeys
from trellis.web import session as sessions
from trellis.web.plain import plain_shell
from trellis.web.shell import edition_title

_ = translator("trellis")

blueprint = Blueprint("session", __name__)

_TONES = ("good", "info", "warn", "violet", "teal", "rose")


@blueprint.get("/")
def index() -> str | BaseResponse:
    """The workspaces one may enter; straight to the only one."""
    known = sessions.signed_in(g.installation)
    entries = list(known.memberships) if known else g.installation.workspaces()
    if len(entries) == 1:
        return redirect(f"/{entries[0].name}/")
    cards = [_card(entry, _TONES[index % len(_TONES)]) for index, entry in enumerate(entries)]
    title = str(_("Workspaces"))
    response = make_response(
        render_template("workspaces.html", workspaces=cards, note="", page_title=title, shell=plain_shell())
    )
    return languages.remember(response, request.args.get(languages.ARGUMENT, ""))


@blueprint.get("/<workspace>/login")
def login(workspace: str) -> BaseResponse:
    known = sessions.signed_in(g.installation)
    if known is not None and known.may_enter(workspace) and not request.args.get(languages.ARGUMENT):
        return redirect(next_path(workspace))
    return languages.remember(make_response(login_page()), request.args.get(languages.ARGUMENT, ""))


@blueprint.post("/<workspace>/login")
def sign_in(workspace: str) -> BaseResponse | tuple[str, int]:
    email, password = request.form.get("email", ""), request.form.get("password", "")
    try:
        identity = authenticate(g.installation, workspace, email, password, request.remote_addr or "")
    except TooMany as error:
        response = make_response(login_page(str(error.detail)), error.status)
        response.headers["Retry-After"] = str(error.seconds)
        return response
    if identity is None:
        return login_page(str(_("The address or the password is not right"))), 401
    if factors_of(g.installation, identity.id):
        sessions.half_sign_in(g.installation, identity)
        place = url_for("second_step.show", workspace=workspace, next=request.form.get("next") or None)
        return redirect(place, 303)
    sessions.sign_in(g.installation, identity)
    return redirect(next_path(workspace), 303)


@blueprint.post("/<workspace>/logout")
def logout(workspace: str) -> BaseResponse:
    sessions.sign_out(g.installation)
    return redirect(f"/{workspace}/login", 303)


@blueprint.post("/<workspace>/session/language")
def language(workspace: str) -> BaseResponse:
    """Reads on in another language, in this browser."""
    here = urlsplit(request.referrer or "")
    back = f"{here.path}?{here.query}".rstrip("?") if here.netloc == request.host else ""
    return languages.remember(redirect(safe_path(back, workspace), 303), request.form.get("language", ""))


def safe_path(path: str, workspace: str) -> str:
    """``path`` if it leads into the workspace and nowhere else, or the workspace's home."""
    home = f"/{workspace}/"
    if path == f"/api/v1/{workspace}/docs":
        return path
    plain = path.startswith(home) and "\\" not in path and all(ord(letter) > 32 for letter in path)
    return path if plain and "//" not in path.partition("?")[0] else home


def next_path(workspace: str) -> str:
    """Where the request asks to go on, inside the workspace."""
    return safe_path(request.values.get("next", ""), workspace)


def _card(entry: WorkspaceEntry, tone: str) -> dict[str, str]:
    title = edition_title(_edition(entry.name))
    return {
        "title": entry.title,
        "edition": title,
        "url": f"/{entry.name}/",
        "tone": tone,
        "icon": "building",
    }


def _edition(name: str) -> Edition:
    workspace = g.installation.workspace(name)
    with workspace.read() as opened:
        return workspace.edition(opened)  # type: ignore[no-any-return]


def login_page(problem: str = "") -> str:
    """The page that asks for a mail address and a password."""
    edition = _edition(g.workspace.name)
    context = {
        "action": f"/{g.workspace.name}/login",
        "title": edition.settings.title or g.workspace.name,
        "edition": edition_title(edition),
        "email": request.form.get("email", ""),
        "problem": problem,
        "next": request.values.get("next", ""),
        "hint": "",
        "recover_url": f"/{g.workspace.name}/recover",
        "passkey": passkeys.asking(f"/{g.workspace.name}/login/passkey", _("Sign in with a passkey")),
    }
    return render_template("login.html", login=context, page_title=str(_("Sign in")), shell=plain_shell())
