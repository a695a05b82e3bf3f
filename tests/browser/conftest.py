"""A real browser, the system's Chromium, driven by Playwright, and a JupyterLab for it.

Without them these tests are skipped, and say so; `make test-browser` installs them, and there it is a failure.
"""

import os
import shutil

import faults_for_tests
import pytest
from browser_for_tests import PATIENCE, SHOTS, SLOWNESS, Lab, Pad, run_all, tell, until

LIMIT = 240 * SLOWNESS  # seconds: a test that takes longer hangs
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
# The path comes last: whoever sees it sees the rest, too.
PATH = """
drawer.prompt.value, drawer.strength.value, drawer.seed.value = "a burger floats on the water", 0.08, 0
path = {"points": [[.2, .2], [.8, .8]], "times": None, "sizes": [[.3, .3], [.3, .3]]}
drawer.pad.value = [{"word": "burger", **path}]
"""
OPEN = {"browser": None, "lab": None}  # what a failed test can be told with


def pytest_collection_modifyitems(items):
    """A limit for each, as a page that hangs is waited for for ever; last a notebook, whose films slow the others."""
    here = os.path.dirname(__file__)
    for item in items:
        if str(item.path).startswith(here):
            item.add_marker(pytest.mark.timeout(LIMIT))
    items.sort(key=_needs_lab)


def _needs_lab(item):
    return "lab" in getattr(item, "fixturenames", ())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Beside a failure: what the pages show, what they and JupyterLab logged, and what each kernel did then."""
    result = yield
    if result.failed and OPEN["browser"] is not None:
        result.sections += faults_for_tests.report(f"{item.name}-{call.when}", **OPEN)
    return result


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
        OPEN["browser"] = browser
        yield browser
        OPEN["browser"] = None
        browser.close()


@pytest.fixture(scope="session")
def shot():
    """Keeps a picture of a page in build/screenshots/, to be looked at."""

    def keep(page, name, **options):
        SHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SHOTS / f"{name}.png", **options)

    return keep


@pytest.fixture(scope="session")
def lab(browser, tmp_path_factory):
    """A JupyterLab of its own; that there is a browser is asked first."""
    lab = OPEN["lab"] = Lab(tmp_path_factory.mktemp("lab"))
    yield lab
    OPEN["lab"] = None
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
    page.set_default_timeout(1000 * PATIENCE)
    page.goto(lab.notebook("drawer.ipynb", [MODEL.strip(), ""]))
    run_all(page)
    page.wait_for_selector(".xattn-pad svg", timeout=3000 * PATIENCE)  # it imports torch and diffusers first
    yield page
    context.close()


@pytest.fixture(scope="session")
def kernel(lab, page):
    client = lab.client(page)
    yield client
    client.stop_channels()


@pytest.fixture
def pad(page, kernel):
    """The pad with a path of two points. It is empty before, or one could take the path of the test before for it."""
    tabs, points = page.locator(".xattn-tab"), page.locator(".xattn-point")
    tell(kernel, "drawer.pad.value = []")
    until(lambda: tabs.count() == 0)
    tell(kernel, PATH)
    until(lambda: points.count() == 2 and tabs.count() == 1)
    page.locator(".xattn-pad svg").scroll_into_view_if_needed()
    return Pad(page)
