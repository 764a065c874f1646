"""Composing an edition of what the core, the enabled plugins and the organisation bring.

Every contribution is checked; one that does not fit is left out and reported as a fault of its plugin.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from trellis.contributions import Contribution, Lifecycle, Manifest
from trellis.edition import (
    HOOK_OF,
    OWN,
    Check,
    Edition,
    EntityView,
    Figures,
    NoFigures,
    Reads,
    Settings,
    StageTerms,
)
from trellis.i18n import translator
from trellis.plugins import CORE, Fault, Hooks
from trellis.records.conditions import ATTRIBUTES, FieldConditions, check_rule
from trellis.records.entity import Entity, Field, declared_fields
from trellis.records.indexes import index_problem
from trellis.records.stage_terms import bad_exits, on_terms, without_exits
from trellis.records.types import Reference

_ = translator("trellis")


def compose(
    *,
    workspace: str,
    revision: int,
    settings: Settings,
    manifests: Sequence[Manifest],
    hooks: Hooks,
    own: Sequence[Contribution | Field] = (),
    conditions: Sequence[FieldConditions] = (),
    followed: bool = False,
    checks: Mapping[type[Contribution], Check] = MappingProxyType({}),
    reads: Mapping[type[Contribution], Reads] = MappingProxyType({}),
    figures: Figures | None = None,
) -> Edition:
    """Builds the edition. Never raises for a contribution: what does not fit is in ``faults`` and left out.

    ``own`` are the organisation's own fields, roles and the like, ``conditions`` its rules for fields; ``checks`` are the engines' checks by kind, ``reads`` how they
    see what a contribution reads, ``figures`` what is behind those of KPIs.
    """
    faults: list[Fault] = []
    views = _entities(hooks, faults)
    for owner, extension in _fields(hooks, faults, [item for item in own if isinstance(item, Field)]):
        _extend(views, owner, extension, faults)
    _decide(views, conditions)
    contributions = _contributions(hooks, faults, [item for item in own if isinstance(item, Contribution)])
    views = _with_lifecycles(views, contributions[Lifecycle], settings.stage_terms, faults)
    edition = Edition(
        workspace=workspace,
        revision=revision,
        settings=settings,
        plugins=tuple(manifests),
        hooks=hooks,
        entities=MappingProxyType(views),
        contributions=MappingProxyType(
            {kind: MappingProxyType(named) for kind, named in contributions.items()}
        ),
        followed=followed,
        reads=reads,
        figures=figures or NoFigures(),
    )
    _leave_out_bad_conditions(edition, views, conditions, faults)
    _leave_out_bad_exits(edition, views, contributions[Lifecycle], faults)
    for kind, named in contributions.items():
        wrong = True
        while wrong:  # what is over another that is left out, a formula over a KPI, is left out with it
            wrong = False
            for contribution in list(named.values()):
                problem = _check(edition, contribution, checks.get(kind))
                if problem is not None:
                    faults.append(Fault.of(contribution.owner, HOOK_OF[kind], problem))
                    del named[contribution.name]  # the edition's mapping is a view of ``named``
                    wrong = True
    return dataclasses.replace(edition, faults=tuple(faults), _cache={})


def _name_problem(owner: str, name: str) -> str:
    if owner in (CORE, OWN) or name.startswith(f"{owner}."):
        return ""
    return f"the name “{name}” must start with “{owner}.”"


def _entities(hooks: Hooks, faults: list[Fault]) -> dict[str, EntityView]:
    views: dict[str, EntityView] = {}
    for owner, classes in hooks.collect("trellis_entities", faults):
        for entity in classes:
            try:
                if not (isinstance(entity, type) and issubclass(entity, Entity)):
                    raise TypeError(f"{entity!r} is not a subclass of trellis.Entity")
                name = entity.__entity__.name
                problem = _name_problem(owner, name) or (
                    f"the entity “{name}” exists already" if name in views else ""
                )
                if problem:
                    raise ValueError(problem)
                views[name] = EntityView(entity, owner, _owned(declared_fields(entity), owner))
            except Exception as error:  # whatever is wrong with a declaration is the plugin's fault
                faults.append(Fault.of(owner, "trellis_entities", error))
    for view in list(views.values()):
        for reference in view.references.values():
            if reference.type.entity not in views:  # type: ignore[attr-defined]
                problem = (
                    f"{view.name}.{reference.name} refers to “{reference.type.entity}”, which does not exist"  # type: ignore[attr-defined]
                )
                faults.append(Fault(view.owner, "trellis_entities", problem, ""))
                views.pop(view.name, None)
    return views


def _owned(fields: Mapping[str, Field], owner: str) -> dict[str, Field]:
    return {name: one if one.owner == owner else one.with_owner(owner) for name, one in fields.items()}


def _fields(hooks: Hooks, faults: list[Fault], own: Sequence[Field]) -> Iterator[tuple[str, Field]]:
    for owner, declared in hooks.collect("trellis_fields", faults):
        for one in declared:
            yield owner, one
    for one in own:
        yield OWN, one


def _extend(views: dict[str, EntityView], owner: str, extension: Any, faults: list[Fault]) -> None:
    hook = "trellis_fields"
    if not isinstance(extension, Field):
        faults.append(Fault(owner, hook, f"{extension!r} is not a trellis.Field", ""))
        return
    view = views.get(extension.entity)
    problem = _name_problem(owner, extension.name)
    if view is None:
        problem = f"{extension.name}: there is no entity “{extension.entity}”"
    elif extension.name in view.fields:
        problem = f"the field “{extension.name}” of {extension.entity} exists already"
    elif isinstance(extension.type, Reference) and extension.type.entity not in views:
        problem = f"{extension.name} refers to “{extension.type.entity}”, which does not exist"
    elif not re.fullmatch(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+", extension.name):
        problem = f"the name “{extension.name}” may hold only small latin letters, digits, _ and dots"
    elif extension.indexed:
        problem = problem or index_problem(extension)
    if problem or view is None:
        faults.append(Fault(owner, hook, problem, ""))
        return
    fields = {**view.fields, extension.name: extension.with_owner(owner)}
    views[view.name] = dataclasses.replace(view, fields=fields)


def _decide(views: dict[str, EntityView], conditions: Sequence[FieldConditions]) -> None:
    """Puts the organisation's rules in the place of those that fields declare."""
    for one in conditions:
        view = views.get(one.entity)
        if view is not None and one.field in view.fields:
            _replace_field(views, view, view.fields[one.field].under(one.required_when, one.visible_when))


