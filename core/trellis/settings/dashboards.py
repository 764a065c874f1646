"""Dashboards as people arrange them: which cards they see, and in which order. The edition's arrangement is the first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.contributions import Dashboard, Widget
from trellis.errors import PermissionRefused, RecordInvalid
from trellis.i18n import translator
from trellis.security.actor import Actor
from trellis.system import Arrangement

_ = translator("trellis")


def named(dashboard: Dashboard) -> dict[str, Widget]:
    """The cards of a dashboard by names that stay when the edition adds others: ``list``, ``list-2``."""
    seen: Counter[str] = Counter()
    found: dict[str, Widget] = {}
    for widget in dashboard.widgets:
        seen[widget.kind] += 1
        number = seen[widget.kind]
        found[widget.kind if number == 1 else f"{widget.kind}-{number}"] = widget
    return found


def arranged(session: Session, actor: Actor, dashboard: Dashboard) -> tuple[list[str], list[str]]:
    """The names of the cards that the actor sees, in order, and of those that are hidden.

    A card that came with an update stands where the edition has it, after the card before it.
    """
    known = list(named(dashboard))
    kept = _kept(session, actor, dashboard)
    if kept is None:
        return known, []
    hidden = [name for name in kept["hidden"] if name in known]
    shown = [name for name in kept["shown"] if name in known]
    for place, name in enumerate(known):
        if name not in shown and name not in hidden:
            before = next((one for one in reversed(known[:place]) if one in shown), None)
            shown.insert(shown.index(before) + 1 if before else 0, name)
    return shown, hidden


def is_arranged(session: Session, actor: Actor, dashboard: Dashboard) -> bool:
    """Whether the actor has another arrangement than the edition's."""
    return _kept(session, actor, dashboard) is not None


def arrange(session: Session, actor: Actor, dashboard: Dashboard, shown: Sequence[str]) -> None:
    """Shows the actor these cards in this order, and hides the others. Raises RecordInvalid for names that there are not."""
    if actor.user_id is None:
        raise PermissionRefused()
    known = list(named(dashboard))
    if len(set(shown)) != len(shown) or set(shown) - set(known):
        raise RecordInvalid({"widgets": [_("Give names of cards of this dashboard, each once")]})
    reset(session, actor, dashboard)
    hidden = [name for name in known if name not in shown]
    if list(shown) != known:
        layout = {"shown": list(shown), "hidden": hidden}
        session.add(Arrangement(user_id=actor.user_id, dashboard=dashboard.name, layout=layout))
        session.flush()


def reset(session: Session, actor: Actor, dashboard: Dashboard) -> None:
    """Gives the actor the edition's arrangement back."""
    session.execute(sa.delete(Arrangement).where(*_own(actor, dashboard)))


def _kept(session: Session, actor: Actor, dashboard: Dashboard) -> Mapping[str, Any] | None:
    return session.scalar(sa.select(Arrangement.layout).where(*_own(actor, dashboard)))


def _own(actor: Actor, dashboard: Dashboard) -> tuple[sa.ColumnElement[bool], ...]:
    return (Arrangement.user_id == actor.user_id, Arrangement.dashboard == dashboard.name)
