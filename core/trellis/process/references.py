"""Ids of a file and references to them, as all tools and the library that runs it understand them."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from trellis.process.notation import BPMN

_QUALIFIED = (
    *("bpmnElement", "processRef", "messageRef", "signalRef", "errorRef", "escalationRef"),
    *("dataStoreRef", "categoryValueRef"),
)
"""References that some tools write with the prefix of the file's own namespace."""
_TAKEN = ("Start", "End")
"""Ids that the library gives to steps of its own."""
_POINTING = ("id", "sourceRef", "targetRef", "attachedToRef", "bpmnElement", "activityRef", "default")
_NAMING = tuple(f"{BPMN}{tag}" for tag in ("flowNodeRef", "incoming", "outgoing", "sourceRef", "targetRef"))
"""Attributes and elements that hold the id of what stands in a process."""


def settled(root: etree._Element) -> etree._Element:
    """The file with bare references, and without ids that are taken."""
    for node, name in list(_prefixed(root)):
        node.set(name, node.get(name, "").partition(":")[2])
    known = {node.get("id") for node in root.iter(etree.Element)}
    for taken in _taken(root):
        free = next(name for number in range(1, len(known) + 2) if (name := f"{taken}_{number}") not in known)
        for node in root.iter(etree.Element):
            for attribute in _POINTING:
                if node.get(attribute) == taken:
                    node.set(attribute, free)
            if node.tag in _NAMING and (node.text or "").strip() == taken:
                node.text = free
    return root


def is_settled(root: etree._Element) -> bool:
    """Nothing of a file has to be written otherwise."""
    return not any(_prefixed(root)) and not _taken(root)


def _prefixed(root: etree._Element) -> Iterator[tuple[etree._Element, str]]:
    own = root.get("targetNamespace")
    for node in root.iter(etree.Element):
        for name in _QUALIFIED:
            prefix, colon, _rest = node.get(name, "").partition(":")
            if colon and own and node.nsmap.get(prefix) == own:
                yield node, name


def _taken(root: etree._Element) -> list[str]:
    there = {node.get("id") for node in root.iter(etree.Element) if node.tag.startswith(BPMN)}
    return [name for name in _TAKEN if name in there]
