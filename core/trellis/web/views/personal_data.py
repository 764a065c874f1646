"""Pages of the personal data of somebody: taking it out, and erasing it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flask import Blueprint, Response, g, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from trellis import privacy
from trellis.errors import RecordInvalid
from trellis.i18n import current_language, format_datetime, format_number, translator
from trellis.web.changes import word_of
from trellis.web.shell import entity_page, toast
from trellis.web.views.lists import base, go, messages, view_of

_ = translator("trellis")

blueprint = Blueprint("personal_data", __name__)


@blueprint.get("/<workspace>/<entity>/<int:record_id>/personal-data")
def show(workspace: str, entity: str, record_id: int) -> str:
    return _page(entity, record_id, "", [])


@blueprint.get("/<workspace>/<entity>/<int:record_id>/personal-data/file")
def file(workspace: str, entity: str, record_id: int) -> Response:
    """Everything about somebody as a zip: JSON for programs, a page for people."""
    view_of(entity)
    data = privacy.everything(g.records, entity, record_id)
    html = render_template("personal_data_file.html", person=_readable(data))
    with TemporaryDirectory(prefix="trellis-person-") as folder:
        path = Path(folder) / f"personal-data-{entity.replace('.', '-')}-{record_id}.zip"
        privacy.write_zip(path, data, html, g.records)
        headers = {"Content-Disposition": f'attachment; filename="{path.name}"'}
        return Response(path.read_bytes(), content_type="application/zip", headers=headers)


@blueprint.post("/<workspace>/<entity>/<int:record_id>/erase")
def erase(workspace: str, entity: str, record_id: int) -> BaseResponse | tuple[str, int]:
    view_of(entity)
    name = request.form.get("name", "")
    try:
        privacy.erase(g.records, entity, record_id, name)
    except RecordInvalid as error:
        return _page(entity, record_id, name, messages(error)["name"]), 422
    toast(_("The personal data is erased"))
    return go(f"{base()}/{entity}/{record_id}")


def _page(entity: str, record_id: int, typed: str, errors: list[str]) -> str:
    view = view_of(entity)
    found = privacy.preview(g.records, entity, record_id)
    url = f"{base()}/{entity}/{record_id}"
    person = {
        "title": found.person.title,
        "url": url,
        "file_url": f"{url}/personal-data/file",
        "counts": [
            {"title": str(g.edition.entity(name).info.plural), "number": format_number(len(ids))}
            for name, ids in found.person.records.items()
            if name in g.edition.entities
        ],
        "files": format_number(found.files) if found.files else "",
        "overwritten": [
            {
                "title": str(one.view.info.plural),
                "number": format_number(one.records),
                "fields": ", ".join(str(field.label) for field in one.fields),
            }
            for one in found.overwritten
        ],
        "kept": [{"what": str(one.what), "why": str(one.why)} for one in found.kept],
        "erase_url": f"{url}/erase",
        "field": {
            "id": "name",
            "name": "name",
            "label": str(_("Type the name to erase: %(name)s", name=found.person.title)),
            "kind": "text",
            "value": typed,
            "required": True,
            "errors": errors,
        },
    }
    return entity_page("personal_data.html", view, title=_("Personal data"), inside=True, person=person)


def _readable(data: dict[str, Any]) -> dict[str, Any]:
    """The data in words, in the reader's language."""
    entities = g.edition.whole.entities
    sections = [
        {
            "title": str(entities[name].info.plural),
            "records": [_words(entities[name], one) for one in records],
        }
        for name, records in data["records"].items()
    ]
    history = [
        {
            "when": format_datetime(datetime.fromisoformat(one["at"])),
            "who": one["actor_name"],
            "what": f"{entities[one['entity']].info.title} #{one['record_id']}: {one['action']}",
            "fields": _changed(entities[one["entity"]], one["changes"]),
        }
        for one in data["history"]
    ]
    timeline = [
        {
            "when": _moment(one["at"]),
            "what": f"{entities[one['entity']].info.title}: {one['title'] or one['id']}",
        }
        for one in data["timeline"]
    ]
    made = format_datetime(datetime.fromisoformat(data["made_at"]))
    files = [{"name": one["name"], "path": one["path"]} for one in data["files"]]
    about = {"title": data["title"], "language": current_language(), "made": made}
    return {**about, "sections": sections, "files": files, "timeline": timeline, "history": history}


def _moment(text: str | None) -> str:
    return format_datetime(datetime.fromisoformat(text)) if text and "T" in text else text or ""


def _words(view: Any, record: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (_label(view, name), _text(view, name, value)) for name, value in record.items() if value is not None
    ]


def _changed(view: Any, changes: dict[str, Any]) -> list[str]:
    return [
        f"{_label(view, name)}: {_text(view, name, old)} → {_text(view, name, new)}"
        for name, (old, new) in changes.items()
    ]


def _label(view: Any, name: str) -> str:
    return str(view.fields[name].label) if name in view.fields else name


def _text(view: Any, name: str, value: Any) -> str:
    if value is None:
        return ""
    return word_of(view.fields[name], value) if name in view.fields else str(value)
