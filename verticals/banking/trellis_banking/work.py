"""What a bank's people are given for their work: instructions, conversation scripts, letters, channels, ways in."""

from __future__ import annotations

from pathlib import Path

import trellis
from trellis import Direction, Level, ScriptStep

from trellis_banking.model import CHANNELS, CONTACTS, CONTROL, DOCUMENTS, FUNNEL, INSTRUCTIONS, SCRIPTS

_ = trellis.translator("trellis_banking")

FOLDER = Path(__file__).parent / "documents"

INSTRUCTION_LIST = [
    trellis.Instruction(
        name="banking.identify",
        title=_("Identify a customer"),
        cell=INSTRUCTIONS,
        entity="customer",
        body=_(
            "1. Ask for an identity card or a passport and compare the photo with the person.\n"
            "2. Check that the document is valid and enter its number, issuer and date.\n"
            "3. On the phone: full name, day of birth and two answers that only the customer knows. Never the whole "
            "account number.\n"
            "4. In doubt: stop, say that you will call back on the number we know, and tell compliance."
        ),
    ),
    trellis.Instruction(
        name="banking.four_eyes",
        title=_("The four-eyes rule"),
        cell=INSTRUCTIONS,
        entity="banking.application",
        body=_(
            "Who takes an application does not decide on it from an amount of 50 000 on. Trellis refuses the move to "
            "“Contract” to the owner of the application; a credit analyst or the head of the branch makes it. "
            "Splitting an application to stay under the limit is a breach of duty."
        ),
    ),
    trellis.Instruction(
        name="banking.bank_secrecy",
        title=_("Bank secrecy"),
        cell=INSTRUCTIONS,
        entity="banking.account",
        body=_(
            "- Say nothing about an account to anyone but its holder: not to spouses, employers or colleagues who do "
            "not need it.\n"
            "- A request of an authority goes to compliance, unanswered.\n"
            "- Names and amounts leave the bank by no mail, messenger or paper that is not sealed.\n"
            "- Each look into the record of a customer you do not serve must have a reason."
        ),
    ),
    trellis.Instruction(
        name="banking.complaints",
        title=_("Deadlines of complaints"),
        cell=INSTRUCTIONS,
        entity="customer",
        body=_(
            "- Confirm on the same day, in writing.\n"
            "- Answer payment complaints within 15 working days, all others within 30.\n"
            "- If it takes longer, say so before the deadline, with the reason and a new day.\n"
            "- The answer names the decision, the ground and where the customer can go next."
        ),
    ),
]

SCRIPT_LIST = [
    trellis.Script(
        name="banking.needs",
        title=_("What does the customer need?"),
        cell=SCRIPTS,
        entities=("customer",),
        steps=(
            ScriptStep(
                key="plans",
                say=_("What are you planning for the next year or two?"),
                answers={
                    _("A home"): "home",
                    _("A car or something large"): "large",
                    _("To put money aside"): "save",
                    _("Nothing in particular"): "daily",
                },
            ),
            ScriptStep(
                key="home",
                say=_("How much of the price do you have already, and what could you pay each month?"),
                answers={_("A fifth or more"): "offer", _("Less"): "save"},
            ),
            ScriptStep(
                key="large",
                say=_("When do you need it, and what would be a comfortable monthly payment?"),
                answers={_("Within three months"): "offer", _("Later"): "save"},
            ),
            ScriptStep(
                key="save",
                say=_("May the money be tied up for a year, or do you want to reach it at any time?"),
                answers={_("For a year"): "offer", _("At any time"): "offer"},
            ),
            ScriptStep(
                key="daily",
                say=_("Is your salary paid to an account with us?"),
                answers={_("Yes"): "thanks", _("No"): "salary"},
                fills="banking.salary_here",
            ),
            ScriptStep(
                key="salary",
                say=_(
                    "With the salary here the account costs nothing. Shall I prepare the letter to your employer?"
                ),
                answers={_("Yes"): "offer", _("No"): "thanks"},
            ),
            ScriptStep(
                key="offer",
                say=_("Here are the three offers that fit, each with its full cost. Which one suits you?"),
                answers={_("I take it"): "apply", _("I have to think"): "later", _("None"): "thanks"},
            ),
            ScriptStep(
                key="apply", say=_("Good. I open the application now; we need your identity card for it.")
            ),
            ScriptStep(
                key="later", say=_("I send you the figures today and call in a week. Which day suits you?")
            ),
            ScriptStep(
                key="thanks", say=_("Thank you for your time. You reach me directly under this number.")
            ),
        ),
    ),
    trellis.Script(
        name="banking.renewal",
        title=_("A deposit that matures"),
        cell=SCRIPTS,
        entities=("banking.deposit", "customer"),
        steps=(
            ScriptStep(
                key="news",
                say=_("Your deposit ends in the coming weeks. What do you plan to do with the money?"),
                answers={
                    _("Leave it here"): "renew",
                    _("I need it"): "part",
                    _("Another bank pays more"): "rate",
                },
            ),
            ScriptStep(
                key="renew",
                say=_("For the same term again, or a longer one with a higher rate?"),
                answers={_("The same"): "confirm", _("Longer"): "confirm"},
            ),
            ScriptStep(
                key="part",
                say=_("All of it? You can renew a part and keep the rest within reach on a savings account."),
                answers={_("A part"): "confirm", _("All of it"): "close"},
            ),
            ScriptStep(
                key="rate",
                say=_("What rate, for what term, and from what amount? I check what I may offer you."),
                answers={_("We can match it"): "confirm", _("We cannot"): "close"},
            ),
            ScriptStep(
                key="confirm",
                say=_("I write it down: amount, term and rate. You get it in writing today and sign online."),
            ),
            ScriptStep(
                key="close",
                say=_(
                    "The money is on your account on the day it matures. May I call you again in three months?"
                ),
            ),
        ),
    ),
    trellis.Script(
        name="banking.reminder",
        title=_("A payment that is late, days 1 to 30"),
        cell=SCRIPTS,
        entities=("banking.loan",),
        steps=(
            ScriptStep(
                key="identify",
                say=_("Am I speaking to the borrower? Say nothing of the loan to anybody else."),
                answers={_("Yes"): "fact", _("No"): "again"},
            ),
            ScriptStep(
                key="fact",
                say=_("This month's payment has not reached us. Is that an oversight?"),
                answers={_("Forgotten"): "date", _("Money is short"): "reason", _("It was paid"): "proof"},
            ),
            ScriptStep(
                key="reason",
                say=_("What has changed: income, health, work? For one month or for longer?"),
                answers={_("One month"): "date", _("Longer"): "plan"},
            ),
            ScriptStep(key="date", say=_("On what day will you pay, and what amount? I note both.")),
            ScriptStep(
                key="plan",
                say=_(
                    "Then let us change the plan before it grows: a longer term, or interest only for some months."
                ),
            ),
            ScriptStep(key="proof", say=_("Please send me the receipt; I look for the payment today.")),
            ScriptStep(
                key="again", say=_("When do I reach them? It is about a matter of theirs with the bank.")
            ),
        ),
    ),
]

