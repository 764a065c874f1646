"""The description of the calls: as OpenAPI for programs, as a page for people."""

from __future__ import annotations

from flask import Response, g, render_template

from trellis.rest.answers import answer
from trellis.rest.arguments import no_arguments
from trellis.rest.calls import blueprint
from trellis.rest.openapi import document
from trellis.rest.reference import sections
from trellis.web.plain import plain_shell


@blueprint.get("/openapi.json")
def openapi(workspace: str) -> Response:
    no_arguments()
    return answer(document(g.edition))


@blueprint.get("/docs")
def docs(workspace: str) -> str:
    described = document(g.edition)
    return render_template(
        "reference.html",
        page_title=described["info"]["title"],
        shell={**plain_shell(), "base": f"/{workspace}"},
        info=described["info"],
        base=described["servers"][0]["url"],
        sections=g.edition.cached(("reference", id(described)), lambda: sections(described)),
    )
