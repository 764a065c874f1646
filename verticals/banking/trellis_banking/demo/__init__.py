"""The demo: a bank with its branches, people, customers and a year of facts."""

from __future__ import annotations

import trellis

from trellis_banking.demo import bank as banks
from trellis_banking.demo import holdings, work
from trellis_banking.demo.customers import customers
from trellis_banking.model import SALES

_ = trellis.translator("trellis_banking")


AGREEMENTS = (
    _("Premium service"),
    _("Safe deposit box"),
    _("Brokerage service"),
)
CASES = (
    ("incident", _("The card was declined abroad")),
    ("incident", _("Mobile bank does not accept the code")),
    ("incident", _("A payment went out twice")),
    ("complaint", _("A fee that was not agreed")),
    ("complaint", _("Waited an hour in the branch")),
    ("question", _("What does early repayment cost?")),
    ("request", _("A statement with a stamp")),
    ("request", _("A new limit for the card")),
    ("request", _("Change of the family name")),
)
KNOWN = (
    (
        _("The card was declined abroad"),
        _(
            "Look at the limit and at the countries that are open; open the country for the days of the journey."
        ),
    ),
    (
        _("What does early repayment cost?"),
        _(
            "Nothing in the last year, before that 1 % of what is repaid; send the reckoning for the day that is wished."
        ),
    ),
    (
        _("Mobile bank does not accept the code"),
        _("Compare the time of the telephone, then take the device off and sign it in again."),
    ),
)


TALKS = (
    ("banking.needs", "customer", 130),
    ("banking.renewal", "banking.deposit", 60),
    ("banking.reminder", "banking.loan", 45),
)
"""Scripts, beside which records, and how many conversations there were."""


def load(context: trellis.DemoContext) -> None:
    """Writes the bank. All of it is made up, and the same for the same seed and day."""
    bank = banks.found(context)
    people = customers(bank)
    accounts = holdings.holdings(bank, people)
    applications = work.applications(bank, people, accounts)
    holdings.terms(bank, accounts, applications)
    holdings.months(bank, accounts)
    work.reviews(bank, people)
    work.leads(bank)
    work.activities(bank, people)
    banks.plan(bank)
    context.survey([one.id for one in people])
    context.agreements([one.id for one in people][::8], AGREEMENTS, 300)
    context.cases([one.id for one in people], CASES, KNOWN)
    for script, entity, number in TALKS:
        context.talk(script, entity, number)
    banks.bonus(bank)
    work.courses(bank, people)
    context.journey("banking.maturity", [one.id for one in people][::3], (0.34, 0.22))


DEMOS = [
    trellis.Demo(
        name="banking.bank",
        title=_("A bank with branches"),
        description=_(
            "Customers with accounts, deposits and loans, applications on their way, a year of margins"
        ),
        cell=SALES,
        load=load,
        workspace="bank",
        company="Alpen Bank",
        timezone="Europe/Vienna",
    )
]
