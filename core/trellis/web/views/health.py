"""For the operator: is the process up, is it ready, what does it do."""

from __future__ import annotations

import logging

import sqlalchemy as sa
from flask import Blueprint, Response, current_app, g

from trellis.errors import TrellisError
from trellis.jobs.runner import late
from trellis.web.metrics import Metrics

blueprint = Blueprint("health", __name__)

log = logging.getLogger(__name__)


@blueprint.get("/healthz")
def healthz() -> dict[str, str]:
    """The process is up."""
    return {"status": "ok"}


@blueprint.get("/readyz")
def readyz() -> tuple[dict[str, object], int]:
    """The databases answer and their tables are up to date. Names of workspaces go to the log, not to strangers."""
    checks = {"database": "ok", "migrations": "ok", "queue": "ok"}
    try:
        behind = {
            entry.name: owners for entry in g.installation.workspaces() if (owners := _behind(entry.name))
        }
    except (sa.exc.SQLAlchemyError, TrellisError) as error:
        log.warning("not ready: %s", error)
        checks["database"] = "no answer"
    else:
        if behind:
            log.warning("not ready, run `trellis workspace upgrade --all`: %s", behind)
            checks["migrations"] = f"{len(behind)} workspaces to upgrade: trellis workspace upgrade --all"
        elif waiting := late(g.installation):
            log.warning("jobs wait and nobody takes them, run `trellis worker`: %s", waiting)
            checks["queue"] = f"{sum(waiting.values())} jobs wait: trellis worker"
    ready = checks["database"] == checks["migrations"] == "ok"  # pages are served without a worker too
    return {"status": "ok" if ready else "not ready", "checks": checks}, 200 if ready else 503


@blueprint.get("/metrics")
def metrics() -> Response:
    """Counters and timings for Prometheus."""
    counted: Metrics = current_app.extensions["trellis_metrics"]
    return counted.page()


def _behind(name: str) -> list[str]:
    found: list[str] = g.installation.workspace(name).behind()
    return found
