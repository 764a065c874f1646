"""How an invitation goes from state to state: only from the one it is known to be in, with an entry in the log (CU6)."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from trellis.crm.customers.invitations import SurveyInvitation
from trellis.records.door import Records
from trellis.records.events import Change

_row = SurveyInvitation.__table__.c
_LONGEST_PROBLEM = 300


def digest(secret: str) -> str:
    """What is kept of the secret in a link. It is random enough to need no salt."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def mark(records: Records, invitation: int, before: str, after: str, **more: Any) -> bool:
    """Moves an invitation on, and sets other columns with it; False when it is not in the state ``before`` any more."""
    if "problem" in more:
        more["problem"] = " ".join(more["problem"].split())[:_LONGEST_PROBLEM]
    moved = (
        sa.update(SurveyInvitation)
        .where(_row.id == invitation, _row.state == before)
        .values(state=after, version=_row.version + 1, updated_at=datetime.now(UTC), **more)
        .execution_options(synchronize_session=False)
    )
    if not records.session.execute(moved).rowcount:  # type: ignore[attr-defined]
        return False
    fields = records.edition.entity("survey_invitation").fields
    told = {name: (None, fields[name].type.to_json(value)) for name, value in more.items() if name in fields}
    records.tell("survey_invitation", [Change(invitation, "updated", {"state": (before, after), **told})])
    return True
