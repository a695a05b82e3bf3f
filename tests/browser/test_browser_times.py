"""How long it takes from a click on Run to the first preview and to the clips, with the model that lessons begin with.

Meant for a machine on which nothing else runs: make test-browser BROWSER="-s -k click" XATTN_TIMES=1. Elsewhere it is
skipped; the limits are of two processors, and grow with how slow the machine is now.
"""

import os
import time

import pytest
from browser_for_tests import PATIENCE, SLOWNESS, run_all, until

CELL = "from xattn_helpers import load\nfrom xattn_helpers.display.explorers import *\nPathDrawer(load('pocket'))"
LIMITS = {"first preview": 2.0, "guided clip": 20.0, "both clips": 20.0}  # seconds after the click
PREVIEW = """[...document.querySelectorAll('img.widget-image, img.jupyter-widgets')]
  .some((node) => node.offsetParent && node.naturalWidth > 1)"""


@pytest.mark.skipif("XATTN_TIMES" not in os.environ, reason="XATTN_TIMES=1 measures times")
def test_from_a_click_to_the_clip(browser, lab):
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.set_default_timeout(1000 * PATIENCE)
    page.goto(lab.notebook("times.ipynb", [CELL]))
    run_all(page)
    page.wait_for_selector(".xattn-pad svg", timeout=3000 * PATIENCE)
    titles = page.locator(".xattn-film .xattn-titles")
    signs = {
        "first preview": lambda: page.evaluate(PREVIEW),
        "guided clip": lambda: titles.inner_text().split() == ["guided"],
        "both clips": lambda: titles.inner_text().split() == ["unguided", "guided"],
    }
    begin, seconds = time.monotonic(), {}
    page.get_by_role("button", name="Run", exact=True).click()
    for name, is_there in signs.items():
        until(is_there, 5 * PATIENCE)
        seconds[name] = time.monotonic() - begin
    page.close()
    told = ", ".join(f"{name} {value:.1f} s" for name, value in seconds.items())
    print(f"\nafter a click: {told}; this machine is {SLOWNESS:.1f} times slower than idle")
    assert all(seconds[name] <= limit * SLOWNESS for name, limit in LIMITS.items()), told
