"""The CRM-model board (PJ1)."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g

from trellis.contributions import Direction, Level
from trellis.crm.project.model import Item, ModelBoard, ModelCell, model_board
from trellis.crm.project.rows import DIRECTIONS, LEVELS
from trellis.i18n import format_number, format_percent, translator
from trellis.web.display import origin
from trellis.web.shell import page
from trellis.web.views.lists import base

_ = translator("trellis")

blueprint = Blueprint("model", __name__)


@blueprint.get("/<workspace>/model")
def show(workspace: str) -> str:
    board = model_board(g.session, g.edition, g.actor)
    following = board.next_item
    context = {
        "intro": str(
            _(
                "Seven directions on three levels: what this workspace has, what each plugin brings and how much is in use"
            )
        ),
        "states": [],
        "plugins": [origin(g.edition, manifest.name) for manifest in g.edition.plugins],
        "facts": _facts(board),
        "levels": [
            {"key": key.value, "title": str(title), "text": str(text)}
            for key, (title, text) in LEVELS.items()
        ],
        "directions": [_direction(board, direction) for direction in Direction],
        "next": _next(following) if following else None,
        "grow": False,
        "next_url": f"{base()}/{following.row.path}" if following else "",
    }
    return page("model.html", title=_("CRM model"), model=context)


def _facts(board: ModelBoard) -> list[dict[str, str]]:
    cells = format_number(board.cells_set_up)
    return [
        {"value": format_percent(board.coverage, 0), "rest": "", "text": str(_("of the model in use"))},
        {"value": cells, "rest": f"/ {len(board.cells)}", "text": str(_("cells set up"))},
    ]


def _direction(board: ModelBoard, direction: Direction) -> dict[str, Any]:
    return {
        "title": str(DIRECTIONS[direction]),
        "coverage_text": format_percent(board.of_direction(direction), 0),
        "cells": [_cell(board.cells[direction, level]) for level in Level],
    }


def _cell(cell: ModelCell) -> dict[str, Any]:
    return {
        "level": cell.level.value,
        "share": cell.coverage,
        "knotted": cell.set_up,
        "items": [_item(item) for item in cell.items],
    }


def _item(item: Item) -> dict[str, Any]:
    measured = item.coverage if item.coverage is not None else 0.5 if item.set_up else None
    return {
        "id": item.row.id,
        "title": str(item.row.title),
        "line": str(item.line),
        "coverage": None if measured is None else round(measured * 100),
        "url": f"{base()}/{item.row.path}" if item.row.path else "",
        "origins": [origin(g.edition, plugin) for plugin in item.plugins],
    }


def _next(item: Item) -> dict[str, str]:
    url = f"{base()}/{item.row.path}"
    return {"title": str(item.row.title), "text": str(item.line), "url": url, "act": str(_("Open"))}
