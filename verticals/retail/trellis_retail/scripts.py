"""What staff say to customers: signing up for the card, winning back, a damaged item."""

from __future__ import annotations

import trellis
from trellis import ScriptAnswer, ScriptObjection, ScriptOutcome, ScriptResult, ScriptStep

from trellis_retail.fields import CARD_NUMBER
from trellis_retail.model import SCRIPTS

_ = trellis.translator("trellis_retail")

_YES, _NO, _NEXT = _("Yes"), _("No"), _("Next")

_SIGN_UP = trellis.Script(
    name="retail.loyalty_signup",
    title=_("Loyalty sign-up"),
    description=_("At the till: who has no card yet gets one, and says what we may send"),
    cell=SCRIPTS,
    entities=("customer",),
    outcomes=(
        ScriptOutcome(key="signed", title=_("Has a card now"), result=ScriptResult.GOOD),
        ScriptOutcome(key="had", title=_("Had a card already")),
        ScriptOutcome(key="refused", title=_("Wants no card"), result=ScriptResult.BAD),
    ),
    objections=(
        ScriptObjection(
            key="data",
            title=_("What happens to my data?"),
            reply=_(
                "We keep your name and what you buy, for your discount and nothing else. You see and delete it at any time."
            ),
        ),
        ScriptObjection(
            key="wallet",
            title=_("I have too many cards"),
            reply=_("It needs no plastic: your telephone number is enough at the till."),
        ),
    ),
    steps=(
        ScriptStep(
            key="ask",
            say=_("Do you have our card, {record.name}?"),
            answers=(
                ScriptAnswer(key="yes", title=_YES, to="scan"),
                ScriptAnswer(key="no", title=_NO, to="benefit"),
                ScriptAnswer(key="hurry", title=_("In a hurry"), outcome="refused"),
            ),
        ),
        ScriptStep(
            key="scan",
            say=_("Thank you. May I scan it?"),
            answers=(
                ScriptAnswer(
                    key="number",
                    title=_("Here it is"),
                    outcome="had",
                    fills=CARD_NUMBER.name,
                    asks=_("Card number"),
                ),
                ScriptAnswer(key="home", title=_("It is at home"), outcome="had"),
            ),
        ),
        ScriptStep(
            key="benefit",
            say=_(
                "With the card you get 3 % back on everything, from today's purchase on. Shall I make you one?"
            ),
            answers=(
                ScriptAnswer(key="yes", title=_YES, to="card"),
                ScriptAnswer(key="no", title=_NO, outcome="refused"),
            ),
        ),
        ScriptStep(
            key="card",
            say=_("Here is your card; it counts from this receipt on."),
            hint=_("Take a new card from the stand and scan it"),
            answers=(
                ScriptAnswer(
                    key="number",
                    title=_("Card handed over"),
                    to="mail",
                    fills=CARD_NUMBER.name,
                    asks=_("Card number"),
                ),
            ),
        ),
        ScriptStep(
            key="mail",
            say=_("May we send you offers by mail? You can stop them at any time with one click."),
            hint=_("Read it out as it stands: the consent holds for these words"),
            answers=(
                ScriptAnswer(key="yes", title=_YES, to="sms", fills="retail.consent_mail", value=True),
                ScriptAnswer(key="no", title=_NO, to="sms", fills="retail.consent_mail", value=False),
            ),
        ),
        ScriptStep(
            key="sms",
            say=_("And a message to your telephone when something is reduced?"),
            answers=(
                ScriptAnswer(key="yes", title=_YES, outcome="signed", fills="retail.consent_sms", value=True),
                ScriptAnswer(key="no", title=_NO, outcome="signed", fills="retail.consent_sms", value=False),
            ),
        ),
    ),
)

