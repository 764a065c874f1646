"""Files of several processes: what tools draw as pools beside one another, each of them taken out as a file of its own.

A pool without anything in it stands for somebody outside, and is no process. What one process tells another stays in both, as
messages do; the lines that other tools draw between pools are for the eye alone, and are left out.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass

from lxml import etree

from trellis.process.diagram import DI, holding, tree
from trellis.process.notation import BPMN


@dataclass(frozen=True)
class Pool:
    """One process of a file: its id there, what it is called, and a file that holds it alone."""

    process: str
    title: str
    text: bytes


def pools(text: bytes) -> list[Pool]:
    """The processes in a BPMN file, in its order. Raises DiagramInvalid for what is no such file."""
    root = tree(text)
    found = [one.get("id", "") for one in holding(root)]
    if len(found) == 1:
        return [Pool(found[0], "", text)]
    return [Pool(one, _title(root, one), _alone(root, one)) for one in found]


def _title(root: etree._Element, process: str) -> str:
    """What the pool of a process is called, else the process itself."""
    named = [one.get("name") for one in root.iter(f"{BPMN}participant") if one.get("processRef") == process]
    named += [one.get("name") for one in root.iter(f"{BPMN}process") if one.get("id") == process]
    return " ".join(next((name for name in named if name), process).split())


def _alone(root: etree._Element, process: str) -> bytes:
    copy = deepcopy(root)
    for one in list(copy.iter(f"{BPMN}process")):
        if one.get("id") != process:
            copy.remove(one)
    for tag in ("participant", "messageFlow", "textAnnotation", "association", "group"):
        for one in list(copy.iterfind(f"{BPMN}collaboration/{BPMN}{tag}")):
            if one.get("processRef") != process:
                one.getparent().remove(one)
    known = {one.get("id") for one in copy.iter(etree.Element) if not one.tag.startswith(DI)}
    for shape in list(copy.iter(f"{DI}BPMNShape", f"{DI}BPMNEdge")):
        if shape.get("bpmnElement") not in known:
            shape.getparent().remove(shape)
    return bytes(etree.tostring(copy, encoding="UTF-8", xml_declaration=True))
