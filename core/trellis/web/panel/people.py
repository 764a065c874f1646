"""Parts of tasks of people: for whom they are, until when, and the form that they fill in."""

from __future__ import annotations

import re
from typing import Any

from trellis.i18n import translator
from trellis.process import assignment
from trellis.process.deadlines import AFTER, REASSIGN, TELL
from trellis.process.diagram import Element
from trellis.process.elements import PEOPLE
from trellis.process.forms import DECLARED, FORM, REQUIRE, TYPES
from trellis.settings.names import plain_name
from trellis.web.panel.fields import Change, Model, Part, group
from trellis.web.panel.names import Names
from trellis.web.panel.times import TimePart

_ = translator("trellis")

ACTS = {"tell": TELL, "reassign": REASSIGN}
TITLES = {
    "text": _("Text"),
    "longtext": _("Text of several lines"),
    "choice": _("Choice"),
    "boolean": _("Yes or no"),
    "number": _("Decimal number"),
    "integer": _("Whole number"),
    "money": _("Amount"),
    "date": _("Date"),
    "datetime": _("Date and time"),
    "email": _("Mail address"),
    "person": _("Somebody who works here"),
}


class Who(Part):
    """For whom a task is, and who may never do it."""

    name = "who"
    lists = frozenset({"for", "not"})

    def fits(self, element: Element, names: Names) -> bool:
        return element.kind in PEOPLE

    def claims(self, property_: str, names: Names) -> bool:
        return property_ in ("for", "not")

    def load(self, element: Element, names: Names) -> Model:
        said = assignment.words(element.properties.get("for", ""))
        told = said[0][1:] if said and said[0].startswith("=") else ""
        return {
            "for": [] if told else said,
            "told": told,
            "not": assignment.words(element.properties.get("not", "")),
        }

    def show(self, model: Model, names: Names) -> dict[str, Any]:
        never = [(assignment.STARTER, _("Whoever started the process"))]
        never += [
            (f"{assignment.PERFORMER}{one}", _("Who did “%(task)s”", task=title))
            for one, title in names.tasks
        ]
        whom = _(
            "One person gets the task. Of a role, a position or several people, somebody takes it from the queue. With the "
            "responsibility matrix, the others get it where that names nobody. Empty: whoever started the process"
        )
        return group(
            _("Who does it"),
            [
                self.choices("for", _("For whom"), model.get("for", []), names.assigned(), help=whom),
                self.text(
                    "told",
                    _("Or by an expression"),
                    model.get("told", ""),
                    help=_("It gives a person: record.customer.owner"),
                ),
                self.choices(
                    "not",
                    _("Never (four eyes)"),
                    model.get("not", []),
                    never,
                    help=_("Whoever did an earlier step may not do this one"),
                ),
            ],
        )

    def save(self, model: Model, names: Names, change: Change) -> None:
        told = model.get("told", "").removeprefix("=").strip()
        change.put("for", f"={told}" if told else ", ".join(model.get("for", [])))
        change.put("not", ", ".join(model.get("not", [])))


class Due(TimePart):
    """Until when a task is to be done."""

    name = "due"

    def fits(self, element: Element, names: Names) -> bool:
        return element.kind in PEOPLE

    def claims(self, property_: str, names: Names) -> bool:
        return property_ == "due"

    def load(self, element: Element, names: Names) -> Model:
        return self.taken_apart(element.properties.get("due", ""))

    def show(self, model: Model, names: Names) -> dict[str, Any]:
        return group(_("Due"), self.time_fields(model, _("Until when"), _("No date")))

    def save(self, model: Model, names: Names, change: Change) -> None:
        change.put("due", self.put_together(model))


