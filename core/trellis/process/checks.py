"""What must be true of a diagram before it runs. Each problem names the element and the reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from trellis.contributions import Operation, Process, Role, Segment
from trellis.edition import Edition, EntityView
from trellis.i18n import translator
from trellis.process import assignment, events, schedule, scripts
from trellis.process.diagram import Diagram, DiagramInvalid, Element, Flow, Problem
from trellis.process.expressions import (
    Path,
    compile_argument,
    compile_expression,
    is_moment,
)
from trellis.process.flow import specification_of
from trellis.process.forms import FormInvalid, form_of
from trellis.process.paths import check_path
from trellis.process.versions import content, diagram_of
from trellis.records.expressions import ExpressionInvalid

_ = translator("trellis")

PEOPLE = ("userTask", "manualTask")
SERVICES = ("serviceTask", "sendTask")
GATEWAYS = ("exclusiveGateway", "inclusiveGateway", "parallelGateway")
KINDS: dict[str, tuple[str, ...]] = {
    "startEvent": ("", "message", "timer"),
    "endEvent": ("", "terminate", "error"),
    "intermediateCatchEvent": ("timer", "message"),
    "intermediateThrowEvent": ("",),
    "boundaryEvent": ("timer", "message", "error"),
    "receiveTask": ("message",),
    **{
        kind: ("",)
        for kind in (*PEOPLE, *SERVICES, *GATEWAYS, "task", "scriptTask", "subProcess", "callActivity")
    },
}
"""The elements that can be run, and what their events may be about."""
SET = "set."
MATCH = "match."
CALL, RESULT = "call", "result"
IN, OUT = "in.", "out"

Found = Iterator[Problem]


def check_process(edition: Edition, process: Any) -> None:
    """The check when an edition is built. Raises DiagramInvalid that names each problem."""
    found = about(edition, process)
    try:
        found += problems(edition, process, diagram_of(content(process)))
    except OSError as error:
        found.append(Problem("", _("The file cannot be read: %(problem)s", problem=str(error))))
    if found:
        raise DiagramInvalid(found)


def about(edition: Edition, process: Process) -> list[Problem]:
    """What is wrong with what is said of a process beside its diagram: its roles, and what starts it."""
    roles = [role for role in (*process.starters, *process.managers) if role not in edition.all(Role)]
    found = [Problem("", _("There is no role “%(role)s”", role=role)) for role in roles]
    for event in process.starts:
        found += _guard("", lambda event=event: _check_start(edition, process, event))  # type: ignore[misc]
    if process.schedule:
        found += _guard("", lambda: _check_schedule(process, process.schedule))
    return found


def problems(edition: Edition, process: Process, diagram: Diagram) -> list[Problem]:
    """All that keeps a diagram from running in this edition."""
    found = [*_shape(diagram), *_arrows(diagram)]
    if found:
        return found
    names = _Names(edition, process, diagram)
    for element in diagram.elements.values():
        found += _element(names, element)
    for flow in diagram.flows.values():
        if flow.condition:
            found += _guard(flow.id, lambda flow=flow: names.check(compile_expression(flow.condition).paths))  # type: ignore[misc]
    if not found:
        try:
            specification_of(diagram)
        except DiagramInvalid as error:
            found += error.problems
    return found


def _check_start(edition: Edition, process: Process, event: str) -> None:
    moved = events.of_segment(event)
    if moved is not None:
        segment = edition.all(Segment).get(moved[0])
        if segment is None or segment.entity != process.entity:
            raise ValueError(_("There is no segment “%(name)s”", name=moved[0]))
        return
    occasion = events.parse(edition, event)
    if process.entity is not None and occasion.entity != process.entity:
        raise ValueError(
            _(
                "“%(event)s” is no event of %(entity)s, which the process is about",
                event=event,
                entity=process.entity,
            )
        )


def _check_schedule(process: Process, text: str) -> None:
    schedule.check(text)
    if process.entity is not None:
        raise ValueError(_("What starts by the clock is about no record"))


def _guard(element: str, check: Callable[[], None]) -> list[Problem]:
    try:
        check()
    except (ValueError, ExpressionInvalid) as error:
        return [Problem(element, str(error))]
    return []


def _shape(diagram: Diagram) -> Found:
    """Elements that can be run, one start, and an end for each scope."""
    for element in diagram.elements.values():
        if element.kind not in KINDS:
            yield Problem(element.id, _("Trellis cannot run a “%(kind)s”", kind=element.kind))
        elif element.event not in KINDS[element.kind]:
            text = _(
                "Trellis cannot run a “%(kind)s” with “%(event)s”",
                kind=element.kind,
                event=element.event or "-",
            )
            yield Problem(element.id, text)
        elif element.unsupported:
            yield Problem(element.id, _("Trellis cannot run “%(kind)s”", kind=element.unsupported))
    scopes = ["", *(one.id for one in diagram.of_kind("subProcess"))]
    for scope in scopes:
        inside = [one for one in diagram.elements.values() if one.inside == scope]
        starts = [one for one in inside if one.kind == "startEvent"]
        if len(starts) != 1:
            text = _("There must be one start event; there are %(number)s", number=len(starts))
            yield Problem(starts[1].id if starts else scope or diagram.process, text)
        if not any(one.kind == "endEvent" for one in inside):
            yield Problem(scope or diagram.process, _("There is no end event"))


def _arrows(diagram: Diagram) -> Found:
    """Arrows lead from element to element, and gateways know where to go."""
    for flow in diagram.flows.values():
        if flow.source not in diagram.elements or flow.target not in diagram.elements:
            yield Problem(flow.id, _("This arrow does not lead from one element to another"))
    for element in diagram.elements.values():
        leaving, entering = diagram.leaving(element.id), diagram.entering(element.id)
        if element.kind == "endEvent":
            if leaving:
                yield Problem(element.id, _("Nothing may follow an end event"))
        elif not leaving:
            yield Problem(element.id, _("No arrow leads on from here"))
        elif len(leaving) > 1 and element.kind not in GATEWAYS:
            yield Problem(element.id, _("Several arrows may only leave a gateway"))
        if not entering and element.kind not in ("startEvent", "boundaryEvent"):
            yield Problem(element.id, _("No arrow leads here"))
        if element.kind == "boundaryEvent" and element.attached not in diagram.elements:
            yield Problem(element.id, _("This event stands at the edge of nothing"))
        if element.kind in ("exclusiveGateway", "inclusiveGateway") and len(leaving) > 1:
            yield from _choices(element, leaving)


def _choices(gateway: Element, leaving: list[Flow]) -> Found:
    for flow in leaving:
        if not flow.condition and flow.id != gateway.default:
            text = _("This arrow leaves a gateway and needs a condition, or must be its default")
            yield Problem(flow.id, text)
    if gateway.default not in {flow.id for flow in leaving}:
        yield Problem(gateway.id, _("Say which arrow is taken when no condition is true (the default flow)"))


def _element(names: _Names, element: Element) -> list[Problem]:
    """What is written on an element."""
    check = {
        **dict.fromkeys(PEOPLE, _check_people),
        **dict.fromkeys(SERVICES, _check_service),
        "scriptTask": _check_script,
        "callActivity": _check_call,
        "startEvent": _check_begin,
    }.get(element.kind)
    found = _guard(element.id, lambda: check(names, element)) if check else []
    if element.event == "timer" and element.kind == "startEvent":
        found += _guard(element.id, lambda: _check_schedule(names.process, element.detail))
    elif element.event == "timer":
        found += _guard(element.id, lambda: _check_time(names, element.detail))
    if element.event == "message":
        found += _guard(element.id, lambda: _check_message(names, element))
    return found


def _check_form(names: _Names, element: Element) -> None:
    form = form_of(element)
    view = names.view
    for name in (*form.fields, *form.shown):
        if view is None:
            raise FormInvalid(_("“fields” and “show” need a process that is about records of an entity"))
        if name not in view.fields:
            raise FormInvalid(_("%(entity)s has no field “%(field)s”", entity=view.name, field=name))
        if name in form.fields and view.fields[name].read_only:
            raise FormInvalid(_("“%(field)s” cannot be filled in", field=name))


def _check_begin(names: _Names, element: Element) -> None:
    _check_form(names, element)
    form = form_of(element)
    if form.fields or form.shown:
        raise FormInvalid(_("A start event asks for variables only (form.<variable>)"))
    by_itself = element.event or names.process.starts or names.process.schedule
    if by_itself and any(one.required for one in form.own.values()):
        raise FormInvalid(_("What starts by an event cannot require answers"))


def _check_people(names: _Names, element: Element) -> None:
    _check_form(names, element)
    for word in assignment.words(element.properties.get("for", "")):
        if word.startswith("="):
            names.check(compile_expression(word[1:]).paths)
        elif not assignment.is_assignment(word):
            raise ValueError(_("“%(word)s” names nobody a task can be for", word=word))
        elif word.startswith(assignment.ROLE):
            names.require_role(word.removeprefix(assignment.ROLE))
        elif word == assignment.OWNER and names.view is None:
            raise ValueError(_("“owner” needs a process that is about records of an entity"))
        elif word.startswith(assignment.PERFORMER):
            names.require_element(word.removeprefix(assignment.PERFORMER))
    for word in assignment.words(element.properties.get("not", "")):
        if word.startswith(assignment.PERFORMER):
            names.require_element(word.removeprefix(assignment.PERFORMER))
        elif word != assignment.STARTER:
            raise ValueError(_("“not” holds “starter” or “performer:<element>”, not “%(word)s”", word=word))
    due = element.properties.get("due", "")
    if due:
        _check_time(names, due)


def _check_time(names: _Names, text: str) -> None:
    if not text:
        raise ValueError(_("Say when: P3D, 2026-12-31T09:00:00Z or an expression"))
    if not is_moment(text):
        names.check(compile_expression(text.removeprefix("=")).paths)


def _check_message(names: _Names, element: Element) -> None:
    if element.kind == "startEvent":
        _check_start(names.edition, names.process, element.detail)
        when = element.properties.get("when", "")
        if when:
            names.check(compile_expression(when.removeprefix("=")).paths)
        return
    occasion = events.parse(names.edition, element.detail)
    matches = {name: text for name, text in element.properties.items() if name.startswith(MATCH)}
    for name, text in matches.items():
        field = name.removeprefix(MATCH)
        if field not in names.edition.entity(occasion.entity).fields:
            raise ValueError(_("%(entity)s has no field “%(field)s”", entity=occasion.entity, field=field))
        names.check(compile_argument(text).paths)
    if not matches and occasion.entity != names.process.entity:
        raise ValueError(
            _("Say which record of %(entity)s is waited for: match.<field>", entity=occasion.entity)
        )


def _check_service(names: _Names, element: Element) -> None:
    name = element.properties.get(CALL, "")
    operation = names.edition.all(Operation).get(name)
    if operation is None:
        known = ", ".join(names.edition.all(Operation))
        raise ValueError(
            _("“call” names no operation: “%(name)s”. There are: %(known)s", name=name, known=known)
        )
    parameters = {one.name: one for one in operation.parameters}
    for given, text in element.properties.items():
        if given in (CALL, RESULT):
            continue
        if given not in parameters and not (operation.sets and given.startswith(SET)):
            raise ValueError(_("“%(operation)s” has no parameter “%(name)s”", operation=name, name=given))
        names.check(compile_argument(text).paths)
    missing = [
        one.name for one in operation.parameters if one.required and one.name not in element.properties
    ]
    if missing:
        raise ValueError(_("“%(operation)s” needs “%(name)s”", operation=name, name=missing[0]))
    if operation.sets:
        _check_sets(names, element)


def _check_sets(names: _Names, element: Element) -> None:
    entity = element.properties.get("entity") or names.process.entity
    view = names.edition.entities.get(entity or "")
    if view is None:
        raise ValueError(_("There is no entity “%(name)s”", name=entity or ""))
    for given in element.properties:
        field = given.removeprefix(SET)
        if given.startswith(SET) and field not in view.fields:
            raise ValueError(_("%(entity)s has no field “%(field)s”", entity=view.name, field=field))


def _check_script(names: _Names, element: Element) -> None:
    for _name, expression in scripts.assignments(element.detail):
        names.check(expression.paths)


def _check_call(names: _Names, element: Element) -> None:
    called = names.edition.all(Process).get(element.detail)
    if called is None:
        raise ValueError(_("There is no process “%(name)s” to be called", name=element.detail))
    if called.entity not in (None, names.process.entity) and "id" not in element.properties:
        raise ValueError(
            _("“%(process)s” is about another entity: name its record by “id”", process=called.name)
        )
    for given, text in element.properties.items():
        if given == "id" or given.startswith(IN):
            names.check(compile_argument(text).paths)
        elif given != OUT:
            raise ValueError(
                _("A call has the properties id, in.<variable> and out, not “%(name)s”", name=given)
            )


class _Names:
    """What expressions of a diagram may name: variables that some step sets, and fields of the record."""

    def __init__(self, edition: Edition, process: Process, diagram: Diagram) -> None:
        self.edition, self.process = edition, process
        self.view: EntityView | None = edition.entities.get(process.entity or "")
        self._elements = diagram.elements
        self.variables: set[str] = set()
        for element in diagram.elements.values():
            self.variables.update(scripts.variables(element))

    def check(self, paths: frozenset[Path]) -> None:
        """Raises ValueError for a path that leads nowhere."""
        for path in paths:
            if path[0] == "record":
                check_path(self.edition, self.view, path)
            elif path[0] == "starter":
                check_path(self.edition, self.edition.entities.get("user"), path)
            elif len(path) > 1 or path[0] not in self.variables:
                raise ValueError(_("No step sets the variable “%(name)s”", name=".".join(path)))

    def require_role(self, name: str) -> None:
        """Raises ValueError unless there is such a role."""
        if name not in self.edition.all(Role):
            raise ValueError(_("There is no role “%(role)s”", role=name))

    def require_element(self, name: str) -> None:
        """Raises ValueError unless there is such a task of people."""
        if name not in self._elements or self._elements[name].kind not in PEOPLE:
            raise ValueError(_("There is no task of people “%(name)s”", name=name))
