"""What the core brings to management: people, units and positions, and the basic roles."""

from __future__ import annotations

from trellis.contributions import Cell, Direction, Grant, Level, Role, Scope
from trellis.hookspecs import hookimpl
from trellis.i18n import translator
from trellis.records.entity import Entity
from trellis.security.people import Position, Unit, User

_ = translator("trellis")

STRUCTURE = Cell(Direction.MANAGEMENT, Level.TACTICS, "MG2")


@hookimpl
def trellis_entities() -> list[type[Entity]]:
    return [User, Unit, Position]


@hookimpl
def trellis_roles() -> list[Role]:
    people = [Grant(name, read=Scope.ALL) for name in ("user", "unit", "position")]
    return [
        Role(
            name="administrator",
            title=_("Administrator"),
            description=_("Everything in this workspace, with settings, people and plugins"),
            cell=STRUCTURE,
            administrator=True,
        ),
        Role(
            name="manager",
            title=_("Manager"),
            description=_("Reads everything, changes the records of the own unit"),
            cell=STRUCTURE,
            grants=[
                Grant("*", read=Scope.ALL, create=True, update=Scope.ALL, delete=Scope.UNIT),
                *people,
            ],
        ),
        Role(
            name="agent",
            title=_("Agent"),
            description=_("Reads the records of the own unit, changes the own ones"),
            cell=STRUCTURE,
            grants=[
                Grant("*", read=Scope.UNIT, create=True, update=Scope.UNIT, delete=Scope.OWN),
                Grant("product", read=Scope.ALL),
                Grant("category", read=Scope.ALL),
                *people,
            ],
        ),
        Role(
            name="reader",
            title=_("Reader"),
            description=_("Reads everything, changes nothing"),
            cell=STRUCTURE,
            grants=[Grant("*", read=Scope.ALL)],
        ),
    ]