TEMPLATE_LIST = [
    trellis.Template(
        name=f"banking.{name}_{language}",
        title=title,
        cell=DOCUMENTS,
        entity=entity,
        file=FOLDER / f"{name}.{language}.html",
        language=language,
    )
    for name, entity, titles in (
        (
            "maturity_letter",
            "banking.deposit",
            (_("Maturity letter, English"), _("Maturity letter, Russian")),
        ),
        (
            "refusal_letter",
            "banking.application",
            (_("Refusal letter, English"), _("Refusal letter, Russian")),
        ),
    )
    for language, title in zip(("en", "ru"), titles, strict=True)
]

TEMPLATE_LIST += [
    trellis.Template(
        name=f"banking.{name}_{language}",
        title=title,
        cell=DOCUMENTS,
        entity="customer",
        file=FOLDER / f"{name}.{language}.txt",
        language=language,
        subject=subject,
    )
    for name, language, title, subject in (
        (
            "appointment_mail",
            "en",
            _("Mail before an appointment, English"),
            "What to bring to our appointment",
        ),
        ("appointment_mail", "ru", _("Mail before an appointment, Russian"), "Что взять на встречу"),
        ("maturity_mail", "en", _("Mail before a deposit matures, English"), "Your deposit matures soon"),
        (
            "maturity_mail",
            "ru",
            _("Mail before a deposit matures, Russian"),
            "Срок вашего вклада скоро истекает",
        ),
    )
]

CHANNEL_LIST = [
    trellis.Channel(name="banking.branch", title=_("Branches"), cell=CHANNELS),
    trellis.Channel(name="banking.online", title=_("Online bank"), cell=CHANNELS),
    trellis.Channel(name="banking.partner", title=_("Partners"), cell=CHANNELS),
    trellis.Channel(name="banking.call_centre", title=_("Call centre"), cell=CONTACTS, kind="communication"),
    trellis.Channel(
        name="banking.message", title=_("Messages in the app"), cell=CONTACTS, kind="communication"
    ),
]

MENU = [
    trellis.MenuItem(
        name="banking.application_board",
        title=_("Board of applications"),
        cell=FUNNEL,
        path="banking.application/board",
        direction=Direction.SALES,
        level=Level.TACTICS,
        icon="square-kanban",
        entity="banking.application",
    ),
    trellis.MenuItem(
        name="banking.credit",
        title=_("Credit"),
        cell=CONTROL,
        path="dashboards/banking.credit",
        direction=Direction.MANAGEMENT,
        level=Level.TACTICS,
        icon="gauge",
        entity="banking.application",
    ),
    trellis.MenuItem(
        name="banking.control",
        title=_("Compliance"),
        cell=CONTROL,
        path="dashboards/banking.control",
        direction=Direction.MANAGEMENT,
        level=Level.TACTICS,
        icon="shield",
        entity="banking.kyc_review",
    ),
]
