"""A process is drawn, checked, published, started and finished by somebody who sees nothing but its pages."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from drawn import line, node
from playwright.sync_api import Page, expect


def settle(page: Page) -> None:
    """Waits until the panel has nothing more to ask."""
    expect(page.locator("[data-panel]")).not_to_have_attribute("aria-busy", "true")


def name(page: Page, text: str) -> None:
    """Gives what is chosen a name."""
    settle(page)
    page.locator("#panel-name").fill(text)
    page.keyboard.press("Tab")
    settle(page)


def test_a_process_is_drawn_checked_started_and_finished(
    site: str, page: Page, accessibility_faults: Callable[[Page], list[str]]
) -> None:
    page.goto(f"{site}/acme/processes")
    page.get_by_role("link", name="New process").click()
    page.get_by_label("Title").fill("Intake")
    page.get_by_label("About").select_option("customer")
    page.get_by_role("button", name="Begin").click()
    panel, sheet = page.locator("[data-panel]"), page.locator("[data-canvas]")
    expect(page.locator("[data-ready]")).to_be_visible()

    panel.get_by_role("button", name="First step").click()
    name(page, "Look at it")
    panel.locator("#f-panel-who-for-ts-control").click()
    page.get_by_role("option", name="Role: Administrator").click()
    page.keyboard.press("Escape")
    settle(page)
    panel.get_by_role("button", name="Add a question").click()
    expect(panel.get_by_label("Question", exact=True)).to_be_focused()
    page.keyboard.type("Decision")
    page.keyboard.press("Tab")
    settle(page)
    panel.get_by_label("Answer").select_option("choice")
    settle(page)
    panel.get_by_label("Options").fill("Take in\nNot now")
    page.keyboard.press("Tab")
    settle(page)
    panel.get_by_role("button", name="Gateway").click()
    name(page, "Taken in?")
    panel.get_by_role("button", name="Automatic step").click()
    name(page, "Keep the city")
    panel.get_by_label("What is done").select_option("update_record")
    settle(page)
    panel.get_by_role("button", name="Add a field").click()
    settle(page)
    panel.get_by_label("Field", exact=True).select_option("city")
    settle(page)
    panel.get_by_label("Gets the value").fill("Linz")
    page.keyboard.press("Tab")
    settle(page)
    panel.get_by_role("button", name="End").click()
    settle(page)
    assert accessibility_faults(page) == []

    page.get_by_role("button", name="Publish").click()
    problems = page.locator("[data-problems]")
    expect(problems).to_contain_text("3 problems")
    expect(sheet.locator(".djs-element.has-problem")).to_have_count(3)
    problems.get_by_role("button", name="Arrow to “Keep the city”").click()
    settle(page)
    panel.get_by_label("What", exact=True).select_option("decision")
    settle(page)
    panel.get_by_label("Value").select_option("take_in")
    settle(page)
    problems.get_by_role("button", name="Taken in?").click()
    settle(page)
    panel.get_by_label("Taken when no condition is true").select_option(label="To “End”")
    settle(page)
    page.get_by_role("button", name="Check", exact=True).click()
    expect(problems).to_contain_text("Nothing stands against publishing it")
    expect(sheet.locator(".has-problem")).to_have_count(0)
    page.get_by_role("button", name="Publish").click()
    page.wait_for_url("**/processes/own.intake")

    page.goto(f"{site}/acme/customer/3")
    page.locator("#processes").get_by_role("button", name="Start").click()
    page.get_by_role("menuitem", name="Intake").click()
    page.get_by_role("dialog").get_by_role("button", name="Start").click()
    expect(page.locator(".process-task h2")).to_have_text("Look at it")
    page.wait_for_load_state()
    page.get_by_role("button", name="Take", exact=True).click()
    expect(page.get_by_role("button", name="Put back")).to_be_visible()
    page.get_by_label("Decision").select_option(label="Take in")
    page.get_by_role("button", name="Complete").click()
    expect(page.locator("h1")).to_contain_text("Finished")
    page.goto(f"{site}/acme/customer/3")
    expect(page.locator("#prop-city")).to_contain_text("Linz")

    for position in ("Clerk", "Head"):
        page.goto(f"{site}/acme/position/new")
        page.get_by_label("Name").fill(position)
        page.keyboard.press("Control+Enter")
        expect(page.locator("h1")).to_have_text(position)
    page.goto(f"{site}/acme/responsibilities/own.intake")
    clerk, head = page.get_by_label("Look at it, Clerk"), page.get_by_label("Look at it, Head")
    clerk.focus()
    page.keyboard.press("a")
    expect(clerk).to_have_class("plan-cell is-A")
    page.keyboard.press("ArrowRight")
    expect(head).to_be_focused()
    page.keyboard.press("a")
    expect(page.locator(".toast")).to_contain_text("“Head” answers for “Look at it” now, instead of “Clerk”")
    expect(clerk).to_have_class("plan-cell")
    expect(head).to_be_focused()
    assert accessibility_faults(page) == []
    page.get_by_role("button", name="Undo").click()
    expect(clerk).to_have_class("plan-cell is-A")
    clerk.focus()
    page.keyboard.press("Delete")
    expect(clerk).to_have_class("plan-cell")


def test_a_diagram_of_another_tool_is_opened_changed_and_kept(site: str, page: Page, tmp_path: Path) -> None:
    file = tmp_path / "ask.bpmn"
    text = line(
        node("userTask", "ask", title="Ask", for_="role:manager", strange="kept"),
        node("userTask", "again", for_="role:agent"),
    )
    file.write_bytes(text.replace(b"<process", b'<itemDefinition id="i"><odd/></itemDefinition><process'))
    page.goto(f"{site}/acme/processes/new")
    page.get_by_label("Title").fill("From a file")
    page.get_by_label("Diagram from a file").set_input_files(file)
    page.get_by_role("button", name="Begin").click()
    expect(page.locator("[data-ready]")).to_be_visible()
    expect(page.locator("[data-lost]")).to_have_text(re.compile("leaves it out when you save: odd$"))
    page.locator("[data-element-id=ask]").first.click()
    panel = page.locator("[data-panel]")
    expect(panel.get_by_label("Value")).to_have_value("kept")
    name(page, "Спросить")
    page.keyboard.press("Control+s")
    expect(page.locator("[data-saved]")).to_have_text("Saved")
    page.get_by_role("button", name="Undo change").click()
    expect(panel.locator("#panel-name")).to_have_value("Ask")
    page.get_by_role("button", name="Redo change").click()
    page.keyboard.press("Control+s")
    expect(page.locator("[data-saved]")).to_have_text("Saved")
    page.reload()
    expect(page.locator("[data-ready]")).to_be_visible()
    expect(panel.get_by_role("button", name="Спросить")).to_be_visible()
    with page.expect_download() as kept:
        page.get_by_role("button", name="More").click()
        page.get_by_role("menuitem", name="Download the draft").click()
    text = Path(kept.value.path()).read_text()
    assert 'name="for" value="role:agent"' in text
    assert 'name="for" value="role:manager"' in text and 'name="strange" value="kept"' in text

    page.set_viewport_size({"width": 390, "height": 844})
    page.reload()
    expect(page.locator("[data-ready]")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect(page.locator(".djs-palette")).to_be_hidden()
