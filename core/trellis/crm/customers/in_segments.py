"""Beside a customer: the segments that they are in, since when, and by which rule (CU1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trellis.contributions import Cell, Direction, Level, Panel
from trellis.i18n import format_day, translator
from trellis.records.door import Records
from trellis.records.saying import in_words
from trellis.segments.engine import memberships

_ = translator("trellis")


def in_segments(records: Records, customer: int) -> Mapping[str, Any]:
    """The segments in the order of the edition; the rule in words, or what is known of a segment without one."""
    seen = records.actor.sees(records.edition)
    view = seen.entity("customer")
    base = f"/{records.edition.workspace}/segments"
    shown = []
    for one in memberships(records.session, seen, records.actor, "customer", customer):
        segment = one.segment
        by_rule = in_words(records, view, segment.rule) if segment.rule is not None else ""
        by_hand = str(_("Chosen by hand")) if segment.listed else ""
        shown.append(
            {
                "title": str(segment.title),
                "url": f"{base}/{segment.name}",
                "since": str(_("since %(day)s", day=format_day(one.since, inside=True))),
                "why": by_rule or by_hand or str(segment.description or ""),
            }
        )
    return {"shown": shown}


PANELS = [
    Panel(
        name="segments_of_customer",
        title=_("Segments"),
        cell=Cell(Direction.CUSTOMERS, Level.STRATEGY, "CU1"),
        entity="customer",
        load=in_segments,
        template="segments/of_customer.html",
    ),
]
