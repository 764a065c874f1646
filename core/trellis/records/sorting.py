"""What a list is sorted by and what it reads: names of fields, also through references, as paths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trellis.errors import RuleInvalid
from trellis.i18n import translator
from trellis.records.joins import Joins
from trellis.records.keyset import SortKey
from trellis.records.rules import Path, resolve

if TYPE_CHECKING:
    from trellis.edition import Edition, EntityView

_ = translator("trellis")

MOST_SORT_KEYS = 8


@dataclass(frozen=True, slots=True)
class Paths:
    """The fields that a list is sorted by, each with whether it descends, and those that it reads."""

    sort: tuple[tuple[Path, bool], ...]
    fields: tuple[Path, ...]


def paths_of(view: EntityView, edition: Edition, sort: Sequence[str], fields: Sequence[str] | None) -> Paths:
    """The paths of these names; the usual ones of the entity where none are given. Raises RuleInvalid."""
    sorted_by = tuple(_sort_path(name, view, edition) for name in _sort_names(sort, view))
    return Paths(sorted_by, tuple(_field_paths(fields, view, edition)))


def _field_paths(names: Sequence[str] | None, view: EntityView, edition: Edition) -> list[Path]:
    if names is None:
        return [Path((), field) for field in view.fields.values()]
    return [resolve(name, view, edition, at="fields") for name in dict.fromkeys(names)]


def _sort_names(names: Sequence[str], view: EntityView) -> list[str]:
    """The sort as asked for or usual, with the id at the end, in the direction of the key before it."""
    asked = [name for one in names or [view.info.sort] for name in one.split(",") if name]
    wanted = asked or [view.info.title_field]
    if len(wanted) > MOST_SORT_KEYS:
        raise RuleInvalid(_("A list can be sorted by at most %(most)s fields", most=MOST_SORT_KEYS), "sort")
    unique: list[str] = []
    for name in wanted:
        if name.removeprefix("-") == "id":
            return [*unique, name]
        unique.append(name)
    return [*unique, "-id" if unique[-1].startswith("-") else "id"]


def _sort_path(name: str, view: EntityView, edition: Edition) -> tuple[Path, bool]:
    path = resolve(name.removeprefix("-"), view, edition, at="sort")
    if path.field.type.kind == "json":
        raise RuleInvalid(_("A list cannot be sorted by %(field)s", field=path.field.label), "sort")
    return path, name.startswith("-")


def sort_key(path: Path, descending: bool, joins: Joins) -> SortKey:
    """The key by which a list is sorted by a field; by a reference, it is sorted by the titles."""
    if path.is_reference:
        hops, title = joins.title_path((*path.hops, path.field))
        return SortKey(title.of(joins.source(hops)), title.type, descending)
    return SortKey(path.field.of(joins.source(path.hops)), path.field.type, descending, path.may_be_empty)
