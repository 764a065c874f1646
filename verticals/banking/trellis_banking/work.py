"""What a bank's people are given for their work: instructions, conversation scripts, letters, channels, ways in."""

from __future__ import annotations

from pathlib import Path

import trellis
from trellis import Direction, Level

from trellis_banking.model import CHANNELS, CONTACTS, CONTROL, DOCUMENTS, FUNNEL, INSTRUCTIONS

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
