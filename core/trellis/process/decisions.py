"""What a decision table decides: which rules hold, and what is made of them by its hit policy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from trellis.errors import TrellisError
from trellis.i18n import Text, translator
from trellis.process.dmn import AGGREGATIONS, POLICIES, Table
from trellis.process.expressions import Expression, Facts, Path, compile_expression
from trellis.process.forms import is_variable
from trellis.process.unary import Cell, compile_cell, compile_value, parts
from trellis.records.expressions import ExpressionFailed, ExpressionInvalid

_ = translator("trellis")

ALL = ("COLLECT", "RULE ORDER", "OUTPUT ORDER")
"""The policies by which all rules that hold are taken: outputs are lists."""

Row = tuple[Any, ...]


class DecisionFailed(TrellisError):
    """A table cannot decide: rules contradict one another, or a cell cannot be told."""

    status = 409
    code = "decision_failed"


@dataclass(frozen=True)
class Decided:
    """What a table has decided: its outputs by name, and the numbers of the rules that held."""

    outputs: Mapping[str, Any]
    rules: tuple[int, ...]


@dataclass(frozen=True)
class Compiled:
    """A table whose cells are ready to be asked."""

    table: Table
    inputs: tuple[Expression, ...]
    rules: tuple[tuple[tuple[Cell, ...], tuple[Expression, ...]], ...]
    defaults: tuple[Expression | None, ...]
    wanted: tuple[tuple[Expression, ...], ...]

    def decide(self, facts: Facts) -> Decided:
        """The outputs as facts are. Raises DecisionFailed that names the table, the rule and the cell."""
        table = self.table
        values = [
            self._told(one, facts, 0, column.label)
            for one, column in zip(self.inputs, table.inputs, strict=True)
        ]
        held: list[int] = []
        for number, (cells, _outputs) in enumerate(self.rules, 1):
            if self._holds(cells, values, facts, number):
                held.append(number)
                if table.policy == "FIRST":
                    break
        rows = [self._row(number, facts) for number in held]
        return Decided(self._outputs(held, rows, facts), tuple(held))

    def _holds(self, cells: Sequence[Cell], values: Sequence[Any], facts: Facts, number: int) -> bool:
        for cell, value, column in zip(cells, values, self.table.inputs, strict=True):
            try:
                if not cell.holds(value, facts):
                    return False
            except ExpressionFailed as error:
                raise DecisionFailed(_at(self.table, number, column.label, str(error))) from error
        return True

    def _row(self, number: int, facts: Facts) -> Row:
        outputs = zip(self.rules[number - 1][1], self.table.outputs, strict=True)
        return tuple(self._told(one, facts, number, column.label) for one, column in outputs)

    def _told(self, expression: Expression, facts: Facts, rule: int, column: str) -> Any:
        try:
            return expression(facts)
        except ExpressionFailed as error:
            raise DecisionFailed(_at(self.table, rule, column, str(error))) from error

    def _outputs(self, held: Sequence[int], rows: list[Row], facts: Facts) -> dict[str, Any]:
        table = self.table
        names = [one.name for one in table.outputs]
        if table.aggregation:
            return {names[0]: _aggregated(table.aggregation, [row[0] for row in rows])}
        if table.policy in ("PRIORITY", "OUTPUT ORDER"):
            rows = sorted(rows, key=lambda row: self._rank(row, facts))
        if table.policy in ALL:
            return {name: [row[place] for row in rows] for place, name in enumerate(names)}
        if len(rows) > 1 and (
            table.policy == "UNIQUE" or (table.policy == "ANY" and any(row != rows[0] for row in rows))
        ):
            numbers = ", ".join(str(one) for one in held)
            text = _("Table “%(table)s”: rules %(rules)s hold at once", table=table.name, rules=numbers)
            raise DecisionFailed(text)
        if rows:
            return dict(zip(names, rows[0], strict=True))
        return {
            name: self._told(one, facts, 0, name) if one is not None else None
            for name, one in zip(names, self.defaults, strict=True)
        }

    def _rank(self, row: Row, facts: Facts) -> tuple[int, ...]:
        """The places of a row's outputs among those wanted, the most wanted first."""
        ranks = []
        for value, wanted in zip(row, self.wanted, strict=True):
            order = [one(facts) for one in wanted]
            ranks.append(order.index(value) if value in order else len(order))
        return tuple(ranks)


def written_out(table: Table, rules: Sequence[int]) -> set[str]:
    """The outputs that say of these rules what stands in their cells; others were computed from what is known of a record."""
    cells = [compiled(table).rules[number - 1][1] for number in rules]
    return {one.name for place, one in enumerate(table.outputs) if not any(row[place].paths for row in cells)}


