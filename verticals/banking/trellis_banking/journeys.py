"""Journeys of bank customers: a deposit that matures."""

from __future__ import annotations

import trellis
from trellis import Branch, JourneyStep

from trellis_banking.model import RELATIONS

_ = trellis.translator("trellis_banking")

JOURNEYS = [
    trellis.Journey(
        name="banking.maturity",
        title=_("Deposit that matures"),
        description=_(
            "A month before the end the customer hears what can be done with the money, then again; affluent ones are called"
        ),
        cell=RELATIONS,
        entry="segment.banking.maturing",
        again=60,
        goal="banking.deposit.created",
        goal_days=45,
        control=10,
        quiet_days=(5, 6),
        steps=(
            JourneyStep(
                kind="message",
                title=_("What can be done with the money"),
                template="banking.maturity_mail_en",
                other="banking.maturity_mail_ru",
            ),
            JourneyStep(kind="wait", days=16),
            JourneyStep(
                kind="split",
                title=_("Who is called?"),
                branches=[
                    Branch(
                        title=_("Affluent and private"),
                        rule={"field": "banking.segment", "op": "in", "value": ["affluent", "private"]},
                        steps=[
                            JourneyStep(
                                kind="task",
                                act="call",
                                subject=_("Renewal of the deposit"),
                                text=_("It matures in two weeks. Offer the terms of the day, and a talk."),
                                days=3,
                            )
                        ],
                    )
                ],
                otherwise=[
                    JourneyStep(
                        kind="message",
                        title=_("The same once more"),
                        template="banking.maturity_mail_en",
                        other="banking.maturity_mail_ru",
                    )
                ],
            ),
            JourneyStep(kind="wait", days=11),
            JourneyStep(kind="task", subject=_("The deposit matures in three days"), to="role:agent", days=2),
        ),
    )
]
