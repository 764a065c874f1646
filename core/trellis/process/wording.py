"""A diagram in another language: the texts of a plugin's file as its catalogue has them, for a copy that has none."""

from __future__ import annotations

from collections.abc import Callable

from lxml import etree

from trellis.process.diagram import tree
from trellis.process.forms import FORM, reworded
from trellis.process.notation import BPMN

Words = Callable[[str], object]
_CALLED_BY = ("message", "signal", "error", "escalation")
"""Their names are what they are called by, not what people read."""


def in_words(text: bytes, words: Words) -> bytes:
    """The file with its names, instructions and questions as ``words`` has them."""
    root = tree(text)
    for node in root.iter(etree.Element):
        tag = etree.QName(node).localname
        if node.tag.startswith(BPMN) and tag not in _CALLED_BY and node.get("name"):
            node.set("name", str(words(" ".join(node.get("name").split()))))
        elif tag == "property" and node.get("value"):
            node.set("value", _property(node.get("name", ""), node.get("value"), words))
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)  # type: ignore[no-any-return]


def _property(name: str, value: str, words: Words) -> str:
    if name == "help":
        return str(words(value.strip()))
    return reworded(value.strip(), words) if name.startswith(FORM) else value
