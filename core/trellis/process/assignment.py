"""For whom a task of people is: the property ``for`` of its element, and ``not``, for whom it is never.

``for`` holds one or more of, by commas: ``role:<name>``, ``position:<name>``, ``person:<mail>``, ``owner`` (of the record),
``starter``, ``performer:<element>`` (who did that task), or ``=expression`` that gives a user's id or one of these words.
``raci`` is for the positions that do the step in the responsibility matrix of the process, else for the one that answers for it;
``accountable`` for that one. What stands beside these two is for steps for which the matrix names nobody.
One person gets the task; else it waits in a queue, from which somebody takes it. ``not`` holds ``starter`` and
``performer:<element>``: the four-eyes rule. Without ``for``, and where the matrix names nobody and nothing stands beside it,
a task is for whoever started the instance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.errors import RecordInvalid
from trellis.i18n import translator
from trellis.process import responsibilities
from trellis.process.diagram import Element
from trellis.process.expressions import Facts, compile_expression
from trellis.process.tables import ProcessStep
from trellis.security.actor import Actor
from trellis.security.people import Position, User

_ = translator("trellis")

ROLE, POSITION = "role:", "position:"
PERSON, PERFORMER = "person:", "performer:"
NOT = "not:"
STARTER, OWNER = "starter", "owner"
RACI, ACCOUNTABLE = "raci", "accountable"
MATRIX = (RACI, ACCOUNTABLE)
MANAGER = "manager"
"""Of who has a late task; see :mod:`trellis.process.deadlines`."""


@dataclass(frozen=True)
class Assigned:
    """Whom a task goes to: a person, or a queue of audiences; never to those excluded."""

    person: int | None = None
    audiences: tuple[str, ...] = ()
    excluded: tuple[int, ...] = ()

    @property
    def kept(self) -> tuple[str, ...]:
        """What is kept of a queue: those it is for, and those it is not."""
        return (*self.audiences, *(f"{NOT}{one}" for one in self.excluded))


def words(text: str) -> list[str]:
    """The entries of ``for`` and ``not``; an expression is one entry, whatever commas it holds."""
    if text.startswith("="):
        return [text]
    return [one for one in (part.strip() for part in text.split(",")) if one]


def is_assignment(word: str) -> bool:
    """The word is one that ``for`` may hold; an expression is checked elsewhere."""
    return word in (STARTER, OWNER, *MATRIX) or word.startswith((ROLE, POSITION, PERSON, PERFORMER))


def matrix_words(element: Element) -> tuple[list[str], list[str]]:
    """The words of the responsibility matrix that a task is assigned by, and what stands beside them."""
    said = words(element.properties.get("for", ""))
    return [one for one in said if one in MATRIX], [one for one in said if one not in MATRIX]


def audiences_of(session: Session, actor: Actor) -> list[str]:
    """The queues that an actor takes tasks from: those of their roles and positions."""
    return [*(f"{ROLE}{role}" for role in actor.roles), *positions_of(session, actor.user_id)]


def positions_of(session: Session, person: int | None) -> list[str]:
    """The queues of the positions that somebody holds."""
    held = session.scalars(
        sa.select(Position.id).where(Position.holder_id == person, Position.deleted_at.is_(None))
    )
    return [f"{POSITION}{one}" for one in held]


def people_with(session: Session, role: str) -> list[int]:
    """Who has a role, of those who work here."""
    known = sa.select(User.id, User.roles).where(User.active, User.deleted_at.is_(None)).order_by(User.id)
    return [person for person, roles in session.execute(known) if role in roles]


class Assigning:
    """Finds out for whom a task of an instance is. ``at`` are its process and its element."""

    def __init__(
        self,
        session: Session,
        instance: int,
        starter: int | None,
        facts: Facts,
        at: tuple[str, str],
        *,
        managers: Sequence[int] = (),
    ) -> None:
        self._session = session
        self._at = at
        self._managers = managers
        self._instance = instance
        self._starter = starter
        self._facts = facts

    def assign(self, wanted: str, never: str) -> Assigned:
        """Whom a task goes to. Raises RecordInvalid for a position or person that is not there, ExpressionFailed."""
        excluded = {one for word in words(never) if (one := self._person(word)) is not None}
        people: list[int] = []
        audiences: list[str] = []
        for said in self._named(wanted):
            if isinstance(said, int):
                people.append(said)
            elif said.startswith(ROLE):
                audiences.append(said)
            elif (positions := self._positions(said)) is not None:
                audiences += [f"{POSITION}{one}" for one in positions]
            elif (person := self._person(said)) is not None:
                people.append(person)
        alone = people[0] if people and not audiences and people[0] not in excluded else None
        return Assigned(alone, tuple(dict.fromkeys(audiences)), tuple(sorted(excluded)))

    def people(self, wanted: str) -> list[int]:
        """All whom words name, also those in queues."""
        found: list[int] = []
        for said in (one for word in words(wanted) for one in self._said(word)):
            if isinstance(said, int):
                found.append(said)
            elif said.startswith(ROLE):
                found += people_with(self._session, said.removeprefix(ROLE))
            elif (positions := self._positions(said)) is not None:
                holders = sa.select(Position.holder_id).where(
                    Position.id.in_(positions), Position.holder_id.is_not(None)
                )
                found += [one for one in self._session.scalars(holders.order_by(Position.id)) if one]
            elif (person := self._person(said)) is not None:
                found.append(person)
        return list(dict.fromkeys(found))

    def _named(self, wanted: str) -> Sequence[int | str]:
        """What words name: the matrix where it names somebody, else what stands beside it, else whoever started."""
        said = [one for word in words(wanted) for one in self._said(word)]
        matrix = [one for one in said if one in MATRIX]
        if any(self._positions(str(one)) for one in matrix):
            return matrix
        beside = [one for one in said if one not in MATRIX]
        return beside if beside or (words(wanted) and not matrix) else [STARTER]

    def _said(self, word: str) -> Sequence[int | str]:
        if word == MANAGER:
            return self._managers
        if not word.startswith("="):
            return [word]
        value = compile_expression(word[1:])(self._facts)
        if value is None:
            return []
        if isinstance(value, int) and not isinstance(value, bool):
            return [value]
        said = words(str(value))
        wrong = [one for one in said if not is_assignment(one)]
        if wrong:
            raise RecordInvalid({"for": [_("“%(word)s” names nobody a task can be for", word=wrong[0])]})
        return said

    def _person(self, word: str) -> int | None:
        if word == STARTER:
            return self._starter
        if word == OWNER:
            owner = self._facts.look_up(("record", "owner"))
            return int(owner) if owner is not None else None
        if word.startswith(PERFORMER):
            element = word.removeprefix(PERFORMER)
            mine = ProcessStep.instance_id == self._instance, ProcessStep.element == element
            return self._session.scalar(
                sa.select(ProcessStep.by_id)
                .where(*mine, ProcessStep.by_id.is_not(None))
                .order_by(ProcessStep.id.desc())
                .limit(1)
            )
        email = word.removeprefix(PERSON).lower()
        person = self._session.scalar(
            sa.select(User.id).where(User.email == email, User.deleted_at.is_(None))
        )
        if person is None:
            raise RecordInvalid({"for": [_("Nobody here has the address %(email)s", email=email)]})
        return person

    def _positions(self, word: str) -> list[int] | None:
        """The positions that a word names, none where the matrix has none; None for a word that is about no position."""
        if word.startswith(POSITION):
            return [self._position(word.removeprefix(POSITION))]
        if word == RACI:
            return responsibilities.who_does(self._session, *self._at)
        return responsibilities.who_answers(self._session, *self._at) if word == ACCOUNTABLE else None

    def _position(self, name: str) -> int:
        found = self._session.scalar(
            sa.select(Position.id)
            .where(Position.name == name, Position.deleted_at.is_(None))
            .order_by(Position.id)
            .limit(1)
        )
        if found is None:
            raise RecordInvalid({"for": [_("There is no position “%(name)s”", name=name)]})
        return found
