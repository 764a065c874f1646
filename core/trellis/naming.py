"""Texts that are names of something (``Text(names=...)``), and what people read for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from trellis.contributions import Channel, Contribution, Kpi, Process, Role, Script, Segment
from trellis.i18n import Text, language_names, translator, zone_names
from trellis.reasons import REASONS
from trellis.records import types

if TYPE_CHECKING:
    from trellis.edition import Edition
    from trellis.records.entity import Field

_ = translator("trellis")

ENTITY, SEGMENT, CHANNEL, LANGUAGE, ROLE, KPI = "entity", "segment", "channel", "language", "role", "kpi"
SCRIPT, PROCESS, ZONE, REASON, FUNNEL = "script", "process", "time_zone", "reason", "funnel"

CHANNELS: Mapping[str, Text] = {
    "mail": _("E-mail"),
    "phone": _("Phone"),
    "web": _("Website"),
    "messenger": _("Messenger"),
    "post": _("Post"),
}
"""The channels that every edition knows."""

_TITLED: Mapping[str, type[Contribution]] = {ROLE: Role, KPI: Kpi, SCRIPT: Script, PROCESS: Process}


def names(edition: Edition, what: str) -> Mapping[str, Text | str]:
    """What there is of a kind, as it is written in records, with what people read for it; nothing for an unknown kind.

    A channel is written without the name of the plugin that brings it: ``store`` for ``acme.store``.
    """
    if what == ENTITY:
        return {name: view.info.plural for name, view in edition.entities.items()}
    if what in _TITLED:
        return {name: one.title for name, one in edition.all(_TITLED[what]).items()}
    if what == SEGMENT:
        found = edition.all(Segment).items()
        return {name: one.title for name, one in found if one.entity == "customer"}
    if what == CHANNEL:
        brought = {name.rpartition(".")[2]: one.title for name, one in edition.all(Channel).items()}
        return {**brought, **CHANNELS}
    if what == FUNNEL:
        view = edition.entities.get("opportunity")
        return {one.when[1]: one.title for one in (view.lifecycles if view else ()) if one.when}
    if what == ZONE:
        return zone_names()
    if what == REASON:
        return REASONS
    return language_names() if what == LANGUAGE else {}


def titles(edition: Edition, field: Field) -> Mapping[str, Text | str]:
    """What people read for the values of a field that has few: its choices, its stages, or what its text is the name of."""
    if isinstance(field.type, types.Choice):
        return {option.value: option.label for option in field.type.options}
    view = edition.entities.get(field.entity)  # a field of a task is of no entity
    lifecycles = view.lifecycles if view is not None else ()
    stages = {
        stage.value: stage.title for one in lifecycles if one.field == field.name for stage in one.stages
    }
    followed = {str(one.when[1]): one.title for one in lifecycles if one.when and one.when[0] == field.name}
    named = names(edition, field.type.names) if isinstance(field.type, types.Text) else {}
    return {**named, **followed, **stages}
