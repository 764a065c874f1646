"""Journeys of buyers: winning back whom the shop is about to lose, and the way from the first purchase to the second."""

from __future__ import annotations

from typing import Any

import trellis
from trellis import Branch, JourneyStep

from trellis_retail.model import RELATIONS

_ = trellis.translator("trellis_retail")


def _mail(name: str, title: Any) -> JourneyStep:
    return JourneyStep(kind="message", title=title, template=f"retail.{name}_en", other=f"retail.{name}_ru")


JOURNEYS = [
    trellis.Journey(
        name="retail.win_back",
        title=_("Win back"),
        description=_(
            "Who came often and has stopped gets an offer; the best customers among those who do not come are called"
        ),
        cell=RELATIONS,
        entry="segment.retail.at_risk",
        again=180,
        goal="order.created",
        goal_days=30,
        control=10,
        quiet_days=(6,),
        steps=(
            _mail("win_back_mail", _("We miss you")),
            JourneyStep(kind="wait", days=7),
            JourneyStep(
                kind="split",
                title=_("Top tier?"),
                branches=[
                    Branch(
                        title=_("Top tier"),
                        rule={"field": "tier", "op": "in", "value": ["top", "large"]},
                        steps=[
                            JourneyStep(
                                kind="task",
                                act="call",
                                subject=_("Win-back call"),
                                text=_(
                                    "They got our offer a week ago and have not come. Ask what keeps them away."
                                ),
                                days=2,
                            )
                        ],
                    )
                ],
                otherwise=[JourneyStep(kind="leave")],
            ),
        ),
    ),
    trellis.Journey(
        name="retail.second_purchase",
        title=_("Welcome and second purchase"),
        description=_(
            "Thanks for the first purchase, then a reason to come again before two months are over"
        ),
        cell=RELATIONS,
        entry="segment.retail.new",
        goal="order.created",
        goal_days=60,
        control=10,
        steps=(
            JourneyStep(kind="wait", days=1, at="10:00"),
            _mail("welcome_mail", _("Thanks and the loyalty card")),
            JourneyStep(kind="wait", days=20),
            JourneyStep(
                kind="random",
                title=_("Which words work?"),
                branches=[
                    Branch(title=_("Offer"), share=50, steps=[_mail("offer_mail", _("An offer"))]),
                    Branch(
                        title=_("Invitation"),
                        share=50,
                        steps=[_mail("invitation_mail", _("An invitation to the store"))],
                    ),
                ],
            ),
            JourneyStep(kind="wait", days=14),
        ),
    ),
]
