"""What BPMN has and Trellis does not run: how that is called, and what is drawn in its place."""

from __future__ import annotations

from collections.abc import Mapping

from trellis.i18n import Text, translator
from trellis.process.diagram import Element
from trellis.process.elements import KINDS, SEVERAL

_ = translator("trellis")

_OF_KIND: Mapping[str, Text] = {
    "transaction": _(
        "Trellis cannot run a transaction (transaction): make it a part of the process, and undo its steps by "
        "compensation events"
    ),
    "adHocSubProcess": _(
        "Trellis cannot run steps in any order (adHocSubProcess): make it a part of the process, and draw the order by "
        "arrows and gateways"
    ),
    "complexGateway": _(
        "Trellis cannot run a complex gateway (complexGateway): use one for some ways with conditions, or for all ways"
    ),
}
_OF_EVENT: Mapping[str, Text] = {
    "conditional": _(
        "Trellis cannot run an event that waits for a condition (conditional): wait for an event of the record, such "
        "as order.status=paid"
    ),
    "link": _("Trellis cannot run a link to another place (link): draw an arrow there"),
    "cancel": _(
        "Trellis cannot run the cancelling of a transaction (cancel): end with an error, and catch it at the edge of a "
        "part of the process"
    ),
}
_WRITTEN: Mapping[str, Text] = {
    "standardLoopCharacteristics": _(
        "Trellis cannot run a loop on a step (standardLoopCharacteristics): lead an arrow back from a gateway, or run the "
        "step for each of several"
    ),
    "triggeredByEvent": _(
        "Trellis cannot run a part that an event starts (event sub-process): put the event at the edge of a step or of "
        "a part of the process"
    ),
    "eventDefinitionRef": _(
        "What this event is about stands elsewhere in the file (eventDefinitionRef), which Trellis cannot run: draw the "
        "event anew"
    ),
    "eventDefinition": _(
        "Trellis cannot run an event about several things (multiple): put an event for each behind a gateway that waits "
        "for the first"
    ),
    "instantiate": _(
        "Trellis cannot run what starts the process without a start event (instantiate): draw it anew, behind a start "
        "event by a message"
    ),
    "eventGatewayType": _(
        "Trellis cannot run a gateway that waits for all of its events (Parallel): use a gateway for all ways, with an "
        "event behind each"
    ),
    "startQuantity": _(
        "Trellis cannot run a step that begins only when it was reached several times (startQuantity): draw it "
        "anew, behind a gateway for all ways"
    ),
    "completionQuantity": _(
        "Trellis cannot run a step that goes on several times (completionQuantity): draw it anew, before a gateway for all "
        "ways"
    ),
    "globalTask": _(
        "Trellis cannot call a task that stands beside the processes (global task): draw it here, as a task of people or an "
        "automatic step"
    ),
    "scriptFormat": _(
        "Trellis cannot run a script in another language (scriptFormat): write lines of name = expression anew, or make "
        "it an automatic step"
    ),
}
_INSIDE = _(
    "Trellis cannot start a part of the process by an event: make its start plain, and put the event behind it or at the "
    "edge of the part"
)


def refusal(element: Element) -> Text | None:
    """Why an element cannot be run at all, with what to do instead; None for what can."""
    told = _OF_KIND.get(element.kind) or _WRITTEN.get(element.unsupported) or _OF_EVENT.get(element.event)
    if told is not None:
        return told
    if element.kind not in KINDS:
        return _("Trellis cannot run a “%(kind)s”", kind=element.kind)
    if element.event not in KINDS[element.kind]:
        return _event(element)
    if element.kind == "startEvent" and element.inside and element.event:
        return _INSIDE
    if element.several is not None and element.kind not in SEVERAL:
        return _("A “%(kind)s” cannot run several times", kind=element.kind)
    return None


def _event(element: Element) -> Text:
    if not element.event:
        return _("Say what this event is about: a time, a message, a signal")
    return _("Trellis cannot run a “%(kind)s” with “%(event)s”", kind=element.kind, event=element.event)
