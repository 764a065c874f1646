"""Decision tables of DMN files, as they stand in a diagram: inputs, outputs and rules, all in our expression language.

The tables of a process are kept inside its diagram, under the extension elements of its process: they are versions together,
and a diagram names a table by its id, never a file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from lxml import etree

from trellis.i18n import Text, translator
from trellis.process.diagram import DiagramInvalid, Problem, tree, xml
from trellis.process.notation import BPMN

_ = translator("trellis")

_SPACES = ("http://www.omg.org/spec/DMN/", "https://www.omg.org/spec/DMN/")
MOST_RULES = 1000
POLICIES = ("UNIQUE", "FIRST", "ANY", "PRIORITY", "COLLECT", "RULE ORDER", "OUTPUT ORDER")
AGGREGATIONS = ("", "SUM", "MIN", "MAX", "COUNT")


@dataclass(frozen=True)
class Column:
    """An input, whose ``text`` is an expression, or an output, whose ``name`` is a variable.

    ``values`` are those of an output, the most wanted first; ``default`` is given where no rule holds.
    """

    name: str
    label: str = ""
    text: str = ""
    values: str = ""
    default: str = ""


@dataclass(frozen=True)
class Rule:
    """One row: what each input must be, and what each output is then."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Table:
    """A decision table. ``policy`` says what is taken when several rules hold, ``aggregation`` what is made of all."""

    id: str
    name: str
    policy: str
    aggregation: str
    inputs: tuple[Column, ...]
    outputs: tuple[Column, ...]
    rules: tuple[Rule, ...]


def embedded(diagram: bytes, tables: Sequence[bytes]) -> bytes:
    """A diagram that holds the tables of some DMN files. Raises DiagramInvalid for what is no such file."""
    if not tables:
        return diagram
    root = tree(diagram)
    process = next(root.iter(f"{BPMN}process"), None)
    if process is None:
        return diagram
    extensions = process.find(f"{BPMN}extensionElements")
    if extensions is None:
        extensions = etree.Element(f"{BPMN}extensionElements")
        process.insert(0, extensions)
    for text in tables:
        found = xml(text)
        if not _is_dmn(found, "definitions"):
            raise _invalid(_("This is not a DMN file: it has no definitions"))
        extensions.append(found)
    made: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return made


@lru_cache(maxsize=200)
def tables(diagram: bytes) -> Mapping[str, Table]:
    """The decision tables that a diagram holds, by their ids. Raises DiagramInvalid."""
    found: dict[str, Table] = {}
    for process in tree(diagram).iter(f"{BPMN}process"):
        extensions = process.find(f"{BPMN}extensionElements")
        for node in extensions.iter(etree.Element) if extensions is not None else ():
            if _is_dmn(node, "decision"):
                table = _table(node)
                if table.id in found:
                    raise _invalid(_("There are two decision tables “%(name)s”", name=table.id))
                found[table.id] = table
    return found


def _table(node: etree._Element) -> Table:
    name = node.get("id", "")
    inner = next(_children(node, "decisionTable"), None)
    if inner is None:
        raise _invalid(_("“%(name)s” is no decision table", name=name))
    rules = tuple(
        Rule(tuple(_texts(one, "inputEntry")), tuple(_texts(one, "outputEntry")))
        for one in _children(inner, "rule")
    )
    if len(rules) > MOST_RULES:
        raise _invalid(_("A decision table has at most %(number)s rules", number=MOST_RULES))
    return Table(
        id=name,
        name=" ".join(node.get("name", name).split()),
        policy=inner.get("hitPolicy", "UNIQUE").upper(),
        aggregation=inner.get("aggregation", "").upper(),
        inputs=tuple(_input(one) for one in _children(inner, "input")),
        outputs=tuple(_output(one) for one in _children(inner, "output")),
        rules=rules,
    )


def _input(node: etree._Element) -> Column:
    text = next(iter(_texts(node, "inputExpression")), "")
    return Column(node.get("id", ""), node.get("label", "") or text, text)


def _output(node: etree._Element) -> Column:
    name = node.get("name", "") or node.get("id", "")
    values, default = (next(iter(_texts(node, tag)), "") for tag in ("outputValues", "defaultOutputEntry"))
    return Column(name, node.get("label", "") or name, values=values, default=default)


def _is_dmn(node: etree._Element, name: str) -> bool:
    space = etree.QName(node).namespace or ""
    return space.startswith(_SPACES) and etree.QName(node).localname == name


def _children(node: etree._Element, name: str) -> Iterator[etree._Element]:
    return (one for one in node.iterchildren(etree.Element) if _is_dmn(one, name))


def _texts(node: etree._Element, name: str) -> Iterator[str]:
    for one in _children(node, name):
        yield next(((text.text or "").strip() for text in _children(one, "text")), "")


def _invalid(reason: Text) -> DiagramInvalid:
    return DiagramInvalid([Problem("", reason)])
