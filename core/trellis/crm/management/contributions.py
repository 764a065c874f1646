"""What the core brings to management: people, units and positions, the basic roles, and what processes do."""

from __future__ import annotations

from trellis.contributions import Cell, Direction, Grant, Level, NotificationKind, Operation, Role, Scope
from trellis.errors import PermissionRefused, RecordInvalid
from trellis.hookspecs import concerns, hookimpl
from trellis.i18n import known_timezone, translator
from trellis.kpi import rates, targets
from trellis.kpi.rates import RATE, ExchangeRate
from trellis.kpi.targets import TARGET, KpiTarget
from trellis.notifications import kinds, mentions
from trellis.process import listening, responsibilities
from trellis.process.operations import OPERATIONS
from trellis.process.responsibilities import RESPONSIBILITY, Responsibility
from trellis.records.entity import Entity
from trellis.records.events import BeforeSave, Saved
from trellis.security.people import Position, Unit, User

_ = translator("trellis")

STRUCTURE = Cell(Direction.MANAGEMENT, Level.TACTICS, "MG2")


@hookimpl
def trellis_entities() -> list[type[Entity]]:
    return [User, Unit, Position, Responsibility, KpiTarget, ExchangeRate]


_OF_ADMINISTRATORS = frozenset({"active", "unit", "owner", "external_id"})
"""What of a user decides over rights: a scope follows the unit."""


@hookimpl
@concerns("user", TARGET, RATE, RESPONSIBILITY)
def trellis_before_save(event: BeforeSave) -> None:
    if event.entity == TARGET:
        targets.complete(event)
    elif event.entity == RATE:
        rates.complete(event)
    elif event.entity == RESPONSIBILITY:
        responsibilities.complete(event)
    else:
        _keep_users(event)


def _keep_users(event: BeforeSave) -> None:
    """What of a user only administrators change, and what must fit together."""
    changed = {name for name, value in event.values.items() if value != event.before.get(name)}
    if event.action == "updated" and "email" in changed:
        text = _("An administrator changes the address in the settings, so that the sign-in moves with it")
        raise RecordInvalid({"email": [text]})
    if event.values.get("timezone") and known_timezone(event.values["timezone"]) is None:
        raise RecordInvalid({"timezone": [_("Use a time zone name such as Europe/Prague")]})
    if not event.actor.administrator and (event.action != "updated" or changed & _OF_ADMINISTRATORS):
        raise PermissionRefused()


@hookimpl
def trellis_after_save(event: Saved) -> None:
    if event.entity == RATE:
        rates.follow(event)
    listening.note(event)
    kinds.follow_owners(event)
    mentions.follow(event)


@hookimpl
def trellis_notifications() -> list[NotificationKind]:
    return [*kinds.KINDS, mentions.KIND]


@hookimpl
def trellis_operations() -> list[Operation]:
    return list(OPERATIONS)


_OFFERS = ("lost_reason", "sales_channel", "discount_limit", "price_list", "price_list_item", "bundle_part")
"""What those who sell need to know, whoever keeps it."""
_LEVELS = ("business_calendar", "holiday", "sla_policy", "sla_escalation", "survey", "mail_template")
"""What decides when cases are due, what customers are asked and what is written to them, whoever works on them."""
_KNOWN = ("problem", "solution")
"""What is known of faults and of what helps: whoever found it out, others work with it."""
_PAPERS = ("document_template", "approval_route", "approval_step")
"""What documents are made of, and by whom they are approved."""
_RULES = ("bonus_scheme", "bonus_part")
"""By what rules people earn a bonus."""
_EARNED = ("bonus_statement", "bonus_line")
"""What they earned: their own, and of those who head a unit, that of its people."""


@hookimpl
def trellis_roles() -> list[Role]:
    people = [Grant(name, read=Scope.ALL) for name in ("user", "unit", "position", RESPONSIBILITY, RATE)]
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
            description=_("Reads and changes all records, deletes those of the own unit"),
            cell=STRUCTURE,
            grants=[
                Grant("*", read=Scope.ALL, create=True, update=Scope.ALL, delete=Scope.UNIT),
                *(Grant(name, read=Scope.ALL) for name in _RULES),
                *(Grant(name, read=Scope.UNIT) for name in _EARNED),
                *people,
            ],
        ),
        Role(
            name="agent",
            title=_("Agent"),
            description=_("Works with the records of the own unit, deletes the own ones"),
            cell=STRUCTURE,
            grants=[
                Grant("*", read=Scope.UNIT, create=True, update=Scope.UNIT, delete=Scope.OWN),
                Grant("product", read=Scope.ALL),
                Grant("category", read=Scope.ALL),
                *(Grant(name, read=Scope.ALL) for name in (TARGET, *_OFFERS, *_LEVELS, *_PAPERS, *_RULES)),
                *(
                    Grant(name, read=Scope.ALL, create=True, update=Scope.UNIT, delete=Scope.OWN)
                    for name in _KNOWN
                ),
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
