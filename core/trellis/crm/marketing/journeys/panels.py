"""Beside a customer: on which journeys they are, what they got and why something was held back (MC5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trellis.contributions import Cell, Direction, Level, Panel
from trellis.crm.marketing.journeys.kept import version_of
from trellis.crm.marketing.journeys.members import messages_of, of_customer, passages_of
from trellis.crm.marketing.journeys.tables import ACTIVE, FAILED, HELD
from trellis.crm.marketing.journeys.words import MEMBER_STATES, MESSAGE_STATES, title_of
from trellis.i18n import format_datetime, format_day, translator
from trellis.letters.templates import templates_for
from trellis.reasons import QUIET, worded
from trellis.records.door import Records

_ = translator("trellis")

SHOWN = 4
CELL = Cell(Direction.MARKETING, Level.OPERATIONS, "MC5")


def of_the_customer(records: Records, customer: int) -> Mapping[str, Any]:
    """The last journeys of a customer."""
    records.actor.require("journey", "read")
    rows = of_customer(records, customer, SHOWN)
    ids = [row.id for row in rows]
    mails = {one.name: one.title for one in templates_for(records, "customer")}
    messages, passages = messages_of(records.session, ids), passages_of(records.session, ids)
    base = f"/{records.edition.workspace}"
    shown = [_shown(records, row, mails, messages, passages) for row in rows]
    return {
        "shown": [
            {**one, "url": f"{base}/journey/{row.journey_id}"} for one, row in zip(shown, rows, strict=True)
        ]
    }


def _shown(
    records: Records, row: Any, mails: Mapping[str, str], messages: Sequence[Any], passages: Sequence[Any]
) -> dict[str, Any]:
    program = version_of(records.session, records.edition, row.version_id).program
    title, tone = MEMBER_STATES[row.state]
    node = program.get(row.step)
    standing = title_of(records.edition, node.step, mails) if node else ""
    lines = [
        {
            "title": title_of(records.edition, program[one.step].step, mails),
            "when": format_day(one.left_at),
            "state": worded(one.reason),
            "tone": "danger" if one.outcome == FAILED else "warn",
        }
        for one in passages
        if one.member_id == row.id and one.outcome in (HELD, FAILED) and one.step in program
    ]
    told = {one.step for one in passages if one.member_id == row.id and one.outcome in (HELD, FAILED)}
    lines += [
        {
            "title": title_of(records.edition, program[one.step].step, mails),
            "when": format_day(one.sent_at or one.created_at),
            "state": str(MESSAGE_STATES[one.state][0]),
            "tone": MESSAGE_STATES[one.state][1],
        }
        for one in messages
        if one.member_id == row.id and one.step in program and one.step not in told
    ]
    quiet = node is not None and node.step["kind"] == "message"
    return {
        "title": row.name,
        "state": str(title),
        "tone": tone,
        "standing": standing if row.state == ACTIVE else "",
        "due": format_datetime(row.due_at) if row.due_at else "",
        "quiet": worded(QUIET) if quiet else "",
        "lines": lines,
    }


PANELS = [
    Panel(
        name="journeys_of_customer",
        title=_("Journeys"),
        cell=CELL,
        entity="customer",
        load=of_the_customer,
        template="journeys/of_customer.html",
    ),
]
