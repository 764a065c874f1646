"""What a bank's people say to customers: needs, a deposit that matures, a payment that is late."""

from __future__ import annotations

import trellis
from trellis import ScriptAnswer, ScriptObjection, ScriptOutcome, ScriptResult, ScriptStep

from trellis_banking.model import SCRIPTS

_ = trellis.translator("trellis_banking")

_YES, _NO = _("Yes"), _("No")

_NEEDS = trellis.Script(
    name="banking.needs",
    title=_("What does the customer need?"),
    description=_("From plans and circumstances to three offers that fit"),
    cell=SCRIPTS,
    entities=("customer",),
    outcomes=(
        ScriptOutcome(key="application", title=_("Application begun"), result=ScriptResult.GOOD),
        ScriptOutcome(key="later", title=_("Decides later")),
        ScriptOutcome(key="none", title=_("Needs nothing now"), result=ScriptResult.BAD),
    ),
    objections=(
        ScriptObjection(
            key="other_bank",
            title=_("I have all that at another bank"),
            reply=_("Then let us compare the full cost of one year; if yours is better, I say so."),
        ),
        ScriptObjection(
            key="time",
            title=_("I have no time"),
            reply=_("Three questions, two minutes. Or I call you: which hour suits?"),
        ),
    ),
    steps=(
        ScriptStep(
            key="plans",
            say=_("{record.name}, what are you planning for the next year or two?"),
            hint=_("Identify the customer first"),
            answers=(
                ScriptAnswer(key="home", title=_("A home"), to="home"),
                ScriptAnswer(key="large", title=_("A car or something large"), to="large"),
                ScriptAnswer(key="save", title=_("To put money aside"), to="save"),
                ScriptAnswer(key="nothing", title=_("Nothing in particular"), to="daily"),
            ),
        ),
        ScriptStep(
            key="home",
            say=_("How much of the price do you have already, and what could you pay each month?"),
            answers=(
                ScriptAnswer(key="fifth", title=_("A fifth or more"), to="income"),
                ScriptAnswer(key="less", title=_("Less"), to="save"),
            ),
        ),
        ScriptStep(
            key="large",
            say=_("When do you need it, and what would be a comfortable monthly payment?"),
            answers=(
                ScriptAnswer(key="soon", title=_("Within three months"), to="income"),
                ScriptAnswer(key="later", title=_("Later"), to="save"),
            ),
        ),
        ScriptStep(
            key="income",
            say=_("So that I show you only what fits: where would you place the income of your household?"),
            answers=tuple(
                ScriptAnswer(key=key, title=title, to="offer", fills="banking.income_band", value=key)
                for key, title in (
                    ("low", _("Low")),
                    ("middle", _("Middle")),
                    ("upper", _("Upper middle")),
                    ("high", _("High")),
                )
            ),
        ),
        ScriptStep(
            key="save",
            say=_("May the money be tied up for a year, or do you want to reach it at any time?"),
            answers=(
                ScriptAnswer(key="year", title=_("For a year"), to="offer"),
                ScriptAnswer(key="any", title=_("At any time"), to="offer"),
            ),
        ),
        ScriptStep(
            key="daily",
            say=_("Is your salary paid to an account with us?"),
            answers=(
                ScriptAnswer(key="yes", title=_YES, outcome="none", fills="banking.salary_here", value=True),
                ScriptAnswer(key="no", title=_NO, to="salary", fills="banking.salary_here", value=False),
            ),
        ),
        ScriptStep(
            key="salary",
            say=_(
                "With the salary here the account costs nothing. Shall I prepare the letter to your employer?"
            ),
            answers=(
                ScriptAnswer(
                    key="yes",
                    title=_YES,
                    to="offer",
                    fills="banking.employer",
                    asks=_("Employer"),
                ),
                ScriptAnswer(key="no", title=_NO, outcome="none"),
            ),
        ),
        ScriptStep(
            key="offer",
            say=_("Here are the three offers that fit, each with its full cost. Which one suits you?"),
            answers=(
                ScriptAnswer(key="take", title=_("I take it"), outcome="application"),
                ScriptAnswer(
                    key="think", title=_("I have to think"), outcome="later", asks=_("When to call")
                ),
                ScriptAnswer(key="none", title=_("None"), outcome="none", asks=_("Why not")),
            ),
            objections=(
                ScriptObjection(
                    key="dear",
                    title=_("That is too dear"),
                    reply=_("Let us look at what makes it dear: the term, the insurance, or the amount?"),
                ),
            ),
        ),
    ),
)

