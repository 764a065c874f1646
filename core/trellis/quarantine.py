"""Faults of plugins, kept for the administrator; a plugin that fails again and again is put into quarantine.

A plugin in quarantine is left out of the edition, as if it were disabled: its data stays, and it can be released.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.plugins import CORE, Fault
from trellis.records import setup
from trellis.security.actor import SYSTEM, Actor
from trellis.system import PluginFault, PluginState
from trellis.workspace_state import raise_revision

log = logging.getLogger(__name__)

WINDOW = timedelta(minutes=10)
MOST = 20
"""The weight of the faults of one hook within :data:`WINDOW` that is too much; a call that hangs weighs five."""


def keep_faults(session: Session, faults: Sequence[Fault]) -> bool:
    """Counts faults, and puts those plugins into quarantine that had too many of late; whether there was one."""
    changed = False
    for fault in faults:
        if _count(session, fault) >= MOST and fault.plugin != CORE:
            changed |= _quarantine(session, fault)
    return changed


def _count(session: Session, fault: Fault) -> int:
    """The weight of the recent faults of this plugin in this hook, with this one."""
    known = session.get(PluginFault, (fault.plugin, fault.hook))
    if known is None:
        known = PluginFault(plugin=fault.plugin, hook=fault.hook, first_at=fault.at, count=0, recent=0)
        session.add(known)
    if _is_over(known.recent_since, fault.at):
        known.recent, known.recent_since = 0, fault.at
    known.message, known.trace, known.last_at = fault.message, fault.trace, fault.at
    known.count += 1
    known.recent += fault.weight
    session.flush()
    return known.recent


def _is_over(since: datetime | None, now: datetime) -> bool:
    return since is None or now - since > WINDOW


def _quarantine(session: Session, fault: Fault) -> bool:
    state = session.get(PluginState, fault.plugin)
    if state is None or state.quarantined or not state.enabled:
        return False
    before = about(state)
    state.quarantined, state.changed_at = True, fault.at
    session.flush()
    setup.note(session, SYSTEM, setup.PLUGIN, before, about(state))
    raise_revision(session.connection())
    log.error("plugin %s is in quarantine after faults in %s: %s", fault.plugin, fault.hook, fault.message)
    return True


def release(session: Session, plugin: str, actor: Actor = SYSTEM) -> bool:
    """Takes a plugin out of quarantine, with a clean slate; False when it is not in quarantine."""
    state = session.get(PluginState, plugin)
    if state is None or not state.quarantined:
        return False
    before = about(state)
    state.quarantined = False
    setup.note(session, actor, setup.PLUGIN, before, about(state))
    session.execute(sa.update(PluginFault).where(PluginFault.plugin == plugin).values(recent=0))
    session.flush()
    raise_revision(session.connection())
    return True


def about(state: PluginState) -> dict[str, str]:
    """A plugin as the log of the set-up has it."""
    stands = "quarantined" if state.quarantined else "enabled" if state.enabled else "disabled"
    return {"title": state.title, "name": state.name, "version": state.version, "state": stands}
