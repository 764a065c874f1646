"""Lists of records: the table, its columns, saved views, export, and acts on ticked rows."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
from flask import Blueprint, Response, abort, g, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from trellis.edition import EntityView
from trellis.errors import RecordInvalid, RuleInvalid, TrellisError
from trellis.i18n import format_number, plural_translator, translator
from trellis.records import export_job
from trellis.records.exporter import Export, write_file
from trellis.records.importer.plans import ID
from trellis.records.query import ListQuery
from trellis.records.saying import in_words
from trellis.records.schema import EXTERNAL
from trellis.web.display import origin, second_line, title_of
from trellis.web.filters import builder_fields, builder_words
from trellis.web.grouping import whole_context
from trellis.web.list_page import counts
from trellis.web.listing import (
    COUNT_UP_TO,
    Listing,
    full_rule,
    query_of,
    read_listing,
    shown_columns,
)
from trellis.web.overlay import overlay
from trellis.web.shell import entity_page, toast

_ = translator("trellis")
_n = plural_translator("trellis")

blueprint = Blueprint("lists", __name__)
OPTIONS = 20
EXPORT_AT_ONCE = 10_000
"""Longer exports are made in the background."""
EXPORTS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "jsonl": "application/x-ndjson",
}


def view_of(entity: str) -> EntityView:
    """The entity of an address, if the actor may read it; 404 otherwise."""
    view: EntityView | None = g.edition.entities.get(entity)
    if view is None or not g.actor.may(entity, "read"):
        abort(404)
    return view


def base() -> str:
    """The address of the workspace."""
    return f"/{g.workspace.name}"


@blueprint.get("/<workspace>/<entity>")
def show(workspace: str, entity: str) -> str | BaseResponse:
    view = view_of(entity)
    listing = read_listing(view, request.args)
    try:
        context = whole_context(listing, base())
    except RuleInvalid as error:
        return without_rule(listing, error)
    return entity_page("list.html", view, title=view.info.plural, list=context)


def without_rule(listing: Listing, error: RuleInvalid) -> BaseResponse:
    """Leads to what a view shows without its rule, which asks for what is not there now: so it can be mended, or deleted.

    Raises the error where the rule is not that of the view.
    """
    if listing.saved is None or "filter" in request.args:
        raise error
    title, problem = listing.saved.title, str(error)
    toast(_("“%(view)s” is shown without its rule: %(problem)s", view=title, problem=problem))
    return redirect(listing.url(base(), filter="null"))


@blueprint.get("/<workspace>/<entity>/columns")
def columns(workspace: str, entity: str) -> str:
    view = view_of(entity)
    listing = read_listing(view, request.args)
    chosen = [view.info.title_field, *shown_columns(listing)]
    names = [*chosen, *(name for name in view.fields if name not in chosen)]
    items = [
        {
            "name": name,
            "label": str(view.fields[name].label),
            "shown": name in chosen,
            "origin": origin(g.edition, view.fields[name].owner),
            "fixed": name == view.info.title_field,
        }
        for name in names
        if name in view.fields
    ]
    hidden = [pair for pair in listing.arguments(columns="") if pair[0] != "columns"]
    drawer = {"action": f"{base()}/{entity}", "hidden": hidden, "items": items}
    return overlay("columns.html", _("Columns"), columns=drawer)


@blueprint.get("/<workspace>/<entity>/count")
def count(workspace: str, entity: str) -> str:
    """How many records a rule finds, in words, for the rule builder."""
    query = ListQuery(view_of(entity), g.edition, g.actor, rule=asked_rule())
    found = query.count(g.session, COUNT_UP_TO + 1)
    if found > COUNT_UP_TO:
        return str(_("more than %(number)s match", number=format_number(COUNT_UP_TO)))
    return str(_n("%(num)s matches", "%(num)s match", found))


@blueprint.get("/<workspace>/<entity>/counts")
def counts_of(workspace: str, entity: str) -> str:
    """How many records a long list has, and the sum of their amounts: asked for when its page is shown."""
    listing = read_listing(view_of(entity), request.args)
    return render_template("list_counts.html", counts=counts(listing, query_of(listing)))


@blueprint.get("/<workspace>/<entity>/rule-fields")
def rule_fields(workspace: str, entity: str) -> dict[str, Any]:
    """What the rule builder offers, asked for when it is first opened."""
    view = view_of(entity)
    return {"fields": builder_fields(view, g.edition, g.actor, base()), "days": builder_words()}


@blueprint.get("/<workspace>/<entity>/rule-text")
def rule_text(workspace: str, entity: str) -> str:
    """A rule in words, for the rule builder."""
    rule = asked_rule()
    return in_words(g.records, view_of(entity), rule) if rule else ""


def asked_rule() -> dict[str, Any] | None:
    """The rule of the address; RuleInvalid when it is not JSON."""
    try:
        return orjson.loads(request.args.get("filter") or "null")  # type: ignore[no-any-return]
    except orjson.JSONDecodeError:
        raise RuleInvalid(_("The filter is not valid JSON")) from None


@blueprint.get("/<workspace>/<entity>/options")
def options(workspace: str, entity: str) -> dict[str, Any]:
    """Records to choose from in a reference field."""
    view = view_of(entity)
    names = [name for name in (view.info.title_field, view.info.subtitle_field or "") if name in view.fields]
    sort = names[:1]
    query = ListQuery(
        view, g.edition, g.actor, text=request.args.get("q", ""), fields=names, sort=sort, limit=OPTIONS
    )
    found = query.page(g.session).items
    return {
        "items": [
            {
                "id": record.id,
                "title": title_of(view, record),
                "sub": second_line(g.edition, base(), view, record),
            }
            for record in found
        ]
    }


@blueprint.get("/<workspace>/<entity>/export")
def export(workspace: str, entity: str) -> BaseResponse | str:
    """The whole list as filtered, with the columns shown, as CSV, XLSX or JSON lines; a long one is offered as a job."""
    listing, asked, ending = _asked_export(entity)
    try:
        number = query_of(listing).count(g.session, EXPORT_AT_ONCE + 1)
    except RuleInvalid as error:
        return without_rule(listing, error)  # the list, for whoever asked for some did not ask for all
    if number > EXPORT_AT_ONCE:
        offer = {"action": request.full_path, "list_url": f"{base()}/{entity}"}
        return entity_page("export.html", listing.view, title=_("Export"), inside=True, offer=offer)
    columns = asked.columns(g.edition)
    rows = asked.rows(g.session, g.edition, g.actor)
    with TemporaryDirectory(prefix="trellis-export-") as folder:
        path = Path(folder) / f"{entity}.{ending}"
        write_file(path, listing.view, columns, rows, labelled=asked.labelled)
        headers = {"Content-Disposition": f'attachment; filename="{path.name}"'}
        return Response(path.read_bytes(), content_type=EXPORTS[ending], headers=headers)


@blueprint.post("/<workspace>/<entity>/export")
def export_later(workspace: str, entity: str) -> BaseResponse:
    """Puts an export into the queue."""
    listing, asked, ending = _asked_export(entity)
    try:
        total = query_of(listing).count(g.session)
    except RuleInvalid as error:
        return without_rule(listing, error)
    return go(f"{base()}/jobs/{export_job.start(g.session, g.actor, asked, ending, total)}")


def _asked_export(entity: str) -> tuple[Listing, Export, str]:
    listing = read_listing(view_of(entity), request.args)
    title = listing.view.info.title_field
    names = [name for name in (title, *shown_columns(listing)) if name in listing.view.fields]
    ending = request.args.get("format", "csv")
    if ending not in EXPORTS:
        abort(404)
    asked = Export(
        entity=entity,
        fields=[ID, EXTERNAL, *(name for name in names if name != EXTERNAL)],
        named=True,
        labelled=ending == "xlsx",
        rule=full_rule(listing),
        text=listing.query,
        sort=listing.setup.sort,
    )
    return listing, asked, ending


def go(url: str) -> BaseResponse:
    """Sends the browser to another page, from a form or from htmx."""
    if request.headers.get("HX-Request"):
        return Response(status=204, headers={"HX-Redirect": url})
    return redirect(url)


def messages(error: TrellisError) -> dict[str, list[str]]:
    """The messages of an error by field; those of the whole record under ``_record``."""
    if isinstance(error, RecordInvalid):
        return {name: [str(one) for one in found] for name, found in error.errors.items()}
    return {"_record": [str(error)]}


def sentences(error: TrellisError) -> list[str]:
    """The messages of an error without the names of their fields, for where these are plain."""
    return [one for found in messages(error).values() for one in found]


def whole_number(text: str) -> int | None:
    """A number as an address or a form gives it; None for what is none, or none that a database holds."""
    return int(text) if text.isdecimal() and len(text) < 19 else None


def whole_numbers(text: str) -> list[int]:
    """The numbers of a list with commas."""
    return [number for one in text.split(",") if (number := whole_number(one)) is not None]
