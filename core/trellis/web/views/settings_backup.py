"""Settings: backups of the workspace, and copies of it for trying things."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, request
from werkzeug.wrappers import Response as BaseResponse

from trellis.backup.jobs import BACKUP, COPY, ask_backup, ask_copy
from trellis.errors import Conflict, RecordInvalid
from trellis.i18n import translator
from trellis.jobs import queue
from trellis.web.views.jobs import job_contexts
from trellis.web.views.lists import base, go, messages
from trellis.web.views.settings import only_administrators, settings_page

_ = translator("trellis")

blueprint = Blueprint("settings_backup", __name__)
blueprint.before_request(only_administrators)

LATEST = 10


@blueprint.get("/<workspace>/settings/backup")
def show(workspace: str) -> str:
    given = {"name": f"{workspace}-copy"[:40], "title": _copy_title()}
    return _page(given, {})


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


def _copy_title() -> str:
    settings = g.edition.settings
    return str(_("%(title)s (copy)", title=settings.title or g.workspace.name))


def _page(given: dict[str, str], errors: dict[str, list[str]]) -> str:
    fields: list[dict[str, Any]] = [
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
    rows = queue.latest(g.session, g.actor, LATEST, kinds=(BACKUP, COPY))
    backup = {
        "url": f"{base()}/settings/backup",
        "fields": fields,
        "latest": job_contexts(rows),
        "command": f"trellis workspace restore NAME {g.workspace.name}.zip",
    }
    return settings_page("settings/backup.html", "backup", _("Backup and copies"), backup=backup)
