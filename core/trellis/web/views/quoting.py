"""A quote of an opportunity, and the order of a quote."""

from __future__ import annotations

from flask import Blueprint, g
from werkzeug.wrappers import Response as BaseResponse

from trellis.crm.sales import quotes
from trellis.i18n import translator
from trellis.web.shell import toast
from trellis.web.views.lists import base, go, view_of

_ = translator("trellis")

blueprint = Blueprint("quoting", __name__)


@blueprint.post("/<workspace>/opportunity/<int:record_id>/quote")
def offer(workspace: str, record_id: int) -> BaseResponse:
    view_of("quote")
    made = quotes.offer(g.records, record_id)
    toast(_("The quote is a draft"))
    return go(f"{base()}/quote/{made.id}?tab=quote_line")


@blueprint.post("/<workspace>/quote/<int:record_id>/order")
def order(workspace: str, record_id: int) -> BaseResponse:
    view_of("order")
    made = quotes.order(g.records, record_id)
    toast(_("The order is made"))
    return go(f"{base()}/order/{made.id}?tab=order_line")
