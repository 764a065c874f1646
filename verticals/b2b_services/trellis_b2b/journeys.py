"""Journeys of accounts: a contract that is to be renewed."""

from __future__ import annotations

import trellis
from trellis import Branch, JourneyStep

from trellis_b2b.model import RELATIONS

_ = trellis.translator("trellis_b2b")

JOURNEYS = [
    trellis.Journey(
        name="b2b.renewal",
        title=_("Renewal of the contract"),
        description=_("From 90 days before the end: a mail, a talk about how it went, an offer in time"),
        cell=RELATIONS,
        entry="segment.b2b.renewal_90",
        again=180,
        goal={"field": "b2b.contract_until", "op": "gt", "value": {"days": 120}},
        goal_days=90,
        quiet_days=(5, 6),
        steps=(
            JourneyStep(
                kind="message",
                title=_("Shall we talk about the next year?"),
                template="b2b.renewal_mail_en",
                other="b2b.renewal_mail_ru",
            ),
            JourneyStep(kind="wait", days=7, weekdays=(1, 2, 3)),
            JourneyStep(
                kind="task",
                subject=_("Talk about how the contract went"),
                text=_("What worked, what did not, what they plan. Bring the service report."),
                days=5,
            ),
            JourneyStep(kind="wait", days=23),
            JourneyStep(
                kind="split",
                title=_("Strategic account?"),
                branches=[
                    Branch(
                        title=_("Strategic accounts"),
                        rule={"field": "b2b.account_tier", "op": "eq", "value": "strategic"},
                        steps=[
                            JourneyStep(
                                kind="task",
                                subject=_("Renewal: a meeting with the sales director"),
                                to="role:manager",
                                days=7,
                            )
                        ],
                    )
                ],
                otherwise=[JourneyStep(kind="task", subject=_("Send the offer for the renewal"), days=5)],
            ),
        ),
    )
]
