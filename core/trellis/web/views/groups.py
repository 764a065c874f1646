"""The rows of one group of a list, asked for when it is opened."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from trellis.web.grouping import rows_context
from trellis.web.list_page import list_frame
from trellis.web.listing import read_listing
from trellis.web.shell import shell
from trellis.web.views.lists import base, view_of

blueprint = Blueprint("groups", __name__)


@blueprint.get("/<workspace>/<entity>/group")
def rows(workspace: str, entity: str) -> str:
    listing = read_listing(view_of(entity), request.args)
    around = list_frame(listing, base())
    return render_template("list_group.html", group=rows_context(listing, base()), list=around, shell=shell())
