"""What document templates bring to customers."""

from __future__ import annotations

from typing import Any

from trellis.contributions import Operation, Parameter
from trellis.crm.customers.documents import choosing
from trellis.crm.customers.documents.checking import check
from trellis.crm.customers.documents.entities import TEMPLATE, DocumentTemplate
from trellis.errors import RecordInvalid
from trellis.hookspecs import concerns, hookimpl
from trellis.i18n import translator
from trellis.process.operations import OperationCall
from trellis.records.entity import Entity
from trellis.records.events import BeforeSave
from trellis.records.types import Text

_ = translator("trellis")


@hookimpl
def trellis_entities() -> list[type[Entity]]:
    return [DocumentTemplate]


@hookimpl
@concerns(TEMPLATE)
def trellis_before_save(event: BeforeSave) -> None:
    check(event)


@hookimpl
def trellis_operations() -> list[Operation]:
    return [
        Operation(
            name="make_document",
            title=_("Make a document"),
            parameters=(
                Parameter(name="template", type=Text(), required=True),
                Parameter(name="format", type=Text()),
            ),
            run=_make,
        )
    ]


def _make(call: OperationCall) -> Any:
    """Makes a document about the record of the instance, and keeps it there; the number of the file."""
    if call.entity is None or call.record_id is None:
        raise RecordInvalid({"template": [_("The process is about no record")]})
    arguments = call.arguments
    made = choosing.document(
        call.records, call.entity, call.record_id, arguments["template"], arguments["format"] or ""
    )
    return choosing.keep(call.records, call.entity, call.record_id, made).id
