"""Rules in words."""

from __future__ import annotations

from typing import Any

import pytest
from probe import TODAY
from trellis.edition import Edition
from trellis.i18n import NBSP, use_locale
from trellis.records.rules import describe, parse

SAID: list[tuple[dict[str, Any], str]] = [
    ({"field": "name", "op": "eq", "value": "Malmö"}, "Name is “Malmö”"),
    ({"field": "company.probe.region", "op": "is_empty"}, "Company › Region is empty"),
    ({"field": "colour", "op": "in", "value": ["red", "blue"]}, "Colour is one of: Red, Blue"),
    ({"field": "colour", "op": "in", "value": []}, "Colour is one of: nothing"),
    ({"field": "price", "op": "gte", "value": "1234.5"}, f"Price is at least 1{NBSP}234.5"),
    ({"field": "share", "op": "lt", "value": "0.125"}, f"Share is less than 12.5{NBSP}%"),
    ({"field": "size", "op": "between", "value": [1, 10]}, "Size is from 1 to 10"),
    ({"field": "active", "op": "ne", "value": True}, "Active: no, or empty"),
    ({"field": "day", "op": "lt", "value": {"days": -90}}, "Day is more than 90 days ago"),
    ({"field": "day", "op": "gte", "value": {"months": -1}}, "Day is 1 month ago or later"),
    ({"field": "day", "op": "gt", "value": {"days": -1}}, "Day is less than 1 day ago"),
    ({"field": "day", "op": "lt", "value": {"months": 2}}, "Day is less than 2 months from now"),
    ({"field": "day", "op": "gt", "value": {"days": 7}}, "Day is more than 7 days from now"),
    ({"field": "day", "op": "ne", "value": {"days": -1}}, "Day is not 1 day ago"),
    ({"field": "day", "op": "lt", "value": {"days": 0}}, "Day is before today"),
    ({"field": "day", "op": "eq", "value": {"days": 0}}, "Day is today"),
    ({"field": "moment", "op": "lte", "value": {"days": 1}}, "Moment is 1 day from now or earlier"),
    ({"field": "day", "op": "eq", "value": {"period": "day", "from": -29}}, "Day: last 30 days"),
    (
        {"field": "moment", "op": "lt", "value": {"period": "week", "from": -2, "to": 3}},
        "Moment: before this period: weeks from -2 to 3",
    ),
    ({"field": "keeper", "op": "eq", "value": {"me": True}}, "Keeper is me"),
    ({"field": "company", "op": "eq", "value": 17}, "Company is Acme 17"),
    ({"all": []}, "always"),
    ({"any": []}, "never"),
    ({"not": {"field": "size", "op": "eq", "value": 1}}, "not (Size is 1)"),
    (
        {
            "all": [
                {"field": "size", "op": "gt", "value": 1},
                {
                    "any": [
                        {"field": "note", "op": "contains", "value": "x"},
                        {"field": "note", "op": "is_empty"},
                    ]
                },
            ]
        },
        "Size is more than 1 and (Note contains “x” or Note is empty)",
    ),
]


@pytest.mark.parametrize(("rule", "words"), SAID, ids=[words for _rule, words in SAID])
def test_a_rule_reads_as_a_sentence(rule: dict[str, Any], words: str, edition: Edition) -> None:
    node = parse(rule, edition.entity("probe_sample"), edition)
    with use_locale("en"):
        assert describe(node, edition, lambda _entity, id: f"Acme {id}") == words


FIGURE = {"related": "probe_sample.company", "op": "gte", "value": 3}
SAID_OF_COMPANIES: list[tuple[dict[str, Any], str]] = [
    ({"segment": "probe.vip"}, "in the segment “Important”"),
    ({"not": {"segment": "probe.vip"}}, "not in the segment “Important”"),
    (FIGURE, "Samples: number is at least 3"),
    (
        FIGURE | {"where": {"field": "day", "op": "eq", "value": {"period": "day", "from": -89}}},
        "Samples: number is at least 3 (of those with Day: last 90 days)",
    ),
    (
        {
            "related": "probe_sample.company",
            "measure": "max",
            "field": "day",
            "op": "lt",
            "value": {"days": -30},
        },
        "Samples: latest Day is more than 30 days ago",
    ),
    (
        FIGURE | {"measure": "share", "part": {"field": "active", "op": "eq", "value": True}, "value": "0.5"},
        f"Samples: share with “Active: yes” is at least 50{NBSP}%",
    ),
]


@pytest.mark.parametrize(
    ("rule", "words"), SAID_OF_COMPANIES, ids=[words for _rule, words in SAID_OF_COMPANIES]
)
def test_figures_and_segments_read_as_sentences(rule: dict[str, Any], words: str, edition: Edition) -> None:
    with use_locale("en"):
        assert describe(parse(rule, edition.entity("probe_company"), edition), edition) == words


def test_a_reference_without_its_name_shows_its_number(edition: Edition) -> None:
    node = parse({"field": "company", "op": "eq", "value": 17}, edition.entity("probe_sample"), edition)
    assert describe(node, edition) == "Company is #17"


def test_dates_are_said_in_the_language_of_the_reader(edition: Edition) -> None:
    node = parse({"field": "day", "op": "eq", "value": str(TODAY)}, edition.entity("probe_sample"), edition)
    with use_locale("ru"):
        assert "нояб" in describe(node, edition)
