"""The elements that Trellis runs, and the names of the properties that are written on them."""

from __future__ import annotations

from trellis.process.diagram import Element

PEOPLE = ("userTask", "manualTask")
SERVICES = ("serviceTask", "sendTask")
BY_ITSELF = ("scriptTask", "businessRuleTask")
GATEWAYS = ("exclusiveGateway", "inclusiveGateway", "parallelGateway", "eventBasedGateway")
CHOOSING = ("exclusiveGateway", "inclusiveGateway")
"""Those that take some of their ways."""
THROWN = ("message", "signal", "error", "escalation", "compensate")
"""What events throw; the engine does."""
AWAITED = ("message", "signal")
"""What events wait for that comes from outside the instance."""
KINDS: dict[str, tuple[str, ...]] = {
    "startEvent": ("", "message", "signal", "timer"),
    "endEvent": ("", "terminate", *THROWN),
    "intermediateCatchEvent": ("timer", "message", "signal"),
    "intermediateThrowEvent": ("", "message", "signal", "escalation", "compensate"),
    "boundaryEvent": ("timer", "message", "signal", "error", "escalation", "compensate"),
    "receiveTask": ("message",),
    **{
        kind: ("",)
        for kind in (*PEOPLE, *SERVICES, *GATEWAYS, "task", *BY_ITSELF, "subProcess", "callActivity")
    },
}
"""The elements that can be run, and what their events may be about."""
SEVERAL = (*PEOPLE, *SERVICES, *BY_ITSELF, "subProcess", "callActivity")
"""What may run several times."""
SET = "set."
MATCH = "match."
GATHER = "gather."
CALL, RESULT, TABLE = "call", "result", "table"
IN, OUT = "in.", "out"


def is_work(element: Element) -> bool:
    """The engine does it by itself: it waits for nobody."""
    if element.kind in ("endEvent", "intermediateThrowEvent"):
        return element.event in THROWN
    return element.kind in (*SERVICES, *BY_ITSELF)