def _leave_out_bad_conditions(
    edition: Edition,
    views: dict[str, EntityView],
    conditions: Sequence[FieldConditions],
    faults: list[Fault],
) -> None:
    """A rule that does not fit is reported and left out; its field stays."""
    decided = {(one.entity, one.field) for one in conditions}
    for view in list(views.values()):
        for declared in view.fields.values():
            for attribute in ATTRIBUTES:
                try:
                    check_rule(edition, view, declared, attribute)
                except Exception as error:  # a rule of a plugin may be anything
                    owner = OWN if (view.name, declared.name) in decided else declared.owner
                    problem = f"{view.name}.{declared.name}.{attribute}: {error}"
                    faults.append(Fault(owner, "trellis_fields", problem, ""))
                    kept = {name: getattr(declared, name) for name in ATTRIBUTES} | {attribute: None}
                    declared = declared.under(**kept)
                    _replace_field(views, views[view.name], declared)


def _replace_field(views: dict[str, EntityView], view: EntityView, declared: Field) -> None:
    views[view.name] = dataclasses.replace(view, fields={**view.fields, declared.name: declared})


def _contributions(
    hooks: Hooks, faults: list[Fault], own: Sequence[Contribution]
) -> dict[type[Contribution], dict[str, Contribution]]:
    found: dict[type[Contribution], dict[str, Contribution]] = {kind: {} for kind in HOOK_OF}
    for kind, hook in HOOK_OF.items():
        for owner, declared in hooks.collect(hook, faults):
            for one in declared:
                problem = (
                    f"{one!r} is not a trellis.{kind.__name__}"
                    if not isinstance(one, kind)
                    else _name_problem(owner, one.name)
                    or (f"the name “{one.name}” exists already" if one.name in found[kind] else "")
                )
                if problem:
                    faults.append(Fault(owner, hook, problem, ""))
                else:
                    found[kind][one.name] = dataclasses.replace(one, owner=owner)
    for one in own:
        found[type(one)].setdefault(one.name, dataclasses.replace(one, owner=OWN))
    return found


