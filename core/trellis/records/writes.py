"""What is asked of the door: single writes, and what is wrong with some of many."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trellis.errors import RecordInvalid


@dataclass(frozen=True, kw_only=True)
class Write:
    """One record to save: a new one, or changes to the record ``id`` (at ``version``, if the caller knows it).

    ``kept`` are Python values of fields that only Trellis writes; no face takes them from outside.
    """

    values: Mapping[str, Any]
    id: int | None = None
    version: int | None = None
    kept: Mapping[str, Any] = field(default_factory=dict)


class BatchInvalid(RecordInvalid):
    """Some of several writes are not valid; ``failures`` maps the position of a write to its error."""

    def __init__(self, failures: Mapping[int, RecordInvalid]) -> None:
        flat = {
            f"{index}.{field}": msgs
            for index, error in failures.items()
            for field, msgs in error.errors.items()
        }
        super().__init__(flat)
        self.failures = dict(failures)
