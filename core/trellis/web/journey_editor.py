"""The page on which a journey is made: its terms and its steps as a nested list of forms."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flask import g

from trellis.contributions import Process, Role, Segment
from trellis.crm.marketing.journeys.words import KINDS, occasion_of
from trellis.crm.service.entities import Activity
from trellis.edition import EntityView
from trellis.i18n import Text, translator, weekday_names
from trellis.journeys.checking import ACTS, CONSENTS, customer_field
from trellis.journeys.program import ways_of
from trellis.letters.templates import templates_for
from trellis.process import events
from trellis.process.assignment import OWNER, PERSON, ROLE
from trellis.records.types import Json
from trellis.security.people import LANGUAGES
from trellis.web.display import control
from trellis.web.journey_form import RULE

_ = translator("trellis")

Option = dict[str, Any]

_CONSENTS: Mapping[str, Text] = {
    "not_refused": _("All who did not refuse it"),
    "granted": _("Only who granted it"),
}
LABELS: Mapping[str, Text] = {
    "name": _("Name"),
    "entry": _("Entry"),
    "again": _("Again after, days"),
    "goal": _("Goal"),
    "goal_days": _("Counts for, days"),
    "control": _("Control group, %"),
    "quiet_from": _("Quiet from"),
    "quiet_to": _("Quiet until"),
    "quiet_days": _("Quiet days"),
    "limit": _("Messages at most"),
    "limit_days": _("In so many days"),
    "consent": _("Consent to mail"),
    "steps": _("Steps"),
    "template": _("Mail template"),
    "other": _("For those who speak another language"),
    "days": _("Days"),
    "hours": _("Hours"),
    "until": _("Until the day"),
    "at": _("Then on to the hour"),
    "weekdays": _("Then on to a weekday"),
    "branches": _("Branches"),
    "rule": _("Rule"),
    "share": _("Share, %"),
    "act": _("What kind"),
    "subject": _("Subject"),
    "text": _("Text"),
    "to": _("Who does it"),
    "field": _("Field"),
    "value": _("New value"),
    "process": _("Process"),
    "title": _("Title"),
    "about": _("Description"),
    "plan": _("Plan"),
    "_record": _("Journey"),
}
_HELP: Mapping[str, Text] = {
    "again": _("Empty: each customer comes in once"),
    "goal": _("Reaching it ends the journey as a success"),
    "control": _("They get nothing, and are counted for the goal"),
    "limit": _("Over all journeys and mailings"),
    "entry": _("“By hand” needs somebody who brings customers in"),
}


_CHOSEN: Mapping[str, Any] = {"required": True, "no_blank": True}
"""One of its options is always chosen."""


class Editor:
    """What the page of one plan shows; lists to choose from are made once."""

    def __init__(
        self, base: str, plan: Mapping[str, Any], errors: Mapping[str, list[str]], focus: str
    ) -> None:
        self._base, self._plan, self._errors, self._focus = base, plan, errors, focus
        self._mails = templates_for(g.records, "customer")

    def context(self, name: str, about: str) -> dict[str, Any]:
        """The whole page."""
        plan = self._plan
        rule = plan["goal"] if not isinstance(plan["goal"], str) else None
        return {
            "name": self._field("name", "text", name, required=True, maxlength=200),
            "about": self._field("about", "long", about),
            "entry": self._field(
                "entry", "choice", plan["entry"], options=self._occasions(plan["entry"]), **_CHOSEN
            ),
            "again": self._number("again", plan["again"] if plan["again"] is not None else ""),
            "goal": self._field("goal", "choice", "", options=self._goals(), **_CHOSEN),
            "goal_rule": self._rule_editor("goal_rule", rule, _("Rule of the goal")),
            "terms": [
                self._number("goal_days", plan["goal_days"], required=True),
                self._number("control", plan["control"], required=True),
            ],
            "sending": [
                self._field("quiet_from", "text", plan["quiet_from"], placeholder="21:00"),
                self._field("quiet_to", "text", plan["quiet_to"], placeholder="09:00"),
                self._number("limit", plan["limit"], required=True),
                self._number("limit_days", plan["limit_days"], required=True),
                self._field("consent", "choice", plan["consent"], options=self._consents(), **_CHOSEN),
            ],
            "quiet_days": self._weekdays("quiet_days", plan["quiet_days"]),
            "steps": list(self._steps(plan["steps"], "")),
            "kinds": [{"value": kind, "title": str(title)} for kind, (title, _icon) in KINDS.items()],
            "problems": list(self._problems()),
            "step_errors": self._errors.get("steps", []),
            "goal_errors": self._errors.get("goal", []),
        }

    def _steps(self, steps: Sequence[Mapping[str, Any]], above: str) -> Iterator[dict[str, Any]]:
        for place, step in enumerate(steps):
            key = f"{above}{place}"
            title, icon = KINDS[step["kind"]]
            yield {
                "key": key,
                "number": place + 1,
                "kind": step["kind"],
                "title": str(title),
                "icon": icon,
                "first": place == 0,
                "last": place == len(steps) - 1,
                "focus": key == self._focus,
                "own_title": self._field(f"{key}:title", "text", step["title"], maxlength=120),
                "fields": list(self._fields(key, step)),
                "weekdays": self._weekdays(f"{key}:weekdays", step["weekdays"])
                if "weekdays" in step
                else None,
                "branches": list(self._branches(key, step)),
                "errors": self._errors.get(f"{key}:branches", []),
            }

    def _fields(self, key: str, step: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        match step["kind"]:
            case "message":
                yield self._choice(key, step, "template", self._templates(step["template"]), required=True)
                if len({one.language for one in self._mails}) > 1:
                    yield self._choice(key, step, "other", self._templates(step["other"]))
            case "wait":
                yield self._number(f"{key}:days", step["days"] or "")
                yield self._number(f"{key}:hours", step["hours"] or "")
                yield self._field(f"{key}:until", "date", step["until"])
                yield self._field(f"{key}:at", "text", step["at"], placeholder="10:00")
            case "task":
                yield self._field(f"{key}:subject", "text", step["subject"], required=True, maxlength=200)
                yield self._choice(key, step, "act", self._acts(step["act"]), **_CHOSEN)
                yield self._choice(key, step, "to", self._doers(step["to"]), **_CHOSEN)
                yield self._number(f"{key}:days", step["days"] or "", label=_("Due after, days"))
                yield self._field(f"{key}:text", "long", step["text"])
            case "change":
                yield self._choice(key, step, "field", self._changeable(step["field"]), required=True)
                yield self._value(key, step)
            case "process":
                yield self._choice(key, step, "process", self._processes(step["process"]), required=True)

    def _branches(self, key: str, step: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        branches = step.get("branches", ())
        for way, steps in enumerate(ways_of(step)):
            branch = branches[way] if way < len(branches) else None
            name = f"{key}:{way}"
            random = step["kind"] == "random"
            yield {
                "way": way,
                "above": f"{key}.{way}.",
                "otherwise": branch is None,
                "title": self._field(f"{name}.title", "text", branch["title"], maxlength=120)
                if branch
                else None,
                "share": self._number(f"{name}.share", branch["share"], required=True)
                if branch and random
                else None,
                "rule": self._rule_editor(f"{name}.rule", branch["rule"], LABELS["rule"])
                if branch and not random
                else None,
                "rule_errors": self._errors.get(f"{name}.rule", []),
                "steps": list(self._steps(steps, f"{key}.{way}.")),
            }

    # --- Fields ---

    def _field(self, name: str, kind: str, value: Any, **more: Any) -> dict[str, Any]:
        short = name.rpartition(":")[2].rpartition(".")[2]
        return {
            "id": _id(name),
            "name": name,
            "label": str(more.pop("label", LABELS[short])),
            "kind": kind,
            "value": value,
            "required": False,
            "help": str(_HELP[name]) if name in _HELP else "",
            "errors": self._errors.get(name, []),
            "options": [],
            **more,
        }

    def _number(self, name: str, value: Any, **more: Any) -> dict[str, Any]:
        return self._field(name, "number", value, step="1", **more)

    def _choice(
        self, key: str, step: Mapping[str, Any], name: str, options: list[Option], **more: Any
    ) -> dict[str, Any]:
        return self._field(f"{key}:{name}", "choice", step[name], options=options, **more)

    def _value(self, key: str, step: Mapping[str, Any]) -> dict[str, Any]:
        field = g.edition.entity("customer").fields.get(step["field"])
        plain = self._field(f"{key}:value", "text", step["value"])
        if field is None:
            return plain
        made = control(g.edition, self._base, field, step["value"], errors=plain["errors"])
        kind = "choice" if made["kind"] == "boolean" else made["kind"]
        truth = [("true", _("Yes")), ("false", _("No"))]
        options = (
            _options(truth, str(step["value"]).lower()) if made["kind"] == "boolean" else made["options"]
        )
        names = {"id": plain["id"], "name": plain["name"], "label": plain["label"], "kind": kind}
        return {**made, **names, "required": False, "help": "", "options": options}

    def _weekdays(self, name: str, chosen: Sequence[int]) -> dict[str, Any]:
        days = [
            {"value": number, "title": title, "checked": number in chosen}
            for number, title in enumerate(weekday_names())
        ]
        short = name.rpartition(":")[2]
        return {"name": name, "label": str(LABELS[short]), "days": days, "errors": self._errors.get(name, [])}

    def _rule_editor(self, name: str, rule: Any, label: Text) -> dict[str, str]:
        url = f"{self._base}/customer"
        return {
            "id": _id(name),
            "name": name,
            "label": str(label),
            "value": json.dumps(rule or {"all": []}, ensure_ascii=False),
            "fields_url": f"{url}/rule-fields",
            "count_url": f"{url}/count",
            "text_url": f"{url}/rule-text",
        }

    # --- What can be chosen ---

    def _occasions(self, chosen: str) -> list[Option]:
        """Segments, events of records that lead to customers, and what stands there already."""
        segments = [
            (f"{events.SEGMENT}{one.name}", occasion_of(g.edition, f"{events.SEGMENT}{one.name}"))
            for one in g.edition.all(Segment).values()
            if one.entity == "customer"
        ]
        made = [
            (f"{view.name}.created", occasion_of(g.edition, f"{view.name}.created"))
            for view in g.edition.entities.values()
            if customer_field(g.edition, view.name) and g.actor.may(view.name, "read")
        ]
        staged = [(text, occasion_of(g.edition, text)) for text in _staged(g.edition.entity("customer"))]
        known = [*sorted(segments, key=lambda one: one[1].lower()), *made, *staged]
        if chosen and chosen not in dict(known):
            known.append((chosen, occasion_of(g.edition, chosen)))
        return _options([("", _("By hand")), *known], chosen)

    def _goals(self) -> list[Option]:
        goal = self._plan["goal"]
        chosen = goal if isinstance(goal, str) else RULE
        known = self._occasions("" if chosen == RULE else chosen)[1:]
        first = _options([("", _("None")), (RULE, _("A rule over the customer comes true"))], chosen)
        return [*first, *({**one, "selected": one["value"] == chosen} for one in known)]

    def _consents(self) -> list[Option]:
        return _options([(one, _CONSENTS[one]) for one in CONSENTS], self._plan["consent"])

    def _templates(self, chosen: str) -> list[Option]:
        languages = {one.value: one.label for one in LANGUAGES}
        known = [
            (one.name, f"{one.title} ({languages[one.language]})" if one.language in languages else one.title)
            for one in self._mails
        ]
        return _options(known, chosen)

    def _acts(self, chosen: str) -> list[Option]:
        kinds = Activity.__table__.c.kind.info["field"]["type"]
        return _options([(one, kinds.option(one).label) for one in ACTS], chosen)

    def _doers(self, chosen: str) -> list[Option]:
        people = g.records.list("user", sort=["name"], limit=200).items if g.actor.may("user", "read") else []
        known: list[tuple[str, Any]] = [(OWNER, _("The owner of the customer"))]
        known += [(f"{ROLE}{one.name}", one.title) for one in g.edition.all(Role).values()]
        known += [(f"{PERSON}{one.values['email']}", one.values["name"]) for one in people]
        if chosen not in dict(known):
            known.append((chosen, chosen.removeprefix(PERSON).removeprefix(ROLE)))
        return _options(known, chosen)

    def _changeable(self, chosen: str) -> list[Option]:
        fields = g.edition.entity("customer").fields.values()
        known = [
            (one.name, one.label) for one in fields if not one.read_only and not isinstance(one.type, Json)
        ]
        return _options(known, chosen)

    def _processes(self, chosen: str) -> list[Option]:
        found = [one for one in g.edition.all(Process).values() if one.entity in ("customer", None)]
        return _options([(one.name, one.title) for one in found], chosen)

    def _problems(self) -> Iterator[dict[str, str]]:
        for name, texts in self._errors.items():
            key, _mark, rest = name.rpartition(":")
            short = rest.rpartition(".")[2]
            label = str(LABELS.get(short, short))
            place = ".".join(str(int(one) + 1) for one in key.split(".")) if key else ""
            text = str(_("Step %(number)s, %(field)s", number=place, field=label)) if place else label
            yield {"field": text, "id": _id(name), "text": " ".join(map(str, texts))}


def _staged(view: EntityView) -> Iterator[str]:
    """The stages of customers, as events."""
    for lifecycle in view.lifecycles:
        for stage in lifecycle.stages:
            yield f"{view.name}.{lifecycle.field}={stage.value}"


def _options(known: Sequence[tuple[str, Any]], chosen: str) -> list[Option]:
    return [{"value": value, "title": str(title), "selected": value == chosen} for value, title in known]


def _id(name: str) -> str:
    return name.replace(":", "-").replace(".", "-")
