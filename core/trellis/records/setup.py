"""Changes of the set-up in the one log, beside those of records: who changed a role, a field, a setting, a plugin, a token.

Their ``entity`` is one of :data:`KINDS`, which no entity can be called: the change feed, undoing and histories of records,
which ask by entities of the edition, never meet them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy.orm import Session

from trellis.records.bulk import insert_rows
from trellis.records.journal import EVENTS, signed
from trellis.security.actor import Actor

ROLE = "setup:role"
FIELD = "setup:field"
SETTINGS = "setup:settings"
STAGES = "setup:stages"
SEGMENT = "setup:segment"
KPI = "setup:kpi"
PLUGIN = "setup:plugin"
TOKEN = "setup:token"
WEBHOOK = "setup:webhook"
BACKUP = "setup:backup"
KINDS = (ROLE, FIELD, SETTINGS, STAGES, SEGMENT, KPI, PLUGIN, TOKEN, WEBHOOK, BACKUP)

NAMING = ("title", "name", "entity")
"""What says which one was changed: always kept, also where it is the same before and after."""

Parts = Mapping[str, Any]
_RULE = frozenset({"all", "any", "not", "field", "segment"})


def note(
    session: Session, actor: Actor, kind: str, before: Parts | None, after: Parts | None, *, action: str = ""
) -> None:
    """Writes an entry, in the transaction of ``session``, of what differs; none where nothing does.

    Without a ``before`` something was made, without an ``after`` it is gone. Give no secrets: what is given is kept and shown.
    ``changes`` has the parts of parts by their path, as in ``grants/customer/read``.
    """
    old, new = dict(_leaves(before or {})), dict(_leaves(after or {}))
    pairs = {name: [old.get(name), new.get(name)] for name in {**old, **new}}
    changes = {
        name: pair for name, pair in pairs.items() if pair[0] != pair[1] and not all(map(_nothing, pair))
    }
    if before is not None and after is not None and not changes:
        return
    changes = {name: pairs[name] for name in NAMING if name in pairs} | changes
    action = action or ("created" if before is None else "deleted" if after is None else "updated")
    insert_rows(
        session, EVENTS, signed(actor, kind), [{"record_id": None, "action": action, "changes": changes}]
    )


def _leaves(parts: Parts, path: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in parts.items():
        if isinstance(value, Mapping) and not _RULE & value.keys():
            yield from _leaves(value, f"{path}{name}/")
        else:
            yield f"{path}{name}", list(value) if isinstance(value, tuple) else value


def _nothing(value: Any) -> bool:
    """Whether a part says no more than one that is not there: no text, no."""
    return value is None or value is False or value in ("", [])
