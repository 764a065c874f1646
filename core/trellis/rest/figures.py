"""What calls that answer with computed figures share."""

from __future__ import annotations

from flask import g

from trellis.crm.analytics.refreshing import freshen
from trellis.errors import TrellisError
from trellis.plugins import CORE, Fault
from trellis.web import context


class PluginBroke(TrellisError):
    """The code of a plugin failed; the fault is kept for the administrator."""

    status = 500
    code = "plugin_failed"


def freshened() -> None:
    """Brings segments, tiers and scores up to date where that is due, and reads on with what came of it."""
    if freshen(g.workspace):
        context.release()


def blame(owner: str, hook: str, error: Exception) -> Fault:
    """Keeps the fault of a plugin's figure. An error of the core's own is raised as it is."""
    if owner == CORE:
        raise error
    fault = Fault.of(owner, hook, error)
    context.keep_fault(fault)
    return fault
