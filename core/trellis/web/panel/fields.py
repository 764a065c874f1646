"""What the side panel of the editor is made of: fields as forms show them, and parts that read and write an element."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import MultiDict

from trellis.i18n import Text
from trellis.process.diagram import Element
from trellis.web.panel.names import Names

Model = dict[str, Any]
"""What a part says, as its form holds it: texts, lists of texts, yes or no; ``rows`` of such."""
Option = tuple[str, Any]
MOST_ROWS = 60


@dataclass
class Change:
    """What an act in the panel changes: ``properties`` are all that the element has then, ``more`` what else is set."""

    properties: dict[str, str] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)

    def put(self, name: str, value: str) -> None:
        """A property; none where nothing is said."""
        if value.strip():
            self.properties[name] = value.strip()


class Part:
    """One group of the panel. ``name`` begins the names of its fields; ``lists`` and ``flags`` are those of several words, and of yes or no."""

    name = ""
    lists: frozenset[str] = frozenset()
    flags: frozenset[str] = frozenset()

    def fits(self, element: Element, names: Names) -> bool:
        """Whether the part belongs to an element."""
        raise NotImplementedError

    def claims(self, property_: str, names: Names) -> bool:
        """Whether a property of the element is this part's."""
        return False

    def load(self, element: Element, names: Names) -> Model:
        """What the element says."""
        raise NotImplementedError

    def show(self, model: Model, names: Names) -> dict[str, Any]:
        """The group as the template shows it: ``{title, help, fields, rows: [{title, fields}], add}``."""
        raise NotImplementedError

    def save(self, model: Model, names: Names, change: Change) -> None:
        """Says it on the element."""
        raise NotImplementedError

    def row(self) -> Model:
        """An empty row."""
        return {}

    def parse(self, form: MultiDict[str, str]) -> Model:
        """What the form says."""
        model: Model = {"rows": []}
        rows: dict[int, Model] = {}
        for name in form:
            if not name.startswith(f"{self.name}."):
                continue
            key = name.removeprefix(f"{self.name}.")
            number, _dot, inner = key.partition(".")
            if number.isdecimal() and int(number) < MOST_ROWS:
                rows.setdefault(int(number), self.row())[inner] = self._value(inner, form.getlist(name))
            elif not number.isdecimal():
                model[key] = self._value(key, form.getlist(name))
        return model | {"rows": [rows[number] for number in sorted(rows)]}

    def _value(self, key: str, given: list[str]) -> Any:
        if key in self.lists:
            return [one for one in given if one]
        if key in self.flags:
            return given[-1] == "true"
        return given[-1].strip()

    def act(self, model: Model, verb: str, number: int) -> None:
        """Adds, removes or raises a row."""
        rows = model["rows"]
        if verb == "add" and len(rows) < MOST_ROWS:
            rows.append(self.row())
        elif verb == "remove" and number < len(rows):
            del rows[number]
        elif verb == "up" and 0 < number < len(rows):
            rows[number - 1], rows[number] = rows[number], rows[number - 1]

    # --- fields ---

    def text(self, key: str, label: Any, value: Any, **more: Any) -> dict[str, Any]:
        """A field for one line; ``kind`` makes it another."""
        name = f"{self.name}.{key}"
        return {
            "id": f"panel-{name.replace('.', '-')}",
            "name": name,
            "label": str(label),
            "kind": "text",
            "value": value,
            "required": False,
            "errors": [],
            "options": [],
            **{key: str(one) if isinstance(one, Text) else one for key, one in more.items()},
        }

    def choice(
        self, key: str, label: Any, value: Any, options: Iterable[Option], *, blank: bool = True, **more: Any
    ) -> dict[str, Any]:
        """One of several; what is chosen now is among them, whatever it is."""
        known = list(options)
        if value and value not in {one for one, _title in known}:
            known.append((value, value))
        shown = [{"value": one, "title": str(title), "selected": one == value} for one, title in known]
        chosen = {"required": True} if not blank else {}
        return self.text(key, label, value, kind="choice", **more) | {
            "options": shown,
            "no_blank": not blank,
            **chosen,
        }

    def choices(
        self, key: str, label: Any, chosen: Sequence[str], options: Iterable[Option], **more: Any
    ) -> dict[str, Any]:
        """Some of several, in the order in which they were chosen."""
        titles = dict(options)
        first = [(one, titles.get(one, one)) for one in chosen]
        rest = [(one, title) for one, title in titles.items() if one not in chosen]
        shown = [
            {"value": one, "title": str(title), "selected": one in chosen} for one, title in [*first, *rest]
        ]
        return self.text(key, label, None, kind="choices", **more) | {"options": shown}

    def flag(self, key: str, label: Any, value: bool, **more: Any) -> dict[str, Any]:
        """Yes or no."""
        return self.text(key, label, value, kind="boolean", **more)


def group(
    title: Any, fields: Sequence[dict[str, Any]], *, help: Any = "", rows: Any = None, add: Any = ""
) -> dict[str, Any]:
    """A group of the panel. ``rows`` are (title, fields) of repeated parts; ``add`` is the button that makes one more."""
    return {
        "title": str(title),
        "help": str(help),
        "fields": list(fields),
        "rows": None if rows is None else [{"title": str(one), "fields": parts} for one, parts in rows],
        "add": str(add),
    }


def pairs(properties: Mapping[str, str], start: str) -> list[Model]:
    """The properties that begin so, as rows of name and value."""
    return [
        {"name": name.removeprefix(start), "value": value}
        for name, value in properties.items()
        if name.startswith(start)
    ]
