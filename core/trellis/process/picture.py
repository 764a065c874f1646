"""The drawing in a BPMN file: what a tool that shows diagrams needs, and files made by programs do not have."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from lxml import etree

from trellis.i18n import translator
from trellis.process.diagram import DC, DD, DI, PARTS, Box, Diagram, read, tree, xml
from trellis.process.layout import laid_out
from trellis.process.notation import BPMN
from trellis.process.references import is_settled

_ = translator("trellis")

NAMESPACES = {"bpmndi": DI[1:-1], "dc": DC[1:-1], "di": DD[1:-1]}

LABEL = (90.0, 14.0)
"""The room of a name under an event or a gateway."""


def drawn(text: bytes) -> bytes:
    """A file in UTF-8 with a drawing of all its elements: as it is, where it has one. Raises DiagramInvalid."""
    diagram = read(text)
    placed = laid_out(diagram)
    root = xml(text)
    if placed is not diagram:
        return _with_drawing(tree(text), diagram, placed)
    in_utf8 = (root.getroottree().docinfo.encoding or "").upper() == "UTF-8"
    return text if in_utf8 and is_settled(root) else _written(tree(text))


def blank() -> bytes:
    """What a new process begins with: a start, one step, an end."""
    words = {"start": _("Start"), "step": _("First step"), "end": _("End")}
    text = f"""<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="{BPMN[1:-1]}" id="definitions" targetNamespace="urn:trellis:process">
<bpmn:process id="process" isExecutable="true">
<bpmn:startEvent id="start"/><bpmn:userTask id="step"/><bpmn:endEvent id="end"/>
<bpmn:sequenceFlow id="begins" sourceRef="start" targetRef="step"/>
<bpmn:sequenceFlow id="ends" sourceRef="step" targetRef="end"/>
</bpmn:process></bpmn:definitions>"""
    root = tree(text.encode())
    for node in root.iter(f"{BPMN}startEvent", f"{BPMN}userTask", f"{BPMN}endEvent"):
        node.set("name", str(words[node.get("id")]))
    return drawn(_written(root))


def _with_drawing(root: etree._Element, before: Diagram, placed: Diagram) -> bytes:
    """Adds to the drawing of a file what it does not show; a drawing that shows nothing of the process is made anew."""
    shown = {
        name for name in placed.elements if name in before.boxes and before.boxes[name] == placed.boxes[name]
    }
    plane = root.find(f".//{DI}BPMNPlane") if shown else None
    if plane is None:
        plane, before = _blank_sheet(root, placed), dataclasses.replace(placed, boxes={}, lines={})
    for name, box in placed.boxes.items():
        if name not in before.boxes:
            _shape(plane, name, box, placed)
    for name, points in placed.lines.items():
        if name not in before.lines:
            edge = etree.SubElement(plane, f"{DI}BPMNEdge", id=f"drawing_{name}", bpmnElement=name)
            for x, y in points:
                etree.SubElement(edge, f"{DD}waypoint", _numbers(x=x, y=y))
    return _written(root)


def _blank_sheet(root: etree._Element, diagram: Diagram) -> etree._Element:
    for old in root.findall(f"{DI}BPMNDiagram"):
        root.remove(old)
    top = etree.SubElement(root, f"{DI}BPMNDiagram", id="drawing", nsmap=NAMESPACES)
    return etree.SubElement(top, f"{DI}BPMNPlane", id="drawing_plane", bpmnElement=diagram.process)


def _written(root: etree._Element) -> bytes:
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)  # type: ignore[no-any-return]


def _shape(plane: etree._Element, name: str, box: Box, diagram: Diagram) -> None:
    about = {"id": f"drawing_{name}", "bpmnElement": name}
    if name in diagram.elements and diagram.elements[name].kind in PARTS:
        about["isExpanded"] = "true"
    shape = etree.SubElement(plane, f"{DI}BPMNShape", about)
    _bounds(shape, box)
    known = diagram.elements.get(name)
    if known is not None and known.name and known.kind.endswith(("Event", "Gateway")):
        middle = box.x + box.width / 2
        label = Box(middle - LABEL[0] / 2, box.y + box.height + 7, *LABEL)
        _bounds(etree.SubElement(shape, f"{DI}BPMNLabel"), label)


def _bounds(parent: etree._Element, box: Box) -> None:
    numbers = _numbers(x=box.x, y=box.y, width=box.width, height=box.height)
    etree.SubElement(parent, f"{DC}Bounds", numbers)


def _numbers(**values: float) -> Mapping[str, str]:
    return {name: f"{value:g}" for name, value in values.items()}
