"""A BPMN 2.0 file as Trellis understands it: elements, flows, what is written on them, and where they are drawn.

What Trellis needs beside the standard stands in *extension properties*, pairs of name and value under
``extensionElements``. Their namespace does not matter, so they can be edited wherever a tool has a table of properties.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from lxml import etree

from trellis.errors import TrellisError
from trellis.i18n import Text, translator
from trellis.process import notation
from trellis.process.notation import BPMN, Several
from trellis.process.references import settled

_ = translator("trellis")

DI = "{http://www.omg.org/spec/BPMN/20100524/DI}"
DC = "{http://www.omg.org/spec/DD/20100524/DC}"
DD = "{http://www.omg.org/spec/DD/20100524/DI}"
PARTS = ("subProcess", "transaction", "adHocSubProcess")
"""Elements that hold others."""
LARGEST = 1024 * 1024
"""Bytes of a file."""
MOST_ELEMENTS = 500
FURTHEST = 1e6
"""No place of a drawing is further from its origin."""


@dataclass(frozen=True)
class Problem:
    """What is wrong with a diagram, and at which element (empty: the whole)."""

    element: str
    reason: Text | str

    def __str__(self) -> str:
        return f"{self.element}: {self.reason}" if self.element else str(self.reason)


class DiagramInvalid(TrellisError):
    """A diagram cannot be run; ``problems`` name each element and the reason."""

    status = 422
    code = "diagram_invalid"

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(str(one) for one in problems))
        self.problems = problems


@dataclass(frozen=True, kw_only=True)
class Element:
    """A node: an event, a task, a gateway or a sub-process.

    ``kind`` is its BPMN tag (``userTask``); ``event`` what an event is about (``timer``, ``message``, ``error``,
    ``terminate``) and ``detail`` its text: a time, a message's name, an error's code, the lines of a script, the process that
    is called. ``inside`` is the sub-process it stands in; ``attached`` the activity whose edge it stands on. ``undoes`` an
    activity that only undoes another.
    """

    id: str
    kind: str
    name: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)
    inside: str = ""
    event: str = ""
    detail: str = ""
    attached: str = ""
    interrupting: bool = True
    default: str = ""
    several: Several | None = None
    undoes: bool = False
    unsupported: str = ""


@dataclass(frozen=True)
class Flow:
    """An arrow; ``condition`` is an expression."""

    id: str
    source: str
    target: str
    name: str = ""
    condition: str = ""


@dataclass(frozen=True)
class Box:
    """Where a shape is drawn."""

    x: float
    y: float
    width: float
    height: float
    expanded: bool = True


@dataclass(frozen=True, kw_only=True)
class Diagram:
    """One process of a file, with its sub-processes. ``digest`` tells one content from another; ``undoing`` holds what
    undoes an activity, by that activity.
    """

    process: str
    name: str
    text: bytes
    elements: Mapping[str, Element]
    flows: Mapping[str, Flow]
    undoing: Mapping[str, str] = field(default_factory=dict)
    lanes: Mapping[str, str] = field(default_factory=dict)
    boxes: Mapping[str, Box] = field(default_factory=dict)
    lines: Mapping[str, tuple[tuple[float, float], ...]] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """SHA-256 of the file."""
        return digest(self.text)

    @property
    def start(self) -> Element:
        """The one event that the process starts with."""
        return next(one for one in self.elements.values() if one.kind == "startEvent" and not one.inside)

    def leaving(self, element: str) -> list[Flow]:
        """The arrows out of an element."""
        return [flow for flow in self.flows.values() if flow.source == element]

    def entering(self, element: str) -> list[Flow]:
        """The arrows into an element."""
        return [flow for flow in self.flows.values() if flow.target == element]

    def around(self, element: str) -> Iterator[Element]:
        """An element and the sub-processes that it stands in, from the inside out."""
        known = self.elements.get(element)
        while known is not None:
            yield known
            known = self.elements.get(known.inside)

    def is_hidden(self, element: Element) -> bool:
        """Whether an element stands in a part that is drawn closed, whatever another sheet of the file shows of it."""
        around = (self.boxes.get(one.id) for one in self.around(element.inside))
        return any(box is not None and not box.expanded for box in around)

    def of_kind(self, *kinds: str) -> Iterator[Element]:
        """The elements of some kinds, in the order of the file."""
        return (one for one in self.elements.values() if one.kind in kinds)


def digest(text: bytes) -> str:
    """What tells the content of one file from that of another."""
    return hashlib.sha256(text).hexdigest()


def read(text: bytes) -> Diagram:
    """The process in a BPMN file. Raises DiagramInvalid for what is no such file."""
    root = _parse(text)
    processes = holding(root)
    if len(processes) != 1:
        known = ", ".join(one.get("name") or one.get("id", "") for one in processes)
        several = _(
            "This file holds %(number)s processes (%(names)s): give each in a file of its own. “New process” takes such a "
            "file apart, and makes a draft of each",
            number=len(processes),
            names=known,
        )
        raise _invalid(several if processes else _("This file holds no process"), "definitions")
    names = notation.names(root)
    (process,) = processes
    elements: dict[str, Element] = {}
    flows: dict[str, Flow] = {}
    _walk(process, "", names, elements, flows)
    if len(elements) > MOST_ELEMENTS:
        raise _invalid(_("A diagram has at most %(number)s elements", number=MOST_ELEMENTS), "definitions")
    boxes, lines = _drawn(root)
    lanes = {
        lane.get("id", ""): " ".join(lane.get("name", "").split()) for lane in process.iter(f"{BPMN}lane")
    }
    return Diagram(
        process=process.get("id", ""),
        name=process.get("name", ""),
        text=text,
        elements=elements,
        flows=flows,
        undoing=_undoing(process, elements),
        lanes=lanes,
        boxes=boxes,
        lines=lines,
    )


def holding(root: etree._Element) -> list[etree._Element]:
    """The processes of a file: those with something in them, where there is one; empty ones stand for somebody outside."""
    processes = list(root.iterchildren(f"{BPMN}process"))
    return [one for one in processes if any(_is_node(node) for node in one)] or processes


def tree(text: bytes) -> etree._Element:
    """The XML of a BPMN file. Raises DiagramInvalid for what is no such file."""
    return _parse(text)


def _parse(text: bytes) -> etree._Element:
    root = xml(text)
    if root.tag != f"{BPMN}definitions":
        raise _invalid(_("This is not a BPMN 2.0 file: it has no bpmn:definitions"), "")
    return settled(root)


def xml(text: bytes) -> etree._Element:
    """XML that reaches nothing outside itself and cannot grow. Raises DiagramInvalid."""
    if len(text) > LARGEST:
        raise _invalid(_("A diagram is at most 1 MB large"), "")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    declares = b"<!DOCTYPE" in text or b"<!ENTITY" in text
    try:
        root = etree.fromstring(b"<none/>" if declares else text, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise _invalid(_("This is not XML: %(problem)s", problem=str(error)), "") from None
    if declares or root.getroottree().docinfo.internalDTD is not None:  # written in whatever encoding
        raise _invalid(_("A diagram may not declare a document type or entities"), "")
    return root


def _invalid(reason: Text, element: str) -> DiagramInvalid:
    return DiagramInvalid([Problem(element, reason)])


_NO_NODES = frozenset(
    {
        "extensionElements",
        "documentation",
        "laneSet",
        "sequenceFlow",
        "textAnnotation",
        "association",
        "group",
    }
    | {
        "incoming",
        "outgoing",
        "ioSpecification",
        "ioBinding",
        "property",
        "categoryValueRef",
        "dataObject",
        "dataObjectReference",
    }
    | {"dataStoreReference", "dataInputAssociation", "dataOutputAssociation", "auditing", "monitoring"}
    | {"multiInstanceLoopCharacteristics", "standardLoopCharacteristics", "completionCondition", "supports"}
    | {"correlationSubscription", "resourceRole", "performer", "humanPerformer", "potentialOwner"}
)
"""What stands in a process and is not walked through."""


def _walk(
    scope: etree._Element,
    inside: str,
    names: Mapping[str | None, str],
    elements: dict[str, Element],
    flows: dict[str, Flow],
) -> None:
    for node in scope:
        tag = etree.QName(node).localname
        if tag == "sequenceFlow":
            flow = _flow(node)
            if not flow.id or flow.id in flows:
                raise _invalid(_("Each arrow needs an id of its own"), flow.id or flow.source)
            flows[flow.id] = flow
        if not _is_node(node):
            continue
        known = _element(node, tag, inside, names)
        if not known.id or known.id in elements:
            raise _invalid(_("Each element needs an id of its own"), known.id or tag)
        elements[known.id] = known
        if tag in PARTS:
            _walk(node, known.id, names, elements, flows)


def _is_node(node: etree._Element) -> bool:
    return node.tag.startswith(BPMN) and etree.QName(node).localname not in _NO_NODES


def _flow(node: etree._Element) -> Flow:
    condition = node.findtext(f"{BPMN}conditionExpression", "")
    ends = node.get("sourceRef", ""), node.get("targetRef", "")
    called = " ".join(node.get("name", "").split())
    return Flow(node.get("id", ""), *ends, called, notation.expression(condition))


def _element(node: etree._Element, tag: str, inside: str, names: Mapping[str | None, str]) -> Element:
    event, detail = notation.about(node, tag, names)
    stated = notation.properties(node)
    return Element(
        id=node.get("id", ""),
        kind=tag,
        name=" ".join(node.get("name", "").split()),
        properties=stated,
        inside=inside,
        event=event,
        detail=detail.strip(),
        attached=node.get("attachedToRef", ""),
        interrupting=node.get("cancelActivity", "true") == "true",
        default=node.get("default", ""),
        several=notation.several(node, stated),
        undoes=node.get("isForCompensation") == "true",
        unsupported=notation.unsupported(node),
    )


def _undoing(process: etree._Element, elements: Mapping[str, Element]) -> dict[str, str]:
    """What undoes an activity, by that activity: a line leads from the event at its edge to it."""
    found = {}
    for line in process.iter(f"{BPMN}association"):
        edge, target = (elements.get(line.get(end, "")) for end in ("sourceRef", "targetRef"))
        if edge is not None and target is not None and edge.event == "compensate" and edge.attached:
            found[edge.attached] = target.id
    return found


def _drawn(root: etree._Element) -> tuple[dict[str, Box], dict[str, tuple[tuple[float, float], ...]]]:
    boxes, lines = {}, {}
    try:
        for shape in root.iter(f"{DI}BPMNShape"):
            bounds = shape.find(f"{DC}Bounds")
            if bounds is not None:
                x, y, width, height = (_place(bounds, name) for name in ("x", "y", "width", "height"))
                expanded = shape.get("isExpanded", "true") == "true"
                boxes[shape.get("bpmnElement", "")] = Box(x, y, width, height, expanded)
        for edge in root.iter(f"{DI}BPMNEdge"):
            points = edge.findall(f"{DD}waypoint")
            lines[edge.get("bpmnElement", "")] = tuple(
                (_place(point, "x"), _place(point, "y")) for point in points
            )
    except ValueError:
        raise _invalid(_("A place in the drawing is not a number"), "definitions") from None
    return boxes, lines


def _place(node: etree._Element, name: str) -> float:
    """A number of the drawing. Raises ValueError."""
    number = float(node.get(name, "0"))
    if not abs(number) < FURTHEST:
        raise ValueError(number)
    return number
