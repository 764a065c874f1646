"""What account managers and the service desk say: discovery, renewal, an incident."""

from __future__ import annotations

import trellis
from trellis import ScriptAnswer, ScriptObjection, ScriptOutcome, ScriptResult, ScriptStep

from trellis_b2b.model import SCRIPTS

_ = trellis.translator("trellis_b2b")

_YES, _NO = _("Yes"), _("No")

_DISCOVERY = trellis.Script(
    name="b2b.discovery",
    title=_("Discovery call (SPIN)"),
    description=_(
        "Situation, problem, what it costs, what a solution is worth; then a next step with a date"
    ),
    cell=SCRIPTS,
    entities=("opportunity", "lead"),
    outcomes=(
        ScriptOutcome(key="meeting", title=_("Next step with a date"), result=ScriptResult.GOOD),
        ScriptOutcome(key="nurture", title=_("No need yet")),
        ScriptOutcome(key="out", title=_("Does not fit"), result=ScriptResult.BAD),
    ),
    objections=(
        ScriptObjection(
            key="offer",
            title=_("Just send an offer"),
            reply=_(
                "Gladly, and a good one. For that I need ten minutes: what should be different in a year?"
            ),
        ),
        ScriptObjection(
            key="supplier",
            title=_("We have somebody for that"),
            reply=_("Good. What do they do best, and what would you like to be different?"),
        ),
        ScriptObjection(
            key="dear",
            title=_("You are dearer than others"),
            reply=_("By the hour, yes. Let us reckon with what the problem costs you in a year."),
        ),
    ),
    steps=(
        ScriptStep(
            key="situation",
            say=_("“{record.name}”: how do you do this today, with how many people, and since when?"),
            answers=(
                ScriptAnswer(
                    key="told", title=_("Describes it"), to="problem", asks=_("How it is done today")
                ),
                ScriptAnswer(key="wrong", title=_("Is not the one to ask"), to="who"),
            ),
        ),
        ScriptStep(
            key="who",
            say=_("Who decides on such things with you, and who else has a say?"),
            answers=(
                ScriptAnswer(key="name", title=_("Gives a name"), to="problem", asks=_("Who decides")),
                ScriptAnswer(key="silent", title=_("Does not say"), outcome="out"),
            ),
        ),
        ScriptStep(
            key="problem",
            say=_("What is the hardest part of it? Where does it go wrong?"),
            answers=(
                ScriptAnswer(key="late", title=_("It takes too long"), to="implication"),
                ScriptAnswer(key="errors", title=_("Errors"), to="implication"),
                ScriptAnswer(key="people", title=_("People are missing"), to="implication"),
                ScriptAnswer(key="none", title=_("All is well"), outcome="nurture"),
            ),
        ),
        ScriptStep(
            key="implication",
            say=_("What does that cost you in a year, in money or in days?"),
            hint=_("Reckon it together; the number should be theirs"),
            answers=(
                ScriptAnswer(key="number", title=_("A number"), to="need", asks=_("Cost of doing nothing")),
                ScriptAnswer(key="little", title=_("Hardly anything"), outcome="nurture"),
            ),
        ),
        ScriptStep(
            key="need",
            say=_("If that were solved, what would you have of it? And what may the solution cost?"),
            answers=(
                ScriptAnswer(
                    key="budget", title=_("There is a budget"), to="next", fills="amount", asks=_("Budget")
                ),
                ScriptAnswer(key="no_budget", title=_("No budget yet"), to="next"),
            ),
        ),
        ScriptStep(
            key="next",
            say=_("Then I suggest a workshop with those concerned. Which day suits?"),
            answers=(
                ScriptAnswer(
                    key="date",
                    title=_("A day"),
                    outcome="meeting",
                    fills="next_step_on",
                    asks=_("Day of the next step"),
                ),
                ScriptAnswer(key="later", title=_("Next quarter"), outcome="nurture"),
                ScriptAnswer(key="no", title=_NO, outcome="out"),
            ),
        ),
    ),
)

