"""What BPMN writes on one element: what its event is about, its properties, and how often it runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lxml import etree

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"

EVENTS = (
    *("timer", "message", "error", "terminate", "signal"),
    *("escalation", "cancel", "conditional", "link", "compensate"),
)
_DEFINITIONS = frozenset(f"{BPMN}{event}EventDefinition" for event in EVENTS)
_NAMED = {"error": "errorCode", "escalation": "escalationCode", "message": "name", "signal": "name"}
"""What stands beside a process and is referred to, and the attribute that tells one from another."""
_GLOBAL = tuple(
    f"{BPMN}global{kind}" for kind in ("Task", "UserTask", "ManualTask", "ScriptTask", "BusinessRuleTask")
)
_STANDARD_LOOP = "standardLoopCharacteristics"
_OURS = ("", "trellis")
"""How a script says that its lines are ours."""


@dataclass(frozen=True, kw_only=True)
class Several:
    """How often an element runs: for each of a list or as often as a number says (``each``, an expression), or for each
    record that refers to that of the process (``lines``: ``order_line.order``). One of them is known as ``item``. The rest
    is left out once ``until`` is true.
    """

    each: str = ""
    lines: str = ""
    item: str = "item"
    until: str = ""
    one_by_one: bool = False


def names(root: etree._Element) -> dict[str | None, str]:
    """What messages, signals, errors and escalations are called, by their ids."""
    return {
        node.get("id"): node.get(attribute) or node.get("name") or ""
        for tag, attribute in _NAMED.items()
        for node in root.iter(f"{BPMN}{tag}")
    }


def about(node: etree._Element, tag: str, known: Mapping[str | None, str]) -> tuple[str, str]:
    """What an event is about, and its text; the text of a script, or the name of what is called."""
    if tag == "scriptTask":
        return "", node.findtext(f"{BPMN}script", "")
    if tag == "callActivity":
        return "", node.get("calledElement", "")
    if tag == "receiveTask":
        return "message", known.get(node.get("messageRef"), "")
    if tag == "businessRuleTask":
        return "", _decision(node)
    for event in EVENTS:
        found = node.find(f"{BPMN}{event}EventDefinition")
        if found is None:
            continue
        if event == "timer":
            texts = [found.findtext(f"{BPMN}{one}") for one in ("timeDate", "timeDuration", "timeCycle")]
            return event, next((text for text in texts if text), "")
        if event == "compensate":
            return event, found.get("activityRef", "")
        return event, known.get(found.get(f"{event}Ref"), "")
    return "", ""


def called(node: etree._Element) -> str:
    """The id of what a call activity calls, without the prefix of the file's own namespace."""
    return str(node.get("calledElement", "")).rpartition(":")[2]


def properties(node: etree._Element) -> dict[str, str]:
    """Pairs of name and value, in whatever namespace a tool writes them."""
    pairs = (
        (one.get("name", ""), one.get("value", ""))
        for one in _extensions(node)
        if etree.QName(one).localname == "property"
    )
    return {name.strip(): value.strip() for name, value in pairs if name}


def unsupported(node: etree._Element) -> str:
    """What stands on an element and cannot be run, by the word of the standard for it; empty where there is nothing."""
    about = [one for one in node if one.tag in _DEFINITIONS]
    found = {
        _STANDARD_LOOP: node.find(f"{BPMN}{_STANDARD_LOOP}") is not None,
        "triggeredByEvent": node.get("triggeredByEvent") == "true",
        "eventDefinitionRef": node.find(f"{BPMN}eventDefinitionRef") is not None,
        "eventDefinition": len(about) > 1,
        "instantiate": node.get("instantiate") == "true",
        "eventGatewayType": node.get("eventGatewayType") == "Parallel",
        "startQuantity": node.get("startQuantity", "1") != "1",
        "completionQuantity": node.get("completionQuantity", "1") != "1",
        "scriptFormat": node.get("scriptFormat", "").strip().lower() not in _OURS,
        "globalTask": _calls_task(node),
    }
    return next((word for word, there in found.items() if there), "")


def _calls_task(node: etree._Element) -> bool:
    """Whether a step calls a task that stands in the file beside its processes."""
    beside = node.getroottree().getroot().iterchildren(*_GLOBAL)
    return node.tag == f"{BPMN}callActivity" and called(node) in {one.get("id") for one in beside}


def several(node: etree._Element, stated: Mapping[str, str]) -> Several | None:
    """How often an element runs that runs several times: as its properties say, or as tools write it."""
    loop = node.find(f"{BPMN}multiInstanceLoopCharacteristics")
    if loop is None:
        return None
    item = loop.find(f"{BPMN}inputDataItem")
    told = {**_attributes(loop), **_attributes(item if item is not None else loop)}
    for one in _extensions(loop):
        told |= _attributes(one)
    texts = (loop.findtext(f"{BPMN}{tag}", "") for tag in ("loopDataInputRef", "loopCardinality"))
    written = (stated.get("each"), told.get("collection"), told.get("inputCollection"), *texts)
    each = next((text.strip() for text in written if text and text.strip()), "")
    called = stated.get("as") or told.get("elementVariable") or told.get("inputElement")
    if called is None and item is not None:
        called = item.get("name") or item.get("id")
    return Several(
        each="" if stated.get("lines") else expression(each),
        lines=stated.get("lines", ""),
        item=called or "item",
        until=expression(loop.findtext(f"{BPMN}completionCondition", "").strip()),
        one_by_one=loop.get("isSequential") == "true",
    )


def _decision(node: etree._Element) -> str:
    """The table that a business rule task asks: its property ``table``, or as tools write it."""
    told = _attributes(node).get("decisionRef", "")
    ids = (_attributes(one).get("decisionId", "") for one in _extensions(node))
    return properties(node).get("table", "") or told or next((one for one in ids if one), "")


def expression(text: str) -> str:
    """What tools write as ``=approvers``, ``${approvers}`` or ``#{approvers}``, without the marks around it."""
    text = text.strip()
    inner = text[2:-1] if text.startswith(("${", "#{")) and text.endswith("}") else text.removeprefix("=")
    return inner.strip()


def _attributes(node: etree._Element) -> dict[str, str]:
    return {etree.QName(str(name)).localname: str(value) for name, value in node.attrib.items()}


def _extensions(node: etree._Element) -> Iterator[etree._Element]:
    extensions = node.find(f"{BPMN}extensionElements")
    return iter(()) if extensions is None else extensions.iter(etree.Element)
