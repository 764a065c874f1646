"""The demo: Linen & Oak, a retailer of home goods with stores in several countries and an online shop."""

from __future__ import annotations

import trellis

from trellis_retail.demo import desk, goods, people, places, purchases

_ = trellis.translator("trellis_retail")


def load(context: trellis.DemoContext) -> None:
    """Writes the whole company: places, goods, people, two years of receipts, and what staff work on."""
    sites = places.make(context)
    shelves = goods.make(context)
    buyers = people.make(context, sites, shelves)
    receipts, ids = purchases.make(context, buyers, sites, shelves)
    desk.promotions(context, shelves)
    desk.returns(context, buyers, receipts, ids)
    desk.activities(context, buyers)
    desk.projects(context, buyers)
    desk.plans(context, receipts)
    people.club(context)
    context.survey([one.id for one in buyers])
    desk.courses(context, buyers)


DEMO = trellis.Demo(
    name="retail.linen_and_oak",
    title=_("Linen & Oak"),
    load=load,
    workspace="retail",
    company="Linen & Oak",
    timezone="Europe/Prague",
)
