"""Where to draw what a diagram says nothing of: elements in columns by their distance from the start."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence

from trellis.process.diagram import Box, Diagram, Element, Flow

SIZES = {"Event": (36.0, 36.0), "Gateway": (50.0, 50.0)}
TASK = (100.0, 80.0)
GAP, MARGIN, PAD = 60.0, 40.0, 30.0
ROW = 120.0
FURTHEST = 100_000


def laid_out(diagram: Diagram) -> Diagram:
    """The diagram with a place for each element and arrow; as it is, where its file draws all of them within reason.

    What a file leaves out of its drawing stands below that. What is inside of a part that is drawn closed is not drawn.
    """
    missing = [one for one in diagram.elements.values() if not _is_drawn(diagram, one)]
    kept = {name: box for name, box in diagram.boxes.items() if _is_sane(box)}
    if 0 < len(missing) == len(diagram.elements) or len(kept) < len(diagram.boxes):
        boxes, _size = _arranged(diagram, "", MARGIN, MARGIN)
        lines = {one.id: _line(boxes[one.source], boxes[one.target]) for one in _between(diagram, boxes)}
        return dataclasses.replace(diagram, boxes=boxes, lines=lines, lanes={})
    boxes = {**kept, **_below(diagram, missing)}
    lines = {
        one.id: _line(boxes[one.source], boxes[one.target])
        for one in _between(diagram, boxes)
        if one.id not in diagram.lines and not diagram.is_hidden(diagram.elements[one.source])
    }
    if not missing and not lines:
        return diagram
    return dataclasses.replace(diagram, boxes=boxes, lines={**diagram.lines, **lines})


def _is_drawn(diagram: Diagram, element: Element) -> bool:
    return diagram.is_hidden(element) or element.id in diagram.boxes


def _is_sane(box: Box) -> bool:
    numbers = (box.x, box.y, box.width, box.height)
    return all(math.isfinite(one) and abs(one) < FURTHEST for one in numbers)


def _between(diagram: Diagram, boxes: dict[str, Box]) -> Iterable[Flow]:
    """The arrows whose both ends have a place."""
    return (one for one in diagram.flows.values() if one.source in boxes and one.target in boxes)


def _below(diagram: Diagram, missing: Sequence[Element]) -> dict[str, Box]:
    """Places for what a drawing leaves out, in a row under all that it holds; with what stands in it, and at its edges."""
    lost = {one.id for one in missing}
    x, y = MARGIN, MARGIN + max((box.y + box.height for box in diagram.boxes.values()), default=0.0)
    found: dict[str, Box] = {}
    for element in missing:
        if element.inside in lost or element.kind == "boundaryEvent":
            continue
        boxes, size = _sized(diagram, element, x, y)
        found |= boxes
        x += size[0] + GAP
    return found | _at_edges(missing, {**diagram.boxes, **found})


def _arranged(
    diagram: Diagram, inside: str, left: float, top: float
) -> tuple[dict[str, Box], tuple[float, float]]:
    """Places for what stands in a part (empty: the process), and how wide and high all of it is."""
    columns: dict[int, list[Element]] = {}
    here = [one for one in diagram.elements.values() if one.inside == inside]
    ranks = _ranks(diagram, here)
    for element in here:
        if element.kind != "boundaryEvent":
            columns.setdefault(ranks[element.id], []).append(element)
    boxes: dict[str, Box] = {}
    x, lowest = left, top
    for rank in sorted(columns):
        y, sizes = top, [_sized(diagram, one, 0, 0)[1] for one in columns[rank]]
        width = max(size[0] for size in sizes)
        for element, size in zip(columns[rank], sizes, strict=True):
            height = max(TASK[1], size[1])
            place = x + (width - size[0]) / 2, y + (height - size[1]) / 2
            boxes |= _sized(diagram, element, *place)[0]
            lowest, y = max(lowest, y + height), y + height + ROW - TASK[1]
        x += width + GAP
    boxes |= _at_edges(here, boxes)
    return boxes, (x - GAP - left, lowest - top)


def _sized(
    diagram: Diagram, element: Element, x: float, y: float
) -> tuple[dict[str, Box], tuple[float, float]]:
    """An element at a place, with what stands in it; and how large it is."""
    size = next((size for ending, size in SIZES.items() if element.kind.endswith(ending)), TASK)
    boxes: dict[str, Box] = {}
    if any(one.inside == element.id for one in diagram.elements.values()):
        boxes, (width, height) = _arranged(diagram, element.id, x + PAD, y + PAD)
        size = width + 2 * PAD, height + 2 * PAD
    return {**boxes, element.id: Box(x, y, *size)}, size


def _at_edges(elements: Iterable[Element], boxes: dict[str, Box]) -> dict[str, Box]:
    """Places for events at the edges of activities, side by side."""
    found, at_edge = {}, dict[str, int]()
    for element in elements:
        if element.kind == "boundaryEvent":
            host = boxes.get(element.attached, Box(MARGIN, MARGIN, *TASK))
            place = at_edge[element.attached] = at_edge.get(element.attached, 0) + 1
            found[element.id] = Box(host.x + host.width - 40.0 * place, host.y + host.height - 18, 36, 36)
    return found


def _ranks(diagram: Diagram, elements: Sequence[Element]) -> dict[str, int]:
    """How many arrows lie between the start of a part and each of its elements, on the shortest way."""
    ranks = {one.id: 0 for one in elements if one.kind == "startEvent"}
    queue = list(ranks)
    while queue:
        here = queue.pop(0)
        edges = [one.id for one in elements if one.kind == "boundaryEvent" and one.attached == here]
        for following in (*(flow.target for flow in diagram.leaving(here)), *edges):
            if following not in ranks:
                ranks[following] = ranks[here] + (following not in edges)
                queue.append(following)
    return {one.id: ranks.get(one.id, 0) for one in elements}


def _line(source: Box, target: Box) -> tuple[tuple[float, float], ...]:
    start = (source.x + source.width, source.y + source.height / 2)
    end = (target.x, target.y + target.height / 2)
    if start[1] == end[1]:
        return start, end
    bend = (start[0] + end[0]) / 2
    return start, (bend, start[1]), (bend, end[1]), end
