"""The way of an application and of a KYC review, and what follows from each stage."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import trellis
from trellis import Lifecycle, Stage

from trellis_banking.model import FUNNEL, WORKFLOW

_ = trellis.translator("trellis_banking")

APPLICATION = "banking.application"
REVIEW = "banking.kyc_review"
FOUR_EYES_FROM = Decimal(50_000)
"""Applications of this amount and more are decided by somebody else than their owner."""

_APPROVED = ("contract", "paid_out")
_FINISHED = ("paid_out", "refused", "withdrawn")

LIFECYCLES = [
    Lifecycle(
        name="banking.applications",
        title=_("Applications"),
        description=_("From the first data to the money on the account"),
        cell=FUNNEL,
        entity=APPLICATION,
        stages=(
            Stage(value="data", title=_("Data"), probability=0.2, days=2),
            Stage(value="documents", title=_("Documents"), probability=0.35, days=5),
            Stage(value="scoring", title=_("Scoring"), probability=0.5, days=1, requires=("amount",)),
            Stage(
                value="decision",
                title=_("Decision"),
                probability=0.6,
                days=3,
                requires=("amount",),
                moves=("documents", "contract", "refused", "withdrawn"),
            ),
            Stage(
                value="contract",
                title=_("Contract"),
                probability=0.9,
                days=4,
                requires=("amount",),
                moves=("decision", "paid_out", "withdrawn"),
            ),
            Stage(value="paid_out", title=_("Paid out"), kind="won", probability=1, tone="good"),
            Stage(
                value="refused",
                title=_("Refused"),
                kind="lost",
                probability=0,
                tone="danger",
                requires=("refusal_reason",),
                moves=("documents", "decision"),
            ),
            Stage(value="withdrawn", title=_("Withdrawn"), kind="lost", probability=0, tone="warn"),
        ),
    ),
    Lifecycle(
        name="banking.kyc_reviews",
        title=_("KYC reviews"),
        description=_("From the due date to a risk class"),
        cell=WORKFLOW,
        entity=REVIEW,
        stages=(
            Stage(value="planned", title=_("Planned"), days=30),
            Stage(value="documents", title=_("Documents"), days=7),
            Stage(value="checking", title=_("Checking"), days=3),
            Stage(value="passed", title=_("Passed"), kind="done", tone="good", requires=("risk_class",)),
            Stage(value="blocked", title=_("Blocked"), kind="lost", tone="danger", requires=("findings",)),
        ),
    ),
]


def follow(event: trellis.BeforeSave) -> None:
    """Completes a record that enters a stage; values given together with the stage win."""
    if event.action not in ("created", "updated"):
        return
    if event.entity == APPLICATION and event.action == "created" and not event.values.get("submitted_at"):
        event.values["submitted_at"] = datetime.now(UTC)
    if "stage" not in event.values or event.values["stage"] == event.before.get("stage"):
        return
    if event.entity == APPLICATION:
        _move_application(event)
    elif event.entity == REVIEW:
        _move_review(event)


def _move_application(event: trellis.BeforeSave) -> None:
    values, now = event.values, datetime.now(UTC)
    stage = values["stage"]
    values["stage_since"] = now
    if stage in _APPROVED and event.before.get("decision") != "approved":
        _four_eyes(event)
        _decide(event, "approved", now)
    elif stage == "refused":
        _decide(event, "refused", now)
    elif stage not in (*_APPROVED, "withdrawn"):
        values |= {"decision": None, "decided_at": None, "decided_by": None}
    if stage not in _FINISHED:
        values["closed_at"] = None
    elif values.get("closed_at") is None:
        values["closed_at"] = now


def _decide(event: trellis.BeforeSave, decision: str, now: datetime) -> None:
    values = event.values
    values["decision"] = decision
    if values.get("decided_at") is None:
        values["decided_at"] = now
    if values.get("decided_by") is None:
        values["decided_by"] = event.actor.user_id


def _four_eyes(event: trellis.BeforeSave) -> None:
    merged = {**event.before, **event.values}
    own = event.actor.user_id is not None and merged.get("owner") == event.actor.user_id
    if own and (merged.get("amount") or 0) >= FOUR_EYES_FROM:
        message = _("Somebody else must decide on an application of this amount: this one is your own")
        raise trellis.RecordInvalid({"stage": [message]})


def _move_review(event: trellis.BeforeSave) -> None:
    values = event.values
    now = datetime.now(UTC)
    values["stage_since"] = now
    if values["stage"] not in ("passed", "blocked"):
        values["done_on"] = None
    elif values.get("done_on") is None:
        values["done_on"] = now.astimezone(ZoneInfo(event.edition.settings.timezone)).date()
