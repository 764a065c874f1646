"""For the operator: is the process up, is it ready, what does it do."""

from __future__ import annotations

import sqlalchemy as sa
from flask import Blueprint, Response, g
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from trellis.errors import TrellisError

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> dict[str, str]:
    """The process is up."""
    return {"status": "ok"}


@blueprint.get("/readyz")
def readyz() -> tuple[dict[str, object], int]:
    """The databases answer and their tables are up to date."""
    problems: dict[str, str] = {}
    try:
        for entry in g.installation.workspaces():
            behind = g.installation.workspace(entry.name).behind()
            if behind:
                problems[entry.name] = f"needs `trellis workspace upgrade {entry.name}`: {', '.join(behind)}"
    except (sa.exc.SQLAlchemyError, TrellisError) as error:
        problems["database"] = type(error).__name__
    return {"status": "not ready" if problems else "ok", "problems": problems}, 503 if problems else 200


@blueprint.get("/metrics")
def metrics() -> Response:
    """Counters and timings for Prometheus."""
    return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)
