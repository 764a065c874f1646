"""Parts of gateways and arrows: under which condition which way is taken."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from trellis.i18n import translator
from trellis.process.comparisons import AND, EMPTY, FILLED, OPERATORS, OR, Comparison, apart, together
from trellis.process.diagram import Element, Flow
from trellis.process.elements import CHOOSING
from trellis.records import types
from trellis.web.panel.fields import Change, Model, Part, group
from trellis.web.panel.names import Names

_ = translator("trellis")

SIGNS = {
    "==": _("equals"),
    "!=": _("is not"),
    ">": _("more than"),
    ">=": _("at least"),
    "<": _("less than"),
    "<=": _("at most"),
    EMPTY: _("is empty"),
    FILLED: _("is not empty"),
}
YES_NO = (("true", _("Yes")), ("false", _("No")))
assert set(OPERATORS.values()) <= SIGNS.keys()


class Ways(Part):
    """The arrows that leave a gateway: the condition of each, and which is taken when none is true."""

    name = "ways"

    def fits(self, element: Element, names: Names) -> bool:
        return (
            element.kind in CHOOSING
            and names.diagram is not None
            and len(names.diagram.leaving(element.id)) > 1
        )

    def load(self, element: Element, names: Names) -> Model:
        leaving = names.diagram.leaving(element.id) if names.diagram else []
        return {
            "default": element.default,
            "rows": [{"flow": one.id, "text": one.condition} for one in leaving],
        }

    def show(self, model: Model, names: Names) -> dict[str, Any]:
        flows = names.diagram.flows if names.diagram else {}
        titles = {
            row["flow"]: _arrow(flows[row["flow"]], names)
            for row in model["rows"]
            if row.get("flow") in flows
        }
        made = [
            self.choice(
                "default",
                _("Taken when no condition is true"),
                model.get("default", ""),
                titles.items(),
                required=True,
            )
        ]
        rows = []
        for number, row in enumerate(model["rows"]):
            if row.get("flow") not in titles or row["flow"] == model.get("default"):
                continue
            fields = [
                self.text(f"{number}.flow", "", row["flow"], kind="hidden"),
                self.text(
                    f"{number}.text",
                    _("Condition"),
                    row.get("text", ""),
                    required=True,
                ),
            ]
            rows.append((titles[row["flow"]], fields))
        shown = group(_("Ways"), made, rows=rows)
        kept = [row["flow"] for row in model["rows"] if row.get("flow") in titles]
        others = [one for one in kept if one != model.get("default")]
        for row, flow in zip(shown["rows"], others, strict=True):
            row["choose"] = flow
        return {**shown, "fixed": True}

    def save(self, model: Model, names: Names, change: Change) -> None:
        default = model.get("default", "")
        change.more["default"] = default
        change.more["conditions"] = {
            row["flow"]: row.get("text", "").removeprefix("=").strip()
            for row in model["rows"]
            if row.get("flow") and row["flow"] != default
        } | ({default: ""} if default else {})


class Condition(Part):
    """Under which condition one arrow is taken: comparisons of fields and answers, or an expression."""

    name = "condition"

    def row(self) -> Model:
        return {"path": "", "sign": "=="}

    def load_flow(self, flow: Flow, names: Names) -> Model:
        """What the arrow says."""
        found = apart(flow.condition) if flow.condition else ([], AND)
        if found is None:
            return {"mode": "text", "text": flow.condition, "rows": []}
        rows = [{"path": one.path, "sign": one.operator, "value": _written(one.value)} for one in found[0]]
        if [_comparison(row, names) for row in rows] != found[0]:  # a value of another type than the field
            return {"mode": "text", "text": flow.condition, "rows": []}
        return {"mode": found[1], "text": flow.condition, "rows": rows or [self.row()]}

    def show(self, model: Model, names: Names) -> dict[str, Any]:
        modes = [
            (AND, _("All of these are true")),
            (OR, _("Any of these is true")),
            ("text", _("An expression is true")),
        ]
        mode = model.get("mode") or AND
        made = [self.choice("mode", _("Taken if"), mode, modes, blank=False)]
        if mode == "text":
            about = _("It names fields and answers: %(some)s", some=", ".join(list(names.named)[:6]))
            made.append(
                self.text(
                    "text", _("Expression"), model.get("text", ""), kind="long", help=about, required=True
                )
            )
            return group(_("Condition"), made)
        named = [(path, one.label) for path, one in names.named.items()]
        rows = [
            (
                names.named[row["path"]].label if row.get("path") in names.named else _("New comparison"),
                self._row(number, row, names, named),
            )
            for number, row in enumerate(model["rows"])
        ]
        return group(_("Condition"), made, rows=rows, add=_("Add a comparison"))

    def _row(self, number: int, row: Model, names: Names, named: Any) -> list[dict[str, Any]]:
        path, sign = row.get("path", ""), row.get("sign") or "=="
        kind = names.named[path].type if path in names.named else None
        signs = [(one, title) for one, title in SIGNS.items() if one in (sign, *_signs(kind))]
        made = [
            self.choice(f"{number}.path", _("What"), path, named, required=True),
            self.choice(f"{number}.sign", _("Comparison"), sign, signs, blank=False),
        ]
        if sign in (EMPTY, FILLED):
            return made
        options = _options(path, kind, names)
        value = row.get("value", "")
        if options:
            made.append(self.choice(f"{number}.value", _("Value"), value, options, required=True))
        else:
            made.append(self.text(f"{number}.value", _("Value"), value, required=True))
        return made

    def save_flow(self, model: Model, names: Names, flow: Flow, change: Change) -> None:
        """Says it on the arrow."""
        if model.get("mode") == "text":
            text = model.get("text", "")
        else:
            rows = [row for row in model["rows"] if row.get("path")]
            text = together([_comparison(row, names) for row in rows], model.get("mode") or AND)
        model["text"] = text
        change.more["conditions"] = {flow.id: text.removeprefix("=").strip()}


def _arrow(flow: Flow, names: Names) -> str:
    return flow.name or str(_("To “%(element)s”", element=names.title_of(flow.target)))


def _signs(kind: types.FieldType | None) -> tuple[str, ...]:
    """The comparisons that make sense with values of a type."""
    if isinstance(kind, types.Boolean):
        return ("==",)
    if kind is not None and kind.kind in ("date", "datetime", "reference"):
        return EMPTY, FILLED
    if isinstance(kind, types.Choice):
        return "==", "!=", EMPTY, FILLED
    return tuple(SIGNS)


def _options(path: str, kind: types.FieldType | None, names: Names) -> list[tuple[str, Any]]:
    if isinstance(kind, types.Boolean):
        return list(YES_NO)
    if isinstance(kind, types.Choice):
        return [(one.value, one.label) for one in kind.options]
    return names.values(None, path.removeprefix("record.")) if path.startswith("record.") else []


def _written(value: Any) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def _comparison(row: Model, names: Names) -> Comparison:
    path, given = row["path"], str(row.get("value", ""))
    kind = names.named[path].type if path in names.named else None
    sign = row.get("sign") if row.get("sign") in SIGNS else _signs(kind)[0]
    row["sign"] = sign
    return Comparison(path, str(sign), "" if sign in (EMPTY, FILLED) else _value(given, kind))


def _value(given: str, kind: types.FieldType | None) -> Any:
    """What people wrote, as a value of the field's type; of one that is not known, a number where it is one."""
    if isinstance(kind, types.Boolean):
        return given == "true"
    if kind is not None and kind.kind == "text":
        return given
    try:
        number = Decimal(given.replace(" ", "").replace("\u00a0", "").replace(",", "."))
    except InvalidOperation:
        return given
    return number if number.is_finite() else given


class Default(Part):
    """Whether an arrow is taken when no condition is true."""

    name = "default"
    flags = frozenset({"on"})

    def show(self, model: Model, names: Names) -> dict[str, Any]:
        return group(
            _("Otherwise"),
            [self.flag("on", _("Taken when no other condition is true"), bool(model.get("on")))],
        )