_WIN_BACK = trellis.Script(
    name="retail.win_back",
    title=_("Win-back call"),
    description=_("Why a good customer has stayed away, and what brings them back"),
    cell=SCRIPTS,
    entities=("customer",),
    outcomes=(
        ScriptOutcome(key="offer", title=_("Takes an offer"), result=ScriptResult.GOOD),
        ScriptOutcome(key="complaint", title=_("Complaint taken up")),
        ScriptOutcome(key="online", title=_("Buys online from now on"), result=ScriptResult.GOOD),
        ScriptOutcome(key="later", title=_("Call again")),
        ScriptOutcome(key="lost", title=_("Does not come back"), result=ScriptResult.BAD),
    ),
    objections=(
        ScriptObjection(
            key="number",
            title=_("Where did you get my number?"),
            reply=_("You gave it to us with your card. If you do not want calls, I note that at once."),
        ),
    ),
    steps=(
        ScriptStep(
            key="greet",
            say=_(
                "Good day, {record.name}, this is {sender.name} from your store. You have not been with us since "
                "{record.last_order_at}. May I ask one question?"
            ),
            answers=(
                ScriptAnswer(key="yes", title=_YES, to="why"),
                ScriptAnswer(key="later", title=_("Not now"), outcome="later", asks=_("When to call")),
                ScriptAnswer(
                    key="never",
                    title=_("Do not call me again"),
                    outcome="lost",
                    fills="consent_phone",
                    value="refused",
                ),
            ),
        ),
        ScriptStep(
            key="why",
            say=_("What has kept you away?"),
            hint=_("Listen, and do not defend anything"),
            answers=(
                ScriptAnswer(key="price", title=_("The prices"), to="offer"),
                ScriptAnswer(key="range", title=_("The range"), to="news"),
                ScriptAnswer(key="service", title=_("The service"), to="complaint"),
                ScriptAnswer(key="moved", title=_("Moved away"), to="online"),
                ScriptAnswer(key="other", title=_("Something else"), to="offer", asks=_("What it was")),
            ),
        ),
        ScriptStep(
            key="offer",
            say=_("I can send you a coupon for your favourite category. By mail or by a message?"),
            answers=(
                ScriptAnswer(
                    key="mail",
                    title=_("By mail"),
                    outcome="offer",
                    fills="retail.consent_mail",
                    value=True,
                ),
                ScriptAnswer(
                    key="sms",
                    title=_("By a message"),
                    outcome="offer",
                    fills="retail.consent_sms",
                    value=True,
                ),
                ScriptAnswer(key="no", title=_("None of it"), outcome="lost"),
            ),
            objections=(
                ScriptObjection(
                    key="catch",
                    title=_("What is the catch?"),
                    reply=_("There is none: 10 % on one purchase, for four weeks, without a minimum."),
                ),
            ),
        ),
        ScriptStep(
            key="news",
            say=_("The range has changed since. Shall I send you what is new in your favourite category?"),
            answers=(
                ScriptAnswer(key="yes", title=_YES, to="offer"),
                ScriptAnswer(key="no", title=_NO, outcome="lost"),
            ),
        ),
        ScriptStep(
            key="complaint",
            say=_("I am sorry to hear that. Please tell me what happened; I note it word for word."),
            answers=(
                ScriptAnswer(key="told", title=_("Told"), to="amends", asks=_("What happened")),
                ScriptAnswer(key="silent", title=_("Does not want to say"), outcome="lost"),
            ),
        ),
        ScriptStep(
            key="amends",
            say=_("The head of the store calls you tomorrow. May I send you a coupon until then?"),
            answers=(
                ScriptAnswer(key="yes", title=_YES, to="offer"),
                ScriptAnswer(key="no", title=_("The call is enough"), outcome="complaint"),
            ),
        ),
        ScriptStep(
            key="online",
            say=_("The online shop delivers to your new place too. Shall I note your new town?"),
            answers=(
                ScriptAnswer(
                    key="town", title=_("Says the town"), outcome="online", fills="city", asks=_("Town")
                ),
                ScriptAnswer(key="no", title=_NO, outcome="lost"),
            ),
        ),
    ),
)

_DAMAGED = trellis.Script(
    name="retail.damaged_item",
    title=_("Damaged item"),
    description=_("From the first words of a customer with a broken thing to a decision within one's limit"),
    cell=SCRIPTS,
    entities=("retail.return", "case"),
    outcomes=(
        ScriptOutcome(key="settled", title=_("Settled at once"), result=ScriptResult.GOOD),
        ScriptOutcome(key="forwarded", title=_("Handed to a colleague")),
        ScriptOutcome(key="refused", title=_("Not accepted"), result=ScriptResult.BAD),
    ),
    steps=(
        ScriptStep(
            key="listen",
            say=_("I am sorry about that. What is broken, and when did you notice it?"),
            hint=_("Do not interrupt; repeat in your words what you have heard"),
            answers=(
                ScriptAnswer(key="told", title=_NEXT, to="receipt", asks=_("What is broken, since when")),
            ),
        ),
        ScriptStep(
            key="receipt",
            say=_("Do you have the receipt or the card at hand?"),
            answers=(
                ScriptAnswer(key="yes", title=_YES, to="choice"),
                ScriptAnswer(key="no", title=_NO, to="search"),
            ),
        ),
        ScriptStep(
            key="search",
            say=_("No matter, I look for it. On which day and in which store did you buy it?"),
            answers=(
                ScriptAnswer(key="found", title=_("Found"), to="choice"),
                ScriptAnswer(key="not_found", title=_("Not found"), to="forward"),
                ScriptAnswer(key="elsewhere", title=_("Not bought from us"), outcome="refused"),
            ),
        ),
        ScriptStep(
            key="choice",
            say=_("Would you rather have a new one or the money back?"),
            answers=(
                ScriptAnswer(
                    key="replacement",
                    title=_("A new one"),
                    outcome="settled",
                    fills="resolution",
                    value="replacement",
                ),
                ScriptAnswer(
                    key="refund",
                    title=_("The money"),
                    outcome="settled",
                    fills="resolution",
                    value="refund",
                ),
                ScriptAnswer(key="over_limit", title=_("More than I may decide"), to="forward"),
            ),
            objections=(
                ScriptObjection(
                    key="both",
                    title=_("I want something for the trouble"),
                    reply=_("I understand. I may give a coupon on top; more is for the head of the store."),
                ),
            ),
        ),
        ScriptStep(
            key="forward",
            say=_("A colleague decides on this within one working day and calls you. Which number suits?"),
            answers=(
                ScriptAnswer(key="noted", title=_("Noted"), outcome="forwarded", asks=_("Telephone number")),
            ),
        ),
    ),
)

SCRIPT_LIST = [_SIGN_UP, _WIN_BACK, _DAMAGED]
