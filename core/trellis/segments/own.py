"""Segments of the organisation's own: by a rule, or lists of chosen members. Administrators make, change and remove them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.contributions import Cell, Direction, Level, Rule, Segment
from trellis.edition import OWN, Edition
from trellis.errors import Conflict, RecordInvalid, RuleInvalid, TrellisError
from trellis.i18n import as_written, translator
from trellis.kpi import own as kpis
from trellis.records import setup
from trellis.records.membership import SEGMENT_MEMBER
from trellis.records.rules import parse, to_json
from trellis.security.actor import Actor
from trellis.segments import engine
from trellis.segments.checks import check_segment
from trellis.segments.sources import named_in
from trellis.segments.tables import SEGMENT_EVENT, SEGMENT_LISTED, OwnSegment
from trellis.settings.names import new_name
from trellis.workspace_state import raise_revision

_ = translator("trellis")

TONES = ("neutral", "good", "info", "warn", "danger", "violet", "rose", "teal")
LONGEST_TITLE = 120


@dataclasses.dataclass(frozen=True, kw_only=True)
class Draft:
    """What an administrator says of a segment. Without a rule it is a list of chosen members."""

    title: str
    description: str = ""
    entity: str = "customer"
    tone: str = "neutral"
    rule: Rule | None = None

    @classmethod
    def of(cls, segment: Segment) -> Draft:
        """A copy of a segment that has a rule or a list."""
        return cls(
            title=str(segment.title),
            description=str(segment.description or ""),
            entity=segment.entity,
            tone=segment.tone,
            rule=segment.rule,
        )


def own_segments(session: Session) -> list[Segment]:
    """The segments kept in the workspace, as contributions."""
    rows = session.scalars(sa.select(OwnSegment).order_by(OwnSegment.title, OwnSegment.name))
    return [_segment(row.name, row) for row in rows]


def create(session: Session, edition: Edition, actor: Actor, draft: Draft) -> Segment:
    """Makes a segment and counts it. Raises PermissionRefused, RecordInvalid that names the wrong part."""
    actor.require_administrator()
    made = _checked(edition, new_name(draft.title, edition.whole.all(Segment), "segment"), draft)
    row = OwnSegment(name=made.name, changed_at=datetime.now(UTC), **_columns(draft, made))
    session.add(row)
    setup.note(session, actor, setup.SEGMENT, None, _about(row))
    return _kept(session, edition, made)


def change(session: Session, edition: Edition, actor: Actor, name: str, draft: Draft) -> Segment:
    """Changes a segment and counts it anew; it stays a list, or one by a rule. Raises as :func:`create`, and Conflict."""
    actor.require_administrator()
    row = own_row(session, edition, name)
    if (row.rule is None) is not (draft.rule is None):
        listed = row.rule is None
        text = (
            _("This is a list of chosen members and has no rule") if listed else _("Give the segment a rule")
        )
        raise RecordInvalid({"rule": [text]})
    if draft.entity != row.entity:
        raise RecordInvalid({"entity": [_("A segment stays one of the same records")]})
    made = _checked(edition, name, draft)
    before = _about(row)
    for column, value in _columns(draft, made).items():
        setattr(row, column, value)
    setup.note(session, actor, setup.SEGMENT, before, _about(row))
    row.changed_at = datetime.now(UTC)
    return _kept(session, edition, made)


def copy(session: Session, edition: Edition, actor: Actor, name: str, title: str = "") -> Segment:
    """Makes a segment of the organisation's own from any that has a rule or a list. Raises Conflict for one by a select."""
    actor.require_administrator()
    found = engine.find(edition, name)
    if found.select is not None:
        raise Conflict(_("“%(title)s” is computed by its plugin and has no rule to copy", title=found.title))
    draft = Draft.of(found)
    title = title.strip() or str(_("%(title)s (copy)", title=found.title))
    made = create(session, edition, actor, dataclasses.replace(draft, title=title[:LONGEST_TITLE]))
    if found.listed:
        listed = SEGMENT_LISTED.c
        rows = sa.select(sa.literal(made.name), listed.record_id, listed.added_at).where(
            listed.segment == name
        )
        columns = ["segment", "record_id", "added_at"]
        session.execute(sa.insert(SEGMENT_LISTED).from_select(columns, rows))
        engine.refresh(session, with_segment(edition, made), [made.name], by=actor)
    return made


