"""Quotes over REST, beside what they share with all records: made of an opportunity, and made an order."""

from __future__ import annotations

from flask import Response, g, url_for

from trellis.crm.sales import quotes
from trellis.records.query import Record
from trellis.rest.arguments import no_arguments
from trellis.rest.calls import blueprint
from trellis.rest.records import one_record


@blueprint.post("/opportunity/<id:record_id>:quote")
def quote_opportunity(workspace: str, record_id: int) -> Response:
    """Makes a draft of a quote with the products of an opportunity."""
    no_arguments()
    return _made(workspace, quotes.offer(g.records, record_id))


@blueprint.post("/quote/<id:record_id>:order")
def order_quote(workspace: str, record_id: int) -> Response:
    """Makes an order of an accepted quote."""
    no_arguments()
    return _made(workspace, quotes.order(g.records, record_id))


def _made(workspace: str, record: Record) -> Response:
    place = url_for("rest.show", workspace=workspace, entity=record.entity, record_id=record.id)
    return one_record(record.entity, record, 201, {"Location": place})
