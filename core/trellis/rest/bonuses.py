"""Bonuses over REST, beside their records: reckoned, compared with what is stated, and closed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response, g

from trellis.crm.sales.bonuses import running, words
from trellis.crm.sales.bonuses.reckoning import Line, total
from trellis.errors import RecordInvalid
from trellis.i18n import translator
from trellis.records.types import Money
from trellis.rest.answers import answer
from trellis.rest.arguments import json_object, no_arguments
from trellis.rest.calls import blueprint
from trellis.rest.records import one_record

_ = translator("trellis")


@blueprint.post("/bonus_scheme/<id:record_id>:reckon")
def reckon_scheme(workspace: str, record_id: int) -> Response:
    """Reckons a scheme in a period; its run is made, or brought up to date while it is open."""
    no_arguments()
    body = json_object()
    errors = {name: [_("There is no such field here")] for name in body if name != "period"}
    if not isinstance(body.get("period"), str):
        errors["period"] = [_("This field needs a value")]
    if errors:
        raise RecordInvalid(errors)
    return one_record("bonus_run", running.calculate(g.records, record_id, body["period"]))


@blueprint.get("/bonus_run/<id:record_id>/differences")
def bonus_differences(workspace: str, record_id: int) -> Response:
    """What would change if the run were reckoned now."""
    no_arguments()
    money = Money().to_json
    items = [
        {
            "person": one.person,
            "stated": money(total(one.before)),
            "now": money(total(one.after)),
            "difference": money(one.amount),
            "lines": _lines(one.after),
        }
        for one in running.differences(g.records, record_id)
    ]
    return answer({"items": items})


@blueprint.post("/bonus_run/<id:record_id>:reckon")
def reckon_run(workspace: str, record_id: int) -> Response:
    """Brings an open run up to date."""
    no_arguments()
    return answer({"changed": running.recalculate(g.records, record_id)})


@blueprint.post("/bonus_run/<id:record_id>:close")
def close_run(workspace: str, record_id: int) -> Response:
    """Closes a run for good."""
    no_arguments()
    return one_record("bonus_run", running.close(g.records, record_id))


def _lines(lines: Sequence[Line]) -> list[dict[str, Any]]:
    currency = g.edition.settings.currency
    return [
        {
            "name": words.title(line, g.edition),
            "kind": line.kind,
            "period": line.period,
            "amount": Money().to_json(line.amount),
            "how": words.how(line, g.edition, currency),
            "basis": line.basis,
        }
        for line in lines
    ]
