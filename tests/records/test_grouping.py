"""Groups of a list: every record in one of them, the same that its filter finds, in the order people expect."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from probe import COLOURS
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session
from trellis.contributions import Grant, Scope
from trellis.edition import Edition
from trellis.errors import RuleInvalid
from trellis.records.grouping import first_ids, grouping, groups
from trellis.records.query import ListQuery
from trellis.records.totals import group_totals, totals
from trellis.security.actor import SYSTEM, Actor

FIELDS = [
    "name",
    "email",
    "active",
    "colour",
    "company",
    "keeper",
    "owner",
    "probe.code",
    "probe.vip",
    "probe.shade",
]
UNITS = {
    "day": "year",
    "moment": "week",
    "created_at": "day",
    "probe.since": "quarter",
    "probe.seen": "month",
}
BY = [*FIELDS, "probe.partner", *(f"{name}:{unit}" for name, unit in UNITS.items()), "day:week", "moment:day"]
LIMITED = Actor(
    user_id=1,
    units=(1,),
    grants={
        "probe_sample": Grant("probe_sample", read=Scope.ALL),
        "probe_company": Grant("probe_company", read=Scope.OWN),
    },
)
RULE = {"field": "size", "op": "gt", "value": 0}
EVERY = 1000


def samples(edition: Edition, actor: Actor = SYSTEM, **options: Any) -> ListQuery:
    return ListQuery(edition.entity("probe_sample"), edition, actor, **options)


@pytest.mark.parametrize("actor", [SYSTEM, LIMITED], ids=["all", "limited"])
def test_a_group_is_what_its_filter_finds(filled: Engine, edition: Edition, actor: Actor) -> None:
    view = edition.entity("probe_sample")
    with Session(filled) as session:
        whole = totals(session, samples(edition, actor, rule=RULE), ["price"], "EUR")
        for name in BY:
            by = grouping(name, view)
            query = samples(edition, actor, rule=RULE, sort=["-weight"])
            found = groups(session, query, by, EVERY)
            assert found.total == len(found.items) > 0, name
            assert sum(one.count for one in found.items) == query.count(session), name
            keys = [one.key for one in found.items]
            firsts = first_ids(session, query, by, keys, 2)
            sums = group_totals(session, query, by, keys, ["price"], "EUR")
            assert sum(one.sum for of_group in sums.values() for one in of_group) == whole[0].sum, name
            for one in found.items[:3] + found.items[-2:]:
                both = {"all": [RULE, by.rule(one.key)]}
                same = samples(edition, actor, rule=both, sort=["-weight"], limit=2)
                assert same.count(session) == one.count, (name, one)
                assert [record.id for record in same.page(session).items] == firsts[one.key], (name, one)
                assert [total.sum for total in totals(session, same, ["price"], "EUR")] == [
                    total.sum for total in sums[one.key]
                ]


def test_groups_stand_in_the_order_people_expect(filled: Engine, edition: Edition) -> None:
    view = edition.entity("probe_sample")

    def keys(name: str, limit: int = EVERY, offset: int = 0) -> list[Any]:
        return [
            one.key for one in groups(session, samples(edition), grouping(name, view), limit, offset).items
        ]

    with Session(filled) as session:
        assert keys("colour") == [*(one.value for one in COLOURS.options), None]
        assert keys("active") == [True, False, None]
        *months, empty = keys("day")
        assert empty is None
        assert all(later > earlier and later.day == 1 for later, earlier in pairwise(months))
        assert keys("day", 2, 1) == months[1:3]
        *titles, last = [
            one.title for one in groups(session, samples(edition), grouping("company", view), EVERY).items
        ]
        assert titles == sorted(titles)
        assert last == ""


@pytest.mark.parametrize("name", ["nothing", "size", "note", "paper", "colour:month", "day:decade"])
def test_what_cannot_be_grouped_by_says_why(edition: Edition, name: str) -> None:
    with pytest.raises(RuleInvalid) as caught:
        grouping(name, edition.entity("probe_sample"))
    assert caught.value.path == "group"
