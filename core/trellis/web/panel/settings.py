"""The parts of a process as a whole: what it is called, what it is about, who and what starts it."""

from __future__ import annotations

import dataclasses
from typing import Any

from trellis.edition import OWN
from trellis.i18n import translator
from trellis.process import events
from trellis.process.own import LONGEST_TITLE, Draft
from trellis.web.panel.events import WHAT, event_apart, event_fields, event_together
from trellis.web.panel.fields import Model, Part, group
from trellis.web.panel.names import Names
from trellis.web.panel.times import SchedulePart

_ = translator("trellis")

ENTERED, LEFT = "entered", "left"
MOVES = {ENTERED: _("A record enters a segment"), LEFT: _("A record leaves a segment")}
_STARTS = {ENTERED: events.SEGMENT, LEFT: events.SEGMENT_LEFT}


class DraftPart(Part):
    """A part that reads and writes the draft, not an element."""

    def load_draft(self, draft: Draft, names: Names) -> Model:
        """What the draft says."""
        raise NotImplementedError

    def save_draft(self, model: Model, names: Names, draft: Draft) -> Draft:
        """The draft with what this part says."""
        raise NotImplementedError


class About(DraftPart):
    """Title, description, record, and who answers for it."""

    name = "about"

    def load_draft(self, draft: Draft, names: Names) -> Model:
        return {
            "title": draft.title,
            "description": draft.description,
            "entity": draft.entity or "",
            "keeper": str(draft.keeper or ""),
            "replaces": draft.replaces,
        }

    def show(self, model: Model, names: Names) -> dict[str, Any]:
        none = [("", _("No record"))]
        made = [
            self.text("title", _("Title"), model.get("title", ""), required=True, maxlength=LONGEST_TITLE),
            self.text("description", _("Description"), model.get("description", ""), kind="long"),
            self.choice(
                "entity",
                _("About"),
                model.get("entity", ""),
                [*none, *names.entities],
                blank=False,
                help=_("The kind of record that each run is about"),
            ),
            self.choice("keeper", _("Answers for it"), model.get("keeper", ""), names.people_by_id),
        ]
        others = [(name, title) for name, title in names.processes if not name.startswith(f"{OWN}.")]
        if others:
            about = _("That process is not started any more, as long as this one is published")
            made.append(
                self.choice(
                    "replaces", _("Takes the place of"), model.get("replaces", ""), others, help=about
                )
            )
        return group(_("Process"), made)

    def save_draft(self, model: Model, names: Names, draft: Draft) -> Draft:
        keeper = model.get("keeper", "")
        return dataclasses.replace(
            draft,
            title=model.get("title", ""),
            description=model.get("description", ""),
            entity=model.get("entity") or None,
            keeper=int(keeper) if keeper.isdecimal() and len(keeper) < 18 else None,
            replaces=model.get("replaces", ""),
        )


class People(DraftPart):
    """Who starts it by hand, and who looks after its runs."""

    name = "people"
    lists = frozenset({"starters", "managers"})

    def load_draft(self, draft: Draft, names: Names) -> Model:
        return {"starters": list(draft.starters), "managers": list(draft.managers)}

    def show(self, model: Model, names: Names) -> dict[str, Any]:
        starts = _("Without a role: whoever may change the record")
        manages = _("They see all runs, hand tasks over, try again and cancel")
        return group(
            _("People"),
            [
                self.choices(
                    "starters",
                    _("Who starts it by hand"),
                    model.get("starters", []),
                    names.roles,
                    help=starts,
                ),
                self.choices(
                    "managers", _("Who looks after it"), model.get("managers", []), names.roles, help=manages
                ),
            ],
        )

    def save_draft(self, model: Model, names: Names, draft: Draft) -> Draft:
        return dataclasses.replace(
            draft, starters=tuple(model.get("starters", ())), managers=tuple(model.get("managers", ()))
        )


class Starts(DraftPart):
    """What starts it by itself."""

    name = "starts"

    def load_draft(self, draft: Draft, names: Names) -> Model:
        return {"rows": [self._row_of(text, names) for text in draft.starts]}

    def _row_of(self, text: str, names: Names) -> Model:
        moved = events.of_segment(text)
        if moved is not None:
            return {"what": ENTERED if moved[1] == 1 else LEFT, "segment": moved[0]}
        return {**event_apart(text, names), "raw": text}

    def show(self, model: Model, names: Names) -> dict[str, Any]:
        known = {**WHAT, **MOVES}
        rows = [
            (known.get(row.get("what", ""), _("New event")), self._fields(number, row, names))
            for number, row in enumerate(model["rows"])
        ]
        about = _("Each of these starts a run by itself")
        return group(_("Events that start it"), [], help=about, rows=rows, add=_("Add an event"))

    def _fields(self, number: int, row: Model, names: Names) -> list[dict[str, Any]]:
        entities = [] if names.draft.entity else names.entities
        made = event_fields(self, f"{number}.", row, names, entities)
        if names.draft.entity:
            options = [*WHAT.items(), *MOVES.items()]
            made[0] = self.choice(
                f"{number}.what", _("What happens"), row.get("what", ""), options, required=True
            )
        if row.get("raw") and not row.get("what"):  # of a plugin that is not enabled
            made.append(self.text(f"{number}.raw", _("Event"), row["raw"]))
        if row.get("what") in MOVES:
            made.append(
                self.choice(
                    f"{number}.segment", _("Segment"), row.get("segment", ""), names.segments, required=True
                )
            )
        return made

    def save_draft(self, model: Model, names: Names, draft: Draft) -> Draft:
        texts = []
        for row in model["rows"]:
            if row.get("what") in _STARTS and row.get("segment"):
                texts.append(f"{_STARTS[row['what']]}{row['segment']}")
            elif text := event_together(row, draft.entity) or ("" if row.get("what") else row.get("raw", "")):
                texts.append(text)
        return dataclasses.replace(draft, starts=tuple(dict.fromkeys(texts)))


class Clock(DraftPart, SchedulePart):
    """When the clock starts it."""

    name = "schedule"

    def load_draft(self, draft: Draft, names: Names) -> Model:
        return self.schedule_apart(draft.schedule)

    def show(self, model: Model, names: Names) -> dict[str, Any]:
        about = _(
            "In the time zone of the workspace; for a process about no record. What was missed while the server stood still is made up for by one run"
        )
        return group(_("Clock"), self.schedule_fields(model, _("Not by the clock")), help=about)

    def save_draft(self, model: Model, names: Names, draft: Draft) -> Draft:
        return dataclasses.replace(draft, schedule=self.schedule_together(model))


PARTS: tuple[DraftPart, ...] = (About(), People(), Starts(), Clock())
