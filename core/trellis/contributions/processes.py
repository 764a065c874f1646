"""Processes, and the operations that their steps call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trellis.contributions.base import Contribution
from trellis.i18n import Text as Label

if TYPE_CHECKING:
    from trellis.process.operations import OperationCall
    from trellis.records.types import FieldType


@dataclass(frozen=True, kw_only=True)
class Process(Contribution):
    """A business process: a BPMN 2.0 file of the plugin's package (or its content), about records of ``entity``.

    It is started by hand, and by the events in ``starts`` beside the message of its start event: ``order.created``,
    ``case.updated``, ``case.stage=escalated`` (a field gets a value), ``segment.gym.sleepers`` (a record enters a
    segment), ``segment_left.gym.sleepers`` (one leaves it). ``schedule`` starts it by the clock, as cron writes it
    (``0 9 * * 1-5``: on weekdays at nine), in the time zone of the workspace. ``starters`` are the roles that may start it
    by hand; without any, whoever may change the record. People of the roles in ``managers`` see all its instances and may
    reassign, retry and cancel. The process that it ``replaces`` is not started any more, by people, events or the clock.
    ``given`` are variables that code hands over when it starts an instance; nobody starts such a process by hand.
    ``tables`` are DMN files with the decision tables that its business rule tasks ask. Texts of the diagram are translated
    by the catalogue of the plugin.
    """

    diagram: Path | bytes
    tables: Sequence[Path | bytes] = ()
    entity: str | None = None
    starts: Sequence[str] = ()
    schedule: str = ""
    starters: Sequence[str] = ()
    managers: Sequence[str] = ()
    given: Sequence[str] = ()
    replaces: str = ""


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """What a service task tells an operation; ``type`` checks it.

    ``label`` and ``help`` are how people see it who draw processes. Where it ``names`` something (``entity``, ``stage``,
    ``process`` or ``webhook``), they choose from what there is.
    """

    name: str
    type: FieldType
    required: bool = False
    label: Label | None = None
    help: Label | None = None
    names: str = ""


@dataclass(frozen=True, kw_only=True)
class Operation(Contribution):
    """Something that service tasks of processes can do: a task calls it by the property ``call``.

    ``run(call)`` is called inside the transaction of the step; what it returns (a value that JSON can hold, or None) goes
    into the variable that the property ``result`` names. A ``trellis.TrellisError`` that it raises goes to the error event
    of the task, where there is one; its ``code`` is the error's. What reaches outside the database belongs into a job.
    With ``sets``, the task also gives values for fields of a record, as properties ``set.<field>``.
    """

    run: Callable[[OperationCall], Any]
    parameters: Sequence[Parameter] = ()
    sets: bool = False
