"""The catalogue of what service tasks can do: the core's operations, brought by the same hook as those of plugins."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from trellis.contributions import Operation, Parameter
from trellis.errors import PluginError, RecordInvalid, TrellisError
from trellis.guard import TookTooLong, abandon, inside, limited
from trellis.i18n import translator
from trellis.plugins import CORE, Fault
from trellis.process.calling import call_webhook
from trellis.records import types
from trellis.records.door import Records

_ = translator("trellis")

HOOK = "trellis_operations"
MAIL_JOB = "process_mail"


@dataclass(frozen=True, kw_only=True)
class OperationCall:
    """A service task at work: what it was told, and the door of the process.

    ``records`` writes as the process; ``entity`` and ``record_id`` are what the instance is about, if anything.
    ``arguments`` are checked by the parameters of the operation, ``values`` those given as ``set.<field>``. ``later`` puts a
    job into the queue, and ``start`` starts another process, both in this transaction. ``by`` is who completed the task that
    led here; None where none did.
    """

    records: Records
    entity: str | None
    record_id: int | None
    arguments: Mapping[str, Any]
    values: Mapping[str, Any]
    instance: int
    element: str
    later: Callable[[str, Mapping[str, Any]], int]
    start: Callable[[str, int | None], int]
    by: int | None = None


def call_operation(operation: Operation, call: OperationCall) -> Any:
    """What an operation returns. Raises TrellisError; code of a plugin is limited in time, and its crash is its fault."""
    if operation.owner == CORE:
        return operation.run(call)

    def guarded() -> Any:
        with inside(call.records.session):
            return operation.run(call)

    try:
        return limited(guarded)
    except TookTooLong as error:
        abandon(call.records.session)
        call.records.faults.append(Fault.of(operation.owner, HOOK, error))
        raise PluginError(operation.owner, HOOK, str(error)) from error
    except TrellisError:
        raise
    except Exception as error:  # a plugin may raise anything
        call.records.faults.append(Fault.of(operation.owner, HOOK, error))
        raise PluginError(operation.owner, HOOK, f"{type(error).__name__}: {error}") from error


def checked(operation: Operation, told: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of an operation. Raises RecordInvalid that names each wrong one."""
    found: dict[str, Any] = {}
    errors: dict[str, list[Any]] = {}
    for one in operation.parameters:
        value = told.get(one.name)
        try:
            text = value is not None and one.type.kind == "text"
            found[one.name] = one.type.check(str(value) if text else value)
        except types.ValueInvalid as error:
            errors[one.name] = [error.message]
            continue
        if found[one.name] is None and one.required:
            errors[one.name] = [_("This field needs a value")]
    if errors:
        raise RecordInvalid(errors)
    return found


def _update_record(call: OperationCall) -> None:
    entity, record_id = _target(call)
    call.records.update(entity, record_id, call.values)


def _create_record(call: OperationCall) -> int:
    entity = call.arguments["entity"]
    return call.records.create(entity, call.values).id


def _move_record(call: OperationCall) -> None:
    entity, record_id = _target(call)
    call.records.move(entity, record_id, call.arguments["stage"], call.values)


def _target(call: OperationCall) -> tuple[str, int]:
    entity = call.arguments.get("entity") or call.entity
    record_id = call.arguments.get("id") or call.record_id
    if entity is None or record_id is None:
        raise RecordInvalid({"id": [_("This process is about no record; name its entity and id")]})
    return entity, record_id


def _send_mail(call: OperationCall) -> None:
    to = call.arguments["to"]
    subject = " ".join(call.arguments["subject"].split())
    call.later(MAIL_JOB, {"to": to, "subject": subject, "text": call.arguments["text"]})


def _start_process(call: OperationCall) -> int:
    return call.start(call.arguments["process"], call.arguments.get("id") or call.record_id)


_ID = Parameter(
    name="id",
    type=types.Integer(minimum=1),
    label=_("Number of the record"),
    help=_("An expression such as =order.id; empty: the record of the process"),
)
_ENTITY = Parameter(name="entity", type=types.Text(), label=_("Kind of record"), names="entity")
_RECORD = (_ENTITY, _ID)

OPERATIONS = (
    Operation(
        name="update_record",
        title=_("Change a record"),
        description=_("Gives fields of the record of the process, or of another one, new values"),
        run=_update_record,
        parameters=_RECORD,
        sets=True,
    ),
    Operation(
        name="move_record",
        title=_("Move a record to a stage"),
        description=_("Moves the record along its lifecycle, with values that the stage asks for"),
        run=_move_record,
        parameters=(
            Parameter(name="stage", type=types.Text(), required=True, label=_("Stage"), names="stage"),
            *_RECORD,
        ),
        sets=True,
    ),
    Operation(
        name="create_record",
        title=_("Create a record"),
        description=_("Makes a record; its id goes into the variable that “result” names"),
        run=_create_record,
        parameters=(dataclasses.replace(_ENTITY, required=True),),
        sets=True,
    ),
    Operation(
        name="send_mail",
        title=_("Send a mail"),
        description=_("Sends a mail once the step is committed; never twice"),
        run=_send_mail,
        parameters=(
            Parameter(
                name="to",
                type=types.Email(),
                required=True,
                label=_("To"),
                help=_("An address, or {record.email} of the record"),
            ),
            Parameter(name="subject", type=types.Text(), required=True, label=_("Subject")),
            Parameter(name="text", type=types.LongText(), required=True, label=_("Text")),
        ),
    ),
    Operation(
        name="call_webhook",
        title=_("Call a webhook"),
        description=_(
            "Sends a signed message to an address of the settings once the step is committed, until it is taken"
        ),
        run=call_webhook,
        parameters=(
            Parameter(
                name="webhook",
                type=types.Integer(minimum=1),
                required=True,
                label=_("Webhook"),
                names="webhook",
            ),
            Parameter(name="text", type=types.LongText(), label=_("Text")),
        ),
    ),
    Operation(
        name="start_process",
        title=_("Start a process"),
        description=_("Starts another process, about the same record or the one with “id”, and goes on"),
        run=_start_process,
        parameters=(
            Parameter(name="process", type=types.Text(), required=True, label=_("Process"), names="process"),
            _ID,
        ),
    ),
)
"""The operations of the core."""
