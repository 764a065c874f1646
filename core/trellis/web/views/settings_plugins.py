"""Settings: verticals and capabilities, from preview to purge (ED2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, abort, g, render_template, request, send_from_directory
from werkzeug.wrappers import Response as BaseResponse

from trellis import enabling
from trellis.contributions import Direction, Level
from trellis.enabling import Added, PluginInfo, Preview
from trellis.errors import Conflict, TrellisError
from trellis.i18n import Text, format_datetime, format_number, plural_translator, translator
from trellis.security.actor import Actor
from trellis.uploads import size_text
from trellis.web.overlay import overlay
from trellis.web.shell import shell, toast
from trellis.web.views.lists import base, go
from trellis.web.views.settings import only_administrators, settings_page
from trellis.workspace import Workspace

_ = translator("trellis")
_n = plural_translator("trellis")

blueprint = Blueprint("settings_plugins", __name__)
blueprint.before_request(only_administrators)

STATES: dict[str, tuple[Text, str, str]] = {
    "enabled": (_("Enabled"), "good", "check"),
    "available": (_("Available"), "neutral", ""),
    "disabled": (_("Disabled, data kept"), "neutral", "archive"),
    "upgradable": (_("Upgrade ready"), "info", "arrow-up"),
    "quarantined": (_("Quarantined"), "danger", "shield-alert"),
    "missing": (_("Package is gone"), "warn", "unplug"),
    "broken": (_("Cannot be loaded"), "danger", "shield-alert"),
}
COUNTS: dict[str, Callable[[int], Text]] = {
    "entity": lambda number: _n("%(num)s entity", "%(num)s entities", number),
    "field": lambda number: _n("%(num)s field", "%(num)s fields", number),
    "segment": lambda number: _n("%(num)s segment", "%(num)s segments", number),
    "kpi": lambda number: _n("%(num)s KPI", "%(num)s KPIs", number),
}
KIND_TITLES: dict[str, Text] = {
    "entity": _("entities"),
    "field": _("fields"),
    "lifecycle": _("lifecycles"),
    "segment": _("segments"),
    "kpi": _("KPIs"),
    "income_source": _("income sources"),
    "process": _("processes"),
    "template": _("templates"),
    "script": _("scripts"),
    "instruction": _("instructions"),
    "dashboard": _("dashboards"),
    "report": _("reports"),
    "role": _("roles"),
    "notification_kind": _("kinds of notifications"),
    "menu_item": _("menu items"),
    "panel": _("panels"),
    "page": _("pages"),
    "rest_endpoint": _("REST calls"),
    "channel": _("channels"),
    "import_mapping": _("import mappings"),
    "demo": _("demo data"),
}


@blueprint.get("/<workspace>/settings/plugins")
def show(workspace: str) -> str:
    everything = enabling.overview(g.workspace)
    shown = request.args.get("show", "")
    groups: dict[str, Callable[[PluginInfo], bool]] = {
        "": lambda info: True,
        "enabled": lambda info: info.state in ("enabled", "upgradable"),
        "available": lambda info: info.state in ("available", "disabled"),
        "attention": lambda info: (
            info.state in ("quarantined", "missing", "broken", "upgradable") or bool(info.faults)
        ),
    }
    titles = {
        "": _("All"),
        "enabled": _("Enabled"),
        "available": _("Available"),
        "attention": _("Needs attention"),
    }
    url = f"{base()}/settings/plugins"
    filters = [
        {
            "title": f"{title} {sum(map(groups[key], everything))}",
            "url": f"{url}?show={key}" if key else url,
            "current": key == shown,
        }
        for key, title in titles.items()
    ]
    keep = groups.get(shown, groups[""])
    context = {
        "title": str(_("Verticals")),
        "intro": str(
            _(
                "An industry edition is the core plus the verticals you enable here. "
                "Changes apply to this workspace at once; nobody needs to sign in again."
            )
        ),
        "filters": filters,
        "cards": [_card(info, url) for info in everything if keep(info)],
        "archives": _kept(),
        "own_url": "",
        "guide_url": "",
    }
    return settings_page("settings/plugins.html", "plugins", _("Verticals"), plugins=context)


@blueprint.get("/<workspace>/settings/plugins/<name>/preview")
def preview(workspace: str, name: str) -> str:
    return _drawer(enabling.preview(g.workspace, name))


@blueprint.post("/<workspace>/settings/plugins/<name>/enable")
def enable(workspace: str, name: str) -> BaseResponse | tuple[str, int]:
    g.release()
    try:
        done = enabling.enable(g.workspace, name, g.actor)
    except TrellisError as error:
        return _drawer(enabling.preview(g.workspace, name), str(error)), 409
    toast(_("%(plugin)s is enabled", plugin=done.manifest.title))
    return go(f"{base()}/settings/plugins")


@blueprint.post("/<workspace>/settings/plugins/<name>/disable")
def disable(workspace: str, name: str) -> BaseResponse:
    return _changed(
        enabling.disable, name, _("Disabled. All data is kept and comes back when you enable it again")
    )


@blueprint.post("/<workspace>/settings/plugins/<name>/release")
def release(workspace: str, name: str) -> BaseResponse:
    return _changed(enabling.let_out, name, _("Released from quarantine"))


def _changed(act: Callable[[Workspace, str, Actor], None], name: str, done: Text) -> BaseResponse:
    """Does something to a plugin, and says so, or why not."""
    g.release()
    try:
        act(g.workspace, name, g.actor)
        toast(done)
    except Conflict as error:
        toast(str(error))
    return go(f"{base()}/settings/plugins")


@blueprint.get("/<workspace>/settings/plugins/<name>/purge")
def confirm_purge(workspace: str, name: str) -> str:
    return _purge(name, "")


@blueprint.post("/<workspace>/settings/plugins/<name>/purge")
def purge(workspace: str, name: str) -> BaseResponse | tuple[str, int]:
    if request.form.get("name", "").strip() != name:
        return _purge(name, str(_("Type the name exactly as it stands above"))), 422
    g.release()
    file = _archive(name)
    enabling.purge(g.workspace, name, file, g.actor)
    toast(_("Purged. The archive is %(file)s", file=file.name))
    return go(f"{base()}/settings/plugins")


@blueprint.get("/<workspace>/settings/plugins/archives/<file>")
def archive(workspace: str, file: str) -> Response:
    return send_from_directory(_archives().resolve(), file, as_attachment=True)


@blueprint.get("/<workspace>/settings/plugins/<name>/faults")
def faults(workspace: str, name: str) -> str:
    info = next((one for one in enabling.overview(g.workspace) if one.name == name), None)
    if info is None:
        abort(404)
    lines = [
        f"{one.hook} · {format_datetime(one.first_at)} – {format_datetime(one.last_at)} · ×{one.count}\n{one.message}\n{one.trace}"
        for one in info.faults
    ]
    text = "\n".join(lines) or info.problem or ""
    return render_template("settings/plugin_faults.html", title=info.title, text=text, shell=shell())


def _archives() -> Path:
    folder: Path = g.installation.archives(g.workspace.name)
    return folder


def _kept() -> list[dict[str, str]]:
    """The archives of this workspace, the newest first."""
    files = sorted(_archives().glob("*.zip"), key=lambda one: one.stat().st_mtime, reverse=True)
    return [
        {
            "name": one.name,
            "url": f"{base()}/settings/plugins/archives/{one.name}",
            "size": str(size_text(one.stat().st_size)),
            "made": format_datetime(datetime.fromtimestamp(one.stat().st_mtime, UTC)),
        }
        for one in files
    ]


def _archive(name: str) -> Path:
    """Where a purge writes what it deletes: never over the archive of an earlier one, which nothing else has."""
    folder = _archives()
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{name}-{datetime.now(UTC):%Y-%m-%d}"
    names = (f"{stem}-{number}.zip" if number > 1 else f"{stem}.zip" for number in count(1))
    return next(folder / one for one in names if not (folder / one).exists())


def _card(info: PluginInfo, url: str) -> dict[str, Any]:
    state, tone, icon = STATES[info.state]
    manifest = info.manifest
    text = str(manifest.summary or "") if manifest else ""
    if info.problem:
        text = info.problem
    elif info.state == "quarantined":
        last = max(info.faults, key=lambda one: one.recent, default=None)
        text = str(
            _(
                "It failed again and again in the hook %(hook)s, last %(when)s: “%(message)s”. It is left out until you "
                "release it; its data is kept.",
                hook=last.hook if last else "-",
                when=format_datetime(last.last_at, inside=True) if last else "-",
                message=last.message if last else "-",
            )
        )
    elif info.faults and info.state in ("enabled", "upgradable"):
        first = min(info.faults, key=lambda one: one.first_at)
        text = str(
            _(
                "%(count)s errors in the hook %(hook)s, first %(when)s: “%(message)s”. The rest of the workspace is not affected.",
                count=format_number(sum(one.count for one in info.faults)),
                hook=first.hook,
                when=format_datetime(first.first_at, inside=True),
                message=first.message,
            )
        )
    return {
        "name": info.name,
        "title": info.title,
        "version": info.version,
        "icon": manifest.icon if manifest else "unplug",
        "tone": manifest.tone if manifest else "neutral",
        "state": {"text": str(state), "tone": tone, "icon": icon},
        "faulty": bool(info.faults) or info.state in ("quarantined", "broken"),
        "text": text,
        "foot": _counts(info),
        "acts": _acts(info, f"{url}/{info.name}"),
        "menu": [],
        "open": False,
    }


def _counts(info: PluginInfo) -> str:
    if info.counts:
        return " · ".join(
            str(count(info.counts[kind])) for kind, count in COUNTS.items() if info.counts.get(kind)
        )
    if info.manifest and info.manifest.core:
        return str(_("Needs core %(range)s", range=info.manifest.core))
    return ""


def _acts(info: PluginInfo, url: str) -> list[dict[str, Any]]:
    acts: list[dict[str, Any]] = []
    if info.faults or info.state == "broken":
        acts.append({"title": str(_("Error log")), "url": f"{url}/faults", "kind": "ghost", "overlay": True})
    if info.state in ("available", "disabled"):
        acts.append({"title": str(_("Preview")), "url": f"{url}/preview", "kind": "soft", "overlay": True})
    if info.state == "disabled" or (info.state == "missing"):
        acts.append({"title": str(_("Purge")), "url": f"{url}/purge", "kind": "danger", "overlay": True})
    if info.state == "quarantined":
        acts.append({"title": str(_("Release")), "url": f"{url}/release", "kind": "soft", "method": "post"})
    if info.state in ("enabled", "upgradable", "quarantined", "missing"):
        acts.append({"title": str(_("Disable")), "url": f"{url}/disable", "kind": "", "method": "post"})
    return acts


def _drawer(found: Preview, problem: str = "") -> str:
    manifest = found.manifest
    context = {
        "name": manifest.name,
        "title": str(_("Enabling %(plugin)s will add", plugin=manifest.title)),
        "sub": str(
            _(
                "Version %(version)s to %(workspace)s",
                version=manifest.version,
                workspace=g.edition.settings.title,
            )
        ),
        "icon": manifest.icon,
        "tone": manifest.tone,
        "adds": _adds(found.added),
        "kept": {
            "title": str(_("Nothing is removed or changed.")),
            "text": str(_("Disable it any day: data is kept and comes back when you enable it again.")),
        },
        "cells": _places(found.added),
        "cells_text": str(_("Directions and levels that it serves")),
        "checks": _checks(found),
        "possible": not found.problems,
        "verb": str(_("Enable %(plugin)s", plugin=manifest.title)),
        "action": f"{base()}/settings/plugins/{manifest.name}/enable",
        "demo": False,
        "problem": problem,
    }
    return render_template("settings/plugin_preview.html", preview=context, shell=shell())


def _adds(added: tuple[Added, ...]) -> list[dict[str, Any]]:
    counted = Counter(one.kind for one in added)
    rows = []
    for kind in [kind for kind in KIND_TITLES if counted[kind]]:
        names = [one.title for one in added if one.kind == kind]
        examples = ", ".join(names[:3])
        if len(names) > 3:
            examples = str(
                _n("%(first)s and %(num)s more", "%(first)s and %(num)s more", len(names) - 3, first=examples)
            )
        rows.append(
            {"count": len(names), "kind": str(KIND_TITLES[kind]), "examples": examples, "names": names}
        )
    return rows


def _places(added: tuple[Added, ...]) -> list[list[int]]:
    counted = Counter(one.cell for one in added if one.cell)
    return [[min(2, counted[(d.value, le.value)]) for le in Level] for d in Direction]


def _checks(found: Preview) -> list[dict[str, str]]:
    checks = [{"text": str(problem), "tone": "danger", "icon": "circle-x"} for problem in found.problems]
    if not checks:
        checks.append(
            {"text": str(_("Requirements met, no clashes of names")), "tone": "good", "icon": "check"}
        )
    if found.tables:
        tables = _n("%(num)s new table", "%(num)s new tables", len(found.tables))
        checks.append({"text": str(tables), "tone": "", "icon": "database"})
    return [
        *checks,
        {"text": str(_("All or nothing: a failure leaves it as it was")), "tone": "", "icon": "rotate-ccw"},
    ]


def _purge(name: str, problem: str) -> str:
    info = next((one for one in enabling.overview(g.workspace) if one.name == name), None)
    if info is None:
        abort(404)
    context = {
        "title": info.title,
        "name": name,
        "text": str(_("Its tables, and the values of its fields in all records, will be deleted for good.")),
        "export_note": str(
            _("Everything is written to the archive %(file)s first.", file=_archive(name).name)
        ),
        "action": f"{base()}/settings/plugins/{name}/purge",
        "problem": problem,
    }
    return overlay("settings/plugin_purge.html", info.title, purge=context)
