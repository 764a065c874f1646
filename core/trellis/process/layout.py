"""Where to draw a diagram that says nothing of it: elements in columns by their distance from the start."""

from __future__ import annotations

import dataclasses
import math

from trellis.process.diagram import Box, Diagram, Element

SIZES = {"Event": (36.0, 36.0), "Gateway": (50.0, 50.0)}
TASK = (100.0, 80.0)
COLUMN, ROW, MARGIN = 160.0, 120.0, 40.0


def laid_out(diagram: Diagram) -> Diagram:
    """The diagram with a place for each element; as it is, where its file draws all of them within reason."""
    drawn = all(name in diagram.boxes for name in diagram.elements) and all(
        math.isfinite(value) and abs(value) < 100_000
        for box in diagram.boxes.values()
        for value in (box.x, box.y, box.width, box.height)
    )
    if drawn:
        return diagram
    boxes: dict[str, Box] = {}
    rows: dict[int, int] = {}
    ranks = _ranks(diagram)
    for element in diagram.elements.values():
        if element.kind == "boundaryEvent":
            continue
        width, height = _size(element)
        column, row = ranks[element.id], rows.get(ranks[element.id], 0)
        rows[ranks[element.id]] = row + 1
        x, y = MARGIN + column * COLUMN + 50, MARGIN + row * ROW + 40
        boxes[element.id] = Box(x - width / 2, y - height / 2, width, height)
    at_edge: dict[str, int] = {}
    for element in diagram.of_kind("boundaryEvent"):
        host = boxes.get(element.attached, Box(MARGIN, MARGIN, *TASK))
        place = at_edge[element.attached] = at_edge.get(element.attached, 0) + 1
        boxes[element.id] = Box(host.x + host.width - 40.0 * place, host.y + host.height - 18, 36, 36)
    lines = {flow.id: _line(boxes[flow.source], boxes[flow.target]) for flow in diagram.flows.values()}
    return dataclasses.replace(diagram, boxes=boxes, lines=lines, lanes={})


def _size(element: Element) -> tuple[float, float]:
    return next((size for ending, size in SIZES.items() if element.kind.endswith(ending)), TASK)


def _ranks(diagram: Diagram) -> dict[str, int]:
    """How many arrows lie between the start and each element, on the shortest way."""
    ranks = {one.id: 0 for one in diagram.of_kind("startEvent")}
    queue = list(ranks)
    while queue:
        here = queue.pop(0)
        edges = [one.id for one in diagram.of_kind("boundaryEvent") if one.attached == here]
        for following in (*(flow.target for flow in diagram.leaving(here)), *edges):
            if following not in ranks:
                ranks[following] = ranks[here] + (following not in edges)
                queue.append(following)
    return {name: ranks.get(name, 0) for name in diagram.elements}


def _line(source: Box, target: Box) -> tuple[tuple[float, float], ...]:
    start = (source.x + source.width, source.y + source.height / 2)
    end = (target.x, target.y + target.height / 2)
    if start[1] == end[1]:
        return start, end
    bend = (start[0] + end[0]) / 2
    return start, (bend, start[1]), (bend, end[1]), end
