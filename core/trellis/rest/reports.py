"""Sending reports over REST; the reports themselves are records."""

from __future__ import annotations

from flask import Response, g

from trellis.crm.sales.reports import sending
from trellis.rest.answers import answer
from trellis.rest.arguments import no_arguments
from trellis.rest.calls import blueprint


@blueprint.post("/report/<id:record_id>:send")
def send_report(workspace: str, record_id: int) -> Response:
    """Puts a delivery to each recipient into the queue."""
    no_arguments()
    return answer({"deliveries": sending.send_now(g.records, record_id)}, 202)
