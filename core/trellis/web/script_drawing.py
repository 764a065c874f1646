"""A script as ``scripts/drawing.html`` draws it: steps in columns, answers as bands as wide as many took them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from trellis.contributions import Script
from trellis.i18n import format_number, format_percent, plural_translator, translator
from trellis.scripts.speaking import without_marks
from trellis.scripts.statistics import ScriptFigures

_ = translator("trellis")
_n = plural_translator("trellis")

WIDTH, HEIGHT = 160, 52
ACROSS, DOWN = 60, 16
"""Between columns, and between the boxes of one."""
LETTERS = 22
"""About how many Latin letters a line of a box holds."""
WIDER = 1.15
"""How much wider the letters of other scripts are."""
THICKEST = 22.0


@dataclass(frozen=True)
class _Box:
    x: int
    y: int

    @property
    def left(self) -> tuple[int, int]:
        return self.x, self.y + HEIGHT // 2

    @property
    def right(self) -> tuple[int, int]:
        return self.x + WIDTH, self.y + HEIGHT // 2


def drawing(figures: ScriptFigures) -> dict[str, Any]:
    """Boxes for steps and outcomes with how many came there, and bands for answers."""
    script = figures.script
    boxes = _placed(script)
    high = max((box.y for box in boxes.values()), default=0) + HEIGHT + 2
    wide = max((box.x for box in boxes.values()), default=0) + WIDTH + 2
    return {
        "width": wide,
        "height": high + (_LOOP if any(_bands_back(script, boxes)) else 0),
        "bands": list(_bands(figures, boxes)),
        "steps": [
            _step(figures, one.key, without_marks(str(one.say)), boxes[one.key]) for one in script.steps
        ],
        "outcomes": [
            _box(str(one.title), figures.endings.get(one.key, 0), figures.done, boxes[_end(one.key)])
            | {"result": one.result.value}
            for one in script.outcomes
        ],
        "box": {"width": WIDTH, "height": HEIGHT},
    }


_LOOP = 26
"""How far under the lowest box a band turns that leads back."""


def _end(outcome: str) -> str:
    return f"={outcome}"


def _depths(script: Script) -> dict[str, int]:
    """By step, after how many answers one comes there at the earliest."""
    ways = {one.key: [answer.to for answer in one.answers if answer.to] for one in script.steps}
    first = script.steps[0].key
    depths, waiting = {first: 0}, [first]
    for key in waiting:
        for to in ways[key]:
            if to in ways and to not in depths:
                depths[to] = depths[key] + 1
                waiting.append(to)
    return depths


def _placed(script: Script) -> Mapping[str, _Box]:
    """Where each box stands: steps by their depths, outcomes in a last column, each column centred."""
    depths = _depths(script)
    last = max(depths.values(), default=0) + 1
    columns: dict[int, list[str]] = {}
    for step in script.steps:
        columns.setdefault(depths.get(step.key, 0), []).append(step.key)
    columns[last] = [_end(one.key) for one in script.outcomes]
    most = max(len(column) for column in columns.values())
    found = {}
    for number, keys in columns.items():
        start = (most - len(keys)) * (HEIGHT + DOWN) // 2
        for place, key in enumerate(keys):
            found[key] = _Box(1 + number * (WIDTH + ACROSS), 1 + start + place * (HEIGHT + DOWN))
    return found


def _bands_back(script: Script, boxes: Mapping[str, _Box]) -> Sequence[bool]:
    return [
        boxes[answer.to].x <= boxes[step.key].x
        for step in script.steps
        for answer in step.answers
        if answer.to in boxes
    ]


def _bands(figures: ScriptFigures, boxes: Mapping[str, _Box]) -> Any:
    """The answers, the wide ones first so that the narrow ones lie over them."""
    lowest = max(box.y for box in boxes.values()) + HEIGHT
    made = []
    for step in figures.script.steps:
        taken = figures.steps[step.key].answers
        for answer in step.answers:
            target = boxes.get(answer.to or _end(answer.outcome))
            runs = taken[answer.key].runs if answer.key in taken else 0
            if target is None:
                continue
            share = runs / figures.runs if figures.runs else 0.0
            made.append(
                {
                    "path": _path(boxes[step.key], target, lowest),
                    "width": round(max(1.0, THICKEST * share), 1),
                    "empty": not runs,
                    "title": f"{answer.title}: {format_number(runs)}",
                }
            )
    return sorted(made, key=lambda one: -float(one["width"]))


def _path(source: _Box, target: _Box, lowest: int) -> str:
    (x1, y1), (x2, y2) = source.right, target.left
    if target.x > source.x:
        middle = (x1 + x2) // 2
        return f"M{x1} {y1} C{middle} {y1} {middle} {y2} {x2} {y2}"
    under = lowest + _LOOP // 2
    return f"M{x1} {y1} C{x1 + 50} {y1} {x1 + 50} {under} {x1 - 10} {under} H{x2 + 10} C{x2 - 50} {under} {x2 - 50} {y2} {x2} {y2}"


def _step(figures: ScriptFigures, key: str, say: str, box: _Box) -> dict[str, Any]:
    found = figures.steps[key]
    made = _box(say, found.came, figures.runs, box)
    lost = found.broke_off
    return made | {"lost": str(_n("%(num)s broke off", "%(num)s broke off", lost)) if lost else ""}


def _box(text: str, number: int, of: int, box: _Box) -> dict[str, Any]:
    share = format_percent(number / of, 0) if of else ""
    return {
        "x": box.x,
        "y": box.y,
        "title": text,
        "text": _line(text),
        "number": " · ".join(part for part in (format_number(number), share) if part),
        "empty": not number,
    }


def _line(text: str) -> str:
    """As much of a text as a line of a box holds."""
    widths = list(accumulate(1.0 if one < "\u0370" else WIDER for one in text))
    if not widths or widths[-1] <= LETTERS:
        return text
    held = sum(width <= LETTERS - 1 for width in widths)
    return f"{text[:held].rstrip()}…"
