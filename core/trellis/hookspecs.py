"""Every hook of Trellis: the one file a vendor must read.

A plugin is a module (or package) with a ``manifest`` and functions marked ``@trellis.hookimpl`` named as below, found by
the entry point group ``trellis.plugins``. Hooks of the groups *Data* to *Extras* are called without arguments once, when
the edition of a workspace is built; each returns a list of contributions (see :mod:`trellis.contributions`). Hooks of the
group *Events* receive one typed event each time it happens. The core's own ``crm`` folders use the same hooks.

A hook that raises or returns something else is recorded against the plugin and its contribution is left out; nothing else
stops. Names of contributions are ``plugin.name``. Example::

    import trellis

    manifest = trellis.Manifest(name="gym", title=_("Gym"), version="1.0", package="trellis_gym")

    @trellis.hookimpl
    def trellis_entities() -> list[type[trellis.Entity]]:
        return [Membership]
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import pluggy

from trellis.contributions import (
    BonusScheme,
    Channel,
    Dashboard,
    Demo,
    ImportMapping,
    IncomeSource,
    Instruction,
    Journey,
    Kpi,
    Lifecycle,
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
from trellis.records.entity import Entity, Field
from trellis.records.events import BeforeSave, Saved, SegmentEntered

F = TypeVar("F", bound=Callable[..., Any])

PROJECT = "trellis"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

CONCERNS = "trellis_concerns"
"""The attribute of a hook in which :func:`concerns` is kept."""


def concerns(*entities: str) -> Callable[[F], F]:
    """Says which entities a hook around a write is for: writes of others do not wait for it."""

    def mark(function: F) -> F:
        setattr(function, CONCERNS, frozenset(entities))
        return function

    return mark


# --- Data -----------------------------------------------------------------------------------------------------------


@hookspec
def trellis_entities() -> list[type[Entity]]:  # type: ignore[empty-body]
    """Kinds of records of your own: SQLAlchemy classes on ``trellis.Entity``, made by your own Alembic revisions.

    Table names start with the plugin's name (``gym_membership`` for the entity ``gym.membership``). Since 0.1.
    """


@hookspec
def trellis_fields() -> list[Field]:  # type: ignore[empty-body]
    """Extension fields on entities of the core or of plugins you require. No migration is needed. Since 0.1."""


@hookspec
def trellis_lifecycles() -> list[Lifecycle]:  # type: ignore[empty-body]
    """Stages and allowed moves of an entity; gives it a board. Since 0.1."""


@hookspec
def trellis_stage_rules() -> list[StageRule]:  # type: ignore[empty-body]
    """Under which rules customers come into the stages of their lifecycle, as your industry sees it. Since 0.1."""


@hookspec
def trellis_import_mappings() -> list[ImportMapping]:  # type: ignore[empty-body]
    """How files of your industry become records: used by ``trellis import --map <name>``. Since 0.1."""


@hookspec
def trellis_demo() -> list[Demo]:  # type: ignore[empty-body]
    """Realistic records for trying your edition. Since 0.1."""


# --- Measures -------------------------------------------------------------------------------------------------------


@hookspec
def trellis_segments() -> list[Segment]:  # type: ignore[empty-body]
    """Dynamic segments of customers or of any entity. Since 0.1."""


@hookspec
def trellis_kpis() -> list[Kpi]:  # type: ignore[empty-body]
    """KPIs, computed in SQL over a period. Since 0.1."""


@hookspec
def trellis_income() -> list[IncomeSource]:  # type: ignore[empty-body]
    """Where revenue and cost per customer and day come from; feeds pyramid, RFM, loyalty and lifetime value. Since 0.1."""


@hookspec
def trellis_dashboards() -> list[Dashboard]:  # type: ignore[empty-body]
    """Pages of widgets; ``home=True`` makes one the home page. Since 0.1."""


@hookspec
def trellis_reports() -> list[Report]:  # type: ignore[empty-body]
    """Report definitions. Since 0.1."""


@hookspec
def trellis_bonuses() -> list[BonusScheme]:  # type: ignore[empty-body]
    """Bonus schemes of sales staff, to be made one's own. Since 0.1."""


