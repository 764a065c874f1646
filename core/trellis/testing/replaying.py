"""The statements of revisions, kept: hundreds of test workspaces are made by the same ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trellis import migration

Upgrade = Callable[..., None]
_READS = ("SELECT", "PRAGMA", "WITH")


class Replayed:
    """Stands for :func:`trellis.migration.upgrade`; what has tables already is upgraded by its revisions, as ever."""

    def __init__(self, upgrade: Upgrade) -> None:
        self._upgrade = upgrade
        self._kept: dict[tuple[Any, ...], list[tuple[str, Any]]] = {}

    def __call__(self, connection: Connection, owner: str, revisions: Path, revision: str = "heads") -> None:
        if migration.current_revision(connection, owner) is not None:
            self._upgrade(connection, owner, revisions, revision)
            return
        files = frozenset((one.name, one.stat().st_mtime_ns) for one in revisions.glob("*.py"))
        key = (connection.dialect.name, owner, revisions, files, revision)
        if key in self._kept:
            for statement, parameters in self._kept[key]:
                connection.exec_driver_sql(statement, parameters)
            return
        said: list[tuple[str, Any]] = []

        def keep(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
            if not statement.lstrip().upper().startswith(_READS):
                said.append((statement, parameters))

        sa.event.listen(connection, "before_cursor_execute", keep)
        try:
            self._upgrade(connection, owner, revisions, revision)
        finally:
            sa.event.remove(connection, "before_cursor_execute", keep)
        self._kept[key] = said
