"""Beside a document: its versions, where its approval stands, and what can be done with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trellis.contributions import Cell, Direction, Level, Panel
from trellis.crm.customers.circulation import circulating, files, routes
from trellis.crm.customers.circulation.entities import (
    APPROVAL,
    APPROVED,
    DOCUMENT,
    DRAFT,
    REJECTED,
    SIGN,
    VOID,
    Document,
)
from trellis.crm.customers.circulation.tables import DONE, OPEN, REFUSED, SKIPPED, WAITING, DocumentStep
from trellis.i18n import Text, format_datetime, translator
from trellis.process.tasks import Tasks
from trellis.records.door import Records

_ = translator("trellis")

_STEPS: Mapping[str, tuple[Text, str]] = {
    WAITING: (_("Waits its turn"), "neutral"),
    OPEN: (_("To decide"), "warn"),
    DONE: (_("Approved"), "good"),
    REFUSED: (_("Rejected"), "danger"),
    SKIPPED: (_("Not needed"), "neutral"),
}
_SIGNED = _("Signed")


def circulation(records: Records, document: int) -> Mapping[str, Any]:
    """The card of a document."""
    record = files.opened(records, document)
    may_change = records.actor.reaches(DOCUMENT, "update", {**record.values, "id": document})
    may_open = files.may_open(records, document)
    place = files.record_of(records.session, document)
    found = files.versions(records.session, document)
    steps = circulating.steps_of(records, document)
    return {
        "id": document,
        "versions": [_version(records, one, may_open) for one in found],
        "rounds": rounds(records, steps),
        "task": _task(records, steps),
        "acts": _acts(records, document, record.values["state"], has_file=bool(found)) if may_change else (),
        "record": None if place is None or not may_open else {"entity": place[0], "id": place[1]},
    }


def rounds(records: Records, steps: Sequence[DocumentStep]) -> list[dict[str, Any]]:
    """The steps of each sending in words, the last first."""
    named = routes.words(records.session, records.edition, [one.assigned for one in steps])
    found: dict[int, list[dict[str, Any]]] = {}
    for one in steps:
        title, tone = _STEPS[one.state]
        found.setdefault(one.round, []).append(
            {
                "turn": one.turn,
                "name": one.name,
                "who": one.by_name or named[one.assigned],
                "signs": one.action == SIGN,
                "state": str(_SIGNED if one.state == DONE and one.action == SIGN else title),
                "tone": tone,
                "at": format_datetime(one.at) if one.at else "",
                "reason": one.reason,
                "sha256": one.sha256,
            }
        )
    return [{"number": number, "steps": rows} for number, rows in found.items()]


def _version(records: Records, one: files.Version, may_open: bool) -> dict[str, Any]:
    return {
        "number": one.row.number,
        "name": one.file.name if one.file is not None and may_open else "",
        "gone": one.file is None,
        "made": format_datetime(one.row.made_at, inside=True),
        "by": one.row.made_by,
        "sha256": one.row.sha256,
        "matches": one.file is None or files.matches(records.session, one),
    }


def _task(records: Records, steps: Sequence[DocumentStep]) -> int | None:
    """The task in which the actor decides now, if any."""
    tasks = Tasks(records)
    for one in steps:
        if one.state != OPEN or one.instance_id is None:
            continue
        mine: list[Any] = [task for task in tasks.of_instance(one.instance_id) if tasks.is_mine(task)]
        if mine:
            return int(mine[0].id)
    return None


def _acts(records: Records, document: int, state: str, *, has_file: bool) -> list[str]:
    """What the state allows; the template turns them into buttons."""
    row = records.session.get_one(Document, document)
    found = []
    if state in (DRAFT, APPROVED) and has_file:
        found.append("send")
    if state in (DRAFT, REJECTED):
        found += ["again", "bring"] if row.template is not None else ["bring"]
    if state in (APPROVAL, APPROVED, REJECTED):
        found.append("take_back")
    if state != VOID:
        found.append("void")
    return found


PANELS = [
    Panel(
        name="document_circulation",
        title=_("Circulation"),
        cell=Cell(Direction.MANAGEMENT, Level.OPERATIONS, "PR4"),
        entity=DOCUMENT,
        load=circulation,
        template="documents/circulation.html",
    )
]