class Late(Part):
    """What happens when a task is late."""

    name = "late"
    lists = frozenset({"tell", "reassign"})

    def fits(self, element: Element, names: Names) -> bool:
        return element.kind in PEOPLE

    def claims(self, property_: str, names: Names) -> bool:
        return property_ in {act + end for act in ACTS.values() for end in ("", AFTER)}

    def load(self, element: Element, names: Names) -> Model:
        said = element.properties
        lists = {key: assignment.words(said.get(act, "")) for key, act in ACTS.items()}
        return lists | {f"{key}-after": said.get(f"{act}{AFTER}", "") for key, act in ACTS.items()}

    def show(self, model: Model, names: Names) -> dict[str, Any]:
        known = [(assignment.MANAGER, _("Whoever they report to")), *names.assigned()]
        after = _("How long after that: P1D, PT4H or an expression")
        made = []
        for key, label in (("tell", _("Who is told")), ("reassign", _("Who gets the task then"))):
            made.append(self.choices(key, label, model.get(key, []), known))
            if model.get(key):
                made.append(
                    self.text(f"{key}-after", _("Only after"), model.get(f"{key}-after", ""), help=after)
                )
        return group(_("When it is late"), made)

    def save(self, model: Model, names: Names, change: Change) -> None:
        for key, act in ACTS.items():
            change.put(act, ", ".join(model.get(key, [])))
            if model.get(key):
                change.put(f"{act}{AFTER}", model.get(f"{key}-after", ""))


class Help(Part):
    """What to know while doing a task."""

    name = "help"

    def fits(self, element: Element, names: Names) -> bool:
        return element.kind in PEOPLE

    def claims(self, property_: str, names: Names) -> bool:
        return property_ == "help"

    def load(self, element: Element, names: Names) -> Model:
        return {"text": element.properties.get("help", "")}

    def show(self, model: Model, names: Names) -> dict[str, Any]:
        about = _("Stands above the form of the task")
        return group(
            _("Instruction"),
            [
                self.text(
                    "text", _("What to know while doing it"), model.get("text", ""), kind="long", help=about
                )
            ],
        )

    def save(self, model: Model, names: Names, change: Change) -> None:
        change.put("help", model.get("text", ""))


class RecordFields(Part):
    """Fields of the record to look at, and to fill in."""

    name = "record"
    lists = frozenset({"show", "fields", "required"})

    def fits(self, element: Element, names: Names) -> bool:
        return element.kind in PEOPLE and (names.view is not None or self._said(element, names))

    def claims(self, property_: str, names: Names) -> bool:
        return property_ in ("show", "fields")

    def _said(self, element: Element, names: Names) -> bool:
        return any(self.claims(one, names) for one in element.properties)

    def load(self, element: Element, names: Names) -> Model:
        asked = _names(element.properties.get("fields", ""))
        return {
            "show": _names(element.properties.get("show", "")),
            "fields": [one.rstrip("!") for one in asked],
            "required": [one.rstrip("!") for one in asked if one.endswith("!")],
        }

    def show(self, model: Model, names: Names) -> dict[str, Any]:
        asked, fields = model.get("fields", []), dict(names.fields(filled=True))
        needed = [one for one in model.get("required", []) if one in asked]
        made = [
            self.choices("show", _("To look at"), model.get("show", []), names.fields()),
            self.choices("fields", _("To fill in"), asked, fields.items()),
        ]
        if asked:
            chosen = [(one, fields.get(one, one)) for one in asked]
            made.append(self.choices("required", _("Of these, required"), needed, chosen))
        title = names.view.info.title if names.view else _("Record")
        return group(_("Fields of the record: %(entity)s", entity=title), made)

    def save(self, model: Model, names: Names, change: Change) -> None:
        needed = set(model.get("required", []))
        change.put("show", ", ".join(model.get("show", [])))
        change.put(
            "fields", ", ".join(f"{one}{'!' if one in needed else ''}" for one in model.get("fields", []))
        )


