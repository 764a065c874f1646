"""A diagram as the library is given it: without what only the engine knows of, and what is for the eye of a reader."""

from __future__ import annotations

from lxml import etree

from trellis.process.diagram import Diagram, Element, tree
from trellis.process.notation import BPMN

EACH = "each "
"""Before the name of an element whose number of runs is asked for."""

_AT_TOP = frozenset({"process", "message", "signal", "error", "escalation"})
"""What the library asks for beside the drawing; files of other tools hold much else there."""
_LEFT_OUT = (
    *("ioSpecification", "dataInputAssociation", "dataOutputAssociation", "property", "extensionElements"),
    *(
        "dataObject",
        "dataObjectReference",
        "dataStoreReference",
        "dataInput",
        "dataOutput",
        "inputSet",
        "outputSet",
    ),
    *("textAnnotation", "association", "group"),
)
"""What tools and the engine write beside the standard, notes, and data of a tool: variables belong to the instance here."""


def prepared(diagram: Diagram) -> etree._Element:
    """The XML of a diagram in which runs of elements are counted by the engine, and what is undone is left to it.

    Whoever publishes a diagram means it to be run, whatever its tool has written of that.
    """
    root = tree(diagram.text)
    for node in list(root.iterchildren(etree.Element)):
        if node.tag.startswith(BPMN) and etree.QName(node).localname not in _AT_TOP:
            root.remove(node)
    for process in list(root.iterchildren(f"{BPMN}process")):
        process.set("isExecutable", "true")
        if process.get("id") != diagram.process:
            root.remove(process)
    for tag in _LEFT_OUT:
        for node in list(root.iter(f"{BPMN}{tag}")):
            _remove(node)
    for node in list(root.iter(f"{BPMN}conditionExpression")):
        if not (node.text or "").strip():
            _remove(node)
    for node in list(root.iter(etree.Element)):
        known = diagram.elements.get(node.get("id", ""))
        if known is None or node.tag != f"{BPMN}{known.kind}":
            continue
        if known.undoes or (known.event == "compensate" and known.kind == "boundaryEvent"):
            _remove(node)
        elif known.several is not None:
            _count_by_engine(node, known)
    return root


def _count_by_engine(node: etree._Element, element: Element) -> None:
    loop = node.find(f"{BPMN}multiInstanceLoopCharacteristics")
    several = element.several
    if loop is None or several is None:
        return
    for part in list(loop):
        loop.remove(part)
    etree.SubElement(loop, f"{BPMN}loopCardinality").text = f"{EACH}{element.id}"
    if several.until:
        etree.SubElement(loop, f"{BPMN}completionCondition").text = several.until


def _remove(node: etree._Element) -> None:
    above = node.getparent()
    if above is not None:
        above.remove(node)
