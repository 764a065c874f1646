"""Calling what plugins show: in a thread and a read of their own, so that nothing they do reaches the rest of the answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import g

from trellis.guard import LARGEST_ANSWER, TooLarge, limited
from trellis.plugins import CORE
from trellis.records.door import Records
from trellis.security.field_rights import only_seen

T = TypeVar("T")


def read(owner: str, function: Callable[[Records], T]) -> T:
    """What a plugin reads. Raises what it raises, and TookTooLong; nothing that it writes is kept."""
    if owner == CORE:
        return function(g.records)
    workspace, edition, actor = g.workspace, g.edition, g.actor

    def work() -> T:
        with workspace.read() as session:
            try:
                with only_seen(session, edition):
                    return function(Records(session, edition, actor))
            finally:
                session.rollback()

    return limited(work)


def sized(answer: Any) -> Any:
    """An answer in text or bytes that is not too large. Raises TooLarge."""
    if len(answer) > LARGEST_ANSWER:
        raise TooLarge("characters", LARGEST_ANSWER)
    return answer
