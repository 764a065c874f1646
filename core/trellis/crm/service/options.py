"""The choices of service: kinds, priorities, and the matrix that a priority follows from."""

from __future__ import annotations

from trellis.i18n import translator
from trellis.records.types import Option

_ = translator("trellis")

KINDS = (
    Option("incident", _("Incident")),
    Option("request", _("Service request")),
    Option("question", _("Question")),
    Option("complaint", _("Complaint"), "warn"),
    Option("change", _("Change")),
)
LEVELS = (
    Option("high", _("High"), "danger"),
    Option("medium", _("Medium"), "warn"),
    Option("low", _("Low")),
)
PRIORITIES = (
    Option("critical", _("Critical"), "danger"),
    Option("high", _("High"), "warn"),
    Option("medium", _("Medium"), "info"),
    Option("low", _("Low")),
    Option("planning", _("Planned")),
)
MATRIX = {
    ("high", "high"): "critical",
    ("high", "medium"): "high",
    ("medium", "high"): "high",
    ("high", "low"): "medium",
    ("medium", "medium"): "medium",
    ("low", "high"): "medium",
    ("medium", "low"): "low",
    ("low", "medium"): "low",
    ("low", "low"): "planning",
}
"""The priority by (impact, urgency), as ITIL has it."""

CLOCKS = (
    Option("first_response", _("First response")),
    Option("resolution", _("Solution")),
)
NOTIFY_OWNER, NOTIFY_HEAD, REASSIGN, RAISE = "notify_owner", "notify_head", "reassign", "raise_priority"
ACTS = (
    Option(NOTIFY_OWNER, _("Tell the owner")),
    Option(NOTIFY_HEAD, _("Tell the head of the unit")),
    Option(REASSIGN, _("Give it to whoever holds a position")),
    Option(RAISE, _("Raise the priority")),
)
"""What is done when a case escalates."""

RUNNING, PAUSED, SOLVED = ("new", "open"), ("waiting",), ("resolved", "closed")
"""States of a case in which its clocks run, stand still for a while, and have stopped. A cancelled one has none."""
