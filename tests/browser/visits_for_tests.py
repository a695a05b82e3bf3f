"""Every page of a site, opened once, looked at in several widths and themes, and told about."""

from dataclasses import dataclass, field
from urllib.parse import urljoin

import pytest

# Nothing may stick out of the page, except what scrolls by itself.
FITS = "document.documentElement.scrollWidth <= window.innerWidth"
IDS = "[...document.querySelectorAll('[id]')].map(element => element.id)"
LINKS = "[...document.querySelectorAll('a[href]')].map(link => link.getAttribute('href'))"
ONLY_FAULTS = {"resultTypes": ["violations"]}  # to describe what is well takes axe-core longer than to look


@dataclass
class Visit:
    """What a page had to tell."""

    url: str
    ids: set[str]
    links: list[str]
    without_words: int  # pictures that do not say what they show
    open_folds: int  # solutions that stand open; contents may
    faults: dict[str, list] = field(default_factory=dict)  # serious ones, by look


def visit(page, name, looks, shot):
    """Look at a page in widths and themes; each must fit its window."""
    links = [urljoin(page.url, link) for link in page.evaluate(LINKS)]
    told = Visit(
        page.url, set(page.evaluate(IDS)), links, page.locator("img:not([alt]), img[alt='']").count(),
        page.locator("details[open]:not(.contents *)").count(),
    )  # fmt: skip
    for width, theme in looks:
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
        page.wait_for_function(FITS)
        shot(page, f"{name}-{width}-{theme}")
        told.faults[f"{width}, {theme}"] = serious(page)
    return told


def serious(page):
    """What axe-core finds on a page that is serious or worse."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe-playwright-python").Axe()
    found = axe.run(page, options=ONLY_FAULTS).response["violations"]
    return [
        (fault["id"], [node["target"] for node in fault["nodes"]][:5])
        for fault in found if fault["impact"] in ("serious", "critical")
    ]  # fmt: skip
