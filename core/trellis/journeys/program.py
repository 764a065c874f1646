"""The steps of a plan by their keys, and where each leads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Step = Mapping[str, Any]


def walk(steps: Sequence[Step], above: str = "") -> Iterator[tuple[str, Step]]:
    """All steps with their keys, each before those in its branches: ``2``, ``2.0.1`` (step 2, branch 0, step 1)."""
    for place, step in enumerate(steps):
        key = f"{above}{place}"
        yield key, step
        for way, inside in enumerate(ways_of(step)):
            yield from walk(inside, f"{key}.{way}.")


def ways_of(step: Step) -> list[Sequence[Step]]:
    """The steps of each way out of a split, that of all others last; empty for other steps."""
    ways = [branch["steps"] for branch in step.get("branches", ())]
    return [*ways, step["otherwise"]] if "otherwise" in step else ways


@dataclass(frozen=True)
class Node:
    """A step in its place: ``next`` is the key behind it, ``ways`` those at which its branches begin; empty is the end."""

    key: str
    step: Step
    next: str
    ways: tuple[str, ...] = ()


def program(plan: Mapping[str, Any]) -> dict[str, Node]:
    """The steps by key. Whatever a step leads to stands behind it, so that one look through all moves everybody on."""
    return {node.key: node for node in _nodes(plan["steps"], "", "")}


def _nodes(steps: Sequence[Step], above: str, behind: str) -> Iterator[Node]:
    for place, step in enumerate(steps):
        key = f"{above}{place}"
        after = f"{above}{place + 1}" if place + 1 < len(steps) else behind
        inside = ways_of(step)
        ways = tuple(f"{key}.{way}.0" if one else after for way, one in enumerate(inside))
        yield Node(key, step, after, ways)
        for way, one in enumerate(inside):
            yield from _nodes(one, f"{key}.{way}.", after)
