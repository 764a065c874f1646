"""Files of several processes: what tools draw as pools beside one another, each of them taken out as a file of its own.

A pool without anything in it stands for somebody outside, and is no process. In the file of each process, those that it
exchanges messages with stand beside it as such pools, so that the drawing still tells who sends what to whom.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass

from lxml import etree

from trellis.process.diagram import DI, holding, tree
from trellis.process.notation import BPMN, called

_PARTICIPANT, _CALL = f"{BPMN}participant", f"{BPMN}callActivity"
_ENDS = ("sourceRef", "targetRef")


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


def calling(text: bytes, names: Mapping[str, str]) -> bytes:
    """A file whose call activities name processes as ``names`` has them, by their ids in the file that they came from."""
    root, changed = tree(text), False
    for one in root.iter(_CALL):
        name = names.get(called(one))
        if name:
            one.set("calledElement", name)
            changed = True
    return _written(root) if changed else text


def _title(root: etree._Element, process: str) -> str:
    """What the pool of a process is called, else the process itself, else the step that calls it."""
    named = [one.get("name") for one in root.iter(_PARTICIPANT) if one.get("processRef") == process]
    named += [one.get("name") for one in root.iterchildren(f"{BPMN}process") if one.get("id") == process]
    named += [one.get("name") for one in root.iter(_CALL) if called(one) == process]
    return " ".join(next((name for name in named if name), process).split())


def _alone(root: etree._Element, process: str) -> bytes:
    copy = deepcopy(root)
    homes = _homes(copy)
    for one in list(copy.iterchildren(f"{BPMN}process")):
        if one.get("id") != process:
            copy.remove(one)
    for one in list(copy.iterfind(f"{BPMN}collaboration")):
        if any(part.get("processRef") == process for part in one.iterfind(_PARTICIPANT)):
            _narrow(one, process, homes)
        else:
            copy.remove(one)
    _draw_only_known(copy, process)
    return _written(copy)


def _homes(root: etree._Element) -> dict[str, str]:
    """The pool that each id of a file belongs to, or the process without one; pools are their own."""
    drawn = list(root.iter(_PARTICIPANT))
    pool_of = {one.get("processRef"): one.get("id", "") for one in drawn}
    found = {one.get("id", ""): one.get("id", "") for one in drawn}
    for one in root.iterchildren(f"{BPMN}process"):
        home = pool_of.get(one.get("id")) or one.get("id", "")
        found |= {node.get("id", ""): home for node in one.iter(etree.Element) if node.get("id")}
    return found


def _narrow(collaboration: etree._Element, process: str, homes: Mapping[str, str]) -> None:
    """Leaves the pool of a process, and those it exchanges messages with as pools without anything in them."""
    there = list(collaboration.iterfind(_PARTICIPANT))
    own = next(one.get("id", "") for one in there if one.get("processRef") == process)
    beside = {own}
    for line in list(collaboration.iterfind(f"{BPMN}messageFlow")):
        ends = {end: homes.get(line.get(end, ""), "") for end in _ENDS}
        if own not in ends.values():
            collaboration.remove(line)
            continue
        beside |= set(ends.values())
        for end, home in ends.items():
            if home not in ("", own):
                line.set(end, home)
    for one in there:
        if one.get("id") not in beside:
            collaboration.remove(one)
        elif one.get("id") != own:
            one.attrib.pop("processRef", None)
    _leave_notes(collaboration, {name: home for name, home in homes.items() if name not in beside}, own)


def _leave_notes(collaboration: etree._Element, homes: Mapping[str, str], own: str) -> None:
    """Takes away notes that are about what stands in another file; those about nothing stay in each."""
    elsewhere, here = set(), set()
    for line in list(collaboration.iterfind(f"{BPMN}association")):
        ends = {line.get(end, "") for end in _ENDS}
        if any(homes.get(end, own) != own for end in ends):
            elsewhere |= ends
            collaboration.remove(line)
        else:
            here |= ends
    for tag in ("textAnnotation", "group"):
        for one in list(collaboration.iterfind(f"{BPMN}{tag}")):
            if one.get("id") in elsewhere - here:
                collaboration.remove(one)


def _draw_only_known(root: etree._Element, process: str) -> None:
    """Takes away the drawings of what is not there; what is left of one of a collaboration that is gone shows the process."""
    known = {one.get("id") for one in root.iter(etree.Element) if not one.tag.startswith(DI)}
    for shape in list(root.iter(f"{DI}BPMNShape", f"{DI}BPMNEdge")):
        if shape.get("bpmnElement") not in known:
            shape.getparent().remove(shape)
    for sheet in list(root.iterfind(f"{DI}BPMNDiagram")):
        if sheet.find(f".//{DI}BPMNShape") is None:
            root.remove(sheet)
    for plane in root.iter(f"{DI}BPMNPlane"):
        if plane.get("bpmnElement") not in known:
            plane.set("bpmnElement", process)


def _written(root: etree._Element) -> bytes:
    return bytes(etree.tostring(root, encoding="UTF-8", xml_declaration=True))
