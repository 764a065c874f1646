"""A day's work in a real browser: by pointer and by keyboard, on a desk and on a phone, in both languages and themes."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress

from playwright.sync_api import Locator, Page, Route, expect
from web.conftest import PASSWORD


def swapped(page: Page) -> None:
    """Waits until the scripts are there and what was swapped in has its acts: a button that came just now does nothing yet."""
    page.wait_for_load_state()
    expect(page.locator(".htmx-request, .htmx-swapping, .htmx-added, .htmx-settling")).to_have_count(0)


def test_a_customer_is_made_and_found_again(site: str, page: Page) -> None:
    page.goto(f"{site}/acme/customer")
    page.keyboard.press("c")
    page.wait_for_url("**/customer/new")
    page.fill("#f-name", "Ирина Соколова")
    page.keyboard.press("Control+Enter")
    expect(page.locator("h1")).to_have_text("Ирина Соколова")
    page.goto(f"{site}/acme/customer")
    page.fill("input[name=q]", "соколова")
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.goto(f"{site}/acme/contact/new")
    page.locator("#f-customer-ts-control").click()
    options = page.locator(".ts-dropdown [role=option]:visible")
    expect(options.nth(2)).to_be_visible()
    page.keyboard.type("соколова")
    expect(options).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator(".ts-wrapper .item").first).to_contain_text("Соколова")
    page.locator("#f-customer-ts-control").click()
    page.keyboard.type("no such")
    expect(page.locator(".no-results")).to_have_text("Nothing matches")


def test_a_field_is_edited_where_it_stands(site: str, page: Page) -> None:
    page.goto(f"{site}/acme/customer/2")
    page.locator("#prop-city [data-edit]").click()
    page.fill("#f-city", "Graz")
    page.keyboard.press("Enter")
    expect(page.locator("#prop-city .prop-value")).to_contain_text("Graz")
    page.locator("#prop-city [data-edit]").click()
    page.fill("#f-city", "Nowhere")
    page.keyboard.press("Escape")
    expect(page.locator("#prop-city .prop-value")).to_contain_text("Graz")


def test_a_filter_is_built_and_shown_as_a_chip(site: str, page: Page) -> None:
    page.goto(f"{site}/acme/customer")
    page.get_by_role("button", name="Filter").first.click()
    row = page.locator("#rules .rule-row").first
    row.locator("[data-field]").select_option("city")
    row.locator("[data-op]").select_option("eq")
    row.locator("[data-value] input").fill("Brno")
    page.locator("#rules [data-rules-group]").first.click()
    page.locator("#rules [data-joint]").select_option("none")
    born = page.locator("#rules .rule-group .rule-row")
    born.locator("[data-field]").select_option("birthday")
    born.locator("[data-op]").select_option("gte")
    born.locator("[data-value] input").fill("1990-03-26")
    box = born.locator("[data-value] input").bounding_box()
    assert box and box["width"] >= 120, "a date is read whole"
    expect(page.locator("[data-rules-count]")).not_to_be_empty()
    page.locator("[data-rules-apply]").click()
    expect(page.locator(".chip").first).to_contain_text("Brno")
    expect(page.locator(".chip").nth(1)).to_contain_text("not (Birthday")
    expect(page.locator("tbody tr").first).to_contain_text("Brno")
    swapped(page)
    page.get_by_role("button", name="Filter").first.click()
    expect(page.locator("#rules [data-joint]")).to_have_value("none")


def test_a_rule_of_a_form_is_about_what_the_form_names(site: str, page: Page) -> None:
    page.goto(f"{site}/acme/report/new?of_entity=customer")
    rule, kept = page.locator("#f-rule"), page.locator("input[name=rule]")

    def compare(field: str, text: str) -> None:
        rule.locator("[data-rules-add]").first.click()
        row = rule.locator(".rule-row")
        row.locator("[data-field]").select_option(field)
        row.locator("[data-op]").select_option("eq")
        row.locator("[data-value] input").fill(text)

    late: list[Route] = []
    page.route("**/rule-fields", lambda route: late.append(route))
    page.reload()
    rule.locator("[data-rules-add]").first.click()  # before the fields have come
    while late:
        late.pop().continue_()
    page.unroute("**/rule-fields")
    expect(rule.locator(".rule-row [data-field] option").first).to_be_attached()
    rule.locator(".rule-row [data-remove]").click()
    compare("city", "Brno")
    expect(kept).to_have_value(re.compile("Brno"))
    page.select_option("#f-of_entity", "order")
    expect(rule.locator(".rule-row")).to_have_count(0)
    expect(kept).to_have_value("null")
    compare("number", "N7")
    page.fill("#f-name", "One order")
    page.get_by_role("button", name="Create").click()
    expect(page.locator("#prop-rule")).to_contain_text("Number is “N7”")
    page.locator("#prop-rule .prop-pen").click()
    expect(rule.locator("[data-value] input")).to_have_value("N7")


def test_a_cell_is_edited_by_keys_and_the_row_stays_ticked(site: str, page: Page) -> None:
    page.goto(f"{site}/acme/customer?q=customer&columns=name,city")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("e")
    field = page.locator(".editing input[name=city]")
    expect(field).to_be_focused()
    field.fill("Linz")
    page.keyboard.press("Enter")
    row = page.locator("tr.at")
    expect(row.locator("[data-cell=city]")).to_have_text("Linz")
    expect(row.locator("[data-pick]")).to_be_checked()
    page.keyboard.press("e")
    expect(field).to_be_focused()
    page.keyboard.press("Escape")
    expect(row.locator("[data-cell=city]")).to_have_text("Linz")


def test_all_rows_are_edited_and_given_back(site: str, page: Page) -> None:
    page.goto(f"{site}/acme/order?columns=number,channel")
    page.locator("[data-pick-all]").check()
    page.get_by_role("button", name="Select all 60").click()
    expect(page.locator("[data-bulk-count]")).to_have_text("All 60 selected")
    page.locator("[data-bulk]").get_by_role("button", name="Edit").click()
    page.locator("#f-bulk-field").select_option("channel")
    page.get_by_label("Channel: new value").select_option("post")
    page.get_by_role("button", name="Change", exact=True).click()
    expect(page.locator(".toast")).to_contain_text("60 records are changed.")
    expect(page.locator("[data-cell=channel]").first).to_have_text("Post")
    swapped(page)  # until then the button does nothing
    page.locator(".toast .undo").click()
    expect(page.locator(".toast")).to_contain_text("60 records are as they were.")
    expect(page.locator("[data-cell=channel]").first).not_to_have_text("Post")


def test_a_card_is_dragged_to_the_next_stage(site: str, page: Page) -> None:
    page.goto(f"{site}/acme/opportunity/board")
    card = page.locator("[data-stage=qualify] [data-card]").first
    name = card.locator(".name").inner_text()
    target = page.locator("[data-stage=discover] [data-cards]")
    start, end = card.bounding_box(), target.bounding_box()
    assert start is not None and end is not None
    page.mouse.move(start["x"] + 60, start["y"] + 20)
    page.mouse.down()
    for step in range(1, 11):
        x = start["x"] + 60 + (end["x"] + 60 - start["x"] - 60) * step / 10
        page.mouse.move(x, end["y"] + 30)
    with page.expect_response(lambda answer: answer.url.endswith("/move")) as moved:
        page.mouse.up()
    assert moved.value.ok
    page.reload()
    expect(page.locator("[data-stage=discover]")).to_contain_text(name)


def test_a_record_is_moved_in_a_week_of_hours(
    site: str, page: Page, accessibility_faults: Callable[[Page], list[str]]
) -> None:
    page.goto(f"{site}/acme/activity/new?due_at=2027-03-10T10:00")
    page.fill("#f-subject", "Ring up")
    page.keyboard.press("Control+Enter")
    expect(page.locator("h1")).to_have_text("Ring up")
    page.goto(f"{site}/acme/activity/calendar?span=week&at=2027-03-10")
    item = page.locator(".calendar-item", has_text="Ring up")
    assert accessibility_faults(page) == []
    start, next_day = item.bounding_box(), page.locator('[data-day="2027-03-11"]').bounding_box()
    assert start is not None and next_day is not None
    page.mouse.move(start["x"] + 20, start["y"] + 5)
    page.mouse.down()
    page.mouse.move(next_day["x"] + 20, start["y"] + 5 + 56, steps=5)  # an hour later
    page.mouse.up()
    expect(page.locator('[data-day="2027-03-11"] [data-hours]')).to_contain_text("11:00")
    expect(page.locator(".toast")).to_contain_text("11 Mar 2027, 11:00")
    swapped(page)
    item.locator("a").focus()
    page.keyboard.press("m")
    page.fill("dialog #f-day", "2027-03-12T16:20")
    page.get_by_role("button", name="Move", exact=True).click()
    expect(page.locator('[data-day="2027-03-12"] [data-hours]')).to_contain_text("16:20")
    page.set_viewport_size({"width": 390, "height": 844})
    expect(item).to_be_visible()
    expect(page.locator(".calendar-scale")).to_be_hidden()


def open_moves(page: Page, card: Locator) -> None:
    """Opens the menu of moves by its key. A page that has just come may take the focus to where it was before."""
    menu = page.locator("[data-move-to=lost]")
    for _try in range(3):
        card.locator(".name").focus()
        page.keyboard.press("m")
        with suppress(AssertionError):
            expect(menu).to_be_visible(timeout=3000)
            return
    expect(menu).to_be_visible()


def test_a_card_is_moved_without_a_mouse(site: str, page: Page) -> None:
    page.goto(f"{site}/acme/opportunity/board")
    card = page.locator("[data-stage=qualify] [data-card]").last
    name = card.locator(".name").inner_text()
    open_moves(page, card)
    with page.expect_response(lambda answer: answer.url.endswith("/move")):
        page.locator("[data-move-to=propose]").press("Enter")
    page.reload()
    expect(page.locator("[data-stage=propose]")).to_contain_text(name)


def test_losing_asks_why(site: str, page: Page) -> None:
    page.goto(f"{site}/acme/opportunity/board")
    card = page.locator("[data-card]").first
    column = card.locator("xpath=ancestor::*[@data-stage]")
    name, stage = card.locator(".name").inner_text(), column.get_attribute("data-stage")
    open_moves(page, card)
    expect(page.locator(f"[data-move-to={stage}]")).to_be_hidden()
    page.locator("[data-move-to=lost]").press("Enter")
    page.locator("dialog[open]").get_by_role("button", name="Cancel").click()
    expect(page.locator(f"[data-stage={stage}] [data-card] .name").first).to_have_text(
        name
    )  # nothing was moved
    open_moves(page, card)
    page.locator("[data-move-to=lost]").press("Enter")
    page.fill("dialog #f-lost_reason", "Too dear")
    with page.expect_response(lambda answer: answer.url.endswith("/move")):
        page.get_by_role("button", name="Move", exact=True).click()
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(page.locator(".toast")).to_contain_text("Lost")


def test_language_and_theme_are_remembered(site: str, page: Page) -> None:
    page.locator(".side-user [popovertarget=user-menu]").click()
    with page.expect_navigation():
        page.get_by_role("menuitemradio", name="Русский").click()
    expect(page.locator("html")).to_have_attribute("lang", "ru")
    page.locator("[data-theme-toggle]").first.click()
    theme = page.locator("html").get_attribute("data-theme")
    assert theme in ("light", "dark")
    page.goto(f"{site}/acme/model")
    expect(page.locator("html")).to_have_attribute("data-theme", theme)
    expect(page.locator("h1")).to_have_text("CRM-модель")


def test_a_phone_shows_no_sideways_scroll(site: str, page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    for path in (
        "",
        "customer",
        "customer/1",
        "opportunity/board",
        "model",
        "kpis",
        "kpis/targets",
        "opportunity/plan",
        "bonuses",
        "settings/kpis",
        "settings/plugins",
        "customer/new",
        "notifications",
        "profile",
        "customer/1/mail",
        "mail_template/new?of_entity=customer",
        *STACKED,
    ):
        page.goto(f"{site}/acme/{path}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        if path in STACKED:
            assert page.evaluate(NARROW), path


STACKED = ("settings/fields", "settings/audit", "settings/jobs", "processes", "customer/1?tab=history")
"""Tables whose cells stand under each other on a phone."""
NARROW = "[...document.querySelectorAll('.card-scroll')].every(one => one.scrollWidth <= one.clientWidth + 1)"


def test_the_list_of_customers_fits_a_desktop_in_both_languages(site: str, page: Page) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    for language in ("en", "ru"):
        page.goto(f"{site}/acme/customer?language={language}")
        assert page.evaluate(
            "(one => one.scrollWidth <= one.clientWidth)(document.querySelector('.table-scroll'))"
        )


PAGES = (
    "",
    "customer",
    "customer/1",
    "customer/new",
    "opportunity/board",
    "model",
    "kpis",
    "kpis/targets",
    "kpis/targets?kpi=revenue&by=unit",
    "opportunity/plan",
    "bonuses",
    "settings/kpis",
    "settings/kpis/new?entity=order",
    "segments",
    "processes",
    "customer/1?tab=history",
    "settings/fields",
    "settings/audit",
    "settings/plugins",
    "settings/health",
    "notifications",
    "profile",
    "customer/1/mail",
    "mail_template/new?of_entity=customer",
)


def test_axe_finds_nothing_in_light_nor_in_dark(
    site: str, page: Page, accessibility_faults: Callable[..., list[str]]
) -> None:
    page.context.add_cookies([{"name": "theme", "value": "light", "url": site}])
    page.emulate_media(reduced_motion="reduce")  # colours change at once
    found = {}
    for path in PAGES:
        page.goto(f"{site}/acme/{path}")
        light = accessibility_faults(page)
        page.evaluate("document.documentElement.dataset.theme = 'dark'")  # changes colours, nothing else
        faults = light + accessibility_faults(page, "color-contrast")
        if faults:
            found[path] = faults
    assert found == {}


def test_tasks_are_ticked_by_keys_and_done_in_one_go(
    site: str, page: Page, accessibility_faults: Callable[..., list[str]]
) -> None:
    page.goto(f"{site}/acme/tasks")
    rows = page.locator(".task-list > li")
    number = rows.count()
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")
    bar = page.get_by_role("region", name="Ticked rows")
    expect(bar).to_contain_text("2 selected")
    assert accessibility_faults(page) == []
    bar.get_by_role("button", name="Complete").click()
    expect(page.locator(".toast")).to_contain_text("2 tasks are done")
    expect(rows).to_have_count(number - 2)


PASTE = """text => {
  const data = new DataTransfer();
  data.setData("text/plain", text);
  document.activeElement.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
}"""


def test_targets_are_typed_pasted_and_saved_by_keyboard(
    site: str, page: Page, accessibility_faults: Callable[[Page], list[str]]
) -> None:
    page.goto(f"{site}/acme/kpis/targets?year=2027")
    january, february, march = (page.locator(f'[name="orders/2027-0{month}"]') for month in (1, 2, 3))
    january.focus()
    page.keyboard.type("100")
    page.keyboard.press("ArrowRight")
    expect(february).to_be_focused()
    page.evaluate(PASTE, "110\t120\r\n7\t8\r\n")
    expect(march).to_have_value("120")
    page.keyboard.press("Control+z")
    expect(march).to_have_value("")
    page.evaluate(PASTE, "110\t12x")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#e-orders-2027-03")).to_be_visible()
    assert accessibility_faults(page) == []
    march.fill("130")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".toast")).to_contain_text("3")
    expect(page.locator('[name="orders/2027-03"]')).to_have_value("130")


def test_somebody_is_mentioned_by_keyboard_and_finds_it_under_the_bell(site: str, page: Page) -> None:
    page.goto(f"{site}/acme/customer/1")
    text = page.locator("#composer textarea")
    text.focus()
    page.keyboard.type("Ask @bor")
    expect(page.get_by_role("option", name="Boris Bell")).to_be_visible()
    assert text.get_attribute("aria-activedescendant") == "mention-0"
    page.keyboard.press("Escape")
    expect(page.locator("#mentions")).to_have_count(0)
    page.keyboard.type("i")
    expect(page.get_by_role("option", name="Boris Bell")).to_be_visible()
    page.keyboard.press("Enter")
    expect(text).to_have_value("Ask @Boris Bell ")
    page.keyboard.type("about it")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#pane .event").first).to_contain_text("Ask @Boris Bell about it")
    page.context.clear_cookies()
    page.goto(f"{site}/acme/login")
    page.fill("input[name=email]", "boris@acme.test")
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    bell = page.get_by_role("link", name="Notifications: 1 unread")
    bell.click()
    page.get_by_role("button", name="Unread: Anna Meyer mentioned you").click()
    expect(page.locator("h1")).to_have_text("Ask @Boris Bell about it")
    expect(page.locator("#bell")).to_have_attribute("aria-label", "Notifications")


def test_a_template_is_put_together_from_fields_and_tried_while_it_is_typed(site: str, page: Page) -> None:
    page.goto(f"{site}/acme/mail_template/new?of_entity=customer")
    page.fill("#f-name", "Hello")
    page.fill("#f-subject", "For ")
    page.get_by_role("button", name="Name {record.name}").click()
    expect(page.locator("#f-subject")).to_have_value("For {record.name}")
    expect(page.locator("#letter-preview h3")).to_contain_text(re.compile("For ."))
    page.fill("#f-body", "Dear {record.nam}")
    expect(page.locator("#letter-preview .note")).to_contain_text("has no field")
    page.fill("#f-body", "Dear {record.name}")
    page.keyboard.press("Control+Enter")
    expect(page.locator("h1")).to_have_text("Hello")
    page.goto(f"{site}/acme/customer/1/mail")
    page.locator("#f-template").select_option(label="Hello")
    expect(page.locator("#f-text")).to_have_value("Dear Customer 00")


def test_a_conversation_is_led_by_keys_beside_a_record(
    site: str, page: Page, accessibility_faults: Callable[[Page], list[str]]
) -> None:
    page.goto(f"{site}/acme/customer/3")
    page.get_by_role("button", name="Script").click()
    page.get_by_role("menuitem", name="An offer").click()
    panel = page.locator("#script")
    expect(panel).to_contain_text("A minute?")
    assert accessibility_faults(page) == []
    swapped(page)
    panel.get_by_text("Objections").click()
    panel.get_by_role("button", name="Who are you?").click()
    expect(panel.locator(".script-reply")).to_be_focused()
    page.keyboard.press("1")
    expect(panel.locator(".script-say").last).to_have_text("May I write to you?")
    expect(panel.locator(".script-say").last).to_be_focused()
    page.keyboard.press("1")
    expect(page.locator("#prop-consent_mail")).to_contain_text("Granted")
    expect(panel.locator(".script-say").last).to_have_text("In which town are you now?")
    expect(panel.locator(".script-say").last).to_be_focused()
    swapped(page)
    page.keyboard.press("1")  # asks for something: the cursor goes there
    expect(panel.locator("input[type=text]").first).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type("Linz")
    page.keyboard.press("Enter")
    expect(panel).to_contain_text("Takes it")
    expect(page.locator("#prop-city")).to_contain_text("Linz")
    expect(page.locator("#pane")).to_contain_text("A minute → You may → Tells it")
    swapped(page)
    panel.get_by_role("button", name="A step back").click()
    expect(panel.locator(".script-say")).to_have_text("In which town are you now?")
    page.set_viewport_size({"width": 390, "height": 844})
    expect(panel).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_a_script_is_changed_and_published_in_the_browser(
    site: str, page: Page, accessibility_faults: Callable[[Page], list[str]]
) -> None:
    page.goto(f"{site}/acme/scripts")
    page.get_by_role("button", name="Make it my own").click()
    page.wait_for_url("**/edit")
    page.locator(".script-tree").get_by_text("May I write to you?").first.click()
    page.wait_for_url("**/edit?step=mail")
    page.get_by_role("button", name="Add an answer").click()
    expect(page.locator("#f-answer-2-title")).to_be_focused()
    swapped(page)
    page.keyboard.type("By post")
    page.keyboard.press("Enter")
    expect(page.locator(".script-tree")).to_contain_text("By post")
    expect(page.locator("#e-answer-2")).to_contain_text("one of the two")
    swapped(page)
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_role("alert")).to_contain_text("cannot be published yet")
    swapped(page)
    page.locator("#f-answer-2-leads").select_option(label="Takes it")
    page.locator("#save-step").click()
    expect(page.locator("#editor")).to_contain_text("Nothing is wrong with it")
    swapped(page)
    assert accessibility_faults(page) == []
    page.get_by_role("button", name="Publish").click()
    expect(page.locator("#editor")).to_contain_text("Version 1 is in use")


def test_a_journey_is_put_together_checked_and_started(
    site: str, page: Page, accessibility_faults: Callable[[Page], list[str]]
) -> None:
    page.goto(f"{site}/acme/journey")
    page.keyboard.press("c")
    page.wait_for_url("**/journey/new")
    page.fill("#f-name", "Autumn")
    page.keyboard.press("Enter")
    page.wait_for_url("**/edit")
    page.get_by_role("button", name="Save and start").click()
    expect(page.locator(".error-summary")).to_contain_text("at least one step")
    for place, kind in enumerate(("split", "task")):
        page.locator('[name="new:"]').select_option(kind)
        page.get_by_role("button", name="Add step").last.click()
        expect(page.locator(f"#f-{place}-title")).to_be_focused()
        swapped(page)
    page.get_by_role("button", name="Move step 2 up").click()
    expect(page.locator("#f-0-subject")).to_be_visible()
    swapped(page)
    page.fill("#f-0-subject", "Ring up")
    page.locator('[name="new:1.0."]').select_option("change")
    page.locator('[value="add:1.0."]').click()
    with page.expect_response("**/journey/1/edit"):  # the field says how its value is given
        page.locator("#f-1-0-0-field").select_option("city")
    swapped(page)
    page.wait_for_load_state("networkidle")  # rules know their fields
    split = page.locator("#step-1")
    split.get_by_role("button", name="Rule", exact=True).first.click()
    row = split.locator(".rule-row").first
    row.locator("[data-field]").select_option("city")
    row.locator("[data-op]").select_option("eq")
    row.locator("[data-value] input").fill("Brno")
    expect(split.locator("[data-rules-count]")).not_to_be_empty()
    page.fill("#f-1-0-0-value", "Graz")  # last, when nothing is swapped any more
    assert accessibility_faults(page) == []
    page.get_by_role("button", name="Save and start").click()
    expect(page.locator("h1")).to_have_text("Autumn")
    expect(page.locator(".page-head .badge")).to_have_text("Running")
    expect(page.locator(".journey-flow").first).to_contain_text("City is “Brno”")
    assert accessibility_faults(page) == []
    page.get_by_role("button", name="Bring in").click()
    page.locator("dialog select[name=segment]").select_option("gym.members")
    page.locator("dialog").get_by_role("button", name="Bring in").click()
    expect(page.locator(".toast")).to_contain_text("in the background")
    page.get_by_role("link", name="Customers", exact=True).last.click()
    expect(page.locator(".empty")).to_contain_text("Nobody is on this journey yet")
    page.set_viewport_size({"width": 390, "height": 844})
    for path in ("journey/1", "journey/1/edit", "journey/1/members", "journey/new"):
        page.goto(f"{site}/acme/{path}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
