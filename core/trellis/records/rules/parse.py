"""Reading a rule: every name, operator and value is checked against the edition before anything is asked."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trellis.errors import RuleInvalid
from trellis.i18n import translator
from trellis.records.rules.nodes import All, AnyOf, Leaf, Node, Not, Operator
from trellis.records.rules.paths import resolve
from trellis.records.rules.values import operators, read_value
from trellis.records.types import ValueInvalid

if TYPE_CHECKING:
    from trellis.edition import Edition, EntityView

_ = translator("trellis")

DEEPEST = 8
MOST_LEAVES = 200
MOST_VALUES = 10_000
_GROUPS = ("all", "any", "not")


def parse(rule: Any, view: EntityView, edition: Edition) -> Node:
    """The checked form of a rule's JSON; RuleInvalid says where it is wrong (``path``) and how to mend it."""
    return _Reader(view, edition).node(rule, "$", 0)


@dataclass
class _Reader:
    view: EntityView
    edition: Edition
    leaves: int = 0
    values: int = 0

    def node(self, rule: Any, at: str, depth: int) -> Node:
        if not isinstance(rule, Mapping):
            raise RuleInvalid(
                _('A rule must be an object such as {"field": ..., "op": ..., "value": ...}'), at
            )
        group = next((key for key in _GROUPS if key in rule), None)
        if group is None:
            return self.leaf(rule, at)
        _refuse_others(rule, {group}, at)
        if depth == DEEPEST:
            raise RuleInvalid(_("A rule can be nested at most %(most)s levels deep", most=DEEPEST), at)
        inner = rule[group]
        if group == "not":
            return Not(self.node(inner, f"{at}.not", depth + 1))
        if not isinstance(inner, list | tuple):
            raise RuleInvalid(_("“%(group)s” must hold a list of rules", group=group), f"{at}.{group}")
        nodes = tuple(self.node(one, f"{at}.{group}[{index}]", depth + 1) for index, one in enumerate(inner))
        return All(nodes) if group == "all" else AnyOf(nodes)

    def leaf(self, rule: Mapping[str, Any], at: str) -> Leaf:
        _refuse_others(rule, {"field", "op", "value"}, at)
        for key in ("field", "op"):
            if not isinstance(rule.get(key), str):
                raise RuleInvalid(_("A comparison needs “%(key)s”, as text", key=key), f"{at}.{key}")
        path = resolve(rule["field"], self.view, self.edition, at=f"{at}.field")
        operator = _operator(rule["op"], path.name, operators(path.field), f"{at}.op")
        try:
            value = read_value(path.field, operator, rule.get("value"))
        except ValueInvalid as error:
            problem = _("%(field)s: %(problem)s", field=path.name, problem=error.message)
            raise RuleInvalid(problem, f"{at}.value") from None
        self.count(len(value) if isinstance(value, tuple) else 1, at)
        return Leaf(path, operator, value)

    def count(self, values: int, at: str) -> None:
        self.leaves += 1
        self.values += values
        if self.leaves > MOST_LEAVES:
            raise RuleInvalid(_("A rule can hold at most %(most)s comparisons", most=MOST_LEAVES), at)
        if self.values > MOST_VALUES:
            raise RuleInvalid(_("A rule can hold at most %(most)s values", most=MOST_VALUES), at)


def _refuse_others(rule: Mapping[str, Any], known: set[str], at: str) -> None:
    others = sorted(str(key) for key in rule.keys() - known)
    if others:
        raise RuleInvalid(
            _(
                "“%(key)s” does not belong here; expected only %(known)s",
                key=others[0][:80],
                known=", ".join(sorted(known)),
            ),
            at,
        )


def _operator(name: str, field: str, fitting: tuple[Operator, ...], at: str) -> Operator:
    if name in fitting:
        return Operator(name)
    if not fitting:
        raise RuleInvalid(_("%(field)s cannot be used in rules", field=field), at)
    values = {"name": name[:80], "field": field, "known": ", ".join(fitting)}
    if name in list(Operator):
        raise RuleInvalid(_("“%(name)s” does not fit %(field)s; use one of: %(known)s", **values), at)
    guess = difflib.get_close_matches(name, fitting, n=1)
    if guess:
        text = _("There is no operator “%(name)s”; did you mean “%(guess)s”?", guess=guess[0], **values)
    else:
        text = _("There is no operator “%(name)s”; use one of: %(known)s", **values)
    raise RuleInvalid(text, at)
