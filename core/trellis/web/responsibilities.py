"""What the pages of responsibility matrices show: all processes with their gaps, and the grid of one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from flask import g

from trellis.contributions import Process
from trellis.i18n import format_number
from trellis.process import versions
from trellis.process.assignment import ACCOUNTABLE, RACI, matrix_words
from trellis.process.diagram import Diagram, Element
from trellis.process.responsibilities import (
    ANSWERS,
    DOES,
    LETTERS,
    RESPONSIBILITY,
    Cell,
    matrices,
    steps_of,
)
from trellis.process.runs import starting
from trellis.records.query import ListQuery, Record
from trellis.security.people import Position
from trellis.web.display import origin, title_of
from trellis.web.process_tasks import words_of

MOST_COLUMNS = 12
"""Positions that all stand in a grid; of more, those with a letter, and those that are added."""
MOST_POSITIONS = 500
"""Positions that can be added."""
_NEEDED: Mapping[str, tuple[str, ...]] = {RACI: (DOES, ANSWERS), ACCOUNTABLE: (ANSWERS,)}
"""The letters of which one must be there so that a task by the matrix is for somebody."""


def may_read() -> bool:
    """Whether the reader sees matrices at all: all of what a cell says."""
    if not g.actor.may(RESPONSIBILITY, "read") or not g.actor.may("position", "read"):
        return False
    seen = g.actor.sees(g.edition).entity(RESPONSIBILITY).fields
    return all(name in seen for name in ("process", "step", "position", "letter"))


def shown_processes() -> list[Process]:
    """The processes with a matrix: those that start, with steps that people do, about what the reader may read."""
    return [
        one
        for one in starting(g.edition)
        if (one.entity is None or g.actor.may(one.entity, "read"))
        and not one.given
        and steps_of(versions.present(g.edition, one))
    ]


def matrix_url(process: Process, base: str) -> str:
    """The page of the matrix of a process; empty where there is none for the reader."""
    shown = may_read() and any(one.name == process.name for one in shown_processes())
    return f"{base}/responsibilities/{process.name}" if shown else ""


def may_edit() -> bool:
    """Whether the reader may change matrices at all."""
    return all(g.actor.may(RESPONSIBILITY, act) for act in ("create", "update", "delete"))


def without_anybody(diagram: Diagram, letters: Mapping[Cell, str]) -> list[str]:
    """The steps whose tasks go by the matrix alone, where it names nobody for them."""
    return [step for step in steps_of(diagram) if _is_lost(diagram.elements[step], letters)]


def _is_lost(element: Element, letters: Mapping[Cell, str]) -> bool:
    by_matrix, beside = matrix_words(element)
    said = {letter for (step, _position), letter in letters.items() if step == element.id}
    return bool(by_matrix) and not beside and not any(said & {*_NEEDED[word]} for word in by_matrix)


def index_context(base: str) -> list[dict[str, Any]]:
    """Each process with how many of its steps somebody answers for."""
    found = shown_processes()
    known = matrices(g.session, g.actor, [one.name for one in found])
    rows = []
    for process in found:
        diagram, letters = versions.present(g.edition, process), known[process.name]
        steps = steps_of(diagram)
        answered = {step for (step, _position), letter in letters.items() if letter == ANSWERS} & {*steps}
        missing = len(steps) - len(answered)
        rows.append(
            {
                "title": str(process.title),
                "url": f"{base}/responsibilities/{process.name}",
                "origin": origin(g.edition, process.owner),
                "steps": format_number(len(steps)),
                "positions": format_number(len({position for _step, position in letters})) if letters else "",
                "missing": format_number(missing) if missing else "",
                "lost": format_number(len(lost)) if (lost := without_anybody(diagram, letters)) else "",
            }
        )
    return rows


def grid_context(process: Process, added: Sequence[int], base: str) -> dict[str, Any]:
    """The grid of a process: its steps by positions."""
    diagram, words = versions.present(g.edition, process), words_of(process.name)
    letters = matrices(g.session, g.actor, [process.name])[process.name]
    steps, everybody = steps_of(diagram), _positions()
    used = {position for step, position in letters if step in steps} | {*added}
    few = len(everybody) <= MOST_COLUMNS
    columns = [one for one in everybody if few or one["id"] in used]
    lost = without_anybody(diagram, letters)
    url = f"{base}/responsibilities/{process.name}"
    rows = [
        {
            "id": step,
            "title": str(words(title)),
            "answered": any(letters.get((step, one["id"])) == ANSWERS for one in everybody),
            "by_matrix": bool(matrix_words(diagram.elements[step])[0]),
            "lost": step in lost,
            "cells": [
                {"id": f"c-{step}-{one['id']}", "position": one, "letter": letters.get((step, one["id"]), "")}
                for one in columns
            ],
        }
        for step, title in steps.items()
    ]
    return {
        "title": str(process.title),
        "origin": origin(g.edition, process.owner),
        "process_url": f"{base}/processes/{process.name}",
        "url": url,
        "list_url": f"{base}/{RESPONSIBILITY}",
        "positions_url": f"{base}/position/new" if g.actor.may("position", "create") else "",
        "added": ",".join(map(str, added)),
        "columns": columns,
        "others": [] if few else [one for one in everybody if one["id"] not in used],
        "rows": rows,
        "missing": [row["title"] for row in rows if not row["answered"]],
        "lost": [row["title"] for row in rows if row["lost"]],
        "letters": [{"value": one.value, "title": str(one.label)} for one in LETTERS],
        "editable": may_edit(),
        "taken_over": _taken_over(process, steps) if not letters else None,
    }


def _taken_over(process: Process, steps: Collection[str]) -> dict[str, Any] | None:
    """The matrix of the process whose place this one takes, as far as it has the same steps, to begin with."""
    before = g.edition.all(Process).get(process.replaces)
    if before is None or (before.entity is not None and not g.actor.may(before.entity, "read")):
        return None
    letters = matrices(g.session, g.actor, [before.name])[before.name]
    cells = [f"{step}/{one}/{letter}" for (step, one), letter in letters.items() if step in steps]
    return {"title": str(before.title), "cells": cells} if cells else None


def lost_steps(process: Process, diagram: Diagram) -> list[str]:
    """What the steps are called whose tasks go by the matrix alone, where it names nobody for them."""
    if not may_read():
        return []
    letters = matrices(g.session, g.actor, [process.name])[process.name]
    words, steps = words_of(process.name), steps_of(diagram)
    return [str(words(steps[step])) for step in without_anybody(diagram, letters)]


def _positions() -> list[dict[str, Any]]:
    """The positions that the reader sees, with who holds them, and labels that tell those of one name apart."""
    view = g.edition.entity("position")
    fields = ["name", "holder", "unit"]
    query = ListQuery(view, g.edition, g.actor, fields=fields, sort=["name"], limit=MOST_POSITIONS)
    found = query.page(g.session).items
    times = Counter(title_of(view, one) for one in found)
    return [_position(title_of(view, one), one, times) for one in found]


def _position(name: str, record: Record, times: Mapping[str, int]) -> dict[str, Any]:
    taken = record.values.get("holder")
    holder = record.titles.get("holder", f"#{taken}") if taken is not None else ""
    apart = holder or record.titles.get("unit") or record.id
    label = f"{name}, {apart}" if times[name] > 1 else name
    vacant = "holder" in record.values and taken is None
    return {"id": record.id, "name": name, "label": label, "holder": holder, "vacant": vacant}


def titles(positions: Iterable[int]) -> dict[int, str]:
    """What positions are called."""
    query = sa.select(Position.id, Position.name).where(Position.id.in_(list(positions)))
    return {key: name for key, name in g.session.execute(query)}
