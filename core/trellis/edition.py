"""The edition: the immutable sum, for one workspace, of the core, the enabled plugins and the organisation's own settings.

Engines and faces take an edition, and nothing else, to know what exists. Composing checks every contribution; one that
does not fit is left out and reported as a fault of its plugin.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

from sqlalchemy import ClauseElement, Select

from trellis.contributions import (
    BonusScheme,
    Channel,
    Contribution,
    Dashboard,
    Demo,
    ImportMapping,
    IncomeSource,
    Instruction,
    Journey,
    Kpi,
    Lifecycle,
    Manifest,
    MenuItem,
    NotificationKind,
    Operation,
    Page,
    Panel,
    Process,
    Report,
    RestEndpoint,
    Role,
    Script,
    Segment,
    StageRule,
    Template,
)
from trellis.errors import EntityNotFound, PluginError, RuleInvalid
from trellis.i18n import Text, translator
from trellis.plugins import CORE, Fault, Hooks, core_version
from trellis.records.conditions import ATTRIBUTES, FieldConditions, check_rule
from trellis.records.entity import Entity, EntityInfo, Field, declared_fields
from trellis.records.indexes import index_problem
from trellis.records.rules import OfFigure, RuleContext
from trellis.records.stage_terms import bad_exits, on_terms, without_exits
from trellis.records.types import Reference

_ = translator("trellis")

OWN = "own"
C = TypeVar("C", bound=Contribution)

HOOK_OF: Mapping[type[Contribution], str] = MappingProxyType(
    {
        Lifecycle: "trellis_lifecycles",
        StageRule: "trellis_stage_rules",
        Segment: "trellis_segments",
        Kpi: "trellis_kpis",
        IncomeSource: "trellis_income",
        Operation: "trellis_operations",
        Process: "trellis_processes",
        Journey: "trellis_journeys",
        Template: "trellis_templates",
        Script: "trellis_scripts",
        Instruction: "trellis_instructions",
        Dashboard: "trellis_dashboards",
        Report: "trellis_reports",
        BonusScheme: "trellis_bonuses",
        Role: "trellis_roles",
        MenuItem: "trellis_menu",
        Panel: "trellis_panels",
        Page: "trellis_pages",
        RestEndpoint: "trellis_rest",
        Channel: "trellis_channels",
        NotificationKind: "trellis_notifications",
        ImportMapping: "trellis_import_mappings",
        Demo: "trellis_demo",
    }
)
"""Each kind of contribution and the hook that brings it."""


StageTerms = Mapping[str, Mapping[str, Any]]
"""What the organisation decided for the stages of a lifecycle, by stage and attribute."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the organisation decided for its workspace.

    ``language`` is en or ru; ``currency`` an ISO 4217 code; ``analytics`` the assumptions of its analytics, by name;
    ``stage_rules`` its rules for stages of the customer lifecycle, by stage; ``stage_terms`` what it decided for stages of
    lifecycles (``requires``, ``exit``, ``exit_text``, ``probability``, ``days``), by lifecycle and stage; ``funnels`` are its
    own ones, by name.
    ``second_factor_required`` keeps everybody out who signs in by a password alone, until they have set one up.
    ``mailing`` are its terms for mails that go to many, where they are not the usual ones.
    ``rated`` are the currencies that have a rate; kept by their records, not among the settings.
    """

    title: str = ""
    language: str = "en"
    currency: str = "EUR"
    timezone: str = "UTC"
    first_weekday: int = 0
    fiscal_month: int = 1
    accent: str = ""
    analytics: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, hash=False)
    stage_rules: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, hash=False)
    stage_terms: Mapping[str, StageTerms] = field(default_factory=dict, hash=False)
    funnels: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, hash=False)
    second_factor_required: bool = False
    mailing: Mapping[str, Any] = field(default_factory=dict, hash=False)
    rated: tuple[str, ...] = ()


@dataclass(frozen=True)
class EntityView:
    """An entity as one edition sees it: with the fields of enabled plugins and of the organisation."""

    entity: type[Entity]
    owner: str
    fields: Mapping[str, Field]
    lifecycles: tuple[Lifecycle, ...] = ()
    seen_info: EntityInfo | None = None
    """Differs from the entity's where fields that it names are withheld from the reader."""

    @property
    def info(self) -> EntityInfo:
        return self.seen_info or self.entity.__entity__

    @property
    def name(self) -> str:
        return self.info.name

    @property
    def references(self) -> dict[str, Field]:
        """The fields that refer to other records."""
        return {name: field for name, field in self.fields.items() if isinstance(field.type, Reference)}

    def lifecycle(self, values: Mapping[str, Any]) -> Lifecycle | None:
        """The lifecycle that a record with these values follows."""
        for lifecycle in self.lifecycles:
            if lifecycle.when is None or values.get(lifecycle.when[0]) == lifecycle.when[1]:
                return lifecycle
        return None


