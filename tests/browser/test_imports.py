"""The page of a mapping in a real browser: what is offered beside the columns comes and goes while one maps."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import FilePayload, Page, expect

DEALS = "Deal ID,Account Name,Deal Stage\n7,Acme Ltd,Qualify\n8,ACME ltd,Qualify\n"


def test_fields_without_a_column_and_unknown_names_are_dealt_with_while_one_maps(
    site: str, page: Page, accessibility_faults: Callable[..., list[str]]
) -> None:
    page.goto(f"{site}/acme/opportunity/import")
    file = FilePayload(name="deals.csv", mimeType="text/csv", buffer=DEALS.encode())
    page.set_input_files("#f-file", file)
    page.locator(".import-begin button[type=submit]").click()
    preview, step = page.locator("#preview"), page.locator("#f-fixed-next_step")
    expect(preview).to_contain_text("2 of these rows are refused")
    unknown = page.locator("#f-unknown-customer")
    unknown.focus()
    unknown.select_option("make")
    expect(preview.get_by_text("new", exact=True)).to_have_count(2)
    expect(unknown).to_be_focused()  # though it was swapped
    add = page.locator("#f-fixed-add")
    add.select_option("next_step")
    step.fill("Ring up")
    page.keyboard.press("Tab")  # onto the button that removes it, which is no press
    expect(preview).to_contain_text("Ring up")
    add.select_option("next_step_on")
    expect(page.locator("#f-fixed-next_step_on")).to_be_visible()
    expect(step).to_have_value("Ring up")
    page.get_by_role("button", name="Remove Next step on").click()
    expect(page.locator("#f-fixed-next_step_on")).to_have_count(0)
    page.locator("select[name=column-1]").select_option("")
    expect(page.locator("#import-unknown")).to_be_empty()  # no column names a record any more
    page.locator("select[name=column-1]").select_option("customer.name")
    unknown.select_option("make")
    expect(preview.get_by_text("new", exact=True)).to_have_count(2)
    assert accessibility_faults(page) == []
    expect(preview).not_to_contain_text("refused")