# --- Work -----------------------------------------------------------------------------------------------------------


@hookspec
def trellis_processes() -> list[Process]:  # type: ignore[empty-body]
    """Business processes as BPMN 2.0 files of your package. Since 0.1."""


@hookspec
def trellis_journeys() -> list[Journey]:  # type: ignore[empty-body]
    """Journeys of customers, to be made one's own: what each gets step by step. Since 0.1."""


@hookspec
def trellis_operations() -> list[Operation]:  # type: ignore[empty-body]
    """What service tasks of processes can call, beside the operations of the core. Since 0.1."""


@hookspec
def trellis_templates() -> list[Template]:  # type: ignore[empty-body]
    """Templates of documents (.docx, .html) and of mails (.txt, with a subject) of your package. Since 0.1."""


@hookspec
def trellis_scripts() -> list[Script]:  # type: ignore[empty-body]
    """Branching conversation scripts, run beside a record.

    Steps with answers and objections, which fill fields and lead to outcomes. One that cannot be run is left out and told:
    a step that nothing leads to, a next step, field or outcome that is not there, no way to an outcome. Since 0.1.
    """


@hookspec
def trellis_instructions() -> list[Instruction]:  # type: ignore[empty-body]
    """Articles for staff, shown where the work is done. Since 0.1."""


@hookspec
def trellis_channels() -> list[Channel]:  # type: ignore[empty-body]
    """Channels of sales or communication. Since 0.1."""


@hookspec
def trellis_notifications() -> list[NotificationKind]:  # type: ignore[empty-body]
    """Kinds of notifications of your own; ``trellis.notify`` tells people of them. Since 0.1."""


# --- Extras ---------------------------------------------------------------------------------------------------------


@hookspec
def trellis_roles() -> list[Role]:  # type: ignore[empty-body]
    """Roles with rights per entity. Since 0.1."""


@hookspec
def trellis_menu() -> list[MenuItem]:  # type: ignore[empty-body]
    """Ways into your screens, inside the seven directions. Lists of your entities appear by themselves. Since 0.1."""


@hookspec
def trellis_panels() -> list[Panel]:  # type: ignore[empty-body]
    """Cards at the right of record pages. Since 0.1."""


@hookspec
def trellis_pages() -> list[Page]:  # type: ignore[empty-body]
    """Pages of your own inside the frame. Since 0.1."""


@hookspec
def trellis_rest() -> list[RestEndpoint]:  # type: ignore[empty-body]
    """REST calls of your own. Since 0.1."""


# --- Events ---------------------------------------------------------------------------------------------------------


@hookspec
def trellis_before_save(event: BeforeSave) -> None:
    """A record is about to be written, inside the transaction, for each record.

    Change ``event.values`` to complete it, or raise ``trellis.RecordInvalid({"field": ["why"]})`` to refuse it. Mark the
    function with ``@trellis.concerns("order")`` when it is for some entities only: writes of others, and imports above all,
    are faster without it; so too the two hooks below. Since 0.1.
    """


@hookspec
def trellis_after_save(event: Saved) -> None:
    """Records of one entity were written and are not yet committed; once per batch.

    For what must be true together with them (rollups). An error refuses the whole write, so keep it set-based and
    small. Since 0.1.
    """


@hookspec
def trellis_after_commit(event: Saved) -> None:
    """Records of one entity were written and committed; for effects outside the database. Since 0.1."""


@hookspec
def trellis_segment_entered(event: SegmentEntered) -> None:
    """Records entered a segment, inside the transaction that found it out: a write, or a count of all.

    Whoever is in a segment when it is counted for the first time has not entered it. Ask for ``event.ids`` only where the
    segment concerns you. Since 0.1.
    """
