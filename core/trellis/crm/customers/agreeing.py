"""What follows from the days and the stage of an agreement before it is written, and which agreement follows it (CU2)."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from trellis.crm.customers.agreements import ACTIVE, CLOSED, RENEWAL, Agreement
from trellis.errors import RecordInvalid
from trellis.i18n import Text, translator
from trellis.kpi.periods import today_in
from trellis.records.events import BeforeSave

_ = translator("trellis")

_USUAL: Mapping[str, Any] = {"kind": "service", "notice_days": 30, "auto_renew": False}
"""What an agreement has where nothing is given, and nothing is taken over."""
_TAKEN = (
    "customer_id",
    "kind",
    "title",
    "value",
    "currency",
    "notice_days",
    "auto_renew",
    "term_months",
    "sla_policy_id",
)
"""What an agreement takes over from the one that it follows."""


def follow(event: BeforeSave) -> None:
    """Completes an agreement: what it takes over, the day of notice, and what a new stage means."""
    if event.action not in ("created", "updated"):
        return
    values, before = event.values, event.before
    renewed = _renewed(event)
    if not before:
        taken = {**_USUAL, **(follow_up(renewed) if renewed else {})}
        values |= {name: value for name, value in taken.items() if values.get(name) is None}
    agreement = {**before, **values}
    _check(event, agreement, renewed)
    values["notice_on"] = _notice(agreement)
    if agreement.get("stage") != before.get("stage"):
        _enter(values, before, agreement, today_in(ZoneInfo(event.edition.settings.timezone)))


def follow_up(agreement: Agreement) -> dict[str, Any]:
    """The values of the agreement that renews this one: it begins on the day after, and lasts as long.

    Days after the last one of the calendar are left out.
    """
    found = {name.removesuffix("_id"): getattr(agreement, name) for name in _TAKEN}
    if agreement.ends is not None:
        with suppress(OverflowError, ValueError):
            starts = found["starts"] = agreement.ends + timedelta(days=1)
            if agreement.term_months:
                found["ends"] = later(agreement.ends, agreement.term_months)
            elif agreement.starts is not None:
                found["ends"] = starts + (agreement.ends - agreement.starts)
    return {name: value for name, value in found.items() if value is not None}


def later(day: date, months: int) -> date:
    """So many months later; the last day of a month stays the last. Raises ValueError after the year 9999."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = monthrange(year, month + 1)[1]
    is_last = day.day == monthrange(day.year, day.month)[1]
    return date(year, month + 1, last if is_last else min(day.day, last))


def _renewed(event: BeforeSave) -> Agreement | None:
    """The agreement that this one follows, where whoever writes may see it; the door refuses others."""
    number = {**event.before, **event.values}.get("renews")
    if number is None:
        return None
    wanted = sa.select(Agreement).where(Agreement.id == number, event.actor.visible(Agreement))
    return event.session.scalar(wanted.where(Agreement.deleted_at.is_(None)))


def _notice(agreement: Mapping[str, Any]) -> date | None:
    """The day of notice. Raises RecordInvalid where it would be before the first day of the calendar."""
    ends, days = agreement.get("ends"), agreement.get("notice_days")
    try:
        return ends - timedelta(days=days or 0) if ends else None
    except OverflowError:
        raise RecordInvalid({"ends": [_("Too early for the days of notice; give a later day")]}) from None


def _check(event: BeforeSave, agreement: Mapping[str, Any], renewed: Agreement | None) -> None:
    errors: dict[str, list[Text]] = {}
    starts, ends = agreement.get("starts"), agreement.get("ends")
    if starts and ends and ends < starts:
        errors["ends"] = [_("Must not be before the start")]
    if agreement.get("auto_renew") and ends is None:
        errors["ends"] = [_("An agreement that renews by itself has an end")]
    if renewed is not None and renewed.id == event.id:
        errors["renews"] = [_("An agreement does not follow itself")]
    elif renewed is not None and renewed.customer_id != agreement.get("customer"):
        errors["renews"] = [_("That is an agreement with another customer")]
    if errors:
        raise RecordInvalid(errors)


def _enter(
    values: dict[str, Any], before: Mapping[str, Any], agreement: Mapping[str, Any], today: date
) -> None:
    """What a new stage means. Values given together with it win, so that history can be imported."""
    old, new = before.get("stage"), agreement["stage"]
    values["stage_since"] = datetime.now(UTC)
    if new == CLOSED:
        values["closed_on"] = agreement.get("closed_on") or today
    elif old == CLOSED:
        values["closed_on"] = None
    if (old, new) == (RENEWAL, ACTIVE):
        until, ends = before.get("ends"), agreement.get("ends")
        if until is not None and ends is not None and ends <= until:
            raise RecordInvalid({"ends": [_("Give the new end: it is renewed until then")]})
        values["renewed_on"] = today
        values["renewals"] = (before.get("renewals") or 0) + 1
        if values.get("document_version") in (None, before.get("document_version")):
            values["document_version"] = (before.get("document_version") or 1) + 1
