"""Settings: system health, the checks of ``trellis doctor`` for this workspace."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g

from trellis.health import Examined, Finding, examine
from trellis.i18n import plural_translator, translator
from trellis.web.views.lists import base
from trellis.web.views.settings import only_administrators, settings_page

_ = translator("trellis")
_n = plural_translator("trellis")

blueprint = Blueprint("settings_health", __name__)
blueprint.before_request(only_administrators)


@blueprint.get("/<workspace>/settings/health")
def show(workspace: str) -> str:
    """Only this workspace and what all share: its administrator need not know of others."""
    examined = examine(g.installation, [workspace])
    wrong = sum(len(check.problems) for check in examined)
    health = {
        "url": f"{base()}/settings/health",
        "sound": not wrong,
        "told": str(_n("%(num)s thing to mend", "%(num)s things to mend", wrong))
        if wrong
        else str(_("Everything is in order")),
        "checks": [_check(check) for check in examined],
    }
    return settings_page("settings/health.html", "health", _("System health"), health=health)


def _check(check: Examined) -> dict[str, Any]:
    state = (
        (_("To mend"), "danger", "circle-alert")
        if check.problems
        else (_("Not set up"), "neutral", "")
        if check.findings
        else (_("In order"), "good", "check")
    )
    return {
        "title": str(check.title),
        "state": str(state[0]),
        "tone": state[1],
        "icon": state[2],
        "findings": [_sentences(one) for one in check.findings],
    }


def _sentences(finding: Finding) -> str:
    remedy = str(finding.remedy)
    return f"{finding.problem}. {remedy[:1].upper()}{remedy[1:]}."
