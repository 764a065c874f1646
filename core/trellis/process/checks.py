"""What must be true of a diagram before it runs. Each problem names the element and the reason."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trellis.contributions import Process, Role
from trellis.edition import Edition
from trellis.i18n import translator
from trellis.process.diagram import Diagram, DiagramInvalid, Element, Flow, Problem
from trellis.process.element_checks import check_schedule, check_start, element_problems
from trellis.process.elements import CHOOSING, GATEWAYS, SERVICES
from trellis.process.expressions import compile_expression
from trellis.process.naming import Names, guard
from trellis.process.specification import specification_of
from trellis.process.unsupported import refusal
from trellis.process.versions import content, diagram_of
from trellis.records.expressions import ExpressionInvalid

_ = translator("trellis")

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
        found += guard("", lambda event=event: check_start(edition, process, event))  # type: ignore[misc]
    if process.schedule:
        found += guard("", lambda: check_schedule(process, process.schedule))
    return found


def problems(edition: Edition, process: Process, diagram: Diagram) -> list[Problem]:
    """All that keeps a diagram from running in this edition."""
    found = [*_shape(diagram), *_arrows(diagram)]
    try:
        names = Names(edition, process, diagram)
    except DiagramInvalid as error:  # of its decision tables
        return [*found, *error.problems]
    for element in _run(diagram):
        found += element_problems(names, element)
    for flow in diagram.flows.values():
        if flow.condition and flow.source in diagram.elements:
            found += guard(flow.id, lambda flow=flow: _check_flow(names, flow))  # type: ignore[misc]
    if not found:
        try:
            specification_of(diagram)
        except DiagramInvalid as error:
            found += error.problems
    return found


def _check_flow(names: Names, flow: Flow) -> None:
    try:
        expression = compile_expression(flow.condition)
    except ExpressionInvalid as error:
        text = _(
            '%(problem)s. Write it like record.amount > 100 and decision == "yes"; a condition in the language of another '
            "tool has to be written anew",
            problem=str(error),
        )
        raise ValueError(text) from None
    names.within(flow.source).check(expression.paths)


def _run(diagram: Diagram) -> list[Element]:
    """The elements that can be run, and stand in nothing that cannot; of the others no more is said than that."""
    refused = {one.id for one in diagram.elements.values() if refusal(one) is not None}
    return [
        one
        for one in diagram.elements.values()
        if not any(each.id in refused for each in diagram.around(one.id))
    ]


def _shape(diagram: Diagram) -> Found:
    """Elements that can be run, one start, and an end for each scope."""
    run = _run(diagram)
    for element in diagram.elements.values():
        told = refusal(element)
        if told is not None and all(refusal(one) is None for one in diagram.around(element.inside)):
            yield Problem(element.id, told)
    scopes = ["", *(one.id for one in run if one.kind == "subProcess")]
    for scope in scopes:
        inside = [one for one in diagram.elements.values() if one.inside == scope]
        if scope and not inside:
            text = _("There is nothing in this part of the process: draw its steps, or make it a task")
            yield Problem(scope, text)
            continue
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
    for element in _run(diagram):
        leaving, entering = diagram.leaving(element.id), diagram.entering(element.id)
        if element.undoes or (element.event == "compensate" and element.kind == "boundaryEvent"):
            yield from _undoing(diagram, element, bool(leaving or entering))
            continue
        if element.kind == "endEvent":
            if leaving:
                yield Problem(element.id, _("Nothing may follow an end event"))
        elif not leaving:
            yield Problem(element.id, _("No arrow leads on from here"))
        elif len(leaving) > 1 and element.kind not in GATEWAYS:
            text = _(
                "Several arrows may only leave a gateway: put one behind this, and lead the arrows from there"
            )
            yield Problem(element.id, text)
        if not entering and element.kind not in ("startEvent", "boundaryEvent"):
            yield Problem(element.id, _("No arrow leads here"))
        if element.kind == "boundaryEvent":
            host = diagram.elements.get(element.attached)
            if host is None or host.kind.endswith(("Event", "Gateway")) or host.inside != element.inside:
                yield Problem(
                    element.id, _("This event must stand at the edge of a step or of a part beside it")
                )
        if element.kind in CHOOSING and len(leaving) > 1:
            yield from _choices(element, leaving)
        elif len(leaving) == 1 or element.kind in GATEWAYS:
            yield from _unasked(element, leaving)
        if element.kind == "eventBasedGateway":
            yield from _first_of(diagram, element, leaving)
        if element.event in ("error", "escalation", "compensate"):
            yield from _thrown(diagram, element)


def _unasked(element: Element, leaving: list[Flow]) -> Found:
    """Conditions that nobody would ask: the arrow is the only one, or all are taken."""
    for flow in leaving:
        if flow.condition:
            text = _(
                "A condition stands only at an arrow that leaves a gateway with a choice of ways: take it away here"
            )
            yield Problem(flow.id, text)


def _choices(gateway: Element, leaving: list[Flow]) -> Found:
    for flow in leaving:
        if not flow.condition and flow.id != gateway.default:
            text = _("This arrow leaves a gateway and needs a condition, or must be its default")
            yield Problem(flow.id, text)
    if gateway.default not in {flow.id for flow in leaving}:
        yield Problem(gateway.id, _("Say which arrow is taken when no condition is true (the default flow)"))


def _first_of(diagram: Diagram, gateway: Element, leaving: list[Flow]) -> Found:
    """Behind an event-based gateway stand events that wait, and nothing else leads to them."""
    for flow in leaving:
        target = diagram.elements.get(flow.target)
        waits = target is not None and target.kind in ("intermediateCatchEvent", "receiveTask")
        if target is not None and (not waits or len(diagram.entering(target.id)) > 1):
            text = _("Behind an event-based gateway stand only events that wait, with no other way to them")
            yield Problem(flow.id, text)
    if len(leaving) < 2:
        yield Problem(gateway.id, _("An event-based gateway leads to two events or more"))


def _thrown(diagram: Diagram, element: Element) -> Found:
    """What is thrown has a code; escalations come from within, and what is to be undone can be."""
    if element.event == "compensate":
        known = any(
            element.detail in ("", one.id) for name in diagram.undoing for one in diagram.around(name)
        )
        if not known:
            yield Problem(element.id, _("There is nothing here that could be undone"))
    elif element.kind != "boundaryEvent":
        if not element.detail:
            yield Problem(element.id, _("Give what is thrown a code"))
    elif element.event == "escalation":
        host = diagram.elements.get(element.attached)
        if host is not None and host.kind not in ("subProcess", "callActivity"):
            yield Problem(element.id, _("Escalations come from sub-processes and called processes only"))


def _undoing(diagram: Diagram, element: Element, has_arrows: bool) -> Found:
    """A line leads from the edge of an activity to the service or script that undoes it; arrows lead nowhere."""
    if has_arrows:
        yield Problem(element.id, _("What undoes an activity is reached by a line, not by arrows"))
    if element.undoes:
        if element.id not in diagram.undoing.values():
            yield Problem(element.id, _("No line leads here from the edge of the activity that it undoes"))
        if element.kind not in (*SERVICES, "scriptTask") or element.several is not None:
            yield Problem(element.id, _("An activity is undone by one service or script"))
        return
    host = diagram.elements.get(element.attached)
    undoing = diagram.elements.get(diagram.undoing.get(element.attached, ""))
    if host is None or undoing is None or not undoing.undoes:
        yield Problem(
            element.id, _("A line leads from here to the service or script that undoes the activity")
        )
    elif host.several is not None:
        yield Problem(element.id, _("What runs several times cannot be undone"))
