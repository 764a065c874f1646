"""Diagrams for tests, written short."""

from __future__ import annotations

import itertools
from xml.sax.saxutils import escape, quoteattr

SPACE = "https://www.omg.org/spec/DMN/20191111/MODEL/"
HEAD = '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="urn:test">'


def node(tag: str, name: str, *, inside: str = "", title: str = "", **attributes: str) -> str:
    """An element; keywords with a double underscore are its properties, where it stands for a dot (``form__note``)."""
    properties = {key: value for key, value in attributes.items() if key not in _OF_BPMN}
    own = {key: value for key, value in attributes.items() if key in _OF_BPMN}
    pairs = "".join(
        f"<property name={quoteattr(key.replace('__', '.').strip('_'))} value={quoteattr(value)}/>"
        for key, value in properties.items()
    )
    extension = f'<extensionElements><p:properties xmlns:p="urn:any">{pairs.replace("<property", "<p:property")}</p:properties></extensionElements>'
    attrs = "".join(f" {key}={quoteattr(value)}" for key, value in own.items())
    return f"<{tag} id={quoteattr(name)} name={quoteattr(title)}{attrs}>{extension if pairs else ''}{inside}</{tag}>"


_OF_BPMN = (
    *("attachedToRef", "cancelActivity", "calledElement", "default", "messageRef"),
    "isForCompensation",
)


def timer(duration: str) -> str:
    """What a timer event holds."""
    return f"<timerEventDefinition><timeDuration>{escape(duration)}</timeDuration></timerEventDefinition>"


def message(name: str) -> str:
    """What a message event holds; the message stands in :func:`process`."""
    return f'<messageEventDefinition messageRef="{name}"/>'


def event(kind: str, refers: str = "") -> str:
    """What an event about a signal, an error, an escalation or compensation holds."""
    name = "activityRef" if kind == "compensate" else f"{kind}Ref"
    return f'<{kind}EventDefinition {name}="{refers}"/>' if refers else f"<{kind}EventDefinition/>"


def several(until: str = "", one_by_one: bool = False) -> str:
    """What an element holds that runs several times; its properties say over what."""
    condition = f"<completionCondition>{escape(until)}</completionCondition>" if until else ""
    order = str(one_by_one).lower()
    return f'<multiInstanceLoopCharacteristics isSequential="{order}">{condition}</multiInstanceLoopCharacteristics>'


def undone_by(edge: str, service: str) -> str:
    """The line from the edge of an activity to what undoes it."""
    return f'<association id="{edge}_{service}" sourceRef="{edge}" targetRef="{service}"/>'


def script(text: str) -> str:
    """What a script task holds."""
    return f"<script>{escape(text)}</script>"


def flows(*chains: str) -> str:
    """Arrows: ``a b c`` leads from a over b to c; ``a b if x > 1`` has a condition."""
    made = []
    for chain in chains:
        ends, _mark, condition = chain.partition(" if ")
        names = ends.split()
        for source, target in itertools.pairwise(names):
            inner = f"<conditionExpression>{escape(condition)}</conditionExpression>" if condition else ""
            made.append(
                f'<sequenceFlow id="{source}_{target}" sourceRef="{source}" targetRef="{target}">{inner}</sequenceFlow>'
            )
    return "".join(made)


def process(
    *parts: str,
    messages: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
    signals: dict[str, str] | None = None,
    escalations: dict[str, str] | None = None,
) -> bytes:
    """A file with one process."""
    named = {
        'message id="{}" name={}': messages,
        'error id="{}" errorCode={}': errors,
        'signal id="{}" name={}': signals,
        'escalation id="{}" escalationCode={}': escalations,
    }
    top = "".join(
        f"<{tag.format(key, quoteattr(name))}/>"
        for tag, all_ in named.items()
        for key, name in (all_ or {}).items()
    )
    return f'{HEAD}{top}<process id="p" isExecutable="true">{"".join(parts)}</process></definitions>'.encode()


def line(*middle: str, start: str = "", end: str = '<endEvent id="end"/>') -> bytes:
    """A process that goes straight from its start over each of some elements to its end."""
    from lxml import etree

    names = [etree.fromstring(one).get("id") for one in middle]
    return process(
        start or '<startEvent id="start"/>', *middle, end, flows(" ".join(["start", *names, "end"]))
    )


def dmn(
    rules: str, *, policy: str = "", inputs: str = "amount", outputs: str = "verdict", name: str = "size"
) -> bytes:
    """A file with one table; ``rules`` are lines of cells parted by bars."""
    made = "".join(
        f"<input><inputExpression><text>{escape(one)}</text></inputExpression></input>"
        for one in inputs.split("|")
    )
    for one in outputs.split("|"):
        column, _mark, rest = one.partition(":")
        values, _mark, default = rest.partition(":")
        made += f'<output name="{column.strip()}">'
        made += f"<outputValues><text>{escape(values)}</text></outputValues>" if values else ""
        made += f"<defaultOutputEntry><text>{escape(default)}</text></defaultOutputEntry>" if default else ""
        made += "</output>"
    count = len(inputs.split("|"))
    for row in rules.strip().splitlines():
        cells = [escape(one.strip()) for one in row.split("|")]
        made += "<rule>" + "".join(f"<inputEntry><text>{one}</text></inputEntry>" for one in cells[:count])
        made += "".join(f"<outputEntry><text>{one}</text></outputEntry>" for one in cells[count:]) + "</rule>"
    inner = f"<decisionTable {policy}>{made}</decisionTable>"
    return f'<definitions xmlns="{SPACE}"><decision id="{name}" name="{name}">{inner}</decision></definitions>'.encode()


TWO_POOLS = (
    HEAD
    + '<collaboration id="c"><participant id="pool_shop" name="Shop" processRef="shop"/>'
    + '<participant id="pool_bank" name="Bank" processRef="bank"/><participant id="pool_out" name="Out" processRef="out"/>'
    + '<messageFlow id="m_line" sourceRef="tell" targetRef="hear"/></collaboration>'
    + '<message id="m" name="message.paid"/><process id="out"/>'
    + '<process id="shop"><laneSet id="l"><lane id="lane" name="Desk"><flowNodeRef>ask</flowNodeRef></lane></laneSet>'
    + node("startEvent", "start")
    + node("userTask", "ask", for_="role:administrator")
    + node("intermediateThrowEvent", "tell", inside=message("m"))
    + node("endEvent", "end")
    + flows("start ask tell end")
    + '</process><process id="bank" name="The bank">'
    + node("startEvent", "begin", inside=message("m"))
    + node("userTask", "book", for_="role:administrator")
    + node("endEvent", "close")
    + flows("begin book close")
    + "</process></definitions>"
).encode()
"""A shop that tells its bank what was paid, each in a pool, and somebody outside."""
