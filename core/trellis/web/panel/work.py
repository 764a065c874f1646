"""Parts of what is done without people: operations of the catalogue, scripts, other processes; and what no part knows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trellis.contributions import Operation, Parameter
from trellis.i18n import translator
from trellis.process.diagram import Element
from trellis.process.elements import CALL, GATHER, IN, OUT, RESULT, SERVICES, SET, TABLE
from trellis.process.notation import Several
from trellis.records import types
from trellis.web.panel.fields import Change, Model, Part, group, pairs
from trellis.web.panel.names import Names

_ = translator("trellis")

VALUE_HELP = _("Text with {record.name} in it, or =expression")


class Work(Part):
    """The operation that a service task calls, and what it is told."""

    name = "work"

    def fits(self, element: Element, names: Names) -> bool:
        return element.kind in SERVICES

    def claims(self, property_: str, names: Names) -> bool:
        parameters = {one.name for operation in names.operations.values() for one in operation.parameters}
        return property_ in {CALL, RESULT, *parameters} or property_.startswith(SET)

    def load(self, element: Element, names: Names) -> Model:
        said = element.properties
        model: Model = {CALL: said.get(CALL, ""), RESULT: said.get(RESULT, ""), "rows": pairs(said, SET)}
        for name, value in said.items():
            if self.claims(name, names) and name not in (CALL, RESULT) and not name.startswith(SET):
                model[f"to-{name}"] = value
        return model

    def show(self, model: Model, names: Names) -> dict[str, Any]:
        operation = names.operations.get(model.get(CALL, ""))
        known = [(name, one.title) for name, one in names.operations.items()]
        about = operation.description if operation and operation.description else ""
        made = [self.choice(CALL, _("What is done"), model.get(CALL, ""), known, required=True, help=about)]
        if operation is None:
            return group(_("Operation"), made)
        made += [self._parameter(one, model, names) for one in operation.parameters]
        result = _("Keep what it returns as the variable")
        made.append(
            self.text(RESULT, result, model.get(RESULT, ""), help=_("Small latin letters, digits and _"))
        )
        if not operation.sets:
            return group(_("Operation"), made)
        rows = [
            (self._titled(one, model, names), self._row(number, one, model, names))
            for number, one in enumerate(model["rows"])
        ]
        return group(_("Operation"), made, rows=rows, add=_("Add a field"))

    def _parameter(self, one: Parameter, model: Model, names: Names) -> dict[str, Any]:
        key, value = f"to-{one.name}", model.get(f"to-{one.name}", "")
        label, needed = one.label or one.name, one.required
        options = {
            "entity": lambda: names.entities,
            "stage": lambda: names.stages(self._entity(model)),
            "process": lambda: names.processes,
            "webhook": lambda: names.webhooks,
        }.get(one.names)
        if options is not None:
            return self.choice(key, label, value, options(), required=needed, help=one.help or "")
        if isinstance(one.type, types.Choice):
            known = [(option.value, option.label) for option in one.type.options]
            return self.choice(key, label, value, known, required=needed, help=one.help or "")
        kind = "long" if isinstance(one.type, types.LongText) else "text"
        return self.text(key, label, value, kind=kind, required=needed, help=one.help or VALUE_HELP)

    def _entity(self, model: Model) -> str | None:
        return model.get("to-entity") or None

    def _titled(self, row: Model, model: Model, names: Names) -> str:
        known = dict(names.fields(self._entity(model)))
        return str(known.get(row.get("name", ""), _("New field")))

    def _row(self, number: int, row: Model, model: Model, names: Names) -> list[dict[str, Any]]:
        entity = self._entity(model)
        fields = names.fields(entity, filled=True)
        value = self.text(f"{number}.value", _("Gets the value"), row.get("value", ""), help=VALUE_HELP)
        value["suggested"] = names.values(entity, row.get("name", ""))
        return [self.choice(f"{number}.name", _("Field"), row.get("name", ""), fields, required=True), value]

    def save(self, model: Model, names: Names, change: Change) -> None:
        operation: Operation | None = names.operations.get(model.get(CALL, ""))
        known = {one.name for one in operation.parameters} if operation else None
        change.put(CALL, model.get(CALL, ""))
        for key, value in model.items():
            name = key.removeprefix("to-")
            if key.startswith("to-") and (known is None or name in known):
                change.put(name, value)
        change.put(RESULT, model.get(RESULT, ""))
        for row in model["rows"] if operation is None or operation.sets else ():
            if row.get("name"):
                change.properties[f"{SET}{row['name']}"] = row.get("value", "")


class ScriptLines(Part):
    """The lines of a script task."""

    name = "script"

    def fits(self, element: Element, names: Names) -> bool:
        return element.kind == "scriptTask"

    def load(self, element: Element, names: Names) -> Model:
        return {"text": "\n".join(line.strip() for line in element.detail.splitlines())}

    def show(self, model: Model, names: Names) -> dict[str, Any]:
        about = _("One in a line: name = expression. A script sets variables and can do nothing else")
        lines = self.text("text", _("Lines"), model.get("text", ""), kind="long", help=about, required=True)
        return group(_("Script"), [lines])

    def save(self, model: Model, names: Names, change: Change) -> None:
        change.more["script"] = model.get("text", "")


class Called(Part):
    """The process that a call activity runs, and what goes in and comes out."""

    name = "called"

    def fits(self, element: Element, names: Names) -> bool:
        return element.kind == "callActivity"

    def claims(self, property_: str, names: Names) -> bool:
        return property_ in (OUT, "id") or property_.startswith(IN)

    def load(self, element: Element, names: Names) -> Model:
        said = element.properties
        return {
            "process": element.detail,
            OUT: said.get(OUT, ""),
            "id": said.get("id", ""),
            "rows": pairs(said, IN),
        }

    def show(self, model: Model, names: Names) -> dict[str, Any]:
        made = [
            self.choice("process", _("Process"), model.get("process", ""), names.processes, required=True),
            self.text(
                "id",
                _("Number of its record"),
                model.get("id", ""),
                help=_("An expression such as =order.id; empty: the record of this process"),
            ),
            self.text(OUT, _("Variables that come back"), model.get(OUT, ""), help=_("Names, by commas")),
        ]
        rows = [
            (
                row.get("name") or _("New variable"),
                [
                    self.text(f"{number}.name", _("Variable there"), row.get("name", ""), required=True),
                    self.text(f"{number}.value", _("Gets the value"), row.get("value", ""), help=VALUE_HELP),
                ],
            )
            for number, row in enumerate(model["rows"])
        ]
        return group(_("The process that is run"), made, rows=rows, add=_("Add a variable"))

    def save(self, model: Model, names: Names, change: Change) -> None:
        change.more["called"] = model.get("process", "")
        change.put("id", model.get("id", ""))
        change.put(OUT, model.get(OUT, ""))
        for row in model["rows"]:
            if row.get("name"):
                change.properties[f"{IN}{row['name']}"] = row.get("value", "")


class Decision(Part):
    """The decision table that is asked."""

    name = "table"

    def fits(self, element: Element, names: Names) -> bool:
        return element.kind == "businessRuleTask"

    def claims(self, property_: str, names: Names) -> bool:
        return property_ in (TABLE, RESULT)

    def load(self, element: Element, names: Names) -> Model:
        return {TABLE: element.detail, RESULT: element.properties.get(RESULT, "")}

    def show(self, model: Model, names: Names) -> dict[str, Any]:
        about = _("Tables come with a process of the edition, or with the file")
        result = _("A table with one output gives it to this variable; others to variables of their names")
        made = [
            self.choice(
                TABLE, _("Decision table"), model.get(TABLE, ""), names.tables, required=True, help=about
            ),
            self.text(RESULT, _("Keep the output as the variable"), model.get(RESULT, ""), help=result),
        ]
        return group(_("Decision"), made)

    def save(self, model: Model, names: Names, change: Change) -> None:
        change.put(TABLE, model.get(TABLE, ""))
        change.put(RESULT, model.get(RESULT, ""))


class Repeated(Part):
    """Over what an element runs that runs several times, and what is gathered of its runs."""

    name = "several"

    def fits(self, element: Element, names: Names) -> bool:
        return element.several is not None

    def claims(self, property_: str, names: Names) -> bool:
        return property_ in ("each", "lines", "as") or property_.startswith(GATHER)

    def load(self, element: Element, names: Names) -> Model:
        several = element.several or Several()
        item = "" if several.item == Several().item else several.item
        kind = "lines" if several.lines else "each"
        rows = pairs(element.properties, GATHER)
        return {
            "kind": kind,
            "each": several.each,
            "lines": several.lines,
            "as": item,
            "until": several.until,
            "rows": rows,
        }

    def show(self, model: Model, names: Names) -> dict[str, Any]:
        lines = model.get("kind") == "lines"
        kinds = [
            ("each", _("A list, or so many times")),
            ("lines", _("Records that refer to that of the process")),
        ]
        made = [self.choice("kind", _("For each of"), model.get("kind", ""), kinds, blank=False)]
        if lines:
            made.append(
                self.choice("lines", _("Which records"), model.get("lines", ""), names.lines, required=True)
            )
            made.append(self.text("each", "", model.get("each", ""), kind="hidden"))
        else:
            about = _("An expression that gives a list or a number: approvers, 3")
            made.append(
                self.text("each", _("List or number"), model.get("each", ""), help=about, required=True)
            )
            made.append(self.text("lines", "", model.get("lines", ""), kind="hidden"))
        item = _("The name of one of them in expressions; item without it")
        until = _('An expression over what is gathered: count(votes, "no") >= 1')
        made.append(self.text("as", _("One of them is called"), model.get("as", ""), help=item))
        made.append(self.text("until", _("Enough when"), model.get("until", ""), help=until))
        rows = [
            (
                row.get("name") or _("New list"),
                [
                    self.text(f"{number}.name", _("Name of the list"), row.get("name", ""), required=True),
                    self.text(f"{number}.value", _("What each adds"), row.get("value", ""), required=True),
                ],
            )
            for number, row in enumerate(model["rows"])
        ]
        return group(_("Runs several times"), made, rows=rows, add=_("Gather a list"))

    def save(self, model: Model, names: Names, change: Change) -> None:
        kind = "lines" if model.get("kind") == "lines" else "each"
        change.put(kind, model.get(kind, ""))
        change.put("as", model.get("as", ""))
        for row in model["rows"]:
            if row.get("name"):
                change.put(f"{GATHER}{row['name']}", row.get("value", ""))
        change.more["until"] = model.get("until", "")


class Other(Part):
    """Properties that no other part of the element knows, by their names in the file."""

    name = "other"

    def __init__(self, parts: list[Part]) -> None:
        self._parts = parts

    def fits(self, element: Element, names: Names) -> bool:
        return bool(list(self._unknown(element, names)))

    def _unknown(self, element: Element, names: Names) -> Iterator[Model]:
        for name, value in element.properties.items():
            if not any(part.claims(name, names) for part in self._parts):
                yield {"name": name, "value": value}

    def load(self, element: Element, names: Names) -> Model:
        return {"rows": list(self._unknown(element, names))}

    def show(self, model: Model, names: Names) -> dict[str, Any]:
        rows = [
            (
                row.get("name") or _("New property"),
                [
                    self.text(f"{number}.name", _("Name"), row.get("name", "")),
                    self.text(f"{number}.value", _("Value"), row.get("value", "")),
                ],
            )
            for number, row in enumerate(model["rows"])
        ]
        return group(_("Other properties"), [], rows=rows, add=_("Add a property"))

    def save(self, model: Model, names: Names, change: Change) -> None:
        for row in model["rows"]:
            if row.get("name"):
                change.properties.setdefault(row["name"], row.get("value", ""))
