"""Calls that plugins bring: ``x/<plugin>/<slug>``."""

from __future__ import annotations

from typing import Any

from flask import Response, g, request
from werkzeug.exceptions import MethodNotAllowed

from trellis.contributions import RestEndpoint
from trellis.errors import RecordNotFound, TrellisError
from trellis.guard import TookTooLong, abandon, inside, limited
from trellis.i18n import translator
from trellis.records.door import Records
from trellis.rest.answers import write
from trellis.rest.arguments import Arguments, json_object
from trellis.rest.calls import blueprint
from trellis.rest.figures import PluginBroke, blame
from trellis.web.plugin_calls import read, sized

_ = translator("trellis")

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@blueprint.route("/x/<name:plugin>/<path:slug>", methods=METHODS)
def extension(workspace: str, plugin: str, slug: str) -> Response:
    endpoints = [
        one for one in g.edition.all(RestEndpoint).values() if (one.owner, one.slug) == (plugin, slug)
    ]
    if not endpoints:
        raise RecordNotFound(_("The edition has no such call"))
    endpoint = next((one for one in endpoints if one.method == request.method), None)
    if endpoint is None:
        raise MethodNotAllowed([one.method for one in endpoints])
    return Response(_call(endpoint, _arguments()), content_type="application/json")


def _arguments() -> dict[str, Any]:
    """The query, and the fields of the body over it."""
    arguments = Arguments()
    asked: dict[str, Any] = {name: arguments.text(name) for name in request.args}
    return asked | json_object() if request.get_data() else asked


def _call(endpoint: RestEndpoint, arguments: dict[str, Any]) -> bytes:
    try:
        if endpoint.method == "GET":
            return read(endpoint.owner, lambda records: _answered(endpoint, records, arguments))
        return limited(lambda: _write(endpoint, arguments))
    except TrellisError:
        raise
    except Exception as error:  # code of a plugin: it may raise anything
        if isinstance(error, TookTooLong) and g.work.writes:
            abandon(g.session)
        blame(endpoint.owner, "trellis_rest", error)
        text = _(
            "The call “%(name)s” of the plugin “%(plugin)s” failed", name=endpoint.name, plugin=endpoint.owner
        )
        raise PluginBroke(text) from error


def _write(endpoint: RestEndpoint, arguments: dict[str, Any]) -> bytes:
    """A call that writes, in the transaction of the request."""
    with inside(g.session):
        return _answered(endpoint, g.records, arguments)


def _answered(endpoint: RestEndpoint, records: Records, arguments: dict[str, Any]) -> bytes:
    answered: bytes = sized(write(endpoint.call(records, arguments)))
    return answered
