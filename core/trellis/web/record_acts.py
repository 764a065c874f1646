"""What can be done with a record of some entities, beside what holds for all: links in the head of its page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from flask import g

from trellis.crm.customers.agreeing import follow_up
from trellis.crm.customers.agreements import ACTIVE, CLOSED, RENEWAL, Agreement
from trellis.crm.products import life
from trellis.crm.sales import conversion, quotes
from trellis.crm.sales.reports.definition import Definition
from trellis.i18n import Text, translator
from trellis.records.query import Record

_ = translator("trellis")


def links(entity: str, record: Record, base: str) -> list[dict[str, Any]]:
    """The links for a record that the reader sees."""
    make = _LINKS.get(entity)
    return list(make(record, base)) if make else []


def _link(title: Text | str, icon: str, url: str, kind: str = "link") -> dict[str, Any]:
    """A way to a page, or (``post``) an act that leads to the record that it makes."""
    return {"title": str(title), "icon": icon, "kind": kind, "url": url}


def _survey(record: Record, base: str) -> Iterator[dict[str, Any]]:
    if g.actor.may("survey_invitation", "create"):
        yield _link(_("Invite customers"), "send", f"{base}/survey/{record.id}/invite")


def _agreement(record: Record, base: str) -> Iterator[dict[str, Any]]:
    """A form for the agreement that follows, filled in from this one."""
    if record.values["stage"] in (ACTIVE, RENEWAL, CLOSED) and g.actor.may("agreement", "create"):
        fields = g.edition.entity("agreement").fields
        known = follow_up(g.session.get_one(Agreement, record.id))
        taken = {name: fields[name].type.to_json(value) for name, value in known.items() if name in fields}
        given = {name: value for name, value in taken.items() if value is not False}
        yield _link(
            _("Renew"), "refresh-cw", f"{base}/agreement/new?{urlencode({'renews': record.id, **given})}"
        )


def _lead(record: Record, base: str) -> Iterator[dict[str, Any]]:
    if conversion.offered(g.records, record):
        yield _link(_("Convert"), "user-round-check", f"{base}/lead/{record.id}/convert")


def _opportunity(record: Record, base: str) -> Iterator[dict[str, Any]]:
    if g.actor.may("quote", "create"):
        yield _link(_("Make a quote"), "file-text", f"{base}/opportunity/{record.id}/quote", "post")


def _quote(record: Record, base: str) -> Iterator[dict[str, Any]]:
    if quotes.orderable(g.records, record):
        yield _link(_("Make an order"), "shopping-bag", f"{base}/quote/{record.id}/order", "post")


def _case(record: Record, base: str) -> Iterator[dict[str, Any]]:
    """What was done about it can help with the next one."""
    values = record.values
    may = g.actor.may("solution", "create") and g.actor.reaches("case", "update", {**values, "id": record.id})
    if may and values.get("answer") and values.get("solution") is None:
        yield _link(_("Make a known solution"), "book-open", f"{base}/case/{record.id}/solution", "post")


def _product(record: Record, base: str) -> Iterator[dict[str, Any]]:
    """Confirms the stage that its sales propose."""
    proposed = record.values.get("proposed_stage") or ""
    if proposed not in ("", record.values.get("life_stage")) and g.actor.reaches(
        "product", "update", {**record.values, "id": record.id}
    ):
        title = _("Confirm: %(stage)s", stage=life.TITLES[proposed])
        yield _link(title, "check", f"{base}/product/{record.id}/confirm-stage", "post")


def _bonus_run(record: Record, base: str) -> Iterator[dict[str, Any]]:
    yield _link(_("Statements"), "receipt-text", f"{base}/bonus_run/{record.id}/statements")


def _bonus_statement(record: Record, base: str) -> Iterator[dict[str, Any]]:
    yield _link(_("How it is reckoned"), "calculator", f"{base}/bonus_statement/{record.id}/lines")


def _report(record: Record, base: str) -> Iterator[dict[str, Any]]:
    """What it shows now, as a file, and sending it: on a phone what stands beside it is far below."""
    url, values = f"{base}/report/{record.id}", record.values
    if Definition.of(values).is_figures or g.actor.may(values["of_entity"], "read"):
        for ending in ("xlsx", "pdf", "csv"):
            yield _link(ending.upper(), "download", f"{url}/file?format={ending}")
    if g.actor.reaches("report", "update", {**values, "id": record.id}):
        yield _link(_("Send now"), "send", f"{url}/send", "post")


def _script(record: Record, base: str) -> Iterator[dict[str, Any]]:
    if g.actor.reaches("script", "update", record.values):
        yield _link(_("Edit steps"), "list-tree", f"{base}/script/{record.id}/edit")


_LINKS: Mapping[str, Callable[[Record, str], Iterator[dict[str, Any]]]] = {
    "survey": _survey,
    "agreement": _agreement,
    "case": _case,
    "lead": _lead,
    "opportunity": _opportunity,
    "product": _product,
    "quote": _quote,
    "report": _report,
    "script": _script,
    "bonus_run": _bonus_run,
    "bonus_statement": _bonus_statement,
}
