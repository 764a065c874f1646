"""One instance on its way through the diagram: which elements are done, which wait, and what comes next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from SpiffWorkflow.bpmn.specs.control import BoundaryEventSplit
from SpiffWorkflow.bpmn.specs.defaults import BoundaryEvent
from SpiffWorkflow.bpmn.specs.event_definitions.item_aware_event import (
    ErrorEventDefinition,
    EscalationEventDefinition,
)
from SpiffWorkflow.bpmn.specs.event_definitions.timer import TimerEventDefinition
from SpiffWorkflow.bpmn.specs.mixins.multiinstance_task import MultiInstanceTask
from SpiffWorkflow.bpmn.util import BpmnEvent
from SpiffWorkflow.util.task import TaskState

from trellis.errors import TrellisError
from trellis.i18n import translator
from trellis.process.diagram import Diagram
from trellis.process.specification import Specification, Telling

_ = translator("trellis")

MOST_STEPS = 500
"""Steps that an instance may make before it has to wait for somebody: a diagram that goes in circles is stopped."""
MOST_IN_ALL = 20_000
"""As many with those that each of several runs of an element makes, which has ``MOST_STEPS`` of its own."""

_ACTIVE = TaskState.READY | TaskState.WAITING | TaskState.STARTED
_CODED = {"error": ErrorEventDefinition, "escalation": EscalationEventDefinition}
_UNDONE = "undone"


class StepFailed(TrellisError):
    """An element could not be passed: its condition or time cannot be told, or the diagram goes in circles."""

    status = 409
    code = "step_failed"

    def __init__(self, element: str, problem: str) -> None:
        super().__init__(problem)
        self.element = element


@dataclass(frozen=True)
class Ran:
    """One of several runs of an element. ``number`` counts from nought; ``done`` is how many runs have ended."""

    loop: str
    key: str
    element: str
    number: int
    done: int


@dataclass(frozen=True)
class Token:
    """A place where an instance stands: ``key`` is unique within it; ``runs`` it stands in, the innermost first."""

    key: str
    element: str
    runs: tuple[Ran, ...] = ()


class Flow:
    """One instance on its way through the diagram."""

    def __init__(self, specification: Specification, state: bytes, telling: Telling) -> None:
        self._specification = specification
        self._workflow = specification.resume(state, telling) if state else specification.begin(telling)
        self._steps: Counter[str] = Counter()
        self._at: Any = None

    @property
    def state(self) -> bytes:
        """All there is to keep."""
        return self._specification.keep(self._workflow)

    @property
    def ended(self) -> bool:
        """No token is left."""
        return bool(self._workflow.completed)

    def run(self) -> None:
        """Passes what waits for nobody: gateways, events, the edges of sub-processes. Raises StepFailed."""
        try:
            self._workflow.refresh_timers()
            while self._passable():
                self._workflow.do_engine_steps(will_complete_task=self._count)
        except Exception as error:  # the library lets pass whatever an expression raises
            raise self._failed(error) from error

    def _passable(self) -> bool:
        return any(task.state == TaskState.READY and not task.task_spec.manual for task in self._tasks())

    def _failed(self, error: Exception) -> StepFailed:
        """The element is to be tried again."""
        if self._at is not None:
            self._at._set_state(TaskState.READY)
        if isinstance(error, StepFailed) and error.element:
            return error
        return StepFailed(element_of(self._at), str(error))

    def _count(self, task: Any) -> None:
        self._at = task
        inside = next((one.key for one in runs_of(task)), "")
        self._steps[inside] += 1
        if self._steps[inside] > MOST_STEPS or self._steps.total() > MOST_IN_ALL:
            text = _(
                "The diagram goes in circles: nothing to wait for in %(number)s steps", number=MOST_STEPS
            )
            raise StepFailed(element_of(task), str(text))

    def ready(self) -> list[Token]:
        """Where something is to be done: tasks of people, services and scripts."""
        return [
            _token(task) for task in self._tasks() if task.state == TaskState.READY and task.task_spec.manual
        ]

    def is_ready(self, key: str) -> bool:
        """Whether something is still to be done at a token."""
        known = UUID(key)
        return any(task.id == known and task.state == TaskState.READY for task in self._tasks())

    def waiting(self) -> list[Token]:
        """Where something is waited for: messages and times."""
        manager = self._workflow.event_manager.tasks
        return [_token(task) for task in manager.values() if task.state == TaskState.WAITING]

    def due(self) -> datetime | None:
        """When the next timer fires."""
        moments = []
        for task in self._workflow.event_manager.tasks.values():
            definition = task.task_spec.event_definition
            if task.state == TaskState.WAITING and isinstance(definition, TimerEventDefinition):
                value = definition.details(task).value
                if isinstance(value, str):
                    moments.append(TimerEventDefinition.get_datetime(value))
        return min(moments, default=None)

    def complete(self, key: str) -> None:
        """The task at a token is done. Raises StepFailed when it cannot be told what follows."""
        task = self._task(key)
        self._count(task)
        try:
            task.run()
        except Exception as error:  # the library lets pass whatever an expression raises
            raise self._failed(error) from error

    def catch(self, key: str) -> None:
        """The message that a token waits for has come."""
        task = self._task(key)
        task._set_internal_data(event_fired=True)
        task.task_spec._update(task)

    def throw(self, key: str, event: str, code: str) -> bool | None:
        """An error or an escalation at a token: the nearest event around it that catches it does.

        Whether that interrupts what it stands at the edge of; None when nothing catches it.
        """
        thrown = BpmnEvent(_CODED[event](code, code))
        task = self._task(key)
        while task is not None:
            for other in _edges(task):
                if other.task_spec.catches(other, thrown):
                    other.task_spec.catch(other, thrown)
                    other.task_spec._update(other)
                    return bool(other.task_spec.cancel_activity)
            task = _above(task)
        return None

    def stop(self) -> None:
        """Nothing goes on any more."""
        self._workflow.cancel()

    def to_undo(self, key: str, diagram: Diagram, only: str) -> list[Token]:
        """Activities around a token that were done and can be undone, the last first.

        ``only`` names an activity, or the sub-process that they stand in. What other runs of an element did is theirs.
        """
        thrower = self._task(key)
        mine = {one.key for one in runs_of(thrower)}
        done = [
            task
            for workflow in self._within(thrower.workflow)
            for task in workflow.tasks.values()
            if task.state == TaskState.COMPLETED
            and task.task_spec.name in diagram.undoing
            and not task._get_internal_data(_UNDONE)
            and {one.key for one in runs_of(task)} <= mine
        ]
        done.sort(key=lambda task: task.last_state_change)
        tokens = [_token(task) for task in reversed(done)]
        return [
            one for one in tokens if not only or any(each.id == only for each in diagram.around(one.element))
        ]

    def undone(self, key: str) -> None:
        """What was done at a token is undone, and is not undone again."""
        self._task(key)._set_internal_data(**{_UNDONE: True})

    def repeating(self) -> set[str]:
        """The elements that are run several times just now, by the keys of :class:`Ran`."""
        return {
            str(task.id)
            for task in self._tasks()
            if isinstance(task.task_spec, MultiInstanceTask) and task.state & _ACTIVE
        }

    def done(self) -> list[str]:
        """The elements that have been passed, and the arrows are told by them."""
        names = (task.task_spec.name for task in self._tasks() if task.state == TaskState.COMPLETED)
        return list(dict.fromkeys(name for name in names if name in self._specification.elements))

    def active(self) -> list[str]:
        """The elements at which the instance stands now."""
        names = (
            task.task_spec.name
            for task in self._tasks()
            if task.state & _ACTIVE and not isinstance(task.task_spec, BoundaryEvent)
        )
        return list(dict.fromkeys(name for name in names if name in self._specification.elements))

    def _tasks(self) -> Iterator[Any]:
        for workflow in (self._workflow, *self._workflow.subprocesses.values()):
            yield from list(workflow.tasks.values())

    def _within(self, workflow: Any) -> Iterator[Any]:
        """A workflow of the library, and those of the sub-processes in it."""
        yield workflow
        for part in self._workflow.subprocesses.values():
            above = part
            while above is not None and above is not workflow:
                above = above.parent_workflow
            if above is not None and part is not workflow:
                yield part

    def _task(self, key: str) -> Any:
        return self._workflow.get_task_from_id(UUID(key))


def element_of(task: Any) -> str:
    """The element of the diagram that a task of the library belongs to."""
    if task is None:
        return ""
    known = getattr(task.task_spec, "bpmn_id", None)
    return str(known or task.task_spec.name.partition(".BoundaryEvent")[0])


def runs_of(task: Any) -> tuple[Ran, ...]:
    """The runs that a task of the library stands in, the innermost first."""
    found = []
    while task is not None:
        if (loop := _loop(task)) is not None:
            data: Mapping[str, Any] = task.internal_data
            number = data.get("key_or_index", data.get("item", 0))
            done = len(loop.internal_data.get("merged", ()))
            found.append(Ran(str(loop.id), str(task.id), element_of(task), number, done))
        task = _above(task)
    return tuple(found)


def _token(task: Any) -> Token:
    return Token(str(task.id), element_of(task), runs_of(task))


def _loop(task: Any) -> Any:
    """The task of the library that runs this one several times."""
    parent = task.parent
    if parent is None or not isinstance(parent.task_spec, MultiInstanceTask):
        return None
    return parent if parent.task_spec.task_spec == task.task_spec.name else None


def _above(task: Any) -> Any:
    """The sub-process that a task of the library stands in."""
    above = task.workflow.parent_task_id
    return task.workflow.top_workflow.get_task_from_id(above) if above is not None else None


def _edges(task: Any) -> list[Any]:
    """The events at the edge of an activity; those that catch one code before those that catch all."""
    host = _loop(task) or task
    split = host.parent
    if split is None or not isinstance(split.task_spec, BoundaryEventSplit):
        return []
    found = [one for one in split.children if isinstance(one.task_spec, BoundaryEvent)]
    return sorted(found, key=lambda one: getattr(one.task_spec.event_definition, "code", None) is None)