class OwnForm(Part):
    """Questions of the step alone; the answers are variables of the process."""

    name = "form"
    flags = frozenset({"required"})

    def fits(self, element: Element, names: Names) -> bool:
        return element.kind in PEOPLE or (element.kind == "startEvent" and not element.inside)

    def claims(self, property_: str, names: Names) -> bool:
        return property_.startswith((FORM, REQUIRE))

    def row(self) -> Model:
        return {"type": "text"}

    def load(self, element: Element, names: Names) -> Model:
        rows = []
        for name, text in element.properties.items():
            declared = DECLARED.fullmatch(text) if name.startswith(FORM) else None
            variable = name.removeprefix(FORM)
            if declared is not None:
                when = element.properties.get(f"{REQUIRE}{variable}", "")
                rows.append(
                    {
                        "variable": variable,
                        "label": declared["label"],
                        "type": declared["type"],
                        "required": bool(declared["required"]),
                        "options": _lines(declared["options"] or ""),
                        "when": when.removeprefix("="),
                    }
                )
        return {"rows": rows}

    def show(self, model: Model, names: Names) -> dict[str, Any]:
        rows = [
            (one.get("label") or _("New question"), self._row(number, one))
            for number, one in enumerate(model["rows"])
        ]
        about = _("Each answer is a variable, which conditions and later steps can name")
        return group(_("Questions"), [], help=about, rows=rows, add=_("Add a question"))

    def _row(self, number: int, row: Model) -> list[dict[str, Any]]:
        kind = row.get("type") or "text"
        made = [
            self.text(f"{number}.label", _("Question"), row.get("label", ""), required=True),
            self.choice(f"{number}.type", _("Answer"), kind, TITLES.items(), blank=False),
        ]
        if kind == "choice":
            about = _("One in a line; what stands before = is the value that conditions name: yes = Take in")
            made.append(
                self.text(
                    f"{number}.options",
                    _("Options"),
                    row.get("options", ""),
                    kind="long",
                    help=about,
                    required=True,
                )
            )
        made.append(self.flag(f"{number}.required", _("Required"), bool(row.get("required"))))
        if not row.get("required"):
            about = _('A condition over the answers: decision == "no"')
            made.append(self.text(f"{number}.when", _("Required only if"), row.get("when", ""), help=about))
        if row.get("label"):
            made.append(self.text(f"{number}.variable", _("Name in expressions"), row.get("variable") or ""))
        return made

    def save(self, model: Model, names: Names, change: Change) -> None:
        taken: set[str] = set()
        for number, row in enumerate(model["rows"], 1):
            label = " ".join(row.get("label", "").replace(":", " ").split())
            if not label:
                continue
            wanted = row.get("variable") or _variable(label) or f"answer_{number}"
            row["variable"] = variable = wanted if wanted not in taken else f"{wanted}_{number}"
            taken.add(variable)
            kind = row.get("type") if row.get("type") in (*TYPES, "choice") else "text"
            options = f": {_options(row.get('options', ''))}" if kind == "choice" else ""
            needed = bool(row.get("required"))
            change.put(f"{FORM}{variable}", f"{kind}{'!' if needed else ''} {label}{options}")
            if row.get("when") and not needed:
                change.put(f"{REQUIRE}{variable}", row["when"])


def _names(text: str) -> list[str]:
    return [one for one in (part.strip() for part in text.split(",")) if one]


def _variable(label: str) -> str:
    name = plain_name(label)[:40].strip("_")
    return f"n{name}" if re.match(r"\d", name) else name


def _lines(options: str) -> str:
    """Options as they are written in the panel: one in a line, without a value that follows from the label."""
    lines = []
    for part in _names(options):
        value, _mark, label = (one.strip() for one in part.partition("="))
        lines.append(label if label and _variable(label) == value else f"{value} = {label or value}")
    return "\n".join(lines)


def _options(lines: str) -> str:
    made = []
    for number, line in enumerate((one.strip() for one in lines.splitlines() if one.strip()), 1):
        value, mark, label = (one.strip() for one in line.replace(",", " ").partition("="))
        if not mark:
            value, label = _variable(value) or f"option_{number}", value
        made.append(f"{value}={label or value}")
    return ", ".join(made)
