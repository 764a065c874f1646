"""A conversation script for tests, brought by a plugin."""

from __future__ import annotations

from typing import Any

from samples import plugin
from trellis.contributions import (
    Script,
    ScriptAnswer,
    ScriptObjection,
    ScriptOutcome,
    ScriptResult,
    ScriptStep,
)
from trellis.i18n import Text

OFFER = Script(
    name="probe.offer",
    title=Text("An offer"),
    entities=("customer", "opportunity"),
    outcomes=(
        ScriptOutcome(key="agreed", title=Text("Takes it"), result=ScriptResult.GOOD),
        ScriptOutcome(key="refused", title=Text("Refuses"), result=ScriptResult.BAD),
    ),
    objections=(ScriptObjection(key="who", title=Text("Who are you?"), reply=Text("I am {sender.name}.")),),
    steps=(
        ScriptStep(
            key="greet",
            say=Text("Good day, {record.name}. A minute?"),
            hint=Text("Smile"),
            answers=(
                ScriptAnswer(key="yes", title=Text("A minute"), to="mail"),
                ScriptAnswer(key="no", title=Text("Not now"), outcome="refused", asks=Text("Why")),
            ),
        ),
        ScriptStep(
            key="mail",
            say=Text("May I write to you?"),
            answers=(
                ScriptAnswer(
                    key="may", title=Text("You may"), to="town", fills="consent_mail", value="granted"
                ),
                ScriptAnswer(key="again", title=Text("What?"), to="greet"),
            ),
            objections=(
                ScriptObjection(key="spam", title=Text("That is spam"), reply=Text("Once a month, no more.")),
            ),
        ),
        ScriptStep(
            key="town",
            say=Text("In which town are you now?"),
            answers=(
                ScriptAnswer(
                    key="town", title=Text("Tells it"), outcome="agreed", fills="city", asks=Text("Town")
                ),
            ),
        ),
    ),
)


def probe(*scripts: Script) -> Any:
    """A plugin with these scripts."""
    return plugin("probe", trellis_scripts=lambda: list(scripts))
