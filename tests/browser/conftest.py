"""A real browser, the system's Chromium, driven by Playwright, and a JupyterLab for it.

Without them these tests are skipped, and say so; `make test-browser` installs them, and there it is a failure.
"""

import os
import shutil

import pytest
from browser_for_tests import SHOTS, Lab, Pad, until

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
MODEL = """
from dataclasses import replace
from models_for_tests import tiny
from xattn_helpers.display.explorers import *
from xattn_helpers.pocket.world.vocabulary import check_prompt
model = tiny()
model = replace(model, text=replace(model.text, check=check_prompt))
model = replace(model, defaults=replace(model.defaults, frames=8, height=64, width=64, steps=3))
drawer = PathDrawer(model)
drawer
"""


def missing(what):
    """A test that needs something which is not there: skipped, but under `make test-browser` a failure."""
    if os.environ.get("XATTN_BROWSER"):
        pytest.fail(what)
    pytest.skip(f"{what}; make test-browser installs it")


@pytest.fixture(scope="session")
def browser():
    """A browser without a window."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("no playwright: pip install playwright")
    if CHROMIUM is None:
        missing("no Chromium: apt-get install chromium")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


@pytest.fixture
def shot():
    """Keeps a picture of a page in build/screenshots/, to be looked at."""

    def keep(page, name, **options):
        SHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SHOTS / f"{name}.png", **options)

    return keep


@pytest.fixture(scope="session")
def lab(browser, tmp_path_factory):
    """A JupyterLab of its own; that there is a browser is asked first."""
    lab = Lab(tmp_path_factory.mktemp("lab"))
    yield lab
    lab.close()


@pytest.fixture(scope="session")
def page(browser, lab):
    """The notebook with the drawer, whose cell has run; what it asks of other machines, and errors, are kept."""
    look = {"viewport": {"width": 1280, "height": 1000}, "has_touch": True}
    context = browser.new_context(**look, permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.outside, page.errors = [], []
    page.on("request", lambda request: page.outside.append(request.url))
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.set_default_timeout(90_000)
    page.goto(lab.notebook("drawer.ipynb", [MODEL.strip()]))
    page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status="idle"]')  # before, keys may go nowhere
    page.locator(".jp-CodeCell .cm-content").first.click()
    page.keyboard.press("Shift+Enter")
    page.wait_for_selector(".xattn-pad svg", timeout=240_000)  # a busy machine imports for minutes
    yield page
    context.close()


@pytest.fixture(scope="session")
def kernel(lab, page):
    client = lab.client()
    yield client
    client.stop_channels()


@pytest.fixture
def pad(page, kernel):
    """The pad with a path of two points."""
    kernel.execute("drawer.pad.value = [{'word': 'burger', 'points': [[.2, .2], [.8, .8]], 'times': None,"
                   " 'sizes': [[.3, .3], [.3, .3]]}]; drawer.prompt.value = 'a burger floats on the water'"
                   "; drawer.strength.value = 0.08; drawer.seed.value = 0")  # fmt: skip
    until(lambda: page.locator(".xattn-point").count() == 2 and page.locator(".xattn-tab").count() == 1)
    page.locator(".xattn-pad svg").scroll_into_view_if_needed()
    return Pad(page)
