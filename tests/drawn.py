"""Diagrams for tests, written short."""

from __future__ import annotations

import itertools
from xml.sax.saxutils import escape, quoteattr

HEAD = '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="urn:test">'
INNER = ("message", "timer", "error")


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


_OF_BPMN = ("attachedToRef", "cancelActivity", "calledElement", "default", "messageRef")


def timer(duration: str) -> str:
    """What a timer event holds."""
    return f"<timerEventDefinition><timeDuration>{escape(duration)}</timeDuration></timerEventDefinition>"


def message(name: str) -> str:
    """What a message event holds; the message stands in :func:`process`."""
    return f'<messageEventDefinition messageRef="{name}"/>'


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
    *parts: str, messages: dict[str, str] | None = None, errors: dict[str, str] | None = None
) -> bytes:
    """A file with one process."""
    top = "".join(f'<message id="{key}" name={quoteattr(name)}/>' for key, name in (messages or {}).items())
    top += "".join(f'<error id="{key}" errorCode="{code}"/>' for key, code in (errors or {}).items())
    return f'{HEAD}{top}<process id="p" isExecutable="true">{"".join(parts)}</process></definitions>'.encode()


def line(*middle: str, start: str = "", end: str = '<endEvent id="end"/>') -> bytes:
    """A process that goes straight from its start over each of some elements to its end."""
    from lxml import etree

    names = [etree.fromstring(one).get("id") for one in middle]
    return process(
        start or '<startEvent id="start"/>', *middle, end, flows(" ".join(["start", *names, "end"]))
    )
