"""References of a file to what stands in itself, which some tools write with the prefix of the file's own namespace."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

_REFERRING = (
    *("bpmnElement", "processRef", "messageRef", "signalRef", "errorRef", "escalationRef"),
    *("dataStoreRef", "categoryValueRef"),
)


def prefixed(root: etree._Element) -> Iterator[tuple[etree._Element, str]]:
    """The elements and attributes that are so written."""
    own = root.get("targetNamespace")
    for node in root.iter(etree.Element):
        for name in _REFERRING:
            prefix, colon, _rest = node.get(name, "").partition(":")
            if colon and own and node.nsmap.get(prefix) == own:
                yield node, name


def without_prefixes(root: etree._Element) -> etree._Element:
    """The file with the bare ids, as all tools understand them."""
    for node, name in list(prefixed(root)):
        node.set(name, node.get(name, "").partition(":")[2])
    return root
