"""The analytics over REST, as the command line gives them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Response, g

from trellis.crm.analytics.answers import ANALYTICS, Question, analytics_named
from trellis.kpi.periods import parse
from trellis.rest.answers import answer
from trellis.rest.arguments import Arguments, no_arguments
from trellis.rest.calls import blueprint
from trellis.rest.figures import freshened

_READ: Mapping[str, Callable[[Arguments], Any]] = {
    "period": lambda arguments: parse(text) if (text := arguments.text("period")) is not None else None,
    "as_of": lambda arguments: arguments.day("as_of"),
    "measure": lambda arguments: arguments.text("measure"),
    "customers": lambda arguments: arguments.flag("customers"),
}


@blueprint.get("/analytics")
def analytics(workspace: str) -> Response:
    no_arguments()
    items = [{"name": name, "parameters": list(one.options)} for name, one in ANALYTICS.items()]
    return answer({"items": items})


@blueprint.get("/analytics/<name:analytics>")
def one_analytics(workspace: str, analytics: str) -> Response:
    found = analytics_named(analytics)
    arguments = Arguments()
    options = {name: _READ[name](arguments) for name in found.options}
    arguments.end()
    freshened()
    question = Question(session=g.session, edition=g.edition, actor=g.actor, **options)
    return answer(found.answer(question))
