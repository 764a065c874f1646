"""What document circulation brings to customers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from trellis.contributions import (
    Cell,
    Direction,
    Level,
    MenuItem,
    NotificationKind,
    Operation,
    Panel,
    Parameter,
    Process,
)
from trellis.crm.customers.circulation import checking, circulating, keeping, panels, routes
from trellis.crm.customers.circulation.entities import (
    DOCUMENT,
    STEP,
    ApprovalRoute,
    ApprovalStep,
    Document,
)
from trellis.errors import RecordInvalid
from trellis.hookspecs import concerns, hookimpl
from trellis.i18n import translator
from trellis.process.operations import OperationCall
from trellis.records import types
from trellis.records.entity import Entity
from trellis.records.events import BeforeSave, Saved

_ = translator("trellis")

CIRCULATION = Cell(Direction.MANAGEMENT, Level.OPERATIONS, "PR4")

_BEFORE: Mapping[str, Callable[[BeforeSave], None]] = {
    DOCUMENT: checking.follow,
    STEP: routes.check_step,
}


@hookimpl
def trellis_entities() -> list[type[Entity]]:
    return [Document, ApprovalRoute, ApprovalStep]


@hookimpl
@concerns(*_BEFORE)
def trellis_before_save(event: BeforeSave) -> None:
    _BEFORE[event.entity](event)


@hookimpl
@concerns(DOCUMENT)
def trellis_after_save(event: Saved) -> None:
    checking.forget(event)


@hookimpl
def trellis_processes() -> list[Process]:
    return [
        Process(
            name=circulating.PROCESS,
            title=_("Approval of a document"),
            description=_("One step of an approval route: it begins when a document is sent"),
            cell=CIRCULATION,
            entity=DOCUMENT,
            diagram=Path(__file__).parent / "processes" / "document_approval.bpmn",
            given=("step", "assigned", "signs", "due_at"),
        )
    ]


@hookimpl
def trellis_operations() -> list[Operation]:
    return [
        Operation(
            name="make_document",
            title=_("Make a document"),
            description=_("Makes a document about the record and keeps it there; the result is its file"),
            parameters=(
                Parameter(name="template", type=types.Text(), required=True),
                Parameter(name="format", type=types.Text()),
            ),
            run=_make,
        ),
        Operation(
            name="send_document",
            title=_("Send a document for approval"),
            description=_("Sends the document of a file along the route of this name"),
            parameters=(
                Parameter(name="file", type=types.Integer(minimum=1), required=True),
                Parameter(name="route", type=types.Text(), required=True),
            ),
            run=_send,
        ),
        Operation(
            name="decide_document",
            title=_("Keep the decision on a document"),
            description=_("The last step of the process that approves documents; of no use in others"),
            parameters=(
                Parameter(name="step", type=types.Integer(minimum=1), required=True),
                Parameter(name="decision", type=types.Text(), required=True),
                Parameter(name="reason", type=types.LongText()),
            ),
            run=circulating.decide,
        ),
    ]


@hookimpl
def trellis_notifications() -> list[NotificationKind]:
    return [
        NotificationKind(
            name=circulating.TOLD,
            title=_("The approval of a document that I sent has ended"),
            text=_("“%(document)s”: %(state)s"),
            icon="files",
        )
    ]


@hookimpl
def trellis_panels() -> list[Panel]:
    return panels.PANELS


@hookimpl
def trellis_menu() -> list[MenuItem]:
    return [
        MenuItem(
            name="document_desk",
            title=_("Documents to decide"),
            cell=CIRCULATION,
            path="documents",
            direction=Direction.CUSTOMERS,
            icon="file-check",
            entity=DOCUMENT,
        )
    ]


def _make(call: OperationCall) -> Any:
    """Makes a document about the record of the instance, and keeps it there; the number of the file."""
    if call.entity is None or call.record_id is None:
        raise RecordInvalid({"template": [_("The process is about no record")]})
    arguments = call.arguments
    made = keeping.add(
        call.records, call.entity, call.record_id, arguments["template"], arguments["format"] or ""
    )
    return made.file.id


def _send(call: OperationCall) -> None:
    circulating.send_file(call.records, call.arguments["file"], call.arguments["route"])
