"""Plugins over REST, for administrators."""

from __future__ import annotations

from typing import Any

from flask import Response, g

from trellis import enabling
from trellis.enabling import PluginInfo
from trellis.errors import TrellisError
from trellis.i18n import translator
from trellis.rest.answers import answer
from trellis.rest.arguments import no_arguments
from trellis.rest.calls import blueprint
from trellis.web import context

_ = translator("trellis")


class PluginNotFound(TrellisError):
    """No plugin of this name is installed, or has left anything in this workspace."""

    status = 404
    code = "plugin_not_found"

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(
            _("There is no plugin “%(name)s”; there are: %(known)s", name=name[:80], known=", ".join(known))
        )


@blueprint.get("/plugins")
def plugins(workspace: str) -> Response:
    no_arguments()
    g.actor.require_administrator()
    return answer({"items": [_written(info) for info in enabling.overview(g.workspace)]})


@blueprint.get("/plugins/<name:plugin>")
def plugin(workspace: str, plugin: str) -> Response:
    no_arguments()
    g.actor.require_administrator()
    return answer(_written(_info(plugin)))


@blueprint.post("/plugins/<name:plugin>:enable")
def enable(workspace: str, plugin: str) -> Response:
    no_arguments()
    g.actor.require_administrator()
    _info(plugin)
    context.release()
    enabling.enable(g.workspace, plugin, g.actor)
    return answer(_written(_info(plugin)))


@blueprint.post("/plugins/<name:plugin>:disable")
def disable(workspace: str, plugin: str) -> Response:
    no_arguments()
    g.actor.require_administrator()
    _info(plugin)
    context.release()
    enabling.disable(g.workspace, plugin, g.actor)
    return answer(_written(_info(plugin)))


def _info(name: str) -> PluginInfo:
    known = {info.name: info for info in enabling.overview(g.workspace)}
    if name not in known:
        raise PluginNotFound(name, list(known))
    return known[name]


def _written(info: PluginInfo) -> dict[str, Any]:
    manifest = info.manifest
    return {
        "name": info.name,
        "title": info.title,
        "state": info.state,
        "version": info.version,
        "kind": manifest.kind if manifest else None,
        "summary": str(manifest.summary) if manifest and manifest.summary else None,
        "requires": list(manifest.requires) if manifest else [],
        "contributions": dict(info.counts),
        "problem": info.problem or None,
        "faults": [
            {"hook": fault.hook, "message": fault.message, "count": fault.count, "last_at": fault.last_at}
            for fault in info.faults
        ],
    }
