"""Settings: backups of the workspace, and copies of it for trying things."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flask import Blueprint, g, request
from werkzeug.wrappers import Response as BaseResponse

from trellis.backup import BackupInvalid
from trellis.backup.jobs import (
    BACKUP,
    COPY,
    RESTORE,
    Sent,
    ask_backup,
    ask_copy,
    ask_restore,
    find_sent,
    keep_sent,
)
from trellis.errors import Conflict, RecordInvalid
from trellis.i18n import format_datetime, format_number, plural_translator, translator
from trellis.jobs import queue
from trellis.security.identities import list_users
from trellis.uploads import MB, check_content, most, too_large
from trellis.web.uploads import accept, limits, refusal
from trellis.web.views.jobs import job_contexts
from trellis.web.views.lists import base, go, messages, sentences
from trellis.web.views.settings import only_administrators, settings_page

_ = translator("trellis")
_n = plural_translator("trellis")

blueprint = Blueprint("settings_backup", __name__)
blueprint.before_request(only_administrators)
accept(blueprint, "backup")

LATEST = 10


@blueprint.get("/<workspace>/settings/backup")
def show(workspace: str) -> str:
    return _page(_copied(), {})


@blueprint.post("/<workspace>/settings/backup")
def make(workspace: str) -> BaseResponse:
    return go(f"{base()}/jobs/{ask_backup(g.session, g.actor)}")


@blueprint.post("/<workspace>/settings/backup/copy")
def copy(workspace: str) -> BaseResponse | tuple[str, int]:
    given = {name: request.form.get(name, "").strip() for name in ("name", "title")}
    try:
        job_id = ask_copy(g.installation, g.session, g.actor, given["name"], given["title"])
    except RecordInvalid as error:
        return _page(given, messages(error)), 422
    except Conflict as error:
        return _page(given, {"name": [str(error)]}), 422
    return go(f"{base()}/jobs/{job_id}")


@blueprint.get("/<workspace>/settings/backup/restore")
def begin(workspace: str) -> str:
    """Where the form is, for whoever comes back because a file was too large."""
    return _page(_copied(), {"file": refusal()})


@blueprint.post("/<workspace>/settings/backup/restore")
def send(workspace: str) -> BaseResponse | tuple[str, int]:
    file = request.files.get("file")
    if file is None or not file.filename:
        return _page(_copied(), {"file": [str(_("Choose a file"))]}), 422
    with TemporaryDirectory(prefix="trellis-restore-") as folder:
        path = Path(folder) / "workspace.zip"
        file.save(path)
        try:
            check_content(path, file.filename)
            token = keep_sent(g.installation, g.session, g.actor, path)
        except (BackupInvalid, RecordInvalid) as error:
            return _page(_copied(), {"file": sentences(error)}), 422
    return go(f"{base()}/settings/backup/restore/{token}")


@blueprint.get("/<workspace>/settings/backup/restore/<token>")
def check(workspace: str, token: str) -> str:
    """What is in the backup, and how it becomes a workspace."""
    sent = find_sent(g.session, g.actor, token)
    given = {"name": f"{sent.manifest.workspace}-restored"[:40], "title": sent.manifest.title}
    return _check_page(sent, given, {})


@blueprint.post("/<workspace>/settings/backup/restore/<token>")
def restore(workspace: str, token: str) -> BaseResponse | tuple[str, int]:
    sent = find_sent(g.session, g.actor, token)
    given = {name: request.form.get(name, "").strip() for name in ("name", "title", "enter", "people")}
    emails = _colleagues() if given["people"] else set()
    emails = emails | {g.email} if given["enter"] == "as_saved" else emails - {g.email}
    administrator = g.email if given["enter"] == "administrator" else ""
    asked = (token, given["name"], given["title"], emails, administrator)
    try:
        job_id = ask_restore(g.installation, g.session, g.actor, *asked)
    except (RecordInvalid, Conflict) as error:
        found = messages(error)
        return _check_page(sent, given, {"name": found.get("name") or sentences(error)}), 422
    return go(f"{base()}/jobs/{job_id}")


def _colleagues() -> set[str]:
    """The mail addresses of those who sign in to this workspace."""
    return {one.email for one in list_users(g.installation, g.workspace) if one.signs_in}


def _check_page(sent: Sent, given: dict[str, str], errors: dict[str, list[str]]) -> str:
    known = g.email in sent.emails
    chosen = given.get("enter") or ("as_saved" if known else "nobody")
    choices = [
        ("as_saved", _("With the rights that the backup gives you"), _("Your mail address is in it")),
        ("administrator", _("As an administrator"), _("Whatever the backup says of you")),
        ("nobody", _("Not at all"), _("Whoever runs the server can let people in")),
    ]
    others = len((_colleagues() & sent.emails) - {g.email})
    manifest = sent.manifest
    shown = {
        "action": f"{base()}/settings/backup/restore/{sent.token}",
        "cancel_url": f"{base()}/settings/backup",
        "facts": [
            (str(_("Workspace")), f"{manifest.title} ({manifest.workspace})"),
            (str(_("Made")), format_datetime(manifest.made_at)),
            (
                str(_("Plugins")),
                ", ".join(f"{name} {number}" for name, number in manifest.plugins.items()) or "–",
            ),
        ],
        "rows": _rows(sent),
        "fields": _name_fields(given, errors),
        "choices": [
            {"value": value, "title": str(title), "help": str(help_), "chosen": value == chosen}
            for value, title, help_ in choices
            if known or value != "as_saved"
        ],
        "people": str(
            _n(
                "Let in %(num)s other person of this workspace",
                "Let in %(num)s other people of this workspace",
                others,
            )
        )
        if others
        else "",
        "people_chosen": bool(given.get("people")),
    }
    return settings_page("settings/restore.html", "backup", _("Workspace from a backup"), restore=shown)


def _rows(sent: Sent) -> list[tuple[str, str]]:
    """How many records of each entity the backup has, those with most first."""
    titles = {view.entity.__tablename__: str(view.info.plural) for view in g.edition.entities.values()}
    counts = sorted(sent.manifest.tables.items(), key=lambda one: -one[1])
    return [(titles[name], format_number(count)) for name, count in counts if count and name in titles]


def _copied() -> dict[str, str]:
    return {"name": f"{g.workspace.name}-copy"[:40], "title": _copy_title()}


def _copy_title() -> str:
    settings = g.edition.settings
    return str(_("%(title)s (copy)", title=settings.title or g.workspace.name))


def _page(given: dict[str, str], errors: dict[str, list[str]]) -> str:
    rows = queue.latest(g.session, g.actor, LATEST, kinds=(BACKUP, COPY, RESTORE))
    largest = limits().backup
    backup = {
        "url": f"{base()}/settings/backup",
        "fields": _name_fields(given, errors),
        "latest": job_contexts(rows),
        "command": f"trellis workspace restore NAME {g.workspace.name}.zip",
        "file": {
            "largest": largest * MB,
            "help": str(most(largest)),
            "too_large": str(too_large(largest)),
            "problems": errors.get("file", []),
        },
    }
    return settings_page("settings/backup.html", "backup", _("Backup and copies"), backup=backup)


def _name_fields(given: dict[str, str], errors: dict[str, list[str]]) -> list[dict[str, Any]]:
    return [
        {
            "id": name,
            "name": name,
            "label": str(label),
            "kind": "text",
            "value": given[name],
            "required": True,
            "errors": errors.get(name, []),
            "help": str(help_),
        }
        for name, label, help_ in (
            ("name", _("Name in the address"), _("Small latin letters, digits, - and _")),
            ("title", _("Name that people see"), ""),
        )
    ]
