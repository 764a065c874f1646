"""Which records belong to a segment now: all of them by one query, or a few that are asked about."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa

from trellis.contributions import Segment
from trellis.edition import Edition
from trellis.guard import limited
from trellis.plugins import CORE
from trellis.records.joins import Joins, source, table_of
from trellis.records.rules import RuleContext, matching, parse, to_sql
from trellis.security.actor import SYSTEM
from trellis.segments.query import SegmentQuery, one_of
from trellis.segments.tables import SEGMENT_LISTED


def candidates(edition: Edition, segment: Segment, today: date) -> sa.Select[Any]:
    """The ids of the records that belong to a segment now."""
    view = edition.entity(segment.entity)
    entity = view.entity
    ids = sa.select(entity.id.label("id")).where(entity.deleted_at.is_(None))
    if segment.rule is None:
        return ids.where(entity.id.in_(_chosen(segment, SegmentQuery(edition, today))))
    context = RuleContext(edition=edition, actor=SYSTEM, today=today)
    return matching(ids, parse(segment.rule, view, edition), view, context)


def belonging(
    edition: Edition, segments: Sequence[Segment], today: date, among: sa.BindParameter[Any]
) -> sa.Select[Any]:
    """For a few records of one entity, those of the ids ``among``: a row each, with whether it belongs to each segment.

    Made once for each day and set of segments; what it costs does not grow with the records that are not asked about.
    """
    view = edition.entity(segments[0].entity)
    root = source(view.entity)
    context = RuleContext(edition=edition, actor=SYSTEM, today=today, few=True)
    joins = Joins(root, view, edition, SYSTEM)
    query = SegmentQuery(edition, today, among)
    columns: list[sa.ColumnElement[Any]] = [
        to_sql(parse(one.rule, view, edition), joins, context)
        if one.rule is not None
        else root.id.in_(_chosen(one, query))
        for one in segments
    ]
    labelled = [column.label(f"segment_{index}") for index, column in enumerate(columns)]
    statement: sa.Select[Any] = sa.select(root.id, *labelled).select_from(table_of(root))
    return joins.add_to(statement).where(one_of(root.id, among), root.deleted_at.is_(None))


def _chosen(segment: Segment, query: SegmentQuery) -> sa.Select[Any]:
    """The ids that a list holds or that a select finds, whether these records are there or not."""
    if segment.listed:
        listed = SEGMENT_LISTED.c
        return sa.select(listed.record_id).where(
            listed.segment == segment.name, query.among(listed.record_id)
        )
    select = segment.select
    if select is None:
        raise TypeError(f"the segment {segment.name} needs a rule, a select, or members")
    return select(query) if segment.owner == CORE else limited(lambda: select(query))
