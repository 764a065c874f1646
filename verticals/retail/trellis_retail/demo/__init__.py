"""The demo: Linen & Oak, a retailer of home goods with stores in several countries and an online shop."""

from __future__ import annotations

import trellis

from trellis_retail.demo import desk, goods, people, places, purchases

_ = trellis.translator("trellis_retail")


CASES = (
    ("complaint", _("The glass arrived broken")),
    ("complaint", _("The sofa has a scratch")),
    ("complaint", _("The parcel came a week late")),
    ("question", _("When is the duvet back in store?")),
    ("question", _("Can points be used online?")),
    ("request", _("Please change the delivery address")),
    ("request", _("A spare part for the shelf")),
    ("incident", _("The loyalty card is not read at the till")),
    ("incident", _("Paying in the shop failed, the money is gone")),
)
KNOWN = (
    (
        _("Can points be used online?"),
        _(
            "Yes: in the basket choose “Pay with points”. One point is one cent; at most half of the amount is paid so."
        ),
    ),
    (
        _("The loyalty card is not read at the till"),
        _("Find the customer by telephone, give the points by hand, and have the card printed again."),
    ),
    (
        _("The glass arrived broken"),
        _(
            "Ask for a picture of the parcel, send a new one at once, and write the loss down for the carrier."
        ),
    ),
)


TALKS = (
    ("retail.loyalty_signup", "customer", 140),
    ("retail.win_back", "customer", 90),
    ("retail.damaged_item", "retail.return", 40),
    ("retail.damaged_item", "case", 25),
)
"""Scripts, beside which records, and how many conversations there were."""


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
    context.cases([one.id for one in buyers], CASES, KNOWN)
    desk.courses(context, buyers)
    desk.approvals(context, shelves)
    for script, entity, number in TALKS:
        context.talk(script, entity, number)
    ids = [one.id for one in buyers]
    context.journey("retail.win_back", ids[::3], (0.24, 0.1))
    context.journey("retail.second_purchase", ids[1::4], (0.3, 0.2))


DEMO = trellis.Demo(
    name="retail.linen_and_oak",
    title=_("Linen & Oak"),
    load=load,
    workspace="retail",
    company="Linen & Oak",
    timezone="Europe/Prague",
)
