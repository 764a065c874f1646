"""The side panel of the editor of processes: what is chosen in the diagram, as forms; and what these change in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict

from trellis.i18n import Text, translator
from trellis.process.diagram import Diagram, Element, Flow
from trellis.process.elements import CHOOSING
from trellis.process.own import Draft
from trellis.web.panel.events import Code, Interrupting, Message, Signal, StartTimer, Timer, Undone
from trellis.web.panel.fields import Change, Model, Part
from trellis.web.panel.names import Names
from trellis.web.panel.people import Due, Help, Late, OwnForm, RecordFields, Who
from trellis.web.panel.settings import PARTS as OF_DRAFT
from trellis.web.panel.ways import Condition, Default, Ways
from trellis.web.panel.work import Called, Decision, Other, Repeated, ScriptLines, Work

_ = translator("trellis")

OF_ELEMENT: tuple[Part, ...] = (
    Who(),
    Due(),
    Late(),
    Help(),
    RecordFields(),
    StartTimer(),
    Message(),
    OwnForm(),
    Work(),
    ScriptLines(),
    Called(),
    Decision(),
    Timer(),
    Signal(),
    Code(),
    Undone(),
    Interrupting(),
    Ways(),
    Repeated(),
)
TITLES: dict[str, Text] = {
    "startEvent": _("Start"),
    "endEvent": _("End"),
    "userTask": _("Task of people"),
    "manualTask": _("Task of people"),
    "task": _("Step"),
    "serviceTask": _("Automatic step"),
    "sendTask": _("Automatic step"),
    "scriptTask": _("Script"),
    "businessRuleTask": _("Decision"),
    "eventBasedGateway": _("Gateway: whichever event comes first"),
    "receiveTask": _("Wait for an event"),
    "callActivity": _("Another process"),
    "subProcess": _("Part of the process"),
    "transaction": _("Transaction"),
    "adHocSubProcess": _("Steps in any order"),
    "exclusiveGateway": _("Gateway: one way"),
    "inclusiveGateway": _("Gateway: some ways"),
    "parallelGateway": _("Gateway: all ways at once"),
    "complexGateway": _("Complex gateway"),
    "intermediateCatchEvent": _("Wait"),
    "intermediateThrowEvent": _("Mark"),
    "boundaryEvent": _("Event at the edge"),
}


def called(diagram: Diagram | None, name: str) -> str:
    """What an element or an arrow is called: by its name, else by what it is; empty for what is not in the diagram."""
    element = diagram.elements.get(name) if diagram else None
    if element is not None:
        return element.name or str(TITLES.get(element.kind, element.kind))
    flow = diagram.flows.get(name) if diagram else None
    if flow is None:
        return ""
    return flow.name or str(_("Arrow to “%(element)s”", element=called(diagram, flow.target) or flow.target))


@dataclass(frozen=True)
class Answer:
    """The panel as it is shown, and what changed: of elements for the diagram, and the draft."""

    panel: dict[str, Any]
    changes: Sequence[dict[str, Any]]
    draft: Draft


def answer(names: Names, chosen: str, form: MultiDict[str, str] | None) -> Answer:
    """The panel of what is ``chosen`` (empty: the process); with a ``form`` that was sent, after what it says."""
    diagram = names.diagram
    if not chosen:
        return _process(names, form)
    if diagram is not None and chosen in diagram.elements:
        return _element(names, diagram.elements[chosen], form)
    if diagram is not None and chosen in diagram.flows:
        return _flow(names, diagram.flows[chosen], form)
    text = _("There is nothing to say about this") if diagram else _("The diagram cannot be read at present")
    return Answer({"title": str(text), "kind": "", "groups": []}, (), names.draft)


def _models(parts: Sequence[Part], form: MultiDict[str, str]) -> dict[str, Model]:
    """What each part says, after the button that was pressed: ``add:form``, ``remove:form:2``."""
    models = {part.name: part.parse(form) for part in parts}
    verb, _colon, rest = form.get("act", "").partition(":")
    name, _colon, number = rest.partition(":")
    for part in parts:
        if part.name == name:
            part.act(models[name], verb, int(number) if number.isdecimal() else 0)
    return models


def _element(names: Names, element: Element, form: MultiDict[str, str] | None) -> Answer:
    parts = [part for part in OF_ELEMENT if part.fits(element, names)]
    other = Other(parts)
    parts = [*parts, *([other] if other.fits(element, names) else [])]
    if form is None:
        models = {part.name: {"rows": [], **part.load(element, names)} for part in parts}
        return Answer(_panel(names, element.id, element.name, element.kind, parts, models), (), names.draft)
    models = _models(parts, form)
    change = Change()
    for part in parts:
        part.save(models[part.name], names, change)
    name = form.get("name", element.name)
    changed = {"id": element.id, "name": name, "properties": change.properties, **change.more}
    return Answer(_panel(names, element.id, name, element.kind, parts, models), [changed], names.draft)


def _flow(names: Names, flow: Flow, form: MultiDict[str, str] | None) -> Answer:
    condition, default = Condition(), Default()
    diagram = names.diagram
    assert diagram is not None
    source = diagram.elements.get(flow.source)
    chooses = source is not None and source.kind in CHOOSING and len(diagram.leaving(flow.source)) > 1
    asks = chooses or bool(flow.condition)  # one that nobody would ask can be taken away
    parts: list[Part] = [default, condition] if chooses else [condition] if asks else []
    if form is None or not asks:
        models = {
            "condition": condition.load_flow(flow, names),
            "default": {"on": source is not None and source.default == flow.id},
        }
    else:
        models = _models(parts, form)
    name = form.get("name", flow.name) if form is not None else flow.name
    is_default = bool(models.get("default", {}).get("on"))
    panel = _panel(names, flow.id, name, "sequenceFlow", [default] if is_default else parts, models)
    if form is None:
        return Answer(panel, (), names.draft)
    changed: dict[str, Any] = {"id": flow.id, "name": name}
    if asks and source is not None:
        change = Change()
        condition.save_flow(models["condition"], names, flow, change)
        was = source.default == flow.id
        changed["conditions"] = {flow.id: ""} if is_default else change.more["conditions"]
        if chooses and is_default != was:
            return Answer(
                panel, [changed, {"id": source.id, "default": flow.id if is_default else ""}], names.draft
            )
    return Answer(panel, [changed], names.draft)


def _process(names: Names, form: MultiDict[str, str] | None) -> Answer:
    draft = names.draft
    if form is None:
        models = {part.name: {"rows": [], **part.load_draft(draft, names)} for part in OF_DRAFT}
    else:
        models = _models(OF_DRAFT, form)
        for part in OF_DRAFT:
            draft = part.save_draft(models[part.name], names, draft)
            names.draft = draft
    groups = [{**part.show(models[part.name], names), "name": part.name} for part in OF_DRAFT]
    return Answer({"title": "", "kind": "", "groups": groups, "process": True}, (), draft)


def _panel(
    names: Names, element: str, name: str, kind: str, parts: Sequence[Part], models: dict[str, Model]
) -> dict[str, Any]:
    groups = [{**part.show(models[part.name], names), "name": part.name} for part in parts]
    title = _("Arrow") if kind == "sequenceFlow" else TITLES.get(kind, kind)
    return {
        "element": element,
        "kind": str(title),
        "title": name,
        "named": True,
        "arrow": kind == "sequenceFlow",
        "goes_on": kind not in ("sequenceFlow", "endEvent"),
        "groups": groups,
    }
