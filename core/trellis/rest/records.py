"""Records over REST: lists, one record, writing one or many, moving between stages, the bin."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response, g, request, url_for

from trellis.edition import EntityView
from trellis.errors import PermissionRefused, RecordInvalid, RecordNotFound, StaleVersion, TrellisError
from trellis.i18n import translator
from trellis.quality import distinct, merging
from trellis.quality.duplicates import find
from trellis.quality.merged import survivor_of
from trellis.records.door import BatchInvalid, Write
from trellis.records.query import ListQuery, Record
from trellis.rest.answers import answer, etag, writer
from trellis.rest.arguments import Arguments, json_body, json_object, no_arguments
from trellis.rest.calls import LARGEST_ID, blueprint
from trellis.rest.filters import asked_rule
from trellis.rest.problems import BatchRefused, Malformed

_ = translator("trellis")

PER_PAGE, MOST_PER_PAGE = 50, 500
MOST_WRITES = 1000


@blueprint.get("/<name:entity>")
def list_records(workspace: str, entity: str) -> Response:
    view = g.edition.entity(entity)
    g.actor.require(entity, "read")
    arguments = Arguments()
    fields = arguments.names("fields") or None
    counted = arguments.flag("count")
    query = ListQuery(
        view,
        g.edition,
        g.actor,
        text=arguments.text("q"),
        sort=arguments.names("sort"),
        fields=fields,
        limit=arguments.number("limit", PER_PAGE, 1, MOST_PER_PAGE),
        cursor=arguments.text("cursor"),
        deleted=arguments.flag("deleted"),
        rule=asked_rule(arguments, view, g.edition),
    )
    page = query.page(g.session)
    write = writer(g.edition, view)
    data: dict[str, Any] = {"items": [write(record) for record in page.items], "next": page.next}
    if counted:
        data["total"] = query.count(g.session)
    return answer(data)


@blueprint.get("/<name:entity>/<id:record_id>")
def show(workspace: str, entity: str, record_id: int) -> Response:
    arguments = Arguments()
    deleted = arguments.flag("deleted")
    arguments.end()
    try:
        return one_record(entity, g.records.get(entity, record_id, deleted=deleted))
    except RecordNotFound:
        return _where_it_went(workspace, entity, record_id)


def _where_it_went(workspace: str, entity: str, record_id: int) -> Response:
    """The way to the record that this one was merged into, for those who may see that. Raises RecordNotFound."""
    survivor = survivor_of(g.session, entity, record_id)
    if survivor is None:
        raise RecordNotFound()
    g.records.get(entity, survivor)
    place = url_for("rest.show", workspace=workspace, entity=entity, record_id=survivor)
    return Response(status=307, headers={"Location": place})


@blueprint.post("/<name:entity>")
def create(workspace: str, entity: str) -> Response:
    no_arguments()
    record = g.records.create(entity, json_object())
    place = url_for("rest.show", workspace=workspace, entity=entity, record_id=record.id)
    return one_record(entity, record, 201, {"Location": place})


@blueprint.patch("/<name:entity>/<id:record_id>")
def update(workspace: str, entity: str, record_id: int) -> Response:
    no_arguments()
    version = expected(entity, record_id)
    return one_record(entity, g.records.update(entity, record_id, json_object(), version))


@blueprint.delete("/<name:entity>/<id:record_id>")
def delete(workspace: str, entity: str, record_id: int) -> Response:
    no_arguments()
    g.records.delete(entity, record_id, expected(entity, record_id))
    return Response(status=204)


@blueprint.post("/<name:entity>/<id:record_id>:restore")
def restore(workspace: str, entity: str, record_id: int) -> Response:
    no_arguments()
    return one_record(entity, g.records.restore(entity, record_id))


@blueprint.get("/<name:entity>/<id:record_id>/duplicates")
def duplicates(workspace: str, entity: str, record_id: int) -> Response:
    """Records that may be this one twice."""
    no_arguments()
    record = g.records.get(entity, record_id)
    return answer({"items": _alike(entity, record.values, record_id)})


@blueprint.post("/<name:entity>:duplicates")
def duplicates_of(workspace: str, entity: str) -> Response:
    """Records that may be the one with these values; nothing is written."""
    no_arguments()
    view = g.edition.entity(entity)
    g.actor.require(entity, "read")
    given = json_object()
    unknown = [name for name in given if name not in view.fields]
    if unknown:
        raise RecordInvalid({name: [_("There is no such field here")] for name in unknown})
    return answer({"items": _alike(entity, given, None)})


def _alike(entity: str, values: Mapping[str, Any], besides: int | None) -> list[dict[str, Any]]:
    found = find(g.session, g.edition, g.actor, entity, values, besides)
    return [
        {
            "id": one.record.id,
            "title": one.record.values.get(g.edition.entity(entity).info.title_field),
            "score": one.score,
            "reasons": [str(reason) for reason in one.reasons],
        }
        for one in found
    ]


@blueprint.post("/<name:entity>/<id:record_id>:merge")
def merge(workspace: str, entity: str, record_id: int) -> Response:
    """Makes another record part of this one."""
    no_arguments()
    body = json_object()
    other, fields = body.pop("from", None), body.pop("fields", [])
    if type(other) is not int or not 0 < other <= LARGEST_ID:
        raise RecordInvalid({"from": [_("Must be a whole number")]})
    if not isinstance(fields, list) or any(not isinstance(one, str) for one in fields):
        raise RecordInvalid({"fields": [_("Send a list of names of fields")]})
    if body:
        raise RecordInvalid({name: [_("There is no such field here")] for name in body})
    merging.merge(g.records, entity, record_id, other, fields)
    return one_record(entity, g.records.get(entity, record_id))


@blueprint.post("/<name:entity>/<id:record_id>:unmerge")
def unmerge(workspace: str, entity: str, record_id: int) -> Response:
    """Takes the merge of this record into another back."""
    no_arguments()
    merging.unmerge(g.records, entity, record_id)
    return one_record(entity, g.records.get(entity, record_id))


@blueprint.post("/<name:entity>/<id:record_id>:distinct")
def tell_apart(workspace: str, entity: str, record_id: int) -> Response:
    """Keeps that this record and another are not one, or (``"distinct": false``) forgets that."""
    no_arguments()
    body = json_object()
    other, apart = body.pop("from", None), body.pop("distinct", True)
    if type(other) is not int or not 0 < other <= LARGEST_ID:
        raise RecordInvalid({"from": [_("Must be a whole number")]})
    if not isinstance(apart, bool):
        raise RecordInvalid({"distinct": [_("Must be yes or no")]})
    if body:
        raise RecordInvalid({name: [_("There is no such field here")] for name in body})
    act = distinct.tell_apart if apart else distinct.take_back
    act(g.records, entity, [record_id, other])
    return answer({"id": record_id, "from": other, "distinct": apart})


@blueprint.post("/<name:entity>/<id:record_id>:move")
def move(workspace: str, entity: str, record_id: int) -> Response:
    no_arguments()
    values = json_object()
    if "stage" not in values:
        raise RecordInvalid({"stage": [_("This field needs a value")]})
    stage = values.pop("stage")
    version = expected(entity, record_id)
    return one_record(entity, g.records.move(entity, record_id, stage, values, version))


@blueprint.post("/<name:entity>:batch")
def batch(workspace: str, entity: str) -> Response:
    no_arguments()
    body = json_body()
    items = body["items"] if isinstance(body, dict) and body.keys() == {"items"} else body
    if not isinstance(items, list):
        raise Malformed(
            _('Send {"items": [...]}: records to create, and changes with the "id" of their record')
        )
    if len(items) > MOST_WRITES:
        raise Malformed(
            _("At most %(most)s records at once; this has %(given)s", most=MOST_WRITES, given=len(items))
        )
    view = g.edition.entity(entity)
    writes = _writes(items)
    try:
        ids = g.records.save(entity, writes)
    except (RecordNotFound, PermissionRefused, StaleVersion) as error:
        raise _placed(error, view, writes) from error
    done = [
        {"id": record_id, "action": "created" if write.id is None else "updated"}
        for record_id, write in zip(ids, writes, strict=True)
    ]
    created = sum(write.id is None for write in writes)
    return answer({"items": done, "created": created, "updated": len(writes) - created})


def one_record(
    entity: str, record: Record, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """One record as an answer, with its version."""
    write = writer(g.edition, g.edition.entity(entity))
    return answer(write(record), status, {**etag(record), **(headers or {})})


def expected(entity: str, record_id: int) -> int | None:
    """The version that ``If-Match`` names; None when any will do. Raises StaleVersion when it can be none of these."""
    if not request.headers.get("If-Match") or request.if_match.star_tag:
        return None
    named = {int(tag) for tag in request.if_match.as_set() if re.fullmatch(r"[0-9]{1,18}", tag or "")}
    if len(named) == 1:
        return named.pop()
    current: int = g.records.get(entity, record_id).version
    if current not in named:
        raise StaleVersion(current)
    return current


def _writes(items: Sequence[Any]) -> list[Write]:
    """The writes of a batch. Raises BatchInvalid for those that are none."""
    writes: list[Write] = []
    failures: dict[int, RecordInvalid] = {}
    seen: set[int] = set()
    for index, item in enumerate(items):
        try:
            write = _write(item)
            if write.id in seen:
                raise RecordInvalid({"id": [_("This record stands in the batch twice")]})
        except RecordInvalid as error:
            failures[index] = error
            continue
        if write.id is not None:
            seen.add(write.id)
        writes.append(write)
    if failures:
        raise BatchInvalid(failures)
    return writes


def _write(item: Any) -> Write:
    if not isinstance(item, dict):
        raise RecordInvalid({"_record": [_("A record is an object of fields and values")]})
    values = dict(item)
    numbers: dict[str, int | None] = {}
    for name in ("id", "version"):
        given = name in values
        number = numbers[name] = values.pop(name, None)
        if given and (type(number) is not int or not 0 < number <= LARGEST_ID):
            raise RecordInvalid({name: [_("Must be a whole number")]})
    if numbers["version"] is not None and numbers["id"] is None:
        raise RecordInvalid({"version": [_("Only a record that exists has a version")]})
    return Write(values=values, id=numbers["id"], version=numbers["version"])


def _placed(error: TrellisError, view: EntityView, writes: Sequence[Write]) -> TrellisError:
    """The error of a batch with the places of the writes that it is about."""
    ids = [write.id for write in writes if write.id is not None]
    if not ids:
        return error
    known = ListQuery(view, g.edition, g.actor, ids=ids, fields=["owner", "unit"], limit=len(ids)).page(
        g.session
    )
    versions = {record.id: record.version for record in known.items}
    reach = {record.id: {**record.values, "id": record.id} for record in known.items}
    failures: dict[int, tuple[str, Any]] = {}
    for index, write in enumerate(writes):
        if write.id is None:
            continue
        if write.id not in versions:
            failures[index] = ("id", RecordNotFound.title)
        elif isinstance(error, PermissionRefused) and not g.actor.reaches(
            view.name, "update", reach[write.id]
        ):
            failures[index] = ("id", PermissionRefused.title)
        elif isinstance(error, StaleVersion) and write.version not in (None, versions[write.id]):
            failures[index] = ("version", StaleVersion.title)
    return BatchRefused(error, failures)
