"""One JupyterLab, one browser and one notebook for all tests of this folder."""

import os

import pytest
from browser_for_tests import Lab, Pad, find_chromium, until, why_not

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


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    if why_not():
        if os.environ.get("XATTN_BROWSER"):
            pytest.fail(why_not())
        pytest.skip(why_not())
    lab = Lab(tmp_path_factory.mktemp("lab"))
    yield lab
    lab.close()


@pytest.fixture(scope="session")
def page(lab):
    """The notebook with the drawer, whose cell has run; what it asks of other machines, and errors, are kept."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        options = {"executable_path": find_chromium(), "args": ["--no-sandbox"]}
        with playwright.chromium.launch(**options) as browser:
            look = {"viewport": {"width": 1280, "height": 1000}, "has_touch": True}
            context = browser.new_context(**look, permissions=["clipboard-read", "clipboard-write"])
            page = context.new_page()
            page.outside, page.errors = [], []
            page.on("request", lambda request: page.outside.append(request.url))
            page.on("pageerror", lambda error: page.errors.append(str(error)))
            page.set_default_timeout(90_000)
            page.goto(lab.notebook("drawer.ipynb", [MODEL.strip()]))
            page.locator(".jp-CodeCell .cm-content").first.click()
            page.keyboard.press("Shift+Enter")
            page.wait_for_selector(".xattn-pad svg")
            yield page


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
