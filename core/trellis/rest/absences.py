"""When the caller is away, and who does their tasks meanwhile, over REST."""

from __future__ import annotations

from typing import Any

from flask import Response, g

from trellis.errors import RecordInvalid
from trellis.i18n import Text
from trellis.process import absences
from trellis.records import types
from trellis.rest.answers import answer
from trellis.rest.arguments import json_members, no_arguments
from trellis.rest.calls import LARGEST_ID, blueprint

TYPES: dict[str, types.FieldType] = {
    "starts": types.Date(),
    "ends": types.Date(),
    "substitute": types.Integer(minimum=1, maximum=LARGEST_ID),
}


@blueprint.get("/absence")
def show_absence(workspace: str) -> Response:
    no_arguments()
    return answer(_told())


@blueprint.put("/absence")
def plan_absence(workspace: str) -> Response:
    """From the day ``starts`` to the day ``ends`` the tasks of the caller are those of the ``substitute`` too."""
    no_arguments()
    given, values, errors = json_members(dict.fromkeys(TYPES, object)), {}, dict[str, list[Text | str]]()
    for name, kind in TYPES.items():
        try:
            values[name] = kind.check(given.get(name))
        except types.ValueInvalid as error:
            errors[name] = [error.message]
    if errors:
        raise RecordInvalid(errors)
    absences.keep(g.session, g.edition, g.actor.user_id, **values)
    return answer(_told())


@blueprint.delete("/absence")
def end_absence(workspace: str) -> Response:
    """The tasks of the caller are theirs alone again."""
    no_arguments()
    absences.clear(g.session, g.actor.user_id)
    return Response(status=204)


def _told() -> dict[str, Any]:
    """The absence of the caller, past, present or planned, and whom they stand in for today."""
    found = absences.of(g.session, g.actor.user_id)
    return {
        "starts": found.starts if found else None,
        "ends": found.ends if found else None,
        "substitute": found.substitute_id if found else None,
        "stands_in_for": list(absences.away(g.session, g.edition, g.actor.user_id)),
    }
