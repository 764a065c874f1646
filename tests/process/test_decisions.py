"""Decision tables: what their cells ask, what their hit policies make of it, and what is refused."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import trellis
from drawn import SPACE, dmn, flows, line, node, process, script, several
from running import World
from trellis.contributions import Process
from trellis.edition import Edition
from trellis.i18n import Text
from trellis.process.checks import check_process
from trellis.process.decisions import DecisionFailed, compiled
from trellis.process.dmn import embedded, tables
from trellis.process.seeing import decisions
from trellis.process.tables import ProcessVersion
from trellis.records.expressions import ExpressionFailed, ExpressionInvalid


class Known:
    """Facts that are given."""

    def __init__(self, **values: Any) -> None:
        self.values = values

    def look_up(self, path: tuple[str, ...]) -> Any:
        return self.values[path[0]]


def decided(table: bytes, **values: Any) -> Any:
    diagram = embedded(line(node("task", "t")), [table])
    return compiled(tables(diagram)["size"]).decide(Known(**values))


@pytest.mark.parametrize(
    ("cell", "held", "not_held"),
    [
        ("-", [None, 5, "x"], []),
        ("", [None], []),
        ("5", [5, Decimal("5.0")], [4, "5", None]),
        ('"a", "b,c"', ["a", "b,c"], ["b", "c", None]),
        (">= 100", [100, Decimal("100.5")], [Decimal("99.99"), None]),
        ("[1..5]", [1, 5], [0, 6, None]),
        ("]1..5[", [Decimal("1.5")], [1, 5]),
        ("(1..5]", [5], [1]),
        ("< 0, > limit * 2", [-1, 21], [0, 20]),
        ('not("a", "b")', ["c", None], ["a"]),
        ("!= 3", [4, None], [3]),
        ("? * 2 > limit", [6], [5]),
        ("null", [None], [0, ""]),
        ("true", [True], [False]),
        ('date("2026-01-31")', [date(2026, 1, 31)], [None]),
        ('starts_with(?, "CZ?")', ["CZ?1"], ["CZ1"]),
    ],
)
def test_a_cell_holds_for_these_values_and_for_no_others(
    cell: str, held: list[Any], not_held: list[Any]
) -> None:
    table = dmn(f'{cell} | "yes"')
    for value in held:
        assert decided(table, amount=value, limit=10).outputs == {"verdict": "yes"}, value
    for value in not_held:
        assert decided(table, amount=value, limit=10).outputs == {"verdict": None}, value


RULES = """
>= 10 | 'low' | 5
>= 20 | 'high' | 7
< 0 | 'none' | 0
>= 30 | 'high' | 7
"""


@pytest.mark.parametrize(
    ("policy", "amount", "outputs", "rules"),
    [
        ('hitPolicy="FIRST"', 40, {"verdict": "low", "fee": 5}, (1,)),
        ('hitPolicy="PRIORITY"', 40, {"verdict": "high", "fee": 7}, (1, 2, 4)),
        ('hitPolicy="RULE ORDER"', 25, {"verdict": ["low", "high"], "fee": [5, 7]}, (1, 2)),
        ('hitPolicy="OUTPUT ORDER"', 25, {"verdict": ["high", "low"], "fee": [7, 5]}, (1, 2)),
        ('hitPolicy="COLLECT"', 5, {"verdict": [], "fee": []}, ()),
        ('hitPolicy="UNIQUE"', 15, {"verdict": "low", "fee": 5}, (1,)),
        ("", 5, {"verdict": "unknown", "fee": None}, ()),
    ],
)
def test_a_hit_policy_says_what_is_taken(
    policy: str, amount: int, outputs: dict[str, Any], rules: tuple[int, ...]
) -> None:
    found = decided(dmn(RULES, policy=policy, outputs="verdict:'high', 'low':'unknown' | fee"), amount=amount)
    assert (found.outputs, found.rules) == (outputs, rules)


def test_rules_that_contradict_one_another_are_told_and_what_is_collected_is_summed_up() -> None:
    with pytest.raises(DecisionFailed, match="rules 1, 2, 4 hold at once"):
        decided(dmn(RULES, outputs="verdict|fee"), amount=40)
    with pytest.raises(DecisionFailed, match="at once"):
        decided(dmn(RULES, policy='hitPolicy="ANY"', outputs="verdict|fee"), amount=25)
    same = dmn(">= 1 | 'a'\n>= 2 | 'a'", policy='hitPolicy="ANY"')
    assert decided(same, amount=5).outputs == {"verdict": "a"}
    fees = ">= 1 | 5\n>= 2 | 7.5\n>= 9 | 100"
    for aggregation, some, none in (
        ("SUM", Decimal("12.5"), 0),
        ("MIN", 5, None),
        ("MAX", Decimal("7.5"), None),
        ("COUNT", 2, 0),
    ):
        table = dmn(fees, policy=f'hitPolicy="COLLECT" aggregation="{aggregation}"', outputs="fee")
        assert [decided(table, amount=one).outputs["fee"] for one in (2, 0)] == [some, none]
    with pytest.raises(DecisionFailed, match="rule 1, column “amount”"):
        decided(dmn("< 5 | 'a'"), amount="text")


def test_a_process_decides_by_its_table_and_keeps_it_with_the_version(world: World) -> None:
    diagram = process(
        node("startEvent", "start", form__amount="money! Amount"),
        node("businessRuleTask", "decide", table="size", result="verdict"),
        node("businessRuleTask", "each", table="fees", each="=[10, 200]", as_="amount", gather__fees="fee", inside=several()),
        node("userTask", "ask", for_="role:manager"),
        node("businessRuleTask", "again", table="size"),
        node("endEvent", "end"),
        flows("start decide each ask again end"),
    )  # fmt: skip

    def made(limit: int) -> Process:
        size = dmn(f'< {limit} | "small"\n>= {limit} | concat("large for ", record.name)')
        fees = dmn("< 100 | 1 | 'x'\n- | 2 | 'y'", policy='hitPolicy="FIRST"', outputs="fee|why", name="fees")
        return Process(
            name="probe.size", title=Text("Size"), diagram=diagram, tables=[size, fees], entity="customer"
        )

    world.bring(size=made(100))
    ann = world.customer()
    run = world.start("size", ann, amount="150")
    assert world.instance(run).variables["verdict"] == "large for Ann"
    assert world.instance(run).variables["fees"] == [1, 2] and "why" not in world.instance(run).variables
    with world.workspace.read() as session:
        found = decisions(world.door(session), world.instance(run))
    assert [(one.element, one.table, one.rules, one.outputs) for one in found] == [
        ("decide", "size", [2], {"verdict": "large for Ann"}),
        ("each", "fees", [1], {"fee": 1, "why": "x"}),
        ("each", "fees", [2], {"fee": 2, "why": "y"}),
    ]
    world.bring(size=made(1000))
    other = world.start("size", ann, amount="150")
    for _time in range(2):
        world.do("head@acme.test", "ask")
    assert [world.instance(one).variables["verdict"] for one in (run, other)] == ["large for Ann", "small"]
    with world.workspace.read() as session:
        assert session.query(ProcessVersion).count() == 2


ATTACK = (
    b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><definitions xmlns="'
    + SPACE.encode()
    + b'">&e;</definitions>'
)
WRONG: dict[str, tuple[bytes, str]] = {
    "a cell": (dmn('>= | "a"'), "decide: Table “size”, rule 1, column “amount”"),
    "python": (dmn('open("/etc/passwd") | "a"'), "rule 1, column “amount”"),
    "climbing": (dmn('- | record.__class__'), "rule 1, column “verdict”: customer has no field"),
    "a name": (dmn('- | "a"\n> other | "b"'), "rule 2, column “amount”: No step sets the variable “other”"),
    "an input": (dmn('- | "a"', inputs="x +"), "Table “size”, column “x +”"),
    "a policy": (dmn('- | "a"', policy='hitPolicy="GUESS"'), "no hit policy “GUESS”"),
    "a sum of two": (
        dmn('- | 1 | 2', policy='hitPolicy="COLLECT" aggregation="SUM"', outputs="a|b"), "only the one output",
    ),
    "a row": (dmn('- | - | "a"'), "rule 1: it has not one cell for each column"),
    "nothing": (dmn(""), "needs an input, an output and a rule"),
    "an output": (dmn('- | "a"', outputs="no name"), "“no name” is no name for a variable"),
    "no table": (dmn('- | "a"', name="other"), "decide: There is no decision table “size”. There are: other"),
    "entities": (ATTACK, "document type"),
    "no dmn": (b"<definitions/>", "not a DMN file"),
    "no xml": (b"\x00", "not XML"),
    "no table inside": (
        f'<definitions xmlns="{SPACE}"><decision id="size"/></definitions>'.encode(), "“size” is no decision table",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_table_is_refused_by_table_rule_and_cell(name: str, edition: Edition) -> None:
    table, problem = WRONG[name]
    diagram = line(
        node("scriptTask", "set", inside=script("amount = 1")),
        node("businessRuleTask", "decide", table="size"),
    )
    found = Process(name="x", title=Text("X"), diagram=diagram, tables=[table], entity="customer")
    with pytest.raises((trellis.TrellisError, ExpressionInvalid, ExpressionFailed)) as refused:
        check_process(edition, found)
    assert problem in str(refused.value), str(refused.value)
