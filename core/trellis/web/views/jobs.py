"""Background jobs: how far one is, what it made, and the queue of the workspace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, Response, abort, g, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from trellis import files
from trellis.i18n import Text, format_datetime, format_number, translator
from trellis.job_kinds import JOB_KINDS
from trellis.jobs import ask_to_stop, queue, retry
from trellis.jobs.job import FAILED, STOPPED, UNFINISHED
from trellis.records.importer import runs
from trellis.security.people import User
from trellis.uploads import size_text
from trellis.web.display import person
from trellis.web.shell import page, shell
from trellis.web.views.lists import base, go, whole_number
from trellis.web.views.settings import only_administrators, settings_page

_ = translator("trellis")

blueprint = Blueprint("jobs", __name__)

PER_PAGE = 50
STATES: Mapping[str, tuple[Text, str]] = {
    "waiting": (_("Waiting"), "info"),
    "running": (_("Running"), "info"),
    "stopping": (_("Being stopped"), "warn"),
    "done": (_("Done"), "good"),
    "failed": (_("Failed"), "danger"),
    "stopped": (_("Stopped"), "neutral"),
}


@blueprint.get("/<workspace>/settings/jobs")
def show(workspace: str) -> str:
    """The queue of the workspace, the newest jobs first."""
    only_administrators()
    before = whole_number(request.args.get("before", ""))
    rows = queue.latest(g.session, g.actor, PER_PAGE + 1, before)
    names = dict(
        g.session.execute(
            sa.select(User.id, User.name).where(User.id.in_({row.user_id for row in rows if row.user_id}))
        ).all()
    )
    shown = [
        {
            **job,
            "person": person(names[row.user_id], row.user_id) if row.user_id in names else None,
        }
        for row, job in zip(rows, job_contexts(rows[:PER_PAGE]), strict=False)
    ]
    older = f"{base()}/settings/jobs?before={rows[PER_PAGE - 1].id}" if len(rows) > PER_PAGE else ""
    late = queue.overdue(g.session)
    return settings_page(
        "jobs/list.html", "jobs", _("Background jobs"), jobs={"rows": shown, "older_url": older, "late": late}
    )


@blueprint.get("/<workspace>/jobs/<int:job_id>")
def one(workspace: str, job_id: int) -> str | BaseResponse:
    row = queue.find(g.session, g.actor, job_id)
    if row.kind == runs.KIND:
        return go(f"{base()}/imports/{row.arguments['run']}")
    (job,) = job_contexts([row])
    return page("jobs/job.html", title=job["title"], icon="loader", job=job)


@blueprint.get("/<workspace>/jobs/<int:job_id>/progress")
def progress(workspace: str, job_id: int) -> str:
    (job,) = job_contexts([queue.find(g.session, g.actor, job_id)])
    return render_template("jobs/progress.html", job=job, shell=shell())


@blueprint.get("/<workspace>/jobs/<int:job_id>/file")
def file(workspace: str, job_id: int) -> Response:
    """What a job made."""
    row = queue.find(g.session, g.actor, job_id)
    if row.kind in JOB_KINDS and JOB_KINDS[row.kind].for_administrators:
        g.actor.require_administrator()
    name = row.result.get("file", "")
    if not files.sizes(g.session, [name]):
        abort(404)
    workspace_ = g.workspace

    def pieces() -> Any:
        with workspace_.read() as session:
            yield from files.content(session, name)

    headers = {"Content-Disposition": files.saved_as(row.result["filename"])}
    return Response(pieces(), content_type="application/octet-stream", headers=headers)


@blueprint.post("/<workspace>/jobs/<int:job_id>/stop")
def stop(workspace: str, job_id: int) -> BaseResponse:
    ask_to_stop(g.session, g.actor, job_id)
    return _back(job_id)


@blueprint.post("/<workspace>/jobs/<int:job_id>/retry")
def again(workspace: str, job_id: int) -> BaseResponse:
    retry(g.session, g.actor, job_id)
    return _back(job_id)


def _back(job_id: int) -> BaseResponse:
    return go(f"{base()}/settings/jobs" if request.form.get("list") else f"{base()}/jobs/{job_id}")


def job_contexts(rows: Sequence[Any]) -> list[dict[str, Any]]:
    """Jobs as templates show them."""
    sizes = files.sizes(g.session, [row.result["file"] for row in rows if row.result.get("file")])
    return [_job(row, sizes.get(row.result.get("file", ""), 0)) for row in rows]


def _job(row: Any, size: int) -> dict[str, Any]:
    """``size`` is that of the file that it made and that is still kept."""
    title, tone = STATES[row.state]
    kind = JOB_KINDS.get(row.kind)
    share = min(row.done / row.total, 1.0) if row.total else 0.0
    return {
        "id": row.id,
        "url": f"{base()}/jobs/{row.id}",
        "title": str(kind.title) if kind else row.kind,
        "about": row.result.get("filename") or row.arguments.get("entity") or row.arguments.get("new", ""),
        "state": str(title),
        "tone": tone,
        "going": row.state in UNFINISHED,
        "may_stop": row.state in ("waiting", "running"),
        "may_retry": row.state in (FAILED, STOPPED),
        "percent": round(share * 100),
        "done": row.done,
        "total": max(row.total, row.done),
        "told": str(
            _(
                "%(done)s of %(total)s",
                done=format_number(row.done),
                total=format_number(max(row.total, row.done)),
            )
        )
        if row.total
        else "",
        "problem": row.problem,
        "tries": row.attempt,
        "asked": format_datetime(row.created_at),
        "ended": format_datetime(row.finished_at) if row.finished_at else "",
        "workspace_url": f"/{row.result['workspace']}/" if row.result.get("workspace") else "",
        "file_url": f"{base()}/jobs/{row.id}/file" if size else "",
        "file_size": str(size_text(size)) if size else "",
        "gone": bool(row.result.get("file")) and not size,
    }