_RENEWAL = trellis.Script(
    name="b2b.renewal",
    title=_("Renewal call"),
    description=_("Ninety days before the end: results, satisfaction, plans, and a day for the proposal"),
    cell=SCRIPTS,
    entities=("customer",),
    outcomes=(
        ScriptOutcome(key="renews", title=_("Renews"), result=ScriptResult.GOOD),
        ScriptOutcome(key="grows", title=_("Renews and extends"), result=ScriptResult.GOOD),
        ScriptOutcome(key="escalated", title=_("Partner takes over")),
        ScriptOutcome(key="leaves", title=_("Does not renew"), result=ScriptResult.BAD),
    ),
    objections=(
        ScriptObjection(
            key="price",
            title=_("The price must come down"),
            reply=_("Let us look at the scope first: what do you use less than we thought?"),
        ),
    ),
    steps=(
        ScriptStep(
            key="results",
            say=_(
                "The contract with {record.name} runs until {record.b2b.contract_until}. Did you get what we agreed on?"
            ),
            answers=(
                ScriptAnswer(key="yes", title=_YES, to="satisfied"),
                ScriptAnswer(key="partly", title=_("In part"), to="satisfied", asks=_("What was missing")),
                ScriptAnswer(key="no", title=_NO, to="rescue", asks=_("What went wrong")),
            ),
        ),
        ScriptStep(
            key="satisfied",
            say=_("From 0 to 10: would you recommend us to a colleague, and why?"),
            answers=(
                ScriptAnswer(key="high", title=_("9 or 10"), to="plans", fills="b2b.health", value=90),
                ScriptAnswer(key="middle", title=_("7 or 8"), to="plans", fills="b2b.health", value=70),
                ScriptAnswer(key="low", title=_("6 or less"), to="rescue", fills="b2b.health", value=40),
            ),
        ),
        ScriptStep(
            key="plans",
            say=_("What are your plans for the next period? Where will it be tight?"),
            answers=(
                ScriptAnswer(
                    key="more", title=_("More than now"), outcome="grows", asks=_("What comes on top")
                ),
                ScriptAnswer(key="same", title=_("The same"), outcome="renews"),
                ScriptAnswer(key="less", title=_("Less"), to="rescue"),
            ),
        ),
        ScriptStep(
            key="rescue",
            say=_("Thank you for being open. May our partner come to see you this week?"),
            answers=(
                ScriptAnswer(key="yes", title=_YES, outcome="escalated"),
                ScriptAnswer(key="no", title=_NO, outcome="leaves"),
            ),
        ),
    ),
)

_INCIDENT = trellis.Script(
    name="b2b.incident",
    title=_("Incident call"),
    description=_("What is down, for whom, since when; then the priority and what happens next"),
    cell=SCRIPTS,
    entities=("case",),
    outcomes=(
        ScriptOutcome(key="solved", title=_("Solved on the telephone"), result=ScriptResult.GOOD),
        ScriptOutcome(key="started", title=_("In work, next report agreed")),
        ScriptOutcome(key="nothing", title=_("No incident")),
    ),
    steps=(
        ScriptStep(
            key="what",
            say=_("What does not work, and since when?"),
            answers=(
                ScriptAnswer(key="down", title=_("Nothing works"), to="many", fills="urgency", value="high"),
                ScriptAnswer(
                    key="slow", title=_("It works, but badly"), to="many", fills="urgency", value="medium"
                ),
                ScriptAnswer(
                    key="wish",
                    title=_("A question or a wish"),
                    outcome="nothing",
                    fills="kind",
                    value="request",
                ),
            ),
        ),
        ScriptStep(
            key="many",
            say=_("Who is affected: you, your team, or everybody?"),
            answers=(
                ScriptAnswer(key="all", title=_("Everybody"), to="try", fills="impact", value="high"),
                ScriptAnswer(key="team", title=_("A team"), to="try", fills="impact", value="medium"),
                ScriptAnswer(key="one", title=_("One person"), to="try", fills="impact", value="low"),
            ),
        ),
        ScriptStep(
            key="try",
            say=_("Let us try two things together; it takes three minutes."),
            hint=_("Sign in anew; another browser. Do not let them wait in silence"),
            answers=(
                ScriptAnswer(key="helped", title=_("That helped"), outcome="solved"),
                ScriptAnswer(key="not", title=_("It did not help"), to="report"),
            ),
            objections=(
                ScriptObjection(
                    key="done",
                    title=_("I have tried all that already"),
                    reply=_("Then you have saved us time. I pass it on as tried."),
                ),
            ),
        ),
        ScriptStep(
            key="report",
            say=_(
                "A specialist takes it now. How shall we reach you, and how often do you want to hear from us?"
            ),
            answers=(
                ScriptAnswer(key="agreed", title=_("Agreed"), outcome="started", asks=_("How and how often")),
            ),
        ),
    ),
)

SCRIPT_LIST = [_DISCOVERY, _RENEWAL, _INCIDENT]
