"""Every page of a site, opened once, looked at in several widths and themes, and told about."""

from dataclasses import dataclass, field
from urllib.parse import urljoin

import pytest

# Nothing may stick out of the page, except what scrolls by itself.
FITS = "document.documentElement.scrollWidth <= window.innerWidth"
IDS = "[...document.querySelectorAll('[id]')].map(element => element.id)"
LINKS = "[...document.querySelectorAll('a[href]')].map(link => link.getAttribute('href'))"
# Most of the time of axe-core goes into the contrast of words of code and cells of tables. Of those in one block that
# have the same style, and stand in elements of the same style, the contrast is the same: it looks at the first.
MARK_ALIKE = """() => {
  const styles = new Map();
  const styleOf = (element) => {
    if (!styles.has(element)) {
      const style = getComputedStyle(element);
      const colors = [style.color, style.background, style.opacity, style.textShadow, style.webkitTextStroke];
      styles.set(element, [...colors, style.fontSize, style.fontWeight, style.position].join());
    }
    return styles.get(element);
  };
  for (const block of document.querySelectorAll("pre, table")) {
    const seen = new Set();
    for (const element of block.querySelectorAll("span, td")) {
      const chain = [];
      for (let node = element; node !== block; node = node.parentElement) chain.push(styleOf(node));
      const key = chain.join("|");
      element.toggleAttribute("data-alike", seen.has(key));
      seen.add(key);
    }
  }
}"""
# To describe what is well takes axe-core longer than to look.
FAULTS = """async () => {
  axe.configure({ rules: [{ id: "color-contrast", selector: "*:not([data-alike])" }] });
  return (await axe.run({ resultTypes: ["violations"] })).violations;
}"""


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
    page.evaluate(axe.axe_script)
    page.evaluate(MARK_ALIKE)
    return [
        (fault["id"], [node["target"] for node in fault["nodes"]][:5])
        for fault in page.evaluate(FAULTS) if fault["impact"] in ("serious", "critical")
    ]  # fmt: skip
