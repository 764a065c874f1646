"""Reading a rule: every name, operator and value is checked against the edition before anything is asked."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from trellis.contributions import Segment
from trellis.errors import RuleInvalid, TrellisError
from trellis.i18n import translator
from trellis.records.rules.figures import KEYS, figure_of, reference_of
from trellis.records.rules.nodes import (
    All,
    AnyOf,
    InSegment,
    Leaf,
    Node,
    Not,
    OfFigure,
    Operator,
    Path,
    Related,
)
from trellis.records.rules.paths import resolve
from trellis.records.rules.values import operators, read_value
from trellis.records.types import ValueInvalid

if TYPE_CHECKING:
    from trellis.edition import Edition, EntityView

_ = translator("trellis")

DEEPEST = 8
MOST_LEAVES = 200
MOST_VALUES = 10_000
MOST_LOOKUPS = 20
"""Segments and related records that one rule asks for: each is a table of its statement."""
_GROUPS = ("all", "any", "not")


def parse(rule: Any, view: EntityView, edition: Edition, *, listed: bool = False) -> Node:
    """The checked form of a rule's JSON; RuleInvalid says where it is wrong (``path``) and how to mend it.

    Only rules of what is ``listed`` may ask for the records of a figure, which are others for each reader.
    """
    return _Reader(edition, listed).node(rule, view, "$", 0)


@dataclass
class _Reader:
    edition: Edition
    listed: bool
    leaves: int = 0
    values: int = 0
    lookups: int = 0

    def node(self, rule: Any, view: EntityView, at: str, depth: int) -> Node:
        if not isinstance(rule, Mapping):
            raise RuleInvalid(
                _('A rule must be an object such as {"field": ..., "op": ..., "value": ...}'), at
            )
        if depth > DEEPEST:
            raise RuleInvalid(_("A rule can be nested at most %(most)s levels deep", most=DEEPEST), at)
        group = next((key for key in _GROUPS if key in rule), None)
        if group is not None:
            return self.group(group, rule, view, at, depth)
        if "segment" in rule:
            return self.segment(rule, view, at)
        if "related" in rule:
            return self.related(rule, view, at, depth)
        if "kpi" in rule:
            return self.figure(rule, view, at)
        _refuse_others(rule, {"field", "op", "value"}, at)
        _require_texts(rule, ("field", "op"), at)
        return self.comparison(rule, resolve(rule["field"], view, self.edition, at=f"{at}.field"), at)

    def group(self, group: str, rule: Mapping[str, Any], view: EntityView, at: str, depth: int) -> Node:
        _refuse_others(rule, {group}, at)
        inner = rule[group]
        if depth == DEEPEST:
            raise RuleInvalid(_("A rule can be nested at most %(most)s levels deep", most=DEEPEST), at)
        if group == "not":
            return Not(self.node(inner, view, f"{at}.not", depth + 1))
        if not isinstance(inner, list | tuple):
            raise RuleInvalid(_("“%(group)s” must hold a list of rules", group=group), f"{at}.{group}")
        nodes = tuple(
            self.node(one, view, f"{at}.{group}[{index}]", depth + 1) for index, one in enumerate(inner)
        )
        return All(nodes) if group == "all" else AnyOf(nodes)

    def comparison(self, rule: Mapping[str, Any], path: Path, at: str) -> Leaf:
        operator = _operator(rule["op"], path.name, operators(path.field, self.edition), f"{at}.op")
        try:
            value = read_value(path.field, operator, rule.get("value"))
        except ValueInvalid as error:
            problem = _("%(field)s: %(problem)s", field=path.name, problem=error.message)
            raise RuleInvalid(problem, f"{at}.value") from None
        self.count(len(value) if isinstance(value, tuple) else 1, at)
        return Leaf(path, operator, value)

    def segment(self, rule: Mapping[str, Any], view: EntityView, at: str) -> InSegment:
        _refuse_others(rule, {"segment"}, at)
        self.look_up(at)
        known = {name: one for name, one in self.edition.all(Segment).items() if one.entity == view.name}
        name = rule["segment"]
        if not isinstance(name, str) or name not in known:
            raise _unknown_segment(view, str(name), list(known), f"{at}.segment")
        return InSegment(name, known[name].title)

    def related(self, rule: Mapping[str, Any], view: EntityView, at: str, depth: int) -> Related:
        _refuse_others(rule, KEYS, at)
        self.look_up(at)
        _require_texts(rule, ("related", "op"), at)
        target, reference = reference_of(rule["related"], view, self.edition, at)
        measure, figure = figure_of(rule, target, at)
        return Related(
            reference,
            measure,
            target.info.plural,
            self.node(rule.get("where", {"all": []}), target, f"{at}.where", depth + 1),
            self.comparison(rule, Path((), figure), at),
            self.node(rule["part"], target, f"{at}.part", depth + 1) if "part" in rule else None,
        )

    def figure(self, rule: Mapping[str, Any], view: EntityView, at: str) -> OfFigure:
        if not self.listed:
            raise RuleInvalid(_("The records of a figure can be listed; no other rule may ask for them"), at)
        _refuse_others(rule, {"kpi", "period", "by", "key"}, at)
        self.look_up(at)
        for key in ("kpi", "period", *(["by"] if "by" in rule else [])):
            if not isinstance(rule.get(key), str):
                raise RuleInvalid(_("A figure needs “%(key)s”, as text", key=key), f"{at}.{key}")
        row = rule.get("key")
        if not isinstance(row, str | int | None) or ("key" in rule) is not ("by" in rule):
            raise RuleInvalid(_("“by” names a breakdown, and “key” a row of it: give both"), f"{at}.key")
        try:
            node = OfFigure(rule["kpi"], rule["period"], rule.get("by"), row, view.info.plural)
            entity, title = self.edition.figures.named(self.edition, node)
        except TrellisError as error:
            raise RuleInvalid(error.detail, at) from None
        if entity != view.name:
            values = {"kpi": rule["kpi"][:80], "entity": view.info.plural}
            raise RuleInvalid(_("“%(kpi)s” is not counted over %(entity)s", **values), f"{at}.kpi")
        return replace(node, title=title)

    def look_up(self, at: str) -> None:
        self.lookups += 1
        if self.lookups > MOST_LOOKUPS:
            most = MOST_LOOKUPS
            raise RuleInvalid(
                _("A rule can ask for at most %(most)s segments and related records", most=most), at
            )

    def count(self, values: int, at: str) -> None:
        self.leaves += 1
        self.values += values
        if self.leaves > MOST_LEAVES:
            raise RuleInvalid(_("A rule can hold at most %(most)s comparisons", most=MOST_LEAVES), at)
        if self.values > MOST_VALUES:
            raise RuleInvalid(_("A rule can hold at most %(most)s values", most=MOST_VALUES), at)


def _require_texts(rule: Mapping[str, Any], keys: Sequence[str], at: str) -> None:
    for key in keys:
        if not isinstance(rule.get(key), str):
            raise RuleInvalid(_("A comparison needs “%(key)s”, as text", key=key), f"{at}.{key}")


def _unknown_segment(view: EntityView, name: str, known: list[str], at: str) -> RuleInvalid:
    guess = difflib.get_close_matches(name[:80], known, n=1)
    if guess:
        text = _("There is no segment “%(name)s”; did you mean “%(guess)s”?", name=name[:80], guess=guess[0])
    else:
        text = _("%(entity)s has no segment “%(name)s”", entity=view.info.title, name=name[:80])
    return RuleInvalid(text, at)


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