def _aggregated(aggregation: str, values: Sequence[Any]) -> Any:
    known = [one for one in values if one is not None]
    try:
        match aggregation:
            case "COUNT":
                return len(known)
            case "SUM":
                return sum(known)
            case "MIN":
                return min(known, default=None)
            case _:
                return max(known, default=None)
    except TypeError as error:
        raise DecisionFailed(str(error)) from None


@lru_cache(maxsize=500)
def compiled(table: Table) -> Compiled:
    """A table ready to decide. Raises DecisionFailed for one that :func:`problems` would name."""
    found: list[Text | str] = []
    made = _compiled(table, found.append)
    if made is None or found:
        raise DecisionFailed(str(found[0]) if found else table.id)
    return made


def problems(table: Table, check: Callable[[frozenset[Path]], None] | None) -> Iterator[Text | str]:
    """What keeps a table from deciding, by rule and column. ``check`` raises ValueError for names that nothing sets."""
    found: list[Text | str] = []
    made = _compiled(table, found.append)
    yield from found
    if made is None or check is None:
        return
    read = [(0, column, one.paths) for column, one in zip(table.inputs, made.inputs, strict=True)]
    for number, (cells, outputs) in enumerate(made.rules, 1):
        read += [(number, column, one.paths) for column, one in zip(table.inputs, cells, strict=True)]
        read += [(number, column, one.paths) for column, one in zip(table.outputs, outputs, strict=True)]
    for number, column, paths in read:
        try:
            check(paths)
        except ValueError as error:
            yield _at(table, number, column.label, str(error))


def _compiled(table: Table, tell: Callable[[Text | str], None]) -> Compiled | None:
    """A table with its cells compiled; None when its shape is wrong. Tells each problem."""
    wrong = list(_shape(table))
    for text in wrong:
        tell(text)
    if wrong:
        return None

    def made(compile_one: Callable[[str], Any], text: str, number: int, label: str) -> Any:
        try:
            return compile_one(text)
        except (ExpressionInvalid, ValueError) as error:
            tell(_at(table, number, label, str(error)))
            return None

    inputs = tuple(made(compile_expression, one.text, 0, one.label) for one in table.inputs)
    rules = []
    for number, rule in enumerate(table.rules, 1):
        cells = zip(rule.inputs, table.inputs, strict=True)
        values = zip(rule.outputs, table.outputs, strict=True)
        rules.append(
            (
                tuple(made(compile_cell, text, number, one.label) for text, one in cells),
                tuple(made(compile_value, text or "none", number, one.label) for text, one in values),
            )
        )
    defaults, wanted = [], []
    for one in table.outputs:
        defaults.append(made(compile_value, one.default, 0, one.label) if one.default else None)
        values_of = list(parts(one.values)) if one.values else []
        wanted.append(tuple(made(compile_value, text, 0, one.label) for text in values_of))
    broken = any(None in row for row in (inputs, *(part for rule in rules for part in rule), *wanted))
    return None if broken else Compiled(table, inputs, tuple(rules), tuple(defaults), tuple(wanted))


def _shape(table: Table) -> Iterator[Text]:
    if table.policy not in POLICIES or table.aggregation not in AGGREGATIONS:
        yield _(
            "Table “%(table)s”: there is no hit policy “%(policy)s”",
            table=table.name,
            policy=f"{table.policy} {table.aggregation}".strip(),
        )
    if not table.inputs or not table.outputs or not table.rules:
        yield _("Table “%(table)s” needs an input, an output and a rule", table=table.name)
    if table.aggregation and (table.policy != "COLLECT" or len(table.outputs) != 1):
        yield _("Table “%(table)s”: only the one output of COLLECT is summed up", table=table.name)
    for column in table.outputs:
        if not is_variable(column.name):
            yield _(
                "Table “%(table)s”: “%(name)s” is no name for a variable", table=table.name, name=column.name
            )
    for number, rule in enumerate(table.rules, 1):
        if (len(rule.inputs), len(rule.outputs)) != (len(table.inputs), len(table.outputs)):
            yield _(
                "Table “%(table)s”, rule %(number)s: it has not one cell for each column",
                table=table.name,
                number=number,
            )


def _at(table: Table, rule: int, column: str, problem: str) -> str:
    if not rule:
        return str(
            _(
                "Table “%(table)s”, column “%(column)s”: %(problem)s",
                table=table.name,
                column=column,
                problem=problem,
            )
        )
    text = _(
        "Table “%(table)s”, rule %(number)s, column “%(column)s”: %(problem)s",
        table=table.name,
        number=rule,
        column=column,
        problem=problem,
    )
    return str(text)