Check = Callable[["Edition", Any], None]
"""Checks one contribution against a composed edition; raises what is wrong with it."""
Reads = Callable[["Edition", Any], Iterable[ClauseElement]]
"""The statements that a contribution makes, to see which columns it reads."""


class Figures(Protocol):
    """What the KPI engine tells rules about the records that make a figure. Raises TrellisError for one that is not known."""

    def named(self, edition: Edition, figure: OfFigure) -> tuple[str, Text]:
        """The entity of the records, and what the figure is called."""

    def ids(self, context: RuleContext, figure: OfFigure) -> Select[Any]:
        """The ids of those that the reader may see."""


class _NoFigures:
    """Where there is no KPI engine."""

    def named(self, edition: Edition, figure: OfFigure) -> tuple[str, Text]:
        raise RuleInvalid(_("There are no figures here"))

    def ids(self, context: RuleContext, figure: OfFigure) -> Select[Any]:
        raise RuleInvalid(_("There are no figures here"))


@dataclass(frozen=True, kw_only=True)
class Edition:
    """What exists in one workspace at one revision. Immutable; share it freely between threads."""

    workspace: str
    revision: int
    settings: Settings
    plugins: tuple[Manifest, ...]
    hooks: Hooks
    entities: Mapping[str, EntityView]
    contributions: Mapping[type[Contribution], Mapping[str, Contribution]]
    faults: tuple[Fault, ...] = ()
    followed: bool = False
    """Somebody outside is told of what is written (a webhook)."""
    reads: Mapping[type[Contribution], Reads] = field(default_factory=dict, repr=False)
    figures: Figures = field(default_factory=_NoFigures, repr=False)
    restricts: Edition | None = field(default=None, repr=False)
    _cache: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def whole(self) -> Edition:
        """All that exists, where this is an edition as a reader with limited field rights sees it."""
        return self.restricts or self

    def entity(self, name: str) -> EntityView:
        """The entity of that name, or :class:`EntityNotFound`."""
        try:
            return self.entities[name]
        except KeyError:
            raise EntityNotFound(name) from None

    def all(self, kind: type[C]) -> Mapping[str, C]:
        """All contributions of a kind, by name: ``edition.all(Kpi)["revenue"]``."""
        return self.contributions.get(kind, {})  # type: ignore[return-value]

    @property
    def confidential(self) -> frozenset[str]:
        """The entities that a right on all kinds of records does not open."""
        names = (name for name, view in self.entities.items() if view.info.confidential)
        return self.cached("confidential", lambda: frozenset(names))  # type: ignore[no-any-return]

    def plugin(self, name: str) -> Manifest | None:
        """The manifest of an enabled plugin; None for the core and the organisation's own."""
        return next((manifest for manifest in self.plugins if manifest.name == name), None)

    def source(self, owner: str) -> str:
        """Who brings a contribution, and in which release: ``gym@1.2.0``; without one for the organisation's own."""
        manifest = self.plugin(owner)
        release = manifest.version if manifest else core_version() if owner == CORE else ""
        return f"{owner}@{release}" if release else owner

    def cached(self, key: Any, make: Callable[[], Any]) -> Any:
        """Something derived from this edition alone (a compiled schema), made once."""
        if key not in self._cache:
            self._cache[key] = make()
        return self._cache[key]

    def referring(self, entity: str) -> Iterator[tuple[EntityView, Field]]:
        """(entity, field) pairs whose records refer to records of ``entity``."""
        for view in self.entities.values():
            for reference in view.references.values():
                if isinstance(reference.type, Reference) and reference.type.entity == entity:
                    yield view, reference


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
        figures=figures or _NoFigures(),
    )
    _leave_out_bad_conditions(edition, views, conditions, faults)
    _leave_out_bad_exits(edition, views, contributions[Lifecycle], faults)
    for kind, named in contributions.items():
        for contribution in list(named.values()):
            problem = _check(edition, contribution, checks.get(kind))
            if problem is not None:
                faults.append(Fault.of(contribution.owner, HOOK_OF[kind], problem))
                del named[contribution.name]  # the edition's mapping is a view of ``named``
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


def problems(edition: Edition, plugin: str) -> list[PluginError]:
    """The faults of one plugin in this edition, as errors."""
    return [fault.error() for fault in edition.faults if fault.plugin == plugin]
