"""Beside a conversation: its path, with what was filled as far as the reader may see it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from trellis.contributions import Panel, ScriptAnswer, ScriptObjection
from trellis.edition import Edition
from trellis.errors import RecordNotFound
from trellis.i18n import format_datetime, translator
from trellis.records import types
from trellis.records.door import Records
from trellis.records.entity import Field
from trellis.scripts.content import CELL
from trellis.scripts.running import Conversation, Conversations
from trellis.scripts.speaking import without_marks
from trellis.scripts.tables import OBJECTION, RUN

_ = translator("trellis")


def path(records: Records, run: int) -> Mapping[str, Any]:
    """Each answer and objection of a conversation; none where its record, or what brought its script, is out of sight."""
    try:
        found = Conversations(records).get(run)
    except RecordNotFound:
        return {"steps": [], "url": "", "record": ""}
    view = records.edition.entity(found.entity)
    title = found.record.titles.get(view.info.title_field) or found.record.values.get(view.info.title_field)
    return {
        "steps": list(_steps(found, records)),
        "record": f"{view.info.title}: {title or '#'}",
        "url": f"/{records.edition.workspace}/{found.entity}/{found.record.id}?conversation={run}",
    }


def _steps(run: Conversation, records: Records) -> Iterator[Mapping[str, Any]]:
    seen = records.actor.sees(records.edition)
    for one in run.passed:
        step = run.step(one.step)
        if step is None:
            continue
        made: list[ScriptAnswer | ScriptObjection]
        made = [*step.answers, *step.objections, *run.script.objections]
        choice = next((known for known in made if known.key == one.choice), None)
        declared = seen.entity(run.entity).fields.get(one.field)
        yield {
            "say": without_marks(str(step.say)),
            "choice": str(choice.title) if choice else one.choice,
            "objection": one.kind == OBJECTION,
            "filled": f"{declared.label}: {told(seen, declared, one.value)}" if declared else "",
            "remark": one.remark,
            "at": format_datetime(one.at, inside=True),
        }


def told(edition: Edition, declared: Field, value: Any) -> str:
    """A value that was filled in, in words; of another record its number."""
    if value is None:
        return "–"
    match declared.type:
        case types.Choice() as choice:
            option = choice.option(str(value))
            return str(option.label) if option else str(value)
        case types.Reference():
            return f"#{value}"
        case types.Boolean():
            return str(_("Yes") if value else _("No"))
    stages = (
        s
        for one in edition.entity(declared.entity).lifecycles
        if one.field == declared.name
        for s in one.stages
    )
    return next((str(one.title) for one in stages if one.value == value), str(value))


PANELS = [
    Panel(
        name="conversation", title=_("Path"), cell=CELL, entity=RUN, load=path, template="scripts/path.html"
    ),
]
