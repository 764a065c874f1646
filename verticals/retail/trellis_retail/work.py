"""What staff are given for their work: instructions, conversation scripts, document templates, channels."""

from __future__ import annotations

from pathlib import Path

import trellis

from trellis_retail.fields import ONLINE
from trellis_retail.model import CHANNELS, CONSENT, INSTRUCTIONS, TEMPLATES

_ = trellis.translator("trellis_retail")

DOCUMENTS = Path(__file__).parent / "documents"

INSTRUCTION_LIST = [
    trellis.Instruction(
        name="retail.return_without_receipt",
        title=_("Returns without a receipt"),
        cell=INSTRUCTIONS,
        entity="retail.return",
        body=_(
            "1. Ask for the loyalty card or the phone number: the receipt is then among the customer's orders.\n"
            "2. No card: ask for the day, the store and the way of payment, and look for the receipt by amount.\n"
            "3. Nothing found: exchange the goods or give a voucher at today's price. Give no money.\n"
            "4. More than €50 or a second time in a year: leave the receipt empty and forward the return for approval."
        ),
    ),
    trellis.Instruction(
        name="retail.compensation_limits",
        title=_("Limits of compensation"),
        cell=INSTRUCTIONS,
        entity="retail.return",
        body=_(
            "- Up to €30: the cashier decides at once.\n"
            "- Up to €150: the store manager decides on the same day.\n"
            "- More: move the return to “Waits for approval”; the answer comes within one working day.\n\n"
            "Damaged goods are replaced first, paid back second. A voucher is offered, never imposed."
        ),
    ),
    trellis.Instruction(
        name="retail.personal_data_at_the_till",
        title=_("Personal data at the till"),
        cell=INSTRUCTIONS,
        entity="customer",
        body=_(
            "Ask only for what the card needs: name and one way to reach the customer. Read the consent out and note mail "
            "and SMS apart. Never repeat a phone number or an address aloud. Who says no gets the card all the same."
        ),
    ),
    trellis.Instruction(
        name="retail.promotion_change_over",
        title=_("Change-over of a promotion"),
        cell=INSTRUCTIONS,
        entity="retail.promotion",
        body=_(
            "The evening before: print the price tags, check three prices at a till in training mode, put the posters up "
            "after closing. On the first morning: buy one item of each mechanic and compare the receipt. A wrong price "
            "is given to the customer and reported at once."
        ),
    ),
]

TEMPLATE_LIST = [
    trellis.Template(
        name=f"retail.{name}_{language}",
        title=title,
        cell=TEMPLATES,
        entity=entity,
        file=DOCUMENTS / f"{name}.{language}.html",
        language=language,
    )
    for name, entity, titles in (
        ("return_protocol", "retail.return", (_("Return protocol, English"), _("Return protocol, Russian"))),
        ("personal_offer", "customer", (_("Personal offer, English"), _("Personal offer, Russian"))),
    )
    for language, title in zip(("en", "ru"), titles, strict=True)
]

TEMPLATE_LIST += [
    trellis.Template(
        name=f"retail.{name}_{language}",
        title=title,
        cell=TEMPLATES,
        entity=entity,
        file=DOCUMENTS / f"{name}.{language}.txt",
        language=language,
        subject=subject,
    )
    for name, entity, mails in (
        (
            "offer_mail",
            "customer",
            (
                ("en", _("Offer by mail, English"), "Something for you, {record.name}"),
                ("ru", _("Offer by mail, Russian"), "{record.name}, для вас есть предложение"),
            ),
        ),
        (
            "win_back_mail",
            "customer",
            (
                ("en", _("Win-back mail, English"), "We miss you, {record.name}"),
                ("ru", _("Win-back mail, Russian"), "{record.name}, мы по вам скучаем"),
            ),
        ),
        (
            "welcome_mail",
            "customer",
            (
                ("en", _("Welcome mail, English"), "Thank you for your first purchase"),
                ("ru", _("Welcome mail, Russian"), "Спасибо за первую покупку"),
            ),
        ),
        (
            "invitation_mail",
            "customer",
            (
                ("en", _("Invitation by mail, English"), "What is new in our stores"),
                ("ru", _("Invitation by mail, Russian"), "Что нового в наших магазинах"),
            ),
        ),
        (
            "case_mail",
            "case",
            (
                ("en", _("Answer to a request, English"), "{record.number}: {record.subject}"),
                ("ru", _("Answer to a request, Russian"), "{record.number}: {record.subject}"),
            ),
        ),
    )
    for language, title, subject in mails
]

CHANNEL_LIST = [
    trellis.Channel(name="retail.store", title=_("Stores"), cell=CHANNELS),
    trellis.Channel(name=f"retail.{ONLINE}", title=_("Online shop"), cell=CHANNELS),
    trellis.Channel(name="retail.mail", title=_("Offers by mail"), cell=CONSENT, kind="communication"),
    trellis.Channel(name="retail.sms", title=_("Offers by SMS"), cell=CONSENT, kind="communication"),
]
