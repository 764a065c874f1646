"""A record of every entity of an edition, with the same telling text in each of its texts."""

from __future__ import annotations

import re
from typing import Any

from trellis.crm.service.calendars import WEEK
from trellis.edition import EntityView
from trellis.errors import TrellisError
from trellis.records import types
from trellis.records.door import Records
from trellis.records.entity import Field
from trellis.security.actor import SYSTEM
from trellis.workspace import Workspace

STRICT = (
    "currency",
    "external_id",
    "owner",
    "unit",
    "segment",
    "member_field",
    "hours",
    "remind_before",
    "time_zone",
    "replaces",
    *WEEK,
)
"""Fields that are texts and yet do not take any text."""


def value_of(field: Field, known: dict[str, int], text: str) -> Any:
    """A telling value for a field."""
    name = re.sub(r"\W", "", text)[:20].lower()
    match field.type:
        case types.Email():
            return f"{name}@{name}.test"
        case types.Url():
            return f"https://{name}.test/"
        case types.Phone():
            return "+420 601 123 456"
        case types.Choice(options=options):
            return options[0].value
        case types.Reference(entity=entity):
            return known.get(entity)
        case types.Percent():
            return "0.5"
        case types.Text(length=length):
            return text[:length]
        case types.LongText():
            return text
        case _:
            return {"number": 7, "date": "2026-01-02", "datetime": "2026-01-02T03:04:05Z"}.get(
                field.type.kind
            )


def fill(workspace: Workspace, text: str) -> dict[str, int]:
    """Makes the records; returns their ids by entity."""
    known: dict[str, int] = {}
    with workspace.write() as session:
        edition = workspace.edition(session)
        records = Records(session, edition, SYSTEM)
        people = records.list("user", limit=1).items
        somebody = (
            people[0].id if people else records.create("user", {"name": "A", "email": "a@acme.test"}).id
        )
        spare = {
            "bundle_part": {"part": records.create("product", {"name": text[:60]}).id},
            "customer_relation": {"other": records.create("customer", {"name": text[:60]}).id},
            "report_recipient": {"person": somebody},
            "bonus_statement": {"person": somebody},
        }
        for _round in range(3):
            for view in edition.entities.values():
                if view.name not in known and view.name != "user":
                    with_texts = _draft(view, known, text) | spare.get(view.name, {})
                    try:
                        with session.begin_nested():
                            known[view.name] = records.create(view.name, with_texts).id
                    except TrellisError:
                        continue
        assert set(edition.entities) - set(known) <= {"user"}, set(edition.entities) - set(known)
    return known


_KNOWN_WORDS = {
    "kpi_target": {"kpi": "revenue", "period": "2026-01"},
    "exchange_rate": {"currency": "USD"},
    "discount_limit": {"role": "agent"},
    "sales_channel": {"funnel": "sales"},
    "document_template": {"of_entity": "customer", "body": "B", "numbering": "B-{number}"},
    "approval_step": {"role": "agent"},
    "mail_template": {"of_entity": "customer", "subject": "S", "body": "B"},
    "bonus_part": {"kpi": "revenue", "rate": "0.03"},
    "responsibility": {"process": "document_approval", "step": "sign", "letter": "R"},
    "report": {
        "of_entity": "customer",
        "columns": "name",
        "sort_by": "name",
        "group_by": "city",
        "totals": "clv",
    },
}
"""What only certain words fit."""


def _draft(view: EntityView, known: dict[str, int], text: str) -> dict[str, Any]:
    staged = {one.field for one in view.lifecycles} | {one.when[0] for one in view.lifecycles if one.when}
    known_words = _KNOWN_WORDS.get(view.name, {})
    named = known_words | {
        name: value_of(field, known, text)
        for name, field in view.fields.items()
        if not field.read_only
        and name not in known_words
        and name not in (*STRICT, *staged)
        and (field.type.kind == "text" or (field.required and field.default is None))
    }
    if "timezone" in view.fields:
        named["timezone"] = "UTC"
    return {name: value for name, value in named.items() if value is not None}
