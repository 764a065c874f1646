"""A diagram as SpiffWorkflow runs it: made once for each content, and shared by all instances of a version.

The library moves tokens and knows nothing of records: tasks of people, of the catalogue, thrown events and other processes
stop it, and the engine does them. Nothing of a diagram ever reaches Python: each expression is handed to ours.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any, Protocol
from uuid import UUID

import orjson
from SpiffWorkflow.bpmn.parser import BpmnParser
from SpiffWorkflow.bpmn.parser.event_parsers import (
    EndEventParser,
    IntermediateThrowEventParser,
    StartEventParser,
)
from SpiffWorkflow.bpmn.parser.task_parsers import GatewayParser
from SpiffWorkflow.bpmn.parser.TaskParser import TaskParser
from SpiffWorkflow.bpmn.parser.util import full_tag
from SpiffWorkflow.bpmn.parser.ValidationException import ValidationException
from SpiffWorkflow.bpmn.script_engine import BasePythonScriptEngineEnvironment, PythonScriptEngine
from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
from SpiffWorkflow.bpmn.serializer.config import DEFAULT_CONFIG
from SpiffWorkflow.bpmn.serializer.default import BpmnWorkflowConverter
from SpiffWorkflow.bpmn.specs.defaults import (
    BpmnSpecMixin,
    IntermediateCatchEvent,
    ManualTask,
    ParallelMultiInstanceTask,
    ReceiveTask,
    SequentialMultiInstanceTask,
)
from SpiffWorkflow.bpmn.specs.event_definitions.simple import NoneEventDefinition
from SpiffWorkflow.bpmn.specs.mixins.multiinstance_task import MultiInstanceTask
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.util.task import TaskState

from trellis.process.diagram import Diagram, DiagramInvalid, Problem
from trellis.process.elements import THROWN
from trellis.process.prepared import EACH, prepared

_KEPT = 200

_OURS = ("serviceTask", "sendTask", "scriptTask", "businessRuleTask", "callActivity")
"""Elements at which the library stops and the engine works."""


class Telling(Protocol):
    """What the library asks of the instance at hand; ``task`` is where it asks."""

    def value(self, task: Any, text: str) -> Any:
        """The value of a text of the diagram: a condition, a time."""

    def length(self, task: Any, element: str) -> int:
        """How often an element runs that runs several times."""

    def passed(self, task: Any) -> None:
        """One of several runs of an element has ended."""


class _Nothing(BasePythonScriptEngineEnvironment):  # type: ignore[misc]
    """No Python is ever evaluated."""


class _Engine(PythonScriptEngine):  # type: ignore[misc]
    """Hands each expression of the library to ours."""

    def __init__(self, telling: Telling) -> None:
        super().__init__(_Nothing())
        self.telling = telling

    def evaluate(self, task: Any, expression: str, external_context: Any = None) -> Any:
        if expression.startswith(EACH):
            return self.telling.length(task, expression.removeprefix(EACH))
        return self.telling.value(task, expression)

    def execute(self, task: Any, script: str, external_context: Any = None) -> Any:
        raise NotImplementedError("scripts are done by the engine")

    def call_service(self, task: Any, **kwargs: Any) -> Any:
        raise NotImplementedError("services are called by the engine")


class _Several:
    """An element that runs several times: its runs tell when they end, and leave nothing behind when they are cancelled."""

    def _update_hook(self, task: Any) -> bool | None:
        if task.has_state(
            TaskState.STARTED | TaskState.READY | TaskState.FINISHED_MASK
        ):  # its runs are made once
            return False
        found: bool | None = super()._update_hook(task)  # type: ignore[misc]
        return found

    def merge_child(self, workflow: Any, child: Any) -> None:
        workflow.script_engine.telling.passed(child)
        super().merge_child(workflow, child)  # type: ignore[misc]

    def _on_cancel(self, task: Any) -> None:
        """The library has dropped the runs; sub-processes of theirs would go on by themselves."""
        top = task.workflow.top_workflow
        while gone := [key for key in top.subprocesses if not _is_there(top, key)]:
            for key in gone:
                for one in top.subprocesses.pop(key).tasks.values():
                    top.event_manager.remove_task(one)
        super()._on_cancel(task)  # type: ignore[misc]


def _is_there(top: Any, key: UUID) -> bool:
    return any(key in workflow.tasks for workflow in (top, *top.subprocesses.values()))


class _AtOnce(_Several, ParallelMultiInstanceTask):  # type: ignore[misc]
    pass


class _OneByOne(_Several, SequentialMultiInstanceTask):  # type: ignore[misc]
    pass


class EventGateway(BpmnSpecMixin):  # type: ignore[misc]
    """Leads to all events behind it, until the first of them comes."""


class _First:
    """An event that may stand behind an event-based gateway: when it comes, the others are waited for no more."""

    def _update_hook(self, task: Any) -> bool | None:
        if task.has_state(TaskState.FINISHED_MASK):  # another has come
            return False
        found: bool | None = super()._update_hook(task)  # type: ignore[misc]
        return found

    def _on_ready_hook(self, task: Any) -> None:
        super()._on_ready_hook(task)  # type: ignore[misc]
        if isinstance(task.parent.task_spec, EventGateway):
            for other in task.parent.children:
                if other is not task:
                    other.cancel()


class _Catch(_First, IntermediateCatchEvent):  # type: ignore[misc]
    pass


class _Receive(_First, ReceiveTask):  # type: ignore[misc]
    pass


class _Start(StartEventParser):  # type: ignore[misc]
    """Whatever an instance is started by, the engine has seen it already."""

    def create_task(self) -> Any:
        task = self._create_task(NoneEventDefinition())
        self.spec.start.connect(task)
        return task


def _is_thrown(parser: Any) -> bool:
    return any(parser.xpath(f"./bpmn:{event}EventDefinition") for event in THROWN)


class _Throw(IntermediateThrowEventParser):  # type: ignore[misc]
    """What is thrown is thrown by the engine."""

    def create_task(self) -> Any:
        if not _is_thrown(self):
            return super().create_task()
        return ManualTask(self.spec, self.bpmn_id, **self.bpmn_attributes)


class _End(EndEventParser):  # type: ignore[misc]
    """What is thrown is thrown by the engine."""

    def create_task(self) -> Any:
        if not _is_thrown(self):
            return super().create_task()
        task = ManualTask(self.spec, self.bpmn_id, **self.bpmn_attributes)
        task.connect(self.spec.end)
        return task


def _parsers() -> dict[str, tuple[Any, Any]]:
    """The parsers of the library, with our classes where they matter."""
    known = dict(BpmnParser.PARSER_CLASSES)
    known |= {full_tag(tag): (TaskParser, ManualTask) for tag in _OURS}
    for tag, parser in (("startEvent", _Start), ("intermediateThrowEvent", _Throw), ("endEvent", _End)):
        known[full_tag(tag)] = (parser, known[full_tag(tag)][1])
    for tag, made in (("intermediateCatchEvent", _Catch), ("receiveTask", _Receive)):
        known[full_tag(tag)] = (known[full_tag(tag)][0], made)
    known[full_tag("eventBasedGateway")] = (GatewayParser, EventGateway)
    known[full_tag("task")] = (TaskParser, BpmnSpecMixin)  # nothing is to be done
    several = {"PARALLEL_MI_CLASS": _AtOnce, "SEQUENTIAL_MI_CLASS": _OneByOne}
    return {tag: (type(parser.__name__, (parser,), several), made) for tag, (parser, made) in known.items()}


class _Parser(BpmnParser):  # type: ignore[misc]
    OVERRIDE_PARSER_CLASSES = _parsers()


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
            parser.add_bpmn_xml(prepared(diagram))
            self.main = parser.get_spec(diagram.process)
            self.parts = parser.get_subprocess_specs(diagram.process)
        except ValidationException as error:
            raise DiagramInvalid([Problem(str(error.id or ""), str(error))]) from None
        except Exception as error:  # the library raises whatever comes of a file that it does not expect
            raise DiagramInvalid([Problem("", f"{type(error).__name__}: {error}")]) from None
        for several, one in self._runs():
            one.completed_event.connect(several.merge_child)
        self.elements = diagram.elements
        registry = BpmnWorkflowSerializer.configure({**DEFAULT_CONFIG, BpmnWorkflow: _Converter})
        registry.specification = self
        self._serializer = BpmnWorkflowSerializer(registry)

    def _runs(self) -> Iterator[tuple[Any, Any]]:
        """What runs several times, with what each of its runs is."""
        for part in (self.main, *self.parts.values()):
            for task in part.task_specs.values():
                if isinstance(task, MultiInstanceTask):
                    yield task, part.task_specs[task.task_spec]

    def begin(self, telling: Telling) -> Any:
        """A new instance at its start, as the library holds it."""
        return BpmnWorkflow(self.main, self.parts, script_engine=_Engine(telling))

    def resume(self, state: bytes, telling: Telling) -> Any:
        """An instance as it was kept."""
        kept = orjson.loads(state)
        self._serializer.migrate(kept)
        workflow = self._serializer.from_dict(kept)
        workflow.script_engine = _Engine(telling)
        return workflow

    def keep(self, workflow: Any) -> bytes:
        """The state of an instance."""
        kept = self._serializer.to_dict(workflow)
        return orjson.dumps(kept | {BpmnWorkflowSerializer.VERSION_KEY: self._serializer.VERSION})


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
