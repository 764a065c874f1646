"""Rules: one condition language for filters, saved views, segments, triggers and scopes.

``parse`` checks a rule's JSON against an edition; ``to_sql`` and ``to_predicate`` evaluate it in the database
and in Python, with the same answer; ``describe`` puts it in words; ``to_json`` writes it down again.
"""

from trellis.records.rules.context import Lookup, Membership, Referring, RuleContext, today_in
from trellis.records.rules.describe import describe
from trellis.records.rules.figures import measurable
from trellis.records.rules.nodes import (
    All,
    AnyOf,
    InSegment,
    Leaf,
    Me,
    Measure,
    Node,
    Not,
    OfFigure,
    Operator,
    Path,
    Period,
    Related,
    Relative,
    Unit,
    segments_in,
    to_json,
    walk,
)
from trellis.records.rules.parse import parse
from trellis.records.rules.paths import resolve
from trellis.records.rules.predicate import Predicate, to_predicate
from trellis.records.rules.sql import matching, shape_of, to_sql
from trellis.records.rules.values import operators

__all__ = [
    "All",
    "AnyOf",
    "InSegment",
    "Leaf",
    "Lookup",
    "Me",
    "Measure",
    "Membership",
    "Node",
    "Not",
    "OfFigure",
    "Operator",
    "Path",
    "Period",
    "Predicate",
    "Referring",
    "Related",
    "Relative",
    "RuleContext",
    "Unit",
    "describe",
    "matching",
    "measurable",
    "operators",
    "parse",
    "resolve",
    "segments_in",
    "shape_of",
    "to_json",
    "to_predicate",
    "to_sql",
    "today_in",
    "walk",
]
