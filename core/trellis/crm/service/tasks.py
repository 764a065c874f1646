"""What waits for somebody: the activities that they own and that are not done."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from trellis.errors import Conflict
from trellis.i18n import translator
from trellis.records.door import Records
from trellis.records.query import Record

_ = translator("trellis")

OPEN: Mapping[str, Any] = {
    "all": [
        {"field": "owner", "op": "eq", "value": {"me": True}},
        {"field": "done_at", "op": "is_empty"},
        {"field": "kind", "op": "ne", "value": "note"},
    ]
}
"""The rule of the reader's tasks that are not done."""


def complete(records: Records, task: int, values: Mapping[str, Any] = {}) -> Record:
    """Ticks a task off, with what its work brought (``body``, ``customer`` ...). Raises Conflict when it is done already."""
    known = records.get("activity", task)
    if known.values["done_at"] is not None:
        raise Conflict(_("This task is done already"))
    return records.update("activity", task, {**values, "done_at": datetime.now(UTC)}, known.version)
