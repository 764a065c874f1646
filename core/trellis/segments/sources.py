"""What decides who is in a segment: records of its entity, records that refer to these or are referred to, other segments.

From a rule it is read off: ``{"related": "order.customer", "where": {"field": "channel", ...}}`` is decided by orders, and
their customer is who it is decided about.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from trellis.contributions import Segment
from trellis.edition import Edition, EntityView
from trellis.errors import RuleInvalid
from trellis.i18n import translator
from trellis.records.entity import Field
from trellis.records.rules import All, AnyOf, Leaf, Node, Not, Path, Related, parse, resolve, segments_in
from trellis.records.rules.figures import currency_field
from trellis.records.types import Reference

_ = translator("trellis")


@dataclass(frozen=True)
class Step:
    """One reference on the way from a record to the records of a segment.

    ``held``: the record itself holds it (an order its customer); otherwise the next one does (a customer its owner).
    """

    field: Field
    held: bool


Steps = tuple[Step, ...]


@dataclass(frozen=True)
class Source:
    """Records of ``entity`` decide by their ``fields``; ``steps`` lead from them to the records decided about.

    ``any_field`` where it is not known which fields are read.
    """

    entity: str
    steps: Steps
    fields: frozenset[str] = frozenset()
    any_field: bool = False


def named_in(edition: Edition, segment: Segment) -> list[str]:
    """The segments that a segment's rule asks for."""
    if segment.rule is None:
        return []
    return segments_in(parse(segment.rule, edition.entity(segment.entity), edition))


def in_order(edition: Edition, segments: Sequence[Segment]) -> list[Segment]:
    """The segments, each behind those that its rule asks for. Raises RuleInvalid for one that asks for itself."""
    known = edition.all(Segment)
    done: dict[str, Segment] = {}
    wanted = {one.name for one in segments}

    def visit(one: Segment, above: tuple[Segment, ...]) -> None:
        if one.name in done:
            return
        names = [each.name for each in above]
        if one.name in names:
            circle = [str(each.title) for each in (*above[names.index(one.name) :], one)]
            raise RuleInvalid(
                _("Segments ask for each other in a circle: %(names)s", names=" → ".join(circle))
            )
        for name in named_in(edition, one):
            visit(known[name], (*above, one))
        done[one.name] = one

    for segment in segments:
        visit(segment, ())
    return [one for name, one in done.items() if name in wanted]


def with_named(edition: Edition, segment: Segment) -> list[Segment]:
    """The segment behind all that its rule asks for, directly or not. Raises RuleInvalid for one that asks for itself."""
    found: dict[str, None] = {segment.name: None}
    waiting = [segment]
    while waiting:
        for name in named_in(edition, waiting.pop()):
            if name not in found:
                found[name] = None
                waiting.append(edition.all(Segment)[name])
    return in_order(edition, [edition.all(Segment).get(name, segment) for name in found])


def sources_of(edition: Edition, segment: Segment) -> list[Source]:
    """What decides who is in a segment, beside other segments."""
    view = edition.entity(segment.entity)
    if segment.rule is not None:
        return _merged(_of_node(edition, parse(segment.rule, view, edition), view, ()))
    watched = [_watched(edition, view, entity, name) for entity, name in segment.watches.items()]
    return [*watched, Source(view.name, ())] if segment.listed or watched else []


def _watched(edition: Edition, view: EntityView, entity: str, name: str) -> Source:
    """What a select is decided by, as it says itself."""
    watched = edition.entity(entity)
    path = resolve(name, watched, edition)
    if path.field.name == "id" and not path.hops and entity == view.name:
        return Source(entity, (), any_field=True)
    steps = (*path.hops, path.field)
    last = steps[-1].type
    if not isinstance(last, Reference) or last.entity != view.name:
        raise RuleInvalid(
            _("“%(name)s” of %(entity)s does not lead to a record of the segment", name=name, entity=entity)
        )
    return Source(entity, tuple(Step(one, held=True) for one in steps), any_field=True)


def _of_node(edition: Edition, node: Node, view: EntityView, steps: Steps) -> Iterator[Source]:
    match node:
        case All(rules) | AnyOf(rules):
            for rule in rules:
                yield from _of_node(edition, rule, view, steps)
        case Not(rule):
            yield from _of_node(edition, rule, view, steps)
        case Leaf(path):
            yield from _of_path(view, path, steps)
        case Related(reference=reference):
            target = edition.entity(reference.entity)
            above = (Step(reference, held=True), *steps)
            read = [reference, node.field, currency_field(target, node.field)]
            yield Source(target.name, above, frozenset(one.name for one in read if one is not None))
            for part in (node.where, node.part):
                if part is not None:
                    yield from _of_node(edition, part, target, above)


def _of_path(view: EntityView, path: Path, steps: Steps) -> Iterator[Source]:
    """The record itself, and each that its references lead to; of a record referred to, at least whether it is there."""
    entity = view.name
    for field in (*path.hops, path.field):
        yield Source(entity, steps, frozenset((field.name,)))
        if isinstance(field.type, Reference):
            steps = (Step(field, held=False), *steps)
            entity = field.type.entity
    if path.is_reference:
        yield Source(entity, steps)


def _merged(sources: Iterator[Source]) -> list[Source]:
    fields: dict[tuple[str, Steps], frozenset[str]] = {}
    for one in sources:
        key = (one.entity, one.steps)
        fields[key] = fields.get(key, frozenset()) | one.fields
    return [Source(entity, steps, read) for (entity, steps), read in fields.items()]


SourceMap = Mapping[str, Sequence[tuple[Source, Segment]]]
"""The sources of all segments, by the entity whose records decide."""


def sources_by_entity(edition: Edition) -> SourceMap:
    """All sources of the edition's segments, made once."""

    def make() -> SourceMap:
        found: dict[str, list[tuple[Source, Segment]]] = {}
        for segment in in_order(edition, list(edition.all(Segment).values())):
            for one in sources_of(edition, segment):
                found.setdefault(one.entity, []).append((one, segment))
        return found

    return edition.cached("segment sources", make)  # type: ignore[no-any-return]
