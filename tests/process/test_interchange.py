"""Files as other tools write them: they open, lose nothing, say plainly what cannot run, and run as far as it can."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from drawn import HEAD
from lxml import etree
from office import Office
from trellis.process.diagram import DI, DiagramInvalid, read, tree
from trellis.process.notation import BPMN
from trellis.process.own import Draft
from trellis.process.picture import drawn
from trellis.process.pools import pools

FOLDER = Path(__file__).parent / "interchange"
TITLE = "Taken over"
SAID: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "tasks": {"": {}},
    "gateways": {
        "": {
            "left": "put one behind this",
            "f4": "needs a condition",
            "f5": "in the language of another tool",
        }
    },
    "edges": {"": {"_p": "nothing in this part", "_m": "Say which event"}},
    "pools": {"Shop": {}, "Maker": {}},
    "whole": {
        "Called": {"_cs2": "conditional", "_cu": "what it runs over"},
        "Office": {
            "_os": "Say when it starts",
            "_send": "choose its operation",
            "_b1": "conditional",
            "_b2": "Escalations come from",
            "_w1": "Say which event",
            "_w2": "Say when",
            "_call": "publish it first",
            "_callg": "(global task)",
            "_link": "(link)",
            "_land": "(link)",
            "_cx": "complexGateway",
            "_loop": "standardLoopCharacteristics",
            "_tx": "(transaction)",
            "_b3": "(cancel)",
            "_ad": "adHocSubProcess",
            "_esp": "event sub-process",
            "_multi": "about several things",
            "_ref": "eventDefinitionRef",
            "_tms": "make its start plain",
            "_two": "startQuantity",
            "_oe": "Name the signal",
        },
    },
    "invoice": {
        "": {
            "ok": "the default flow",
            "yes": "in the language of another tool",
            "no": "in the language of another tool",
            "archive": "choose its operation",
            "count": "scriptFormat",
            "rule": "which decision table",
            "wait": "a message of another tool",
        }
    },
    "habits": {
        "Parcels": {
            "n-s": "Say when it starts",
            "n-c1": "publish it first",
            "n-c2": "(global task)",
            "n-c3": "Say which process this step calls",
            "n-e": "Say which event",
        },
        "Check the stock": {},
    },
    "staff": {"Staff": {}, "IT": {}},
    "documents": {
        "": {
            "Send": "choose its operation",
            "Receive": "a message of another tool",
            "Fraud": "event sub-process",
        }
    },
}
"""What is said of which shape, by file and pool."""


def content(name: str) -> bytes:
    return (FOLDER / f"{name}.bpmn").read_bytes()


def all_of(text: bytes) -> Counter[bytes]:
    """All elements of a file with their attributes, those of other namespaces too."""
    root = etree.fromstring(text)
    return Counter(
        f"{one.tag} {sorted(one.attrib.items())} {(one.text or '').strip()}".encode()
        for one in root.iter(etree.Element)
    )


def test_files_of_other_tools_become_drafts_that_lose_nothing_and_name_what_cannot_run(
    office: Office,
) -> None:
    for name, expected in SAID.items():
        with office.drafts() as drafts:
            made = drafts.create_each(Draft(title=TITLE), content(name))
            assert [one.draft["title"] for one in made] == [
                f"{TITLE}: {pool}" if pool else TITLE for pool in expected
            ], name
            for row, said in zip(made, expected.values(), strict=True):
                if len(made) == 1:
                    sent = re.sub(
                        rb'(id|Ref|Element)="Start"', rb'\1="Start_1"', content(name)
                    )  # an id of the library's
                    assert all_of(row.diagram) == all_of(sent), name
                row.diagram.decode()
                found = {}
                try:
                    drafts.publish(row.name)
                except DiagramInvalid as wrong:
                    for problem in wrong.problems:
                        found.setdefault(problem.element, str(problem.reason))
                assert found.keys() == said.keys(), name
                assert not {key: found[key] for key, word in said.items() if word not in found[key]}
            if name == "whole":
                called, calling = made
                assert read(calling.diagram).elements["_call"].detail == called.name


def test_models_of_other_tools_run_to_their_end_once_it_is_said_what_their_steps_are(office: Office) -> None:
    started = [office.publish("Tasks", content("tasks")), office.publish("Ways", gateways_with_conditions())]
    with office.drafts() as drafts:
        for title, people in (("pools", {"sid-t1", "sid-t4"}), ("staff", {"_t1", "_t2"})):
            for row in drafts.create_each(Draft(title=title), content(title)):
                drafts.save(row.name, Draft.from_json(row.draft), for_people(row.diagram, people))
                drafts.publish(row.name)
                started += [row.name] if row.draft["title"] != "staff: IT" else []
    waiting = office.start(office.publish("Documents", documents_with_message()))
    for name in started:
        office.start(name)
    for element in ("sid-t1", "sid-t4", "_t1"):
        office.do(element)
    office.work()
    office.do("_t2")  # begun by the signal that the other process has sent
    ended = {one.process: one.done for one in office.instances() if one.state == "done"}
    (standing,) = (one for one in office.instances() if one.id == waiting)
    assert (standing.done, standing.active) == (["Start_1", "Send"], ["Receive"])
    assert standing.due_at is not None and standing.due_at - standing.started_at >= timedelta(days=1)
    assert len(ended) == 6 and set(started) < ended.keys()
    assert "right" in ended[started[1]] and "middle" not in ended[started[1]]


def for_people(text: bytes, people: set[str]) -> bytes:
    """A file with tasks made into tasks of administrators, as the menu and the panel of the editor do it."""
    root = tree(text)
    for one in root.iter(f"{BPMN}task", f"{BPMN}userTask"):
        if one.get("id") in people:
            one.tag = f"{BPMN}userTask"
            properties = etree.SubElement(
                etree.SubElement(one, f"{BPMN}extensionElements"), "{urn:t}properties"
            )
            etree.SubElement(properties, "{urn:t}property", name="for", value="role:administrator")
    return etree.tostring(root)  # type: ignore[no-any-return]


def documents_with_message() -> bytes:
    """The file without the part that cannot run, and with a message of ours."""
    root = tree(content("documents"))
    known = {one.get("id"): one for one in root.iter(etree.Element) if one.get("id")}
    known["Send"].tag = f"{BPMN}task"
    known["Message_1"].set("name", "message.received")
    known["Fraud"].getparent().remove(known["Fraud"])
    return etree.tostring(root)  # type: ignore[no-any-return]


def gateways_with_conditions() -> bytes:
    """The file with a script that answers what its conditions ask, and one arrow from each step."""
    root = tree(content("gateways"))
    known = {one.get("id"): one for one in root.iter(etree.Element) if one.get("id")}
    known["first"].tag = f"{BPMN}scriptTask"
    etree.SubElement(known["first"], f"{BPMN}script").text = "sure = 2 > 1"
    for flow, condition in (("f4", "=not sure"), ("f5", "${sure}"), ("f7", "")):
        (written,) = known[flow].iter(f"{BPMN}conditionExpression")
        written.text = condition
    known["f8"].getparent().remove(known["f8"])
    return etree.tostring(root)  # type: ignore[no-any-return]


def test_pools_that_are_taken_apart_keep_whom_they_send_messages_to() -> None:
    shop, maker = (tree(one.text) for one in pools(content("pools")))
    lines = {
        one.get("id"): (one.get("sourceRef"), one.get("targetRef")) for one in shop.iter(f"{BPMN}messageFlow")
    }
    assert lines == {
        "sid-m1": ("sid-t1", "sid-maker"),
        "sid-m2": ("sid-maker", "sid-t2"),
        "sid-m3": ("sid-t2", "sid-bank"),
    }
    of_pools = {one.get("id"): one.get("processRef") for one in maker.iter(f"{BPMN}participant")}
    assert of_pools == {"sid-maker": "sid-p2", "sid-shop": None}
    for root, notes in ((shop, {"sid-n1", "sid-n2"}), (maker, {"sid-n2"})):
        assert {one.get("id") for one in root.iter(f"{BPMN}textAnnotation")} == notes
        drawn_too = {one.get("bpmnElement") for one in root.iter(f"{DI}BPMNShape", f"{DI}BPMNEdge")}
        there = {
            one.get("id") for one in root.iter(f"{BPMN}participant", f"{BPMN}messageFlow", f"{BPMN}group")
        }
        assert there <= drawn_too <= {one.get("id") for one in root.iter(etree.Element)}
    for one in pools(content("staff")):  # each opens on its own sheet
        (sheet,) = tree(one.text).iter(f"{DI}BPMNPlane")
        assert sheet.get("bpmnElement") in {part.get("id") for part in tree(one.text)}


def test_what_a_drawing_leaves_out_is_added_to_it_and_closed_parts_stay_closed() -> None:
    root = tree(pools(content("pools"))[1].text)
    for gone in ("sid-t5", "sid-f9", "sid-f8"):
        (shape,) = (
            one for one in root.iter(f"{DI}BPMNShape", f"{DI}BPMNEdge") if one.get("bpmnElement") == gone
        )
        shape.getparent().remove(shape)
    before = read(etree.tostring(root))
    after = read(drawn(before.text))
    assert after.boxes.keys() - before.boxes.keys() == {"sid-t5"} and set(after.lines) >= {"sid-f8", "sid-f9"}
    assert all(after.boxes[name] == box for name, box in before.boxes.items())
    for part in root.iter(f"{DI}BPMNShape"):
        if part.get("bpmnElement") == "sid-u":
            part.set("isExpanded", "false")
        elif part.get("bpmnElement") in ("sid-s3", "sid-t4", "sid-e3"):
            part.getparent().remove(part)
    assert not {"sid-s3", "sid-t4", "sid-e3"} & read(drawn(etree.tostring(root))).boxes.keys()
    bare = read(drawn(without_drawing(root)))
    outer, inner = bare.boxes["sid-u"], bare.boxes["sid-t4"]
    assert outer.x < inner.x and inner.x + inner.width < outer.x + outer.width


def without_drawing(root: etree._Element) -> bytes:
    for sheet in list(root.iter(f"{DI}BPMNDiagram")):
        root.remove(sheet)
    return etree.tostring(root)  # type: ignore[no-any-return]


def test_references_with_the_prefix_of_the_file_are_understood() -> None:
    text = (
        HEAD.replace('id="d"', 'id="d" xmlns:t="urn:test"')
        + '<message id="m" name="message.paid"/><process id="p"><startEvent id="s"><messageEventDefinition messageRef="t:m"/>'
        '</startEvent><endEvent id="e"/><sequenceFlow id="f" sourceRef="s" targetRef="e"/></process></definitions>'
    ).encode()
    kept = drawn(text)
    assert read(text).elements["s"].detail == "message.paid" and b"t:m" not in kept and kept == drawn(kept)
