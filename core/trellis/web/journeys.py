"""What the pages of a journey show: its steps with live counts, its effect, and who is on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from flask import g

from trellis.crm.marketing.journeys import figures, words
from trellis.crm.marketing.journeys.entities import DRAFT, PAUSED, RUNNING, STATES, STOPPED
from trellis.crm.marketing.journeys.figures import Effect, Side, StepFigures
from trellis.crm.marketing.journeys.kept import Version, version_of
from trellis.crm.marketing.journeys.members import versions_of
from trellis.crm.marketing.journeys.tables import DONE, FAILED, HELD
from trellis.i18n import format_date, format_datetime, format_number, format_percent, translator
from trellis.journeys.program import ways_of
from trellis.letters.templates import templates_for
from trellis.reasons import worded
from trellis.records.query import Record
from trellis.web.figures import signed

_ = translator("trellis")

STATE_OF = {one.value: one for one in STATES}


def mails() -> dict[str, str]:
    """The titles of the mail templates that the reader knows, by name."""
    return {one.name: one.title for one in templates_for(g.records, "customer")}


def head(record: Record, tab: str, base: str) -> dict[str, Any]:
    """What stands above each page of a journey."""
    state = STATE_OF[record.values["state"]]
    url = f"{base}/journey/{record.id}"
    may = g.actor.reaches("journey", "update", {**record.values, "id": record.id})
    tabs = [("", _("Steps"), url), ("members", _("Customers"), f"{url}/members")]
    return {
        "name": record.values["name"],
        "about": record.values["about"] or "",
        "url": url,
        "state": str(state.label),
        "tone": state.tone,
        "may": may,
        "is_draft": state.value in (DRAFT, STOPPED),
        "is_running": state.value == RUNNING,
        "is_paused": state.value == PAUSED,
        "has_begun": state.value != DRAFT,
        "tabs": [{"title": str(title), "url": to, "current": name == tab} for name, title, to in tabs],
    }


def picture(record: Record, chosen: int | None, base: str) -> dict[str, Any]:
    """The steps of a version, by default the last one, with those who are there and were; of a draft without them."""
    known = versions_of(g.session, record.id)
    row = next((one for one in known if one.number == chosen), known[0] if known else None)
    version = version_of(g.session, g.edition, row.id) if row else None
    plan = version.plan if version else record.values["plan"]
    counted = figures.steps_of(g.session, g.actor, version.id) if version else {}
    drawn = _Drawing(f"{base}/journey/{record.id}/members", version, counted)
    draft = bool(version) and version is not None and plan != record.values["plan"]
    return {
        "steps": drawn.steps(plan["steps"], ""),
        "terms": words.terms_of(g.edition, plan),
        "versions": [
            {
                "title": str(
                    _("Version %(number)s of %(day)s", number=one.number, day=format_date(one.created_at))
                ),
                "url": f"{base}/journey/{record.id}?version={one.number}",
                "current": version is not None and one.id == version.id,
            }
            for one in known
        ],
        "has_draft": draft and row is known[0],
        "begun": version is not None,
    }


class _Drawing:
    """The steps of one version as nested lists."""

    def __init__(self, url: str, version: Version | None, counted: Mapping[str, StepFigures]) -> None:
        self._url, self._version, self._counted = url, version, counted
        self._mails = mails()

    def steps(self, steps: Sequence[Mapping[str, Any]], above: str) -> list[dict[str, Any]]:
        return [self._step(step, f"{above}{place}") for place, step in enumerate(steps)]

    def _step(self, step: Mapping[str, Any], key: str) -> dict[str, Any]:
        counted = self._counted.get(key, StepFigures())
        kind, icon = words.KINDS[step["kind"]]
        ways = ways_of(step)
        detail = words.detail_of(g.edition, step, self._mails)
        if step["kind"] == "task":
            detail = words.doer_of(g.edition, step["to"])
        return {
            "key": key,
            "kind": str(kind),
            "icon": icon,
            "title": words.title_of(g.edition, step, self._mails),
            "detail": detail,
            "counts": self._counts(key, counted) if self._version else [],
            "reasons": [
                {"text": worded(reason), "number": format_number(number)}
                for reason, number in sorted(counted.reasons.items(), key=lambda one: -one[1])
                if reason
            ],
            "ways": [self._way(step, key, way, one, counted) for way, one in enumerate(ways)],
        }

    def _way(
        self, step: Mapping[str, Any], key: str, way: int, steps: Sequence[Any], counted: StepFigures
    ) -> dict[str, Any]:
        branches = step["branches"]
        branch = branches[way] if way < len(branches) else None
        share = f"{branch['share']}\u00a0%" if branch and step["kind"] == "random" else ""
        rule = words.rule_of(g.edition, branch["rule"]) if branch and branch["rule"] else ""
        other = str(_("All others"))
        return {
            "title": (branch["title"] or share or rule or str(_("Branch %(number)s", number=way + 1)))
            if branch
            else other,
            "detail": " · ".join(one for one in (share, rule) if one and branch and branch["title"]),
            "number": format_number(counted.ways.get(str(way), 0)) if self._version else "",
            "steps": self.steps(steps, f"{key}.{way}."),
        }

    def _counts(self, key: str, counted: StepFigures) -> list[dict[str, str]]:
        rows = (
            ("entered", _("Came"), counted.entered, "", ""),
            ("waiting", _("There now"), counted.waiting, "", "info"),
            ("done", _("Done"), counted.done, DONE, "good"),
            ("left", _("Ended here"), counted.left, "", ""),
            ("failed", _("Held back or failed"), counted.failed, "", "warn"),
        )
        found = []
        for name, label, number, outcome, tone in rows:
            asked = {"step": key, **({"outcome": outcome} if outcome else {})}
            drill = name in ("waiting", "done")
            if name == "failed" and number:
                outcome = HELD if counted.outcomes.get(HELD) else FAILED
                asked, drill = {"step": key, "outcome": outcome}, True
            asked["version"] = str(self._version.number) if self._version else ""
            found.append(
                {
                    "name": name,
                    "label": str(label),
                    "number": format_number(number),
                    "tone": tone if number else "",
                    "url": f"{self._url}?{urlencode(asked)}" if drill and number else "",
                }
            )
        return found


def states(record: Record, base: str) -> list[dict[str, str]]:
    """How many are on the way, at the end, at the goal."""
    counted = figures.states_of(g.session, g.actor, record.id)
    url = f"{base}/journey/{record.id}/members"
    return [
        {
            "label": str(title),
            "number": format_number(counted.get(state, 0)),
            "tone": tone,
            "url": f"{url}?state={state}",
        }
        for state, (title, tone) in words.MEMBER_STATES.items()
    ]


def effect(record: Record, base: str) -> dict[str, Any] | None:
    """Treated and control with their difference; None where the journey has no goal or nobody came in."""
    found = figures.effect_of(g.session, g.actor, record.id)
    if not record.values["plan"]["goal"] or not found.treated.members + found.control.members:
        return None
    url = f"{base}/journey/{record.id}/members"
    difference, bounds = found.difference, found.bounds
    return {
        "goal": words.goal_of(g.edition, record.values["plan"]),
        "sides": [
            _side(_("Got the journey"), found.treated, f"{url}?group=treated"),
            _side(_("Control group, got nothing"), found.control, f"{url}?group=control"),
        ],
        "difference": _points(difference) if difference is not None else "",
        "bounds": f"{_points(bounds[0])} … {_points(bounds[1])}" if bounds else "",
        "certain": found.certain,
        "tone": _tone(found),
        "finding": str(_finding(found)),
    }


def _side(label: Any, side: Side, url: str) -> dict[str, Any]:
    return {
        "label": str(label),
        "members": format_number(side.members),
        "reached": format_number(side.reached),
        "rate": format_percent(side.rate) if side.rate is not None else "–",
        "share": side.rate or 0.0,
        "url": url,
        "reached_url": f"{url}&reached=true",
    }


def _points(share: float) -> str:
    return str(_("%(number)s pp", number=signed(format_number(share * 100, 1), share)))


def _tone(found: Effect) -> str:
    if not found.certain or found.difference is None:
        return "neutral"
    return "good" if found.difference > 0 else "danger"


def _finding(found: Effect) -> Any:
    if found.difference is None:
        return _(
            "Nobody is in the control group, so that nobody knows what would have happened without the journey"
        )
    if not found.certain:
        return _("The difference may be chance: more customers, or more time, will tell")
    if found.difference > 0:
        return _("More reach the goal by the journey, with a confidence of 95 %")
    return _("Fewer reach the goal by the journey, with a confidence of 95 %")


def member_rows(rows: Sequence[Any], base: str) -> list[dict[str, Any]]:
    """Members as a list shows them."""
    titles = mails()
    found = []
    for row in rows:
        program = version_of(g.session, g.edition, row.version_id).program
        node = program.get(row.step)
        state, tone = words.MEMBER_STATES[row.state]
        found.append(
            {
                "id": row.customer_id,
                "title": row.name,
                "url": f"{base}/customer/{row.customer_id}",
                "state": str(state),
                "tone": tone,
                "control": row.control,
                "step": words.title_of(g.edition, node.step, titles) if node else "",
                "due": format_datetime(row.due_at) if row.due_at else "",
                "entered": format_datetime(row.entered_at),
                "ended": format_datetime(row.ended_at) if row.ended_at else "",
                "reached": format_datetime(row.reached_at) if row.reached_at else "",
                "open": row.ended_at is None and not row.control,
            }
        )
    return found
