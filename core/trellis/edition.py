"""The edition: the immutable sum, for one workspace, of the core, the enabled plugins and the organisation's own settings.

Engines and faces take an edition, and nothing else, to know what exists. :mod:`trellis.composing` makes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
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
from trellis.records.entity import Entity, EntityInfo, Field
from trellis.records.rules import OfFigure, RuleContext
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


class NoFigures:
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
    figures: Figures = field(default_factory=NoFigures, repr=False)
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


def problems(edition: Edition, plugin: str) -> list[PluginError]:
    """The faults of one plugin in this edition, as errors."""
    return [fault.error() for fault in edition.faults if fault.plugin == plugin]
