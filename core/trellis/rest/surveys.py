"""Inviting to a survey over REST."""

from __future__ import annotations

from typing import Any

from flask import Response, g

from trellis.crm.customers import sending
from trellis.crm.customers.inviting import Chosen
from trellis.errors import RecordInvalid
from trellis.i18n import translator
from trellis.rest.answers import answer
from trellis.rest.arguments import json_members, no_arguments
from trellis.rest.calls import LARGEST_ID, blueprint
from trellis.rest.problems import Malformed

_ = translator("trellis")

MOST_CUSTOMERS = 1000


@blueprint.post("/survey/<id:record_id>:invite")
def invite(workspace: str, record_id: int) -> Response:
    """Invites the customers of a segment, or these, and mails all who wait; in the background."""
    no_arguments()
    body = json_members({"segment": str, "customers": list})
    if "segment" in body and "customers" in body:
        raise Malformed(_("Give a “segment” or “customers”, not both"), "segment")
    chosen = Chosen(segment=body.get("segment", ""), customers=customer_ids(body.get("customers", [])))
    _job, counted = sending.start(g.records, record_id, chosen, g.installation.config)
    return answer({**vars(counted), "mails": counted.mails}, 202)


def customer_ids(given: list[Any]) -> list[int]:
    """The customers that a body names. Raises Malformed, RecordInvalid for too many."""
    if not all(type(one) is int and 0 < one <= LARGEST_ID for one in given):
        raise Malformed(_("“customers” are whole numbers"), "customers")
    if len(given) > MOST_CUSTOMERS:
        text = _("At most %(most)s at once; make a list of them", most=MOST_CUSTOMERS)
        raise RecordInvalid({"customers": [text]})
    return given
