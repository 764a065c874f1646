"""How the columns of a file become the fields of an entity."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Mapping as Table
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trellis.contributions import ImportMapping
from trellis.edition import Edition, EntityView
from trellis.errors import TrellisError
from trellis.i18n import LANGUAGES, translator, use_locale
from trellis.records.importer.expressions import compile_expression
from trellis.records.schema import EXTERNAL
from trellis.records.types import Reference

_ = translator("trellis")

BY_ID = ".id"
IGNORED = ("_row", "_problem")
Read = Callable[[Table[str, Any], int], Any]


class MappingInvalid(TrellisError):
    """A mapping names a field or a key that the entity does not have."""

    status = 422
    code = "mapping_invalid"


@dataclass(frozen=True)
class Mapping:
    """A mapping ready to use: a reader for each field, the key, and which rows to leave out.

    With ``create_only`` the first row of a key counts, and records that exist stay as they are.
    """

    view: EntityView
    fields: Table[str, Read]
    key: str | None
    skip: Read | None = None
    delimiter: str | None = None
    header: Sequence[str] | None = None
    create_only: bool = False

    def values(self, cells: Table[str, Any], number: int) -> dict[str, Any]:
        """The values of a record that a row gives; empty cells give nothing. Raises ExpressionFailed."""
        found: dict[str, Any] = {}
        for target, read in self.fields.items():
            value = read(cells, number)
            if value is None or value == "":
                continue
            name = target.removesuffix(BY_ID) if target not in self.view.fields else target
            if name in found:
                continue
            field_type = self.view.fields[name].type
            if isinstance(field_type, Reference) and name == target and not isinstance(value, dict):
                value = {EXTERNAL: str(value).strip()}
            found[name] = str(value) if isinstance(value, int) and field_type.kind == "text" else value
        return found


def mapping_of(
    edition: Edition, entity: str, given: str | Path | None, key: str | None, columns: Iterable[str]
) -> Mapping:
    """The mapping for an import: of a file (``.json``), contributed by a plugin (by name), or by the headers."""
    view = edition.entity(entity)
    if given is None:
        return match_headers(view, columns, key)
    if str(given).endswith(".json"):
        try:
            data = json.loads(Path(given).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise MappingInvalid(
                _("The mapping %(path)s cannot be read: %(problem)s", path=str(given), problem=str(error))
            ) from None
        return mapping_from_json(view, data, key)
    known = edition.all(ImportMapping)
    found = known.get(str(given))
    if found is None or found.entity != entity:
        names = ", ".join(name for name, one in known.items() if one.entity == entity) or "-"
        raise MappingInvalid(
            _(
                "There is no mapping “%(name)s” for %(entity)s; there are: %(known)s",
                name=str(given),
                entity=entity,
                known=names,
            )
        )
    return _compiled(
        view, found.columns, key or found.key, found.skip, found.delimiter, found.header, found.create_only
    )


def mapping_from_json(view: EntityView, data: Any, key: str | None = None) -> Mapping:
    """A mapping from JSON: ``{"columns": {"name": "Full name", "city": "=title(Town)"}, "key": ..., "skip": ...}``."""
    known = {"columns", "key", "skip", "delimiter", "header", "create_only"}
    if not isinstance(data, dict) or not isinstance(data.get("columns"), dict) or set(data) - known:
        raise MappingInvalid(
            _(
                "A mapping is an object with “columns” and, if needed: %(known)s",
                known=", ".join(sorted(known)),
            )
        )
    chosen = key or data.get("key")
    return _compiled(
        view,
        data["columns"],
        chosen,
        data.get("skip", ""),
        data.get("delimiter"),
        data.get("header"),
        bool(data.get("create_only")),
    )


def match_headers(view: EntityView, columns: Iterable[str], key: str | None = None) -> Mapping:
    """A mapping by headers: names of fields, or their labels in any language."""
    known: dict[str, str] = {}
    for language in LANGUAGES:
        with use_locale(language):
            known |= {str(field.label).casefold(): name for name, field in view.fields.items()}
    known |= {name.casefold(): name for name in view.fields}
    known |= {f"{name}{BY_ID}".casefold(): f"{name}{BY_ID}" for name in view.references}
    fields = {
        known[column.strip().casefold()]: column for column in columns if column.strip().casefold() in known
    }
    fields = {name: column for name, column in fields.items() if not _is_read_only(view, name)}
    if not fields:
        raise MappingInvalid(
            _("No column is named like a field of %(entity)s; give a mapping", entity=view.info.title)
        )
    return _compiled(view, fields, key, "", None, None)


def _is_read_only(view: EntityView, target: str) -> bool:
    field = view.fields.get(target)
    return field is not None and field.read_only


def _compiled(
    view: EntityView,
    columns: Table[str, str],
    key: str | None,
    skip: str,
    delimiter: str | None,
    header: Sequence[str] | None,
    create_only: bool = False,
) -> Mapping:
    for target in columns:
        if target not in view.fields and target.removesuffix(BY_ID) not in view.references:
            raise MappingInvalid(_("%(entity)s has no field “%(name)s”", entity=view.info.title, name=target))
    chosen = key or (EXTERNAL if EXTERNAL in columns else None)
    if chosen is not None and (chosen not in columns or view.fields[chosen].is_extension):
        raise MappingInvalid(
            _("The key “%(name)s” must be a mapped column of the record itself", name=chosen)
        )
    readers = {target: _reader(source) for target, source in columns.items()}
    leave_out = compile_expression(skip) if skip else None
    return Mapping(view, readers, chosen, leave_out, delimiter, header, create_only)


def _reader(source: str) -> Read:
    if source.startswith("="):
        return compile_expression(source[1:])
    return lambda cells, _number: cell.strip() if isinstance(cell := cells.get(source), str) else cell
