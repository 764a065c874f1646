"""A real browser: Debian's Chromium, driven by Playwright, and axe for accessibility."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright
from samples import gym, registry
from talking import OFFER, probe
from trellis import enabling
from trellis.config import Config
from trellis.edition import Settings
from trellis.installation import Installation
from trellis.security.identities import add_user
from trellis.web.app import create_app
from web.conftest import PASSWORD, fill
from werkzeug.serving import make_server

AXE = Path(__file__).parents[2] / "frontend/node_modules/axe-core/axe.min.js"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium() -> str | None:
    """The path of a Chromium: that of ``TRELLIS_TEST_CHROMIUM``, or one on the path."""
    found = (shutil.which(name) for name in NAMES)
    return os.environ.get("TRELLIS_TEST_CHROMIUM") or next(filter(None, found), None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests of this folder."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium without a window; the test is skipped where there is none."""
    path = chromium()
    if path is None:
        pytest.skip(
            "no Chromium: `apt-get install chromium`, or set TRELLIS_TEST_CHROMIUM to the path of one"
        )
    expect.set_options(timeout=20_000)  # a machine may be slow
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def browser_page(browser: Browser) -> Iterator[Page]:
    """A page with a session of its own. Its test fails on a script error and on whatever the CSP had to refuse."""
    faults: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" and "Content Security Policy" in message.text:
            faults.append(message.text)

    context = browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", note)
    yield page
    context.close()
    assert not faults


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running server with one workspace; its address."""
    installation = Installation(Config(home=tmp_path_factory.mktemp("site")), registry(gym(), probe(OFFER)))
    workspace = installation.create_workspace("acme", Settings(title="Acme"))
    for plugin in ("gym", "probe"):
        enabling.enable(workspace, plugin)
    add_user(installation, workspace, "admin@acme.test", "Anna Meyer", ["administrator"], PASSWORD)
    add_user(installation, workspace, "boris@acme.test", "Boris Bell", ["manager"], PASSWORD)
    fill(workspace)
    server = make_server("127.0.0.1", 0, create_app(installation), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    installation.close()


@pytest.fixture
def page(site: str, browser_page: Page) -> Page:
    """Somebody who has signed in."""
    browser_page.goto(f"{site}/acme/login")
    browser_page.fill("input[name=email]", "admin@acme.test")
    browser_page.fill("input[name=password]", PASSWORD)
    browser_page.press("input[name=password]", "Enter")
    expect(browser_page.locator("h1")).to_contain_text("Anna")
    browser_page.wait_for_load_state()  # keys and menus work once the scripts are there
    return browser_page


@pytest.fixture
def accessibility_faults() -> Callable[..., list[str]]:
    """What axe finds on a page under WCAG 2.2 A and AA, or by these rules alone: a line per rule, with the elements that break it."""
    if not AXE.is_file():
        pytest.skip(
            "no axe-core: remove core/trellis/web/static/vendor, then `uv sync --reinstall-package trellis-crm`"
        )
    source = AXE.read_text()

    def check(page: Page, *rules: str) -> list[str]:
        if not page.evaluate("'axe' in window"):
            page.evaluate(source)
        only = list(rules) or ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
        options = {"runOnly": only, "resultTypes": ["violations"]}
        result = page.evaluate("options => axe.run(document, options)", options)
        return [
            f"{fault['id']}: {fault['help']}: {', '.join(str(node['target'][0]) for node in fault['nodes'])}"
            for fault in result["violations"]
        ]

    return check
