"""A diagram as ``components/process.html`` draws it: boxes, arrows and texts in their places, and the state of each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trellis.i18n import Text, translator
from trellis.process.diagram import Box, Diagram, Element, Flow
from trellis.process.layout import laid_out

_ = translator("trellis")

PER_LETTER, LINE = 6.6, 15.0
"""About how wide a letter is, and how high a line, in units of the drawing."""
MOST_LINES = 4
PAD = 24.0
SIDE = 40.0
"""Beside an event at the edge there is room for its name, which is wider."""
SCALE = 0.9
"""How large a unit of the drawing is shown; more of a diagram fits on a page."""

ICONS: Mapping[str, str] = {
    "userTask": "user-round",
    "manualTask": "user-round",
    "serviceTask": "zap",
    "sendTask": "mail",
    "scriptTask": "sigma",
    "receiveTask": "inbox",
    "callActivity": "workflow",
    "businessRuleTask": "table-2",
    "timer": "clock",
    "message": "mail",
    "error": "triangle-alert",
    "terminate": "circle-stop",
    "signal": "radio",
    "escalation": "chevrons-up",
    "compensate": "rewind",
}
MARKS = {
    "exclusiveGateway": "x",
    "parallelGateway": "plus",
    "inclusiveGateway": "circle",
    "eventBasedGateway": "pentagon",
}
STATES: Mapping[str, Text] = {
    "done": _("Done"),
    "active": _("Here now"),
    "stuck": _("Cannot go on"),
    "ahead": _("Ahead"),
}


@dataclass(frozen=True, kw_only=True)
class Position:
    """Where an instance stands; ``notes`` are small texts under the names of elements."""

    done: frozenset[str] = frozenset()
    active: frozenset[str] = frozenset()
    stuck: str = ""
    notes: Mapping[str, str] | None = None
    heat: Mapping[str, int] | None = None
    problems: frozenset[str] = frozenset()


def drawing(diagram: Diagram, words: Callable[[str], Any], position: Position) -> dict[str, Any]:
    """What the template draws. ``words`` translates the texts of the diagram."""
    placed = laid_out(diagram)
    shown = [one for one in placed.elements.values() if not placed.is_hidden(one)]
    scopes = {one.inside for one in shown if one.inside}
    nodes = [_node(placed, one, words, position, one.id in scopes) for one in shown]
    nodes.sort(key=lambda one: (not one["scope"], one["event"] == "boundary"))
    lanes = [
        {"x": box.x, "y": box.y, "width": box.width, "height": box.height, "title": str(words(name))}
        for lane, name in placed.lanes.items()
        if (box := placed.boxes.get(lane)) is not None
    ]
    names = {one.id for one in shown}
    flows = [one for one in placed.flows.values() if one.source in names]
    edges = [_edge(placed, flow, words, position) for flow in flows]
    edges += _undoing(placed)
    lift = _raise_lanes(lanes, nodes)
    view_box = _view_box(placed, names, [one.id for one in flows], bool(lanes), lift)
    return {"view_box": view_box, "lanes": lanes, "nodes": nodes, "edges": edges}


def _raise_lanes(lanes: list[dict[str, Any]], nodes: Sequence[Mapping[str, Any]]) -> float:
    """Makes the uppermost lanes high enough for names above gateways; by how much."""
    top = min((lane["y"] for lane in lanes), default=0.0)
    names = [one for one in nodes if one["shape"] == "gateway" and one["lines"] and not one["aside"]]
    highest = min((one["y"] - 8 - 14 * len(one["lines"]) for one in names), default=top + PAD)
    lift = max(0.0, top + 2 - highest)
    for lane in lanes:
        if lift and lane["y"] == top:
            lane.update(y=top - lift, height=lane["height"] + lift)
    return lift


def _view_box(
    diagram: Diagram, elements: Collection[str], flows: Iterable[str], with_lanes: bool, lift: float
) -> dict[str, float]:
    boxes = [box for name, box in diagram.boxes.items() if name in elements or name in diagram.lanes]
    points = [point for name in flows for point in diagram.lines.get(name, ())]
    left = min([box.x for box in boxes] + [point[0] for point in points])
    top = min([box.y for box in boxes] + [point[1] for point in points]) - lift * with_lanes
    right = max([box.x + box.width for box in boxes] + [point[0] for point in points])
    bottom = max([box.y + box.height for box in boxes] + [point[1] for point in points])
    pad, side = (2.0, 2.0) if with_lanes else (PAD, SIDE)
    width = right - left + 2 * side
    height = bottom - top + 2 * pad + (0 if with_lanes else LINE)
    return {
        "x": left - side,
        "y": top - pad,
        "width": width,
        "height": height,
        "wide": round(width * SCALE),
        "high": round(height * SCALE),
    }


def _state(element: str, position: Position) -> str:
    if element == position.stuck or element in position.problems:
        return "stuck"
    if element in position.active:
        return "active"
    return "done" if element in position.done else "ahead"


def _node(
    diagram: Diagram, element: Element, words: Callable[[str], Any], position: Position, scope: bool
) -> dict[str, Any]:
    box = diagram.boxes[element.id]
    title = str(words(element.name)) if element.name else ""
    shape = (
        "event"
        if element.kind.endswith("Event")
        else "gateway"
        if element.kind.endswith("Gateway")
        else "task"
    )
    note = (position.notes or {}).get(element.id, "")
    state = _state(element.id, position)
    room = box.width - 14 if shape == "task" else 110.0
    lines = wrapped(title, room)[: MOST_LINES - bool(note)]
    heat = (position.heat or {}).get(element.id, 0)
    spoken = title or element.id
    if element.several is not None:
        spoken = str(_("%(name)s, several times", name=spoken))
    return {
        "id": element.id,
        "shape": shape,
        "scope": scope,
        "event": {"startEvent": "start", "endEvent": "end", "boundaryEvent": "boundary"}.get(
            element.kind, ""
        ),
        "quiet": element.kind == "boundaryEvent" and not element.interrupting,
        "x": box.x,
        "y": box.y,
        "width": box.width,
        "height": box.height,
        "cx": box.x + box.width / 2,
        "cy": box.y + box.height / 2,
        "lines": lines,
        "note": note,
        "state": state,
        "heat": heat,
        "icon": ICONS.get(element.event or element.kind, ""),
        "mark": MARKS.get(element.kind, ""),
        "foot": _foot(element),
        "spoken": f"{spoken}: {STATES[state]}" if position.heat is None else spoken,
        "first": _first_line(box.height, len(lines) + bool(note)) - _under_events(diagram, element, lines),
        "aside": _side(diagram, box, lines)
        if shape == "gateway" and _line_above(diagram, element, box)
        else "",
        "beside": shape == "event" and _line_below(diagram, element, box),
    }


def _foot(element: Element) -> str:
    """The mark at the foot of an activity: that it runs several times, or only undoes another."""
    if element.several is not None:
        return "menu" if element.several.one_by_one else "tally-3"
    return "rewind" if element.undoes else ""


def _undoing(diagram: Diagram) -> list[dict[str, Any]]:
    """The lines from the edges of activities to what undoes them."""
    found = []
    for element in diagram.of_kind("boundaryEvent"):
        target = diagram.boxes.get(diagram.undoing.get(element.attached, ""))
        if element.event == "compensate" and target is not None and not diagram.is_hidden(element):
            box = diagram.boxes[element.id]
            x, y = box.x + box.width / 2, box.y + box.height
            points = f"{x:g},{y:g} {x:g},{target.y + target.height / 2:g} {target.x:g},{target.y + target.height / 2:g}"
            found.append({"points": points, "state": "aside", "label": None})
    return found


def _line_above(diagram: Diagram, element: Element, box: Box) -> bool:
    """An arrow stands where the name of a gateway would."""
    into = [diagram.lines.get(flow.id, ())[::-1] for flow in diagram.entering(element.id)]
    out = [diagram.lines.get(flow.id, ()) for flow in diagram.leaving(element.id)]
    return any(len(line) > 1 and line[0][1] <= box.y + 1 and line[1][1] < box.y for line in (*into, *out))


def _side(diagram: Diagram, box: Box, lines: Sequence[str]) -> str:
    """Where a name beside a gateway finds room: at the left, unless another box is in its way there."""
    need = max(map(len, lines), default=0) * PER_LETTER
    near = [
        one
        for one in diagram.boxes.values()
        if one.x < box.x and one.y < box.y + box.height / 2 < one.y + one.height and one.width < box.x - one.x
    ]
    return "right" if any(box.x - one.x - one.width < need for one in near) else "left"


def _line_below(diagram: Diagram, element: Element, box: Box) -> bool:
    """An arrow leaves where the name of an event would stand."""
    out = [diagram.lines.get(flow.id, ()) for flow in diagram.leaving(element.id)]
    return any(len(line) > 1 and line[1][1] > line[0][1] >= box.y + box.height - 1 for line in out)


def _under_events(diagram: Diagram, element: Element, lines: Sequence[str]) -> float:
    """How much higher a long name stands, so that the events on the lower edge of its box do not cover it."""
    bounded = any(one.attached == element.id for one in diagram.elements.values())
    return LINE / 2 if bounded and len(lines) > 2 else 0.0


def _first_line(height: float, lines: int) -> float:
    """The base line of the first of some lines that stand in the middle of a box."""
    return height / 2 - (lines - 1) * LINE / 2 + 4


def _edge(diagram: Diagram, flow: Flow, words: Callable[[str], Any], position: Position) -> dict[str, Any]:
    points = diagram.lines.get(flow.id, ())
    gone = flow.source in position.done and (flow.target in position.done or flow.target in position.active)
    label = None
    if flow.name and points:
        (x, y), (_x, y2) = points[0], points[1] if len(points) > 1 else points[0]
        flat = abs(y2 - y) < 1
        label = {
            "x": x + (8 if flat else 6),
            "y": y - 6 if flat else y + (18 if y2 > y else -10),
            "text": str(words(flow.name)),
        }
    return {
        "points": " ".join(f"{x:g},{y:g}" for x, y in points),
        "state": "stuck" if flow.id in position.problems else "done" if gone else "ahead",
        "label": label,
    }


def wrapped(text: str, width: float) -> list[str]:
    """A text in lines that fit; a word that does not is cut."""
    most = max(4, int(width / PER_LETTER))
    lines: list[str] = []
    for word in text.split():
        while len(word) > most:
            lines.append(word[: most - 1] + "-")
            word = word[most - 1 :]
        if lines and len(lines[-1]) + 1 + len(word) <= most and not lines[-1].endswith("-"):
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines
