"""Runs a diagram with SpiffWorkflow: which elements are done, which wait, and what comes next.

The library moves tokens and knows nothing of records: tasks of people, of the catalogue and other processes stop it, and
the engine does them. Expressions are evaluated by :mod:`trellis.process.expressions`; nothing of a diagram ever reaches Python.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from SpiffWorkflow.bpmn.exceptions import WorkflowException
from SpiffWorkflow.bpmn.parser import BpmnParser, ValidationException
from SpiffWorkflow.bpmn.parser.event_parsers import StartEventParser
from SpiffWorkflow.bpmn.parser.TaskParser import TaskParser
from SpiffWorkflow.bpmn.parser.util import full_tag
from SpiffWorkflow.bpmn.script_engine import BasePythonScriptEngineEnvironment, PythonScriptEngine
from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
from SpiffWorkflow.bpmn.serializer.config import DEFAULT_CONFIG
from SpiffWorkflow.bpmn.serializer.default import BpmnWorkflowConverter
from SpiffWorkflow.bpmn.specs.control import BoundaryEventSplit
from SpiffWorkflow.bpmn.specs.defaults import BoundaryEvent, ManualTask
from SpiffWorkflow.bpmn.specs.event_definitions.item_aware_event import ErrorEventDefinition
from SpiffWorkflow.bpmn.specs.event_definitions.simple import NoneEventDefinition
from SpiffWorkflow.bpmn.specs.event_definitions.timer import TimerEventDefinition
from SpiffWorkflow.bpmn.util import BpmnEvent
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.util.task import TaskState

from trellis.errors import TrellisError
from trellis.i18n import translator
from trellis.process.diagram import Diagram, DiagramInvalid, Problem, tree

_ = translator("trellis")

MOST_STEPS = 500
"""Steps that an instance may make before it has to wait for somebody: a diagram that goes in circles is stopped."""
_KEPT = 200

Evaluate = Callable[[str], Any]
"""The value of a text of the diagram (a condition, a time) for the instance at hand."""

_OURS = ("serviceTask", "sendTask", "scriptTask", "callActivity")
"""Elements at which the library stops and the engine works."""
_ACTIVE = TaskState.READY | TaskState.WAITING | TaskState.STARTED


class StepFailed(TrellisError):
    """An element could not be passed: its condition or time cannot be told, or the diagram goes in circles."""

    status = 409
    code = "step_failed"

    def __init__(self, element: str, problem: str) -> None:
        super().__init__(problem)
        self.element = element


@dataclass(frozen=True)
class Token:
    """A place where an instance stands: ``key`` is unique within it."""

    key: str
    element: str


class _Nothing(BasePythonScriptEngineEnvironment):  # type: ignore[misc]
    """No Python is ever evaluated."""


class _Engine(PythonScriptEngine):  # type: ignore[misc]
    """Hands each expression of the library to ours."""

    def __init__(self, evaluate: Evaluate) -> None:
        super().__init__(_Nothing())
        self._evaluate = evaluate

    def evaluate(self, task: Any, expression: str, external_context: Any = None) -> Any:
        return self._evaluate(expression)

    def execute(self, task: Any, script: str, external_context: Any = None) -> Any:
        raise NotImplementedError("scripts are done by the engine")

    def call_service(self, task: Any, **kwargs: Any) -> Any:
        raise NotImplementedError("services are called by the engine")


class _Start(StartEventParser):  # type: ignore[misc]
    """Whatever an instance is started by, the engine has seen it already."""

    def create_task(self) -> Any:
        task = self._create_task(NoneEventDefinition())
        self.spec.start.connect(task)
        return task


class _Parser(BpmnParser):  # type: ignore[misc]
    OVERRIDE_PARSER_CLASSES = {
        **{full_tag(tag): (TaskParser, ManualTask) for tag in _OURS},
        full_tag("startEvent"): (_Start, BpmnParser.PARSER_CLASSES[full_tag("startEvent")][1]),
    }


class _Converter(BpmnWorkflowConverter):  # type: ignore[misc]
    """Keeps the state of an instance without its specification, which is kept once for all."""

    def to_dict(self, workflow: Any) -> dict[str, Any]:
        kept: dict[str, Any] = super(BpmnWorkflowConverter, self).to_dict(workflow)
        return kept | {"subprocesses": self.mapping_to_dict(workflow.subprocesses)}

    def from_dict(self, kept: dict[str, Any]) -> Any:
        specification: Specification = self.registry.specification
        workflow = self.target_class(specification.main, specification.parts, deserializing=True)
        workflow.tasks = self.mapping_from_dict(kept["tasks"], UUID, workflow=workflow)
        workflow.task_tree = workflow.tasks.get(UUID(kept["root"]))
        self.set_default_attributes(workflow, kept)
        self.subprocesses_from_dict(kept["subprocesses"], workflow)
        return workflow


class Specification:
    """A diagram as the library runs it; shared by all instances of a version."""

    def __init__(self, diagram: Diagram) -> None:
        parser = _Parser()
        try:
            parser.add_bpmn_xml(tree(diagram.text))
            self.main = parser.get_spec(diagram.process)
            self.parts = parser.get_subprocess_specs(diagram.process)
        except ValidationException as error:
            raise DiagramInvalid([Problem(str(error.tag or ""), str(error))]) from None
        except (WorkflowException, AssertionError, KeyError, TypeError, RecursionError) as error:
            raise DiagramInvalid([Problem("", f"{type(error).__name__}: {error}")]) from None
        self.elements = diagram.elements
        registry = BpmnWorkflowSerializer.configure({**DEFAULT_CONFIG, BpmnWorkflow: _Converter})
        registry.specification = self
        self._serializer = BpmnWorkflowSerializer(registry)

    def begin(self, evaluate: Evaluate) -> Flow:
        """A new instance at its start."""
        return Flow(self, BpmnWorkflow(self.main, self.parts, script_engine=_Engine(evaluate)))

    def resume(self, state: bytes, evaluate: Evaluate) -> Flow:
        """An instance as it was kept."""
        kept = orjson.loads(state)
        self._serializer.migrate(kept)
        workflow = self._serializer.from_dict(kept)
        workflow.script_engine = _Engine(evaluate)
        return Flow(self, workflow)

    def keep(self, workflow: Any) -> bytes:
        """The state of an instance."""
        kept = self._serializer.to_dict(workflow)
        return orjson.dumps(kept | {BpmnWorkflowSerializer.VERSION_KEY: self._serializer.VERSION})


class Flow:
    """One instance on its way through the diagram."""

    def __init__(self, specification: Specification, workflow: Any) -> None:
        self._specification = specification
        self._workflow = workflow
        self._steps = 0
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
            if self._at is not None:
                self._at._set_state(TaskState.READY)  # to be tried again
            if isinstance(error, StepFailed) and error.element:
                raise
            raise StepFailed(_element(self._at), str(error)) from error

    def _passable(self) -> bool:
        return any(task.state == TaskState.READY and not task.task_spec.manual for task in self._tasks())

    def _count(self, task: Any) -> None:
        self._at = task
        self._steps += 1
        if self._steps > MOST_STEPS:
            text = _(
                "The diagram goes in circles: nothing to wait for in %(number)s steps", number=MOST_STEPS
            )
            raise StepFailed(_element(task), str(text))

    def ready(self) -> list[Token]:
        """Where something is to be done: tasks of people, services and scripts."""
        return [
            Token(str(task.id), task.task_spec.name)
            for task in self._tasks()
            if task.state == TaskState.READY and task.task_spec.manual
        ]

    def waiting(self) -> list[Token]:
        """Where something is waited for: messages and times."""
        manager = self._workflow.event_manager.tasks
        return [
            Token(str(key), task.task_spec.name)
            for key, task in manager.items()
            if task.state == TaskState.WAITING
        ]

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
        """The task at a token is done."""
        task = self._task(key)
        self._count(task)
        task.run()

    def catch(self, key: str) -> None:
        """The message that a token waits for has come."""
        task = self._task(key)
        task._set_internal_data(event_fired=True)
        task.task_spec._update(task)

    def throw(self, key: str, code: str) -> bool:
        """An error at a token: the nearest error event around it catches it, or none does."""
        task = self._task(key)
        event = BpmnEvent(ErrorEventDefinition(code, code))
        while task is not None:
            if isinstance(task.parent.task_spec, BoundaryEventSplit):
                for other in task.parent.children:
                    if isinstance(other.task_spec, BoundaryEvent) and other.task_spec.catches(other, event):
                        other.task_spec.catch(other, event)
                        other.task_spec._update(other)
                        return True
            above = task.workflow.parent_task_id
            task = self._workflow.get_task_from_id(above) if above is not None else None
        return False

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

    def _task(self, key: str) -> Any:
        return self._workflow.get_task_from_id(UUID(key))


def _element(task: Any) -> str:
    """The element of the diagram that a task of the library belongs to."""
    return "" if task is None else str(task.task_spec.name.partition(".BoundaryEvent")[0])


_lock = threading.Lock()
_known: OrderedDict[str, Specification] = OrderedDict()


def specification_of(diagram: Diagram) -> Specification:
    """The specification of a diagram, made once in this process. Raises DiagramInvalid."""
    key = diagram.digest
    with _lock:
        if key in _known:
            _known.move_to_end(key)
            return _known[key]
    made = Specification(diagram)
    with _lock:
        _known[key] = made
        while len(_known) > _KEPT:
            _known.popitem(last=False)
    return made
