"""Decision tables as people read them: on the page of a process, and what they decided in one run of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from trellis.i18n import Text, format_date, format_datetime, format_number, translator
from trellis.process.diagram import Diagram
from trellis.process.dmn import Table, tables
from trellis.process.seeing import Decision

_ = translator("trellis")

Words = Callable[[str], Any]

POLICIES: Mapping[str, Text] = {
    "UNIQUE": _("One rule at most holds"),
    "FIRST": _("The first rule that holds is taken"),
    "ANY": _("Rules that hold at once say the same"),
    "PRIORITY": _("Of the rules that hold, the one with the most wanted output is taken"),
    "COLLECT": _("All rules that hold are taken"),
    "RULE ORDER": _("All rules that hold are taken, in their order"),
    "OUTPUT ORDER": _("All rules that hold are taken, the most wanted output first"),
}
AGGREGATIONS: Mapping[str, Text] = {
    "SUM": _("Their sum is taken"),
    "MIN": _("The least of them is taken"),
    "MAX": _("The greatest of them is taken"),
    "COUNT": _("Their number is taken"),
}


def tables_shown(diagram: Diagram, words: Words) -> list[dict[str, Any]]:
    """The tables that a diagram holds, in its order."""
    return [_table(one, words) for one in tables(diagram.text).values()]


def _table(table: Table, words: Words) -> dict[str, Any]:
    policy = [POLICIES.get(table.policy, Text(table.policy)), AGGREGATIONS.get(table.aggregation, "")]
    rows = [
        {
            "number": format_number(number),
            "inputs": [one or "-" for one in rule.inputs],
            "outputs": rule.outputs,
        }
        for number, rule in enumerate(table.rules, 1)
    ]
    defaults = [one.default for one in table.outputs]
    return {
        "id": table.id,
        "title": str(words(table.name)),
        "policy": ". ".join(str(one) for one in policy if one),
        "inputs": [{"title": str(words(one.label)), "text": one.text} for one in table.inputs],
        "outputs": [{"title": str(words(one.label)), "text": one.name} for one in table.outputs],
        "rows": rows,
        "defaults": defaults if any(defaults) else [],
    }


def decision_shown(diagram: Diagram, found: Decision | None, words: Words) -> str:
    """What a table decided at a step: “Size, rule 2: Verdict = large”; empty for steps of another kind."""
    if found is None:
        return ""
    table = tables(diagram.text).get(found.table)
    parts = [str(words(table.name)) if table else found.table]
    rules = ", ".join(format_number(one) for one in found.rules)
    parts.append(str(_("rule %(rules)s", rules=rules) if rules else _("no rule holds")))
    labels = {one.name: str(words(one.label)) for one in table.outputs} if table else {}
    outputs = [f"{labels.get(name, name)} = {_plain(value)}" for name, value in found.outputs.items()]
    return ": ".join([", ".join(parts), *(["; ".join(outputs)] if outputs else [])])


def _plain(value: Any) -> str:
    match value:
        case None:
            return "–"
        case bool():
            return str(_("yes") if value else _("no"))
        case int() | float() | Decimal():
            return format_number(value)
        case datetime():
            return format_datetime(value)
        case date():
            return format_date(value)
        case list():
            return ", ".join(map(_plain, value)) or "–"
    return str(value)
