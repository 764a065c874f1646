"""A known solution of a case."""

from __future__ import annotations

from flask import Blueprint, g
from werkzeug.wrappers import Response as BaseResponse

from trellis.crm.service import solving
from trellis.i18n import translator
from trellis.web.shell import toast
from trellis.web.views.lists import base, go, view_of

_ = translator("trellis")

blueprint = Blueprint("solving", __name__)


@blueprint.post("/<workspace>/case/<int:record_id>/solution")
def make_known(workspace: str, record_id: int) -> BaseResponse:
    view_of("solution")
    made = solving.make_known(g.records, record_id)
    toast(_("The next case like this one can be solved by it"))
    return go(f"{base()}/solution/{made.id}")
