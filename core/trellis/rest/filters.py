"""Filters of a list: ``filter=<rule JSON>``, and ``city=Riga``, ``amount__gte=100``, ``stage__in=won,lost``."""

from __future__ import annotations

from typing import Any

from trellis.edition import Edition, EntityView
from trellis.errors import RuleInvalid
from trellis.i18n import translator
from trellis.records.rules import All, Node, Operator, Path, parse, resolve
from trellis.records.types import Reference
from trellis.rest.arguments import Arguments
from trellis.rest.problems import Malformed

_ = translator("trellis")

SEPARATOR = "__"
_LISTS = (Operator.IN, Operator.NOT_IN, Operator.BETWEEN)
_EMPTINESS = {Operator.IS_EMPTY: Operator.IS_NOT_EMPTY, Operator.IS_NOT_EMPTY: Operator.IS_EMPTY}


def asked_rule(arguments: Arguments, view: EntityView, edition: Edition) -> Node | None:
    """What the parameters ask for, joined by “and”; takes all parameters that are left."""
    rule = arguments.json("filter")
    nodes = [] if rule is None else [parse(rule, view, edition, listed=True)]
    for name, values in arguments.others().items():
        nodes += _nodes(name, values, view, edition)
    return All(tuple(nodes)) if len(nodes) > 1 else nodes[0] if nodes else None


def _nodes(name: str, values: list[str], view: EntityView, edition: Edition) -> list[Node]:
    """One parameter; given several times with the same field, any of its values will do."""
    field, operator = _split(name)
    try:
        path = resolve(field, view, edition)
    except RuleInvalid:
        text = _(
            "This call has no parameter “%(name)s”, and %(entity)s no such field",
            name=name[:80],
            entity=view.name,
        )
        raise Malformed(text, name[:80]) from None
    if operator is Operator.EQ and len(values) > 1:
        return [_parsed(name, field, Operator.IN, [_spoken(path, one) for one in values], view, edition)]
    return [_leaf(name, field, operator, path, value, view, edition) for value in values]


def _split(name: str) -> tuple[str, Operator]:
    field, separator, operator = name.rpartition(SEPARATOR)
    if separator and operator in list(Operator):
        return field, Operator(operator)
    return name, Operator.EQ


def _leaf(
    name: str, field: str, operator: Operator, path: Path, text: str, view: EntityView, edition: Edition
) -> Node:
    value: Any = text
    if operator in _LISTS:
        value = [_spoken(path, one) for one in text.split(",")]
    elif operator in _EMPTINESS:
        if text.lower() not in ("", "true", "false"):
            raise Malformed(_("“%(name)s” is true or false", name=name), name)
        operator, value = (_EMPTINESS[operator] if text.lower() == "false" else operator), None
    else:
        value = _spoken(path, text)
    return _parsed(name, field, operator, value, view, edition)


def _parsed(
    name: str, field: str, operator: Operator, value: Any, view: EntityView, edition: Edition
) -> Node:
    try:
        return parse({"field": field, "op": operator.value, "value": value}, view, edition)
    except RuleInvalid as error:
        raise Malformed(error.detail, name) from None


def _spoken(path: Path, text: str) -> Any:
    """``owner=me`` is whoever asks."""
    target = path.field.type
    return (
        {"me": True} if text == "me" and isinstance(target, Reference) and target.entity == "user" else text
    )
