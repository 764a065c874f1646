"""The catalogue of processes, the versions of one, and what administrators may do with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from flask import g

from trellis.contributions import Process
from trellis.edition import OWN
from trellis.i18n import format_datetime, format_number, translator
from trellis.process import moving, own, versions
from trellis.process.figures import ProcessFigures, figures
from trellis.process.own import OwnProcess
from trellis.process.runs import starting
from trellis.process.tables import ProcessVersion
from trellis.web.display import origin, person
from trellis.web.process_editor import state_of
from trellis.web.process_tasks import in_words, words_of

_ = translator("trellis")

MOST_VERSIONS = 20
_version = ProcessVersion.__table__.c


def catalogue_context(base: str) -> list[dict[str, Any]]:
    """The processes that the reader may know of, with their figures; for administrators the drafts as well."""
    drawn = {row.name: row for row in own.rows_of(g.session)}
    keepers, used = own.keepers(g.session), {one.name for one in starting(g.edition)}
    known = g.edition.all(Process)
    numbers = _numbers(known)
    rows = []
    for name, process in known.items():
        if process.entity is not None and not g.actor.may(process.entity, "read"):
            continue
        view = g.edition.entities.get(process.entity or "")
        rows.append(
            {
                "title": str(process.title),
                "text": str(process.description) if process.description else "",
                "url": f"{base}/processes/{name}",
                "origin": origin(g.edition, process.owner),
                "about": str(view.info.title) if view else "",
                "version": numbers.get(name, ""),
                "keeper": person(*keepers[name]) if name in keepers else None,
                **_state(drawn.get(name), name in used),
                **figures_shown(figures(g.session, name), name),
            }
        )
    drafts = [row for row in drawn.values() if row.name not in known] if g.actor.administrator else []
    return [*rows, *(_draft(row, keepers, base) for row in drafts)]


def _state(row: OwnProcess | None, used: bool) -> dict[str, str]:
    if not used:
        return {"state": str(_("Replaced")), "tone": "neutral"}
    if row is None or not g.actor.administrator:
        return {"state": str(_("In use")), "tone": "good"}
    return state_of(row)


def _draft(row: OwnProcess, keepers: Mapping[str, tuple[str, int]], base: str) -> dict[str, Any]:
    """A process that does not exist in the edition: not published, or left out because it does not fit any more."""
    view = g.edition.entities.get(row.draft["entity"] or "")
    broken = {"state": str(_("Does not fit any more")), "tone": "danger"}
    return {
        "title": row.draft["title"],
        "text": row.draft["description"],
        "url": f"{base}/processes/{row.name}/edit",
        "origin": origin(g.edition, OWN),
        "about": str(view.info.title) if view else "",
        "keeper": person(*keepers[row.name]) if row.name in keepers else None,
        **(state_of(row) if row.published_at is None else broken),
    }


def _numbers(known: Mapping[str, Process]) -> dict[str, int]:
    """The version with which runs begin now, of each process that has begun once or was published."""
    digests = {name: versions.present(g.edition, one).digest for name, one in known.items()}
    rows = g.session.execute(
        sa.select(_version.process, _version.number, _version.digest).where(_version.process.in_(list(known)))
    )
    return {row.process: row.number for row in rows if digests[row.process] == row.digest}


def figures_shown(found: ProcessFigures, process: str) -> dict[str, Any]:
    """How a process does, in words."""
    slowest = found.slowest
    return {
        "running": format_number(found.running),
        "failed": format_number(found.failed) if found.failed else "",
        "done": format_number(found.done),
        "late": format_number(found.late) if found.late else "",
        "cycle": str(in_words(found.cycle.total_seconds())) if found.cycle is not None else "",
        "slowest": str(words_of(process)(slowest.title)) if slowest else "",
        "slowest_time": str(in_words(slowest.usual.total_seconds())) if slowest and slowest.usual else "",
    }


def version_rows(process: Process, base: str) -> list[dict[str, Any]]:
    """The versions of a process, the newest first, with how many runs go on with each."""
    digest, running = versions.present(g.edition, process).digest, moving.counts(g.session, process.name)
    columns = (_version.number, _version.source, _version.created_at, _version.digest)
    query = sa.select(*columns).where(_version.process == process.name).order_by(_version.number.desc())
    may = g.actor.administrator and process.owner == OWN
    return [
        {
            "number": row.number,
            "source": _source(row.source),
            "since": format_datetime(row.created_at),
            "current": row.digest == digest,
            "running": format_number(running.get(row.number, 0)),
            "draft_url": f"{base}/processes/{process.name}/versions/{row.number}/draft"
            if may and row.digest != digest
            else "",
        }
        for row in g.session.execute(query.limit(MOST_VERSIONS))
    ]


def _source(text: str) -> str:
    """Where a version is from: the title of the plugin with its version, for ``retail@0.1.0``."""
    owner, _at, number = text.partition("@")
    mark = origin(g.edition, owner)
    return f"{mark['title'] if mark else _('Core')} {number}".strip()


def acts(process: Process, base: str) -> dict[str, str]:
    """What an administrator may do with a process; nothing for others."""
    if not g.actor.administrator:
        return {}
    url = f"{base}/processes/{process.name}"
    newest = versions.present(g.edition, process).digest
    older = sa.select(_version.number).where(_version.process == process.name, _version.digest != newest)
    running = moving.counts(g.session, process.name)
    return {
        "edit_url": f"{url}/edit" if process.owner == OWN else "",
        "copy_url": "" if process.owner == OWN else f"{url}/copy",
        "download_url": f"{url}/diagram.bpmn",
        "move_url": f"{url}/move" if any(running.get(one) for one in g.session.scalars(older)) else "",
    }
