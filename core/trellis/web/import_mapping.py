"""The page on which the columns of a file are mapped to fields: what it shows, and the plan that its form describes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from flask import g, request

from trellis.edition import EntityView
from trellis.errors import TrellisError
from trellis.i18n import Text, plural_translator, translator
from trellis.quality.duplicates import comparable
from trellis.records.importer import runs, saved_mappings
from trellis.records.importer.conventions import DAY_FIRST, MONTH_FIRST
from trellis.records.importer.headings import NUMBER_HERE, by_name, by_number
from trellis.records.importer.plans import BY_ID, BY_NAME, CHANGE, ID, LEAVE
from trellis.records.importer.stages import stages
from trellis.records.types import Reference
from trellis.web import import_choices
from trellis.web.import_offers import asked_offers, offers
from trellis.web.views.lists import sentences

_ = translator("trellis")
_n = plural_translator("trellis")

KINDS: Mapping[str, Text] = {
    "text": _("Text"),
    "number": _("Decimal number"),
    "date": _("Date"),
    "email": _("Mail address"),
    "phone": _("Telephone"),
    "empty": _("Empty"),
}
ALIKE: Mapping[str, Text] = {
    "": _("Make a new one all the same"),
    LEAVE: _("Leave it out, name the record"),
    CHANGE: _("Change that record, if it is the only one"),
}
DELIMITERS: Mapping[str, Text | str] = {
    ",": ",",
    ";": ";",
    "\t": _("Tab"),
    "|": "|",
    "~": "~",
    "^": "^",
    "whitespace": _("Spaces"),
}
ENCODINGS = ("utf-8", "utf-16", "cp1251", "cp1252", "cp1250", "koi8-r", "cp866")
KEY_KINDS = ("text", "number", "date", "datetime")


def mapping_context(view: EntityView, row: Any, base: str) -> dict[str, Any]:
    """The columns of the file with what they may fill, and what else is chosen for them."""
    plan = row.plan
    by_column = {column: name for name, column in plan.get("columns", {}).items()}
    fields = list(_targets(view))
    ready = [(one.name, str(one.title)) for one in saved_mappings.ready(g.edition, row)]
    columns = [
        {
            "id": index,
            "name": one["name"],
            "kind": str(KINDS[one["kind"]]),
            "examples": one["examples"],
            "options": _options([("", str(_("Leave out"))), *fields], by_column.get(one["name"], "")),
        }
        for index, one in enumerate(plan["file"])
    ]
    stages_of_file = _stages(view, row, by_column)
    choices = import_choices.choices(view, row)
    return {
        "url": f"{base}/imports/{row.id}",
        "back": f"{base}/{view.name}/import",
        "file": row.filename,
        "rows": str(_n("%(num)s row", "%(num)s rows", row.total)),
        "columns": columns,
        "reading": _reading(row),
        "saved": [
            {"value": one.id, "title": one.title} for one in saved_mappings.mine(g.session, g.actor, row)
        ],
        "ready": _options([("", str(_("By columns, as below"))), *ready], plan.get("mapping") or "")
        if ready
        else [],
        "found_by": found_by(view, row),
        "existing": _options(
            [("", str(_("Change it"))), ("leave", str(_("Leave it as it is")))],
            "leave" if plan.get("create_only") else "",
        ),
        "alike": _options([(value, str(title)) for value, title in ALIKE.items()], plan.get("alike") or "")
        if comparable(view)
        else [],
        "decimal": _options(
            [("", str(_("As the columns show"))), (".", "1234.50"), (",", "1234,50")],
            plan.get("decimal") or "",
        ),
        "dates": _options(
            [("", str(_("As the columns show"))), (DAY_FIRST, "31/12/2026"), (MONTH_FIRST, "12/31/2026")],
            plan.get("dates") or "",
        ),
        "log": _log(view, row),
        "stages": stages_of_file,
        "offers": offers(view, row, base),
        "choices": choices,
        "names_url": f"{base}/imports/{row.id}/stages",
        "problems": [*(stages_of_file["problems"] if stages_of_file else []), *choices["problems"]],
    }


def found_by(view: EntityView, row: Any) -> list[dict[str, Any]]:
    """The fields with a column by which records can be found; none of them makes every row a new one."""
    keys = [
        (name, title)
        for name, title in _targets(view)
        if name in row.plan.get("columns", {})
        and (name == ID or (name in view.fields and view.fields[name].type.kind in KEY_KINDS))
    ]
    return _options([("", str(_("Every row is a new record"))), *keys], row.plan.get("key") or "")


def _reading(row: Any) -> list[dict[str, Any]]:
    """How the file may be opened otherwise: selects with their names, labels and options; none for JSON lines."""
    ending, plan, found_out = PurePosixPath(row.filename).suffix.lower(), row.plan, ("", str(_("Found out")))
    if ending in (".csv", ".tsv", ".txt"):
        kinds = {
            "encoding": (_("Encoding"), [found_out, *((one, one) for one in ENCODINGS)]),
            "delimiter": (
                _("Delimiter"),
                [found_out, *((one, str(text)) for one, text in DELIMITERS.items())],
            ),
        }
    elif len(plan.get("sheets") or ()) > 1:
        kinds = {
            "sheet": (_("Sheet"), [("", str(_("The first one"))), *((one, one) for one in plan["sheets"])])
        }
    else:
        kinds = {}
    return [
        {"name": name, "label": str(label), "options": _options(options, plan.get(name) or "")}
        for name, (label, options) in kinds.items()
    ]


def asked_reading(row: Any) -> dict[str, Any]:
    """How the form says that the file is to be opened."""
    known = {one["name"]: {option["value"] for option in one["options"]} for one in _reading(row)}
    return {
        name: given for name, values in known.items() if (given := request.form.get(name)) and given in values
    }


def _targets(view: EntityView) -> Iterator[tuple[str, str]]:
    """The fields that a column may fill; references by the external id of their record, its name, or its number here."""
    yield ID, str(NUMBER_HERE)
    for name, field in view.fields.items():
        if field.read_only:
            continue
        yield name, str(field.label)
        if isinstance(field.type, Reference):
            yield f"{name}{BY_NAME}", str(by_name(field))
            yield f"{name}{BY_ID}", str(by_number(field))


def _log(view: EntityView, row: Any) -> dict[str, Any] | None:
    """An event log, where records of this kind can come of one."""
    lifecycle = next((one for one in view.lifecycles if one.replay is not None), None)
    if lifecycle is None:
        return None
    return {
        "wished": bool(row.plan.get("log")),
        "needs": str(
            _(
                "Choose columns for “%(stage)s” and “%(at)s”, and what rows are found by",
                stage=view.fields[lifecycle.field].label,
                at=view.fields[lifecycle.at].label,
            )
        ),
    }


def _stages(view: EntityView, row: Any, by_column: Mapping[str, str]) -> dict[str, Any] | None:
    """The stages that the file names, and what they mean, where records of this kind have stages."""
    if not view.lifecycles:
        return None
    field = view.lifecycles[0].field
    column = next((one for one, name in by_column.items() if name == field), "")
    wished = column and (row.plan.get("read_stages") or row.plan.get("states"))
    known = stages(view.lifecycles, row.plan.get("states") or {})
    titles = {stage.value: str(stage.title) for one in reversed(view.lifecycles) for stage in one.stages}
    names: list[str] = []
    problems: list[str] = []
    try:
        names = runs.names_in(g.session, row, [column]).get(column, []) if wished else []
    except (
        TrellisError
    ) as error:  # an encoding that is not that of the file: the page is where another is chosen
        problems = sentences(error)
    return {
        "problems": problems,
        "needs": str(
            _("Choose a column for “%(stage)s” to say what its names mean", stage=view.fields[field].label)
        ),
        "names": [
            {
                "id": place,
                "name": name,
                "options": _options(
                    [("", str(_("Refuse these rows"))), *titles.items()], known.get(name.casefold(), "")
                ),
            }
            for place, name in enumerate(names)
        ],
    }


def _states() -> dict[str, str]:
    """What the names of stages mean, as the form says."""
    names, meant = request.form.getlist("stage-name"), request.form.getlist("stage-means")
    return {name: stage for name, stage in zip(names, meant, strict=False) if stage}


def _options(pairs: list[tuple[str, str]], chosen: str) -> list[dict[str, Any]]:
    return [{"value": value, "title": title, "selected": value == chosen} for value, title in pairs]


def asked_plan(view: EntityView, row: Any) -> dict[str, Any]:
    """The plan that the form describes."""
    form = request.form
    columns: dict[str, str] = {}
    for index, one in enumerate(row.plan["file"]):
        name = form.get(f"column-{index}", "")
        if name:
            columns.setdefault(name, one["name"])
    key = form.get("key", "")
    return {
        "columns": columns,
        "key": key if key in columns or not key else None,
        "mapping": form.get("mapping") or None,
        "create_only": form.get("existing") == "leave",
        "alike": form.get("alike") or None,
        "decimal": form.get("decimal") or None,
        "dates": form.get("dates") or None,
        "log": form.get("log") == "true",
        "states": _states(),
        "values": import_choices.asked_choices(),
        **asked_offers(view, columns, ready=bool(form.get("mapping"))),
    }
