"""Cells with more than a field takes: of several mail addresses or telephone numbers the first is taken, the others go to the notes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from trellis.edition import EntityView
from trellis.records.door import Records
from trellis.records.types import Email, FieldType, LongText, Phone, ValueInvalid

if TYPE_CHECKING:
    from trellis.records.importer.existing import Draft

NOTES = "notes"
"""The field that takes what is over."""
KINDS = (Email, Phone)
_BETWEEN = re.compile(r"[;,|\n]+|\s/\s")


@dataclass(frozen=True)
class Several:
    """What a cell holds: the value that the field takes, and what else stands there."""

    first: str
    others: Sequence[str]


@dataclass(frozen=True)
class Noted:
    """Notes that are ``said`` by the file, and values besides, by the labels of their fields."""

    said: str
    others: Mapping[str, Sequence[str]]

    def after(self, known: str) -> str:
        """``known`` with the values that it does not hold yet."""
        more = {label: [one for one in found if one not in known] for label, found in self.others.items()}
        return "\n".join(
            [known] * bool(known) + [f"{label}: {', '.join(found)}" for label, found in more.items() if found]
        )


def takes_notes(view: EntityView) -> bool:
    """Whether records have notes that the importer may write."""
    notes = view.fields.get(NOTES)
    return notes is not None and isinstance(notes.type, LongText) and not notes.read_only


def parted(declared: FieldType, text: str) -> str | Several:
    """The values of a cell, where it holds several of which one at least is right; else the cell as it is."""
    parts = [one.strip() for one in _BETWEEN.split(text) if one.strip()]
    first = next((one for one in parts if _fits(declared, one)), None)
    if len(parts) < 2 or first is None:
        return parts[0] if len(parts) == 1 else text
    return Several(first, [one for one in dict.fromkeys(parts) if one != first])


def _fits(declared: FieldType, text: str) -> bool:
    try:
        return bool(declared.check(text))
    except ValueInvalid:
        return False


def settle(view: EntityView, found: dict[str, Any]) -> None:
    """Takes the first of several values, and the others for the notes."""
    several = {name: value for name, value in found.items() if isinstance(value, Several)}
    if not several:
        return
    others = {str(view.fields[name].label): value.others for name, value in several.items() if value.others}
    found |= {name: value.first for name, value in several.items()}
    if others:
        found[NOTES] = Noted(str(found.get(NOTES) or ""), others)


def tidied(view: EntityView, values: Mapping[str, Any]) -> dict[str, str]:
    """The values that differ from their cells: the first of several, texts without tags, notes with what is over."""
    kinds = (*KINDS, LongText)
    return {
        name: value.after(value.said) if isinstance(value, Noted) else value
        for name, value in values.items()
        if isinstance(value, Noted) or (isinstance(value, str) and isinstance(view.fields[name].type, kinds))
    }


def write_notes(records: Records, view: EntityView, drafts: Sequence[Draft]) -> None:
    """Puts texts in the place of notes: those that a record has stay, and get what is new."""
    noted = [one for one in drafts if isinstance(one.values.get(NOTES), Noted)]
    known: dict[int, str] = {}
    asked = [one.id for one in noted if one.id is not None and not one.values[NOTES].said]
    if asked:
        column = view.fields[NOTES].of(view.entity)
        rows = records.session.execute(sa.select(view.entity.id, column).where(view.entity.id.in_(asked)))
        known = {number: text or "" for number, text in rows}
    for one in noted:
        notes: Noted = one.values[NOTES]
        one.values[NOTES] = notes.after(notes.said or known.get(one.id or 0, ""))
