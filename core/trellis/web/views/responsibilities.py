"""Responsibility matrices: what the positions are for the steps of each process, edited in place."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, g, request

from trellis.contributions import Process
from trellis.errors import TrellisError
from trellis.i18n import Text, translator
from trellis.process.responsibilities import ANSWERS, RESPONSIBILITY, Cell, put, title_of
from trellis.web.responsibilities import grid_context, index_context, may_read, shown_processes, titles
from trellis.web.shell import page
from trellis.web.views.lists import base, sentences, whole_number, whole_numbers

_ = translator("trellis")

blueprint = Blueprint("responsibilities", __name__)

_CRUMBS = ((_("Responsibility matrices"), "responsibilities"),)


@blueprint.get("/<workspace>/responsibilities")
def index(workspace: str) -> str:
    _require_reader()
    context = {"rows": index_context(base()), "list_url": f"{base()}/{RESPONSIBILITY}"}
    return _page("responsibilities/list.html", _("Responsibility matrices"), matrices=context)


@blueprint.get("/<workspace>/responsibilities/<name>")
def show(workspace: str, name: str) -> str:
    return _grid(_process(name))


@blueprint.post("/<workspace>/responsibilities/<name>")
def change(workspace: str, name: str) -> Response:
    """Sets cells (``step/position/letter``), answers with the grid and says what was done, or why it was not."""
    process = _process(name)
    wanted = _wanted()
    said: dict[str, str] = {"text": "", "undo_url": ""}
    before: dict[Cell, str] = {}
    try:
        before = put(g.records, name, wanted)
    except TrellisError as error:
        said["text"] = " ".join(sentences(error))
    else:
        said = _told(name, wanted, before)
    heads = {"HX-Retarget": "#matrix", "HX-Reselect": "#matrix", "HX-Reswap": "outerHTML"}
    if said["text"]:
        heads["HX-Trigger"] = json.dumps({"toast": said})
    touched = [position for _step, position in before]
    return Response(_grid(process, touched), headers=heads)


def _wanted() -> dict[Cell, str]:
    """The cells that were sent; 404 for what is no cell."""
    found: dict[Cell, str] = {}
    for text in request.values.getlist("cell"):
        step, position, letter = [*text.split("/"), "", ""][:3]
        number = whole_number(position)
        if not step or number is None:
            abort(404)
        found[step, number] = letter
    return found


def _told(name: str, wanted: dict[Cell, str], before: dict[Cell, str]) -> dict[str, str]:
    """That somebody else answers for a step now, with the way back."""
    moved = [cell for cell, letter in before.items() if letter == ANSWERS and cell not in wanted]
    if not moved:
        return {"text": "", "undo_url": ""}
    step, old = moved[0]
    new = next(position for (one, position), letter in wanted.items() if one == step and letter == ANSWERS)
    known = titles((old, new))
    text: Text = _(
        "“%(new)s” answers for “%(step)s” now, instead of “%(old)s”",
        new=known[new],
        old=known[old],
        step=title_of(g.edition, name, step),
    )
    cells = [("cell", f"{one}/{position}/{letter}") for (one, position), letter in before.items()]
    cells += [("with", ",".join(request.values.getlist("with")))]
    return {"text": str(text), "undo_url": f"{base()}/responsibilities/{name}?{urlencode(cells)}"}


def _require_reader() -> None:
    if not may_read():
        abort(404)


def _process(name: str) -> Process:
    """A process with a matrix that the reader may know of; 404 for others."""
    _require_reader()
    found = next((one for one in shown_processes() if one.name == name), None)
    if found is None:
        abort(404)
    return found


def _grid(process: Process, touched: Iterable[int] = ()) -> str:
    """The grid, in which the columns that were added and those that were ``touched`` stay though they have no letter."""
    added = [*whole_numbers(",".join(request.values.getlist("with"))), *touched]
    context = grid_context(process, list(dict.fromkeys(added)), base())
    return _page("responsibilities/grid.html", process.title, crumbs=_CRUMBS, matrix=context)


def _page(template: str, title: Any, **context: Any) -> str:
    return page(template, title=title, direction="management", level="tactics", icon="table-2", **context)
