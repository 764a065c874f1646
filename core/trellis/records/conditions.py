"""Fields that are required, or shown, under a rule: ``required_when`` and ``visible_when`` of :class:`Field`.

A rule reads the values of the record as it would be written, and nothing else: never another record, never the field
it belongs to, and never whether another field is shown or required. So two fields may name each other (“a phone when
there is no e-mail”, and the other way round), and each has one answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from trellis.errors import RuleInvalid
from trellis.i18n import translator
from trellis.records.entity import Field
from trellis.records.rules import (
    InSegment,
    Leaf,
    Node,
    Predicate,
    Related,
    RuleContext,
    parse,
    to_predicate,
    today_in,
    walk,
)

if TYPE_CHECKING:
    from trellis.contributions import Rule
    from trellis.edition import Edition, EntityView
    from trellis.security.actor import Actor

_ = translator("trellis")

ATTRIBUTES = ("required_when", "visible_when")


@dataclass(frozen=True, kw_only=True)
class FieldConditions:
    """What the organisation decided for one field of an entity; it stands in place of what the field declares."""

    entity: str
    field: str
    required_when: Rule | None = None
    visible_when: Rule | None = None


@dataclass(frozen=True)
class State:
    """Whether a field is shown and must have a value, for a record with certain values."""

    visible: bool
    required: bool


def check_rule(edition: Edition, view: EntityView, declared: Field, attribute: str) -> None:
    """Raises RuleInvalid when a rule of a field cannot be kept."""
    rule = getattr(declared, attribute)
    if rule is None:
        return
    if declared.read_only:
        raise RuleInvalid(_("This field is kept by Trellis and cannot be written"))
    if attribute == "visible_when" and declared.required and not declared.is_extension:
        raise RuleInvalid(_("A field that every record must have cannot be hidden"))
    for leaf in _leaves(parse(rule, view, edition)):
        if leaf.path.hops:
            text = _(
                "“%(name)s” is a field of another record; use fields of this record", name=leaf.path.name
            )
            raise RuleInvalid(text)
        if leaf.path.name == declared.name:
            raise RuleInvalid(_("A rule cannot ask for the field that it shows or requires"))
        if leaf.path.name == "id":
            raise RuleInvalid(_("A record that is not written yet has no id"))


def states(edition: Edition, actor: Actor, view: EntityView, values: Mapping[str, Any]) -> dict[str, State]:
    """The state of each field of ``view`` that has a rule. Rules that read what is not in ``view`` are not told of."""
    asked = _asked(edition, view.name)
    if asked is None:
        return {}
    told = asked.compiled(edition, actor)
    return {name: one.state(values) for name, one in told.items() if name in view.fields and _open(view, one)}


def missing(edition: Edition, actor: Actor, view: EntityView) -> Callable[[Mapping[str, Any]], Sequence[str]]:
    """What tells of the values of a record which fields have none and need one under their rule."""
    asked = _asked(edition, view.name)
    if asked is None:
        return lambda values: ()
    compiled = asked.compiled(edition, actor).items()
    return lambda values: [
        name for name, one in compiled if values.get(name) is None and one.state(values).required
    ]


def told(edition: Edition, view: EntityView, rule: Rule | None) -> Rule | None:
    """A rule of a field of ``view``, for those who may read all that it reads."""
    if rule is None:
        return None
    reads = {leaf.path.name for leaf in _leaves(parse(rule, edition.whole.entity(view.name), edition.whole))}
    return rule if reads <= view.fields.keys() else None


@dataclass(frozen=True)
class _Compiled:
    """The two questions of one field; None where there is no rule."""

    always: bool
    required: Predicate | None
    visible: Predicate | None
    reads: frozenset[str]

    def state(self, values: Mapping[str, Any]) -> State:
        visible = self.visible is None or self.visible(values)
        required = self.always or (self.required is not None and self.required(values))
        return State(visible, visible and required)


@dataclass
class _Asked:
    """The rules of an entity's fields. They are compiled for who asks and the day; the latest are kept."""

    nodes: Mapping[str, tuple[Field, Node | None, Node | None]]
    latest: tuple[tuple[int | None, date], Mapping[str, _Compiled]] | None = None

    def compiled(self, edition: Edition, actor: Actor) -> Mapping[str, _Compiled]:
        key = (actor.user_id, today_in(edition))
        latest = self.latest
        if latest is not None and latest[0] == key:
            return latest[1]
        # what is referred to is there, as the door has checked or will
        context = RuleContext(edition=edition, actor=actor, today=key[1], lookup=lambda entity, id: {})
        made = {name: _compile(*one, context) for name, one in self.nodes.items()}
        self.latest = (key, made)
        return made


def _compile(declared: Field, required: Node | None, visible: Node | None, context: RuleContext) -> _Compiled:
    nodes = [node for node in (required, visible) if node is not None]
    return _Compiled(
        declared.required,
        to_predicate(required, context) if required else None,
        to_predicate(visible, context) if visible else None,
        frozenset(leaf.path.name for node in nodes for leaf in _leaves(node)),
    )


def _asked(edition: Edition, entity: str) -> _Asked | None:
    whole = edition.whole

    def make() -> _Asked | None:
        view = whole.entity(entity)
        found = {
            one.name: (one, _node(one.required_when, view, whole), _node(one.visible_when, view, whole))
            for one in view.fields.values()
            if one.required_when is not None or one.visible_when is not None
        }
        return _Asked(found) if found else None

    return whole.cached(("conditions", entity), make)  # type: ignore[no-any-return]


def _node(rule: Rule | None, view: EntityView, edition: Edition) -> Node | None:
    return None if rule is None else parse(rule, view, edition)


def _open(view: EntityView, one: _Compiled) -> bool:
    return one.reads <= view.fields.keys()


def _leaves(node: Node) -> Iterator[Leaf]:
    for one in walk(node):
        if isinstance(one, InSegment | Related):
            raise RuleInvalid(
                _("A rule of a field reads only its own record: no segments, no related records")
            )
        if isinstance(one, Leaf):
            yield one
