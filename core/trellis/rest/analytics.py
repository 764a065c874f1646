"""The analytics over REST, as the command line gives them."""

from __future__ import annotations

from flask import Response, g

from trellis.crm.analytics.answers import ANALYTICS, Question, analytics_named
from trellis.rest.answers import answer
from trellis.rest.arguments import Arguments, no_arguments
from trellis.rest.calls import blueprint
from trellis.rest.figures import freshened


@blueprint.get("/analytics")
def analytics(workspace: str) -> Response:
    no_arguments()
    items = [
        {"name": name, "parameters": [option.name for option in one.options]}
        for name, one in ANALYTICS.items()
    ]
    return answer({"items": items})


@blueprint.get("/analytics/<name:analytics>")
def one_analytics(workspace: str, analytics: str) -> Response:
    found = analytics_named(analytics)
    arguments = Arguments()
    given = {one.name: arguments.text(one.name) for one in found.options}
    arguments.end()
    options = found.read({name: text for name, text in given.items() if text is not None})
    freshened()
    question = Question(session=g.session, edition=g.edition, actor=g.actor, options=options)
    return answer(found.answer(question))
