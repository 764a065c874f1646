"""Telling plugins of a write: before it, when it is done, and when it is committed. Each call is guarded and attributed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from sqlalchemy.orm import Session

from trellis.edition import Edition
from trellis.errors import PluginError, RecordInvalid, TrellisError
from trellis.guard import Stopwatch, TookTooLong, abandon, inside, limited
from trellis.plugins import CORE, Fault
from trellis.records.events import BeforeSave, Saved, SegmentEntered

BEFORE, AFTER, COMMITTED = "trellis_before_save", "trellis_after_save", "trellis_after_commit"
SEGMENT = "trellis_segment_entered"

Function = Callable[..., None]


class Telling:
    """Calls the hooks of a write in the transaction of ``session``; what plugins did wrong is in ``faults``.

    The core is called as it is. Code of a plugin runs in a thread that is left behind when it takes too long.
    """

    def __init__(self, session: Session, edition: Edition) -> None:
        self.session = session
        self.edition = edition
        self.faults: list[Fault] = []
        self._watch = Stopwatch()

    def is_asked(self, entity: str) -> bool:
        """Somebody wants to know of records of this entity before they are written."""
        return bool(self.edition.hooks.implementations(BEFORE, entity))

    def before_save(self, entity: str, events: Mapping[int, BeforeSave]) -> dict[int, RecordInvalid]:
        """Asks one plugin after the other about all records; what one refuses the next is not asked about."""
        refused: dict[int, RecordInvalid] = {}

        def ask(plugin: str, function: Function) -> None:
            for place, event in events.items():
                if place in refused:
                    continue
                self._watch.go_on()
                try:
                    function(event=event)
                    if plugin != CORE:
                        self.session.flush()
                except RecordInvalid as error:
                    refused[place] = error

        for plugin, function in self.edition.hooks.implementations(BEFORE, entity):
            self._call(plugin, BEFORE, partial(ask, plugin, function))
        return refused

    def after_save(self, event: Saved) -> None:
        """Tells what was written; an error takes it back."""
        for plugin, function in self.edition.hooks.implementations(AFTER, event.entity):
            self._call(plugin, AFTER, partial(function, event=event))

    def entered(self, event: SegmentEntered) -> None:
        """Tells who entered a segment; an error takes back what found it out."""
        for plugin, function in self.edition.hooks.implementations(SEGMENT):
            self._call(plugin, SEGMENT, partial(function, event=event))

    def committed(self, event: Saved) -> None:
        """Tells what was committed; a fault changes nothing."""
        for plugin, function in self.edition.hooks.implementations(COMMITTED, event.entity):
            call = partial(function, event=event)
            try:
                call() if plugin == CORE else limited(call)
            except Exception as error:  # a plugin may raise anything; the write is done
                self.faults.append(Fault.of(plugin, COMMITTED, error))

    def _call(self, plugin: str, hook: str, work: Callable[[], None]) -> None:
        """Calls a hook inside the transaction. What a plugin refuses is an error of the record; a crash is its fault."""
        if plugin == CORE:
            work()
            return
        self._watch.start(plugin, hook)
        try:
            limited(partial(self._inside, work), self._watch)
        except TookTooLong as error:
            abandon(self.session)
            raise self._fault(plugin, hook, error, str(error)) from error
        except TrellisError:
            raise
        except Exception as error:
            raise self._fault(plugin, hook, error, f"{type(error).__name__}: {error}") from error
        finally:
            self._watch.stop()

    def _inside(self, work: Callable[[], None]) -> None:
        with inside(self.session):
            work()

    def _fault(self, plugin: str, hook: str, error: Exception, problem: str) -> PluginError:
        self.faults.append(Fault.of(plugin, hook, error))
        return PluginError(plugin, hook, problem)
