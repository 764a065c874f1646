"""Personal data over REST: everything about somebody, and erasing it."""

from __future__ import annotations

from typing import Any

from flask import Response, g

from trellis import privacy
from trellis.errors import RecordInvalid
from trellis.i18n import translator
from trellis.rest.answers import answer
from trellis.rest.arguments import json_object, no_arguments
from trellis.rest.calls import blueprint

_ = translator("trellis")


@blueprint.get("/<name:entity>/<id:record_id>/personal-data")
def personal_data(workspace: str, entity: str, record_id: int) -> Response:
    """The same as in the file of the browser, as JSON."""
    no_arguments()
    return answer(privacy.everything(g.records, entity, record_id))


@blueprint.post("/<name:entity>/<id:record_id>:erase")
def erase(workspace: str, entity: str, record_id: int) -> Response:
    """Erases what is personal, or tells with ``dry_run`` what would go."""
    no_arguments()
    body = json_object()
    name, dry_run = body.pop("name", None), body.pop("dry_run", False)
    errors: dict[str, list[Any]] = {one: [_("There is no such field here")] for one in body}
    if type(dry_run) is not bool:
        errors["dry_run"] = [_("“%(name)s” is true or false", name="dry_run")]
    elif not dry_run and not isinstance(name, str):
        errors["name"] = [_("Send what the record is called, to confirm")]
    if errors:
        raise RecordInvalid(errors)
    if dry_run:
        done = privacy.preview(g.records, entity, record_id)
    else:
        done = privacy.erase(g.records, entity, record_id, str(name))
    return answer(
        {
            "erased": not dry_run,
            "overwritten": [
                {
                    "entity": one.view.name,
                    "records": one.records,
                    "fields": [field.name for field in one.fields],
                }
                for one in done.overwritten
            ],
            "files": done.files,
            "kept": [{"what": str(one.what), "why": str(one.why)} for one in done.kept],
        }
    )