_RENEWAL = trellis.Script(
    name="banking.renewal",
    title=_("A deposit that matures"),
    description=_("Two weeks before its end: keep the money here, in whole or in part"),
    cell=SCRIPTS,
    entities=("banking.deposit",),
    outcomes=(
        ScriptOutcome(key="renewed", title=_("Renewed"), result=ScriptResult.GOOD),
        ScriptOutcome(key="part", title=_("Renewed in part"), result=ScriptResult.GOOD),
        ScriptOutcome(key="leaves", title=_("Money leaves"), result=ScriptResult.BAD),
    ),
    steps=(
        ScriptStep(
            key="news",
            say=_(
                "{record.customer.name}, your deposit of {record.amount} ends in the coming weeks. What do you plan to do "
                "with the money?"
            ),
            answers=(
                ScriptAnswer(key="leave", title=_("Leave it here"), to="renew"),
                ScriptAnswer(key="need", title=_("I need it"), to="part"),
                ScriptAnswer(
                    key="rate", title=_("Another bank pays more"), to="rate", asks=_("Rate and bank")
                ),
            ),
        ),
        ScriptStep(
            key="renew",
            say=_("For the same term again, or a longer one with a higher rate?"),
            answers=(
                ScriptAnswer(key="same", title=_("The same"), outcome="renewed"),
                ScriptAnswer(key="longer", title=_("Longer"), outcome="renewed"),
            ),
        ),
        ScriptStep(
            key="part",
            say=_("All of it? You can renew a part and keep the rest within reach on a savings account."),
            answers=(
                ScriptAnswer(key="part", title=_("A part"), outcome="part", asks=_("How much stays")),
                ScriptAnswer(key="all", title=_("All of it"), outcome="leaves"),
            ),
        ),
        ScriptStep(
            key="rate",
            say=_("For what term and from what amount? I check what I may offer you."),
            hint=_("Your mandate: up to a quarter of a point above the list"),
            answers=(
                ScriptAnswer(key="match", title=_("We can match it"), outcome="renewed"),
                ScriptAnswer(key="cannot", title=_("We cannot"), to="part"),
            ),
            objections=(
                ScriptObjection(
                    key="insured",
                    title=_("Is it insured there too?"),
                    reply=_(
                        "Up to the legal limit, at each bank. Ask there for the rate after the first months."
                    ),
                ),
            ),
        ),
    ),
)

_REMINDER = trellis.Script(
    name="banking.reminder",
    title=_("A payment that is late, days 1 to 30"),
    description=_("A reminder in allowed words: identify, state, agree on a day or a new plan"),
    cell=SCRIPTS,
    entities=("banking.loan",),
    outcomes=(
        ScriptOutcome(key="promise", title=_("Day and amount agreed"), result=ScriptResult.GOOD),
        ScriptOutcome(key="plan", title=_("New plan wanted")),
        ScriptOutcome(key="paid", title=_("Says it is paid")),
        ScriptOutcome(key="unreached", title=_("Not reached"), result=ScriptResult.BAD),
    ),
    objections=(
        ScriptObjection(
            key="threat",
            title=_("Are you threatening me?"),
            reply=_("No. I call so that no further cost arises, and to find a way that you can keep to."),
        ),
    ),
    steps=(
        ScriptStep(
            key="identify",
            say=_("Good day, am I speaking to {record.customer.name}?"),
            hint=_("Say nothing of the loan to anybody else"),
            answers=(
                ScriptAnswer(key="yes", title=_YES, to="fact"),
                ScriptAnswer(key="no", title=_NO, to="again"),
            ),
        ),
        ScriptStep(
            key="fact",
            say=_("This month's payment has not reached us. Is that an oversight?"),
            answers=(
                ScriptAnswer(key="forgotten", title=_("Forgotten"), to="date"),
                ScriptAnswer(key="short", title=_("Money is short"), to="reason"),
                ScriptAnswer(key="paid", title=_("It was paid"), outcome="paid", asks=_("When and how")),
            ),
        ),
        ScriptStep(
            key="reason",
            say=_("What has changed: income, health, work? For one month or for longer?"),
            answers=(
                ScriptAnswer(key="month", title=_("One month"), to="date"),
                ScriptAnswer(key="longer", title=_("Longer"), to="plan"),
            ),
        ),
        ScriptStep(
            key="date",
            say=_("On what day will you pay, and what amount? I note both."),
            answers=(
                ScriptAnswer(key="day", title=_("Agreed"), outcome="promise", asks=_("Day and amount")),
                ScriptAnswer(key="cannot", title=_("Cannot say"), to="plan"),
            ),
        ),
        ScriptStep(
            key="plan",
            say=_(
                "Then let us change the plan before it grows: a longer term, or interest only for some months."
            ),
            answers=(
                ScriptAnswer(key="yes", title=_YES, outcome="plan"),
                ScriptAnswer(key="pay", title=_("Rather pays after all"), to="date"),
            ),
        ),
        ScriptStep(
            key="again",
            say=_("When do I reach them? It is about a matter of theirs with the bank."),
            answers=(
                ScriptAnswer(key="time", title=_("Says a time"), outcome="unreached", asks=_("When to call")),
                ScriptAnswer(key="unknown", title=_("Does not know"), outcome="unreached"),
            ),
        ),
    ),
)

SCRIPT_LIST = [_NEEDS, _RENEWAL, _REMINDER]
