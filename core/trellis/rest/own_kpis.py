"""KPIs that the organisation defines itself, over REST: making, reading, changing and removing their declarations."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Response, g

from trellis.kpi import own
from trellis.kpi.catalogue import find
from trellis.rest.answers import answer
from trellis.rest.arguments import json_members, no_arguments
from trellis.rest.calls import blueprint

_TEXTS = (
    "title",
    "aggregate",
    "entity",
    "field",
    "date",
    "unit",
    "direction",
    "level",
    "about",
    "expression",
)
_CHANGE: Mapping[str, type] = {
    **dict.fromkeys(_TEXTS, str),
    "rule": dict,
    "breakdowns": list,
    "higher_is_better": bool,
}
_NEW: Mapping[str, type] = {**_CHANGE, "name": str}


@blueprint.post("/kpis")
def create_kpi(workspace: str) -> Response:
    no_arguments()
    body = json_members(_NEW)
    name = body.pop("name", "")
    return _told(own.save_kpi(g.session, g.edition, g.actor, name, body, new=True).name, 201)


@blueprint.get("/kpis/<name:kpi>/declaration")
def show_declaration(workspace: str, kpi: str) -> Response:
    no_arguments()
    g.actor.require_administrator()
    _must_be_known(kpi)
    return _told(kpi)


@blueprint.patch("/kpis/<name:kpi>")
def change_kpi(workspace: str, kpi: str) -> Response:
    no_arguments()
    body = json_members(_CHANGE)
    g.actor.require_administrator()
    _must_be_known(kpi)
    declaration = {**own.declaration_of(g.session, kpi), **body}
    return _told(own.save_kpi(g.session, g.edition, g.actor, kpi, declaration, new=False).name)


@blueprint.delete("/kpis/<name:kpi>")
def remove_kpi(workspace: str, kpi: str) -> Response:
    no_arguments()
    _must_be_known(kpi)
    own.remove_kpi(g.session, g.edition, g.actor, kpi)
    return Response(status=204)


def _must_be_known(name: str) -> None:
    """Raises KpiNotFound; one that waits for a plugin is known to administrators."""
    if not g.actor.administrator or name not in dict(own.left_out(g.session, g.edition.whole)):
        find(g.edition, name)


def _told(name: str, status: int = 200) -> Response:
    row = own.row_of(g.session, name)
    return answer({"name": row.name, **row.declaration, "version": row.version}, status)