def _with_lifecycles(
    views: dict[str, EntityView],
    lifecycles: dict[str, Contribution],
    decided: Mapping[str, StageTerms],
    faults: list[Fault],
) -> dict[str, EntityView]:
    by_entity: dict[str, list[Lifecycle]] = {}
    for one in list(lifecycles.values()):
        assert isinstance(one, Lifecycle)
        if one.name in decided and one.entity in views:
            lifecycles[one.name] = one = on_terms(one, decided[one.name], views[one.entity].fields)
        problem = _lifecycle_problem(views.get(one.entity), one)
        if problem:
            faults.append(Fault(one.owner, "trellis_lifecycles", problem, ""))
            del lifecycles[one.name]
        else:
            by_entity.setdefault(one.entity, []).append(one)
    return {
        name: dataclasses.replace(view, lifecycles=tuple(by_entity.get(name, ())))
        for name, view in views.items()
    }


def _leave_out_bad_exits(
    edition: Edition, views: dict[str, EntityView], lifecycles: dict[str, Contribution], faults: list[Fault]
) -> None:
    """An exit rule that does not fit is reported and left out; its stage stays."""
    for view in list(views.values()):
        for lifecycle in view.lifecycles:
            bad = dict(bad_exits(edition, view, lifecycle))
            for stage, error in bad.items():
                own = "exit" in edition.settings.stage_terms.get(lifecycle.name, {}).get(stage, {})
                problem = f"{lifecycle.name}.{stage}.exit: {error}"
                faults.append(Fault(OWN if own else lifecycle.owner, "trellis_lifecycles", problem, ""))
            if bad:
                kept = lifecycles[lifecycle.name] = without_exits(lifecycle, bad)
                present = tuple(kept if one is lifecycle else one for one in views[view.name].lifecycles)
                views[view.name] = dataclasses.replace(views[view.name], lifecycles=present)


def _lifecycle_problem(view: EntityView | None, lifecycle: Lifecycle) -> str:
    if view is None:
        return f"{lifecycle.name}: there is no entity “{lifecycle.entity}”"
    wanted = {lifecycle.field, *(name for stage in lifecycle.stages for name in stage.requires)}
    missing = sorted(wanted - view.fields.keys())
    if missing:
        return f"{lifecycle.name}: {lifecycle.entity} has no field {', '.join(missing)}"
    stages = {stage.value for stage in lifecycle.stages}
    unknown = sorted({move for stage in lifecycle.stages for move in stage.moves} - stages)
    return f"{lifecycle.name}: no stage {', '.join(unknown)}" if unknown else ""


def _check(edition: Edition, contribution: Contribution, check: Check | None) -> Exception | None:
    entity = getattr(contribution, "entity", None)
    if isinstance(entity, str) and entity not in edition.entities:
        return ValueError(f"{contribution.name}: there is no entity “{entity}”")
    if check is None:
        return None
    try:
        check(edition, contribution)
    except Exception as error:  # a contribution is code of a plugin: it may raise anything
        return error
    return None
