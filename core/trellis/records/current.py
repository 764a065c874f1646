"""Records as they are before a change, for whoever may change them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.edition import EntityView
from trellis.errors import PermissionRefused, RecordNotFound
from trellis.records.bulk import rows_by
from trellis.security.actor import Act, Actor


def current_rows(
    session: Session, actor: Actor, view: EntityView, ids: Sequence[int], act: Act, *, deleted: bool = False
) -> dict[int, Mapping[str, Any]]:
    """The rows to be changed. RecordNotFound for what the actor may not see, PermissionRefused for what it may not change."""
    if not ids:
        return {}
    found: dict[int, Mapping[str, Any]] = {
        row["id"]: row
        for row in rows_of(session, view, ids)
        if (row["deleted_at"] is not None) == deleted and reaches_row(actor, view, row, "read")
    }
    if set(ids) - found.keys():
        raise RecordNotFound()
    for row in found.values():
        if not reaches_row(actor, view, row, act):
            raise PermissionRefused()
    return found


def rows_of(session: Session, view: EntityView, ids: Collection[int]) -> list[Mapping[str, Any]]:
    """The rows with these ids as they are, also in the bin, whoever may see them."""
    table = cast(sa.Table, view.entity.__table__)
    columns = [table.c.id, *(column for column in table.columns if column is not table.c.id)]
    keys = [column.key for column in columns]
    return [dict(zip(keys, values, strict=True)) for values in rows_by(session, columns, ids)]


def reaches_row(actor: Actor, view: EntityView, row: Mapping[str, Any], act: Act) -> bool:
    """The row is in the actor's scope."""
    unit = row["id"] if view.name == "unit" else row["unit_id"]
    return actor.reaches(view.name, act, {"id": row["id"], "owner": row["owner_id"], "unit": unit})
