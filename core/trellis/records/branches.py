"""Lists of several values of a field, read one value after the other: open cases by their deadline.

An index by (state, deadline) has the records of each state in order, but not those of several states together: a database reads
and sorts all of them for the first page. Here each state is read up to a page, and the pages are put together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from trellis.records.entity import Field
from trellis.records.rules import All, Leaf, Node, Operator, Path

MOST = 8
"""With more values a page would take too many statements."""
_COMPARED = ("date", "datetime", "number")
"""Kinds of fields whose values Python puts in the same order as the databases do."""


def branches(rule: Node | None, table: sa.Table, sort: Sequence[tuple[Path, bool]]) -> list[Node]:
    """A rule for each value of the field that an index has in front of the sort; none where the list is read at once."""
    parts = [] if rule is None else list(_parts(rule))
    if not all(_is_compared(path) for path, _descending in sort):
        return []
    for place, one in enumerate(parts):
        if isinstance(one, Leaf) and _is_choice(one) and _is_ordered(table, one.path.field, sort[0][0].field):
            values = list(dict.fromkeys(one.value))
            others = parts[:place] + parts[place + 1 :]
            return [All((Leaf(one.path, Operator.EQ, value), *others)) for value in values]
    return []


def put_together(rows: Sequence[Any], sort: Sequence[tuple[Path, bool]]) -> list[Any]:
    """The rows of all branches in the order of the list; the last columns are the sort keys, and what is empty is least."""
    found = list(rows)
    for place in range(-1, -len(sort) - 1, -1):
        found.sort(key=lambda row, at=place: (row[at] is not None, row[at]), reverse=sort[place][1])  # type: ignore[misc]
    return found


def _parts(rule: Node) -> Iterator[Node]:
    if isinstance(rule, All):
        for one in rule.rules:
            yield from _parts(one)
    else:
        yield rule


def _is_compared(path: Path) -> bool:
    field = path.field
    return not (path.hops or path.is_reference or field.is_extension) and field.type.kind in _COMPARED


def _is_choice(leaf: Leaf) -> bool:
    field = leaf.path.field
    return (
        leaf.operator is Operator.IN
        and 1 < len(leaf.value) <= MOST
        and not (leaf.path.hops or leaf.path.is_reference or field.is_extension)
        and all(isinstance(one, str) for one in leaf.value)
    )


def _is_ordered(table: sa.Table, chosen: Field, sorted_by: Field) -> bool:
    wanted = [chosen.column, sorted_by.column]
    return any([one.name for one in list(index.columns)[:2]] == wanted for index in table.indexes)