def remove(session: Session, edition: Edition, actor: Actor, name: str) -> None:
    """Removes a segment with its members and history. Raises Conflict where other segments or KPIs ask for it."""
    actor.require_administrator()
    row = own_row(session, edition, name)
    asking = [one for one in edition.whole.all(Segment).values() if name in named_in(edition.whole, one)]
    if asking:
        titles = ", ".join(f"“{one.title}”" for one in asking)
        raise Conflict(
            _("Other segments ask for this one: %(titles)s. Change or remove them first", titles=titles)
        )
    if counting := kpis.asking_for(session, edition.whole, name):
        titles = ", ".join(f"“{one}”" for one in counting)
        raise Conflict(
            _("KPIs count who is in this segment: %(titles)s. Change or remove them first", titles=titles)
        )
    setup.note(session, actor, setup.SEGMENT, _about(row), None)
    session.delete(row)
    for table in (SEGMENT_LISTED, SEGMENT_MEMBER, SEGMENT_EVENT):
        session.execute(sa.delete(table).where(table.c.segment == name))
    session.flush()
    raise_revision(session.connection())


def own_row(session: Session, edition: Edition, name: str) -> OwnSegment:
    """A segment of the organisation's own. Raises SegmentNotFound, Conflict for one that a plugin brought."""
    found = engine.find(edition, name)
    row = session.get(OwnSegment, name)
    if row is None or found.owner != OWN:
        raise Conflict(
            _(
                "“%(title)s” comes from a plugin and cannot be changed; copy it, and change the copy",
                title=found.title,
            )
        )
    return row


def _about(row: OwnSegment) -> dict[str, Any]:
    """A segment as the log of the set-up has it."""
    return {name: getattr(row, name) for name in ("title", "name", "entity", "description", "tone", "rule")}


def with_segment(edition: Edition, segment: Segment) -> Edition:
    """The edition as it will be with this segment."""
    whole = edition.whole
    segments = MappingProxyType({**whole.all(Segment), segment.name: segment})
    return dataclasses.replace(
        whole, contributions=MappingProxyType({**whole.contributions, Segment: segments}), _cache={}
    )


def asking_for(edition: Edition, name: str) -> list[str]:
    """The segment and all whose rules ask for it, directly or not."""
    found = [name]
    for one in found:
        asking = (each.name for each in edition.all(Segment).values() if one in named_in(edition, each))
        found += [each for each in asking if each not in found]
    return found


def _segment(name: str, kept: OwnSegment | Draft) -> Segment:
    return Segment(
        name=name,
        title=as_written(kept.title),
        description=as_written(kept.description) if kept.description else None,
        cell=Cell(Direction.CUSTOMERS, Level.STRATEGY, "CU1"),
        owner=OWN,
        entity=kept.entity,
        rule=kept.rule,
        listed=kept.rule is None,
        tone=kept.tone,
    )


def _checked(edition: Edition, name: str, draft: Draft) -> Segment:
    errors: dict[str, Sequence[Any]] = {}
    title = draft.title.strip()
    if not title:
        errors["title"] = [_("Give the segment a name")]
    elif len(title) > LONGEST_TITLE:
        errors["title"] = [_("At most %(most)s characters", most=LONGEST_TITLE)]
    if draft.tone not in TONES:
        errors["tone"] = [_("Choose one of: %(known)s", known=", ".join(TONES))]
    view = edition.whole.entities.get(draft.entity)
    if view is None or draft.entity == "user":
        errors["entity"] = [_("There are no records “%(name)s”", name=draft.entity[:80])]
    elif draft.rule is not None:
        try:
            rule = to_json(parse(draft.rule, view, edition.whole))
            made = _segment(name, dataclasses.replace(draft, title=title, rule=rule))
            check_segment(with_segment(edition, made), made)
        except RuleInvalid as error:
            errors["rule"] = [str(error)]
    if errors:
        raise RecordInvalid(errors)
    return _segment(name, dataclasses.replace(draft, title=title)) if draft.rule is None else made


def _columns(draft: Draft, made: Segment) -> Mapping[str, Any]:
    return {
        "entity": made.entity,
        "title": str(made.title),
        "description": draft.description.strip(),
        "tone": made.tone,
        "rule": made.rule,
    }


def _kept(session: Session, edition: Edition, made: Segment) -> Segment:
    session.flush()
    raise_revision(session.connection())
    coming = with_segment(edition, made)
    done = engine.refresh(session, coming, asking_for(coming, made.name))
    faults = [fault for fault in done.faults if fault.plugin == OWN]
    if faults:  # a rule that parses and compiles, and that the database still cannot answer
        raise TrellisError(_("The segment cannot be counted: %(problem)s", problem=faults[0].message))
    return made
