"""The pages in a real browser: of a small site of which all is known, and of the lessons as they are stored."""

import re
from urllib.parse import unquote, urldefrag, urljoin

import pytest
from site_for_tests import write

from tools import notebooks, reference, tutorial
from tools.teaching import site

WIDTHS = (1280, 390)
LOCAL = ("file:", "data:", "blob:")
# Nothing may stick out of the page, except what scrolls by itself.
FITS = "document.documentElement.scrollWidth <= window.innerWidth"
SCROLLED = "holder => { holder.scrollLeft = 500; return holder.scrollLeft; }"


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return write(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    """The lessons as they lie in the repository, the reference, and what teachers find."""
    out = tmp_path_factory.mktemp("series")
    reference.build(out / "api")
    site.build(out)
    tutorial.build_stored(notebooks.sources(), out)
    return out


@pytest.fixture
def opened(browser):
    """Opens a file; afterwards, nothing has asked for anything outside, and no script has failed."""
    contexts, outside, faults = [], [], []

    def open_page(path, width=1280, theme="light"):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: request.url.startswith(LOCAL) or outside.append(request.url))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(path.as_uri())
        page.wait_for_timeout(300)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert outside == [] and faults == []


def serious(page):
    """What axe-core finds on a page that is serious or worse."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe-playwright-python").Axe()
    found = axe.run(page).response["violations"]
    return [
        (fault["id"], [node["target"] for node in fault["nodes"]][:5])
        for fault in found if fault["impact"] in ("serious", "critical")
    ]  # fmt: skip


def names(folder):
    return sorted(path.name for path in folder.glob("*.html"))


# The small site


def test_the_theme_is_switched_and_remembered(small, opened):
    page = opened(small / "00_known.html")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="Dark").click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    page.get_by_role("link", name="01 · Next →").click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.get_by_role("button", name="Dark").get_attribute("aria-pressed") == "true"


def test_the_theme_is_that_of_the_system(small, opened):
    assert opened(small / "01_next.html", theme="dark").evaluate("document.documentElement.dataset.theme") == "dark"


def test_a_solution_is_folded_until_it_is_opened(small, opened):
    page = opened(small / "00_known.html")
    for text in ("It is forty-two.", "print(6 * 7)"):
        assert not page.get_by_text(text).is_visible()
    assert not page.get_by_alt_text("the hero").is_visible() and page.get_by_text("After it.").is_visible()
    page.get_by_text("Solution").click()
    assert page.get_by_text("It is forty-two.").is_visible() and page.get_by_alt_text("the hero").is_visible()


def test_code_that_the_lesson_folds_is_folded(small, opened):
    page = opened(small / "00_known.html")
    assert not page.get_by_text("plot(value)").is_visible()
    page.get_by_text("Code", exact=True).click()
    assert page.get_by_text("plot(value)").is_visible()


@pytest.mark.parametrize("width", WIDTHS)
def test_what_is_wide_scrolls_by_itself(small, opened, width):
    page = opened(small / "00_known.html", width)
    page.wait_for_function(FITS)  # while players take their places it may not
    page.get_by_text("Solution").click()
    wide = [page.locator("math[display=block]"), page.get_by_text("# wide"), page.locator("table").first]
    for content in [*wide, page.get_by_text("print(6 * 7)")]:
        holder = content.locator("xpath=ancestor-or-self::*[@tabindex=0]").last
        holder.focus()
        page.keyboard.press("End")
        assert holder.evaluate(SCROLLED) == 500
    page.wait_for_function(FITS)


def test_contents_lead_to_headings_and_stand_open_where_there_is_room(small, opened):
    wide, narrow = opened(small / "00_known.html"), opened(small / "00_known.html", 390)
    assert wide.get_by_role("link", name="A formula").first.is_visible()
    assert not narrow.locator(".contents a").first.is_visible()
    narrow.get_by_text("Contents").click()
    narrow.locator(".contents").get_by_role("link", name="Exercises").click()
    assert unquote(narrow.url).endswith("#Exercises") and not narrow.locator(".contents a").first.is_visible()


def test_every_picture_says_what_it_shows(small, opened):
    page = opened(small / "00_known.html")
    assert page.get_by_alt_text("a purple pixel").count() == 1
    assert page.get_by_alt_text("Figure of the section “Exercises”; the code above draws it.").count() == 1
    assert page.locator("img:not([alt]), img[alt='']").count() == 0


def test_a_page_without_a_repository_has_no_badges_and_no_set_up(small, opened):
    page = opened(small / "00_known.html")
    text = page.inner_text("body")
    assert "badges" not in text and "a file" in text and page.get_by_role("link", name="a file").count() == 0


# All pages


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_small_site_is_for_everybody(small, opened, shot, width, theme):
    for name in names(small):
        page = opened(small / name, width, theme)
        shot(page, f"small-{name[:5]}-{width}-{theme}", full_page=True)
        assert serious(page) == [], name
        page.wait_for_function(FITS)
        page.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_the_lessons_are_for_everybody(series, opened, shot, width):
    for name in names(series):
        page = opened(series / name, width, "dark" if width == 390 else "light")
        shot(page, f"{name.removesuffix('.html')}-{width}")
        assert serious(page) == [], name
        page.wait_for_function(FITS)
        assert page.locator("img:not([alt]), img[alt='']").count() == 0, name
        assert page.locator("details[open]:not(.contents *)").count() == 0, name
        page.close()  # its videos play, and slow the next


@pytest.mark.parametrize("site", ["small", "series"])
def test_every_link_leads_somewhere(site, request, opened):
    folder = request.getfixturevalue(site)
    dead, ids = [], {}
    for name in names(folder):
        page = opened(folder / name)
        ids[page.url] = set(page.evaluate("[...document.querySelectorAll('[id]')].map(element => element.id)"))
        links = page.evaluate("[...document.querySelectorAll('a[href]')].map(link => link.getAttribute('href'))")
        assert links, name
        ids[page.url, "links"] = [urljoin(page.url, link) for link in links]
        page.close()
    for url in [url for url in ids if isinstance(url, str)]:
        for link in ids[url, "links"]:
            target, fragment = urldefrag(link)
            if re.match(r"https?:", target):
                continue  # outside: nothing here asks the network
            known = (folder / unquote(target.removeprefix(folder.as_uri() + "/"))).exists()
            there = {fragment, unquote(fragment)} & ids.get(target, set())
            if not known or (fragment and target in ids and not there):
                dead.append((url.rpartition("/")[2], link))
    assert dead == []


def test_following_the_series_passes_every_lesson(series, opened):
    page = opened(series / "index.html")
    page.locator(".card a").last.wait_for()
    first = notebooks.sources()[0].stem
    page.locator(f".card h2 a[href='{first}.html']").click()
    seen = [first]
    while page.locator("a[rel=next]").count():
        page.locator("a[rel=next]").click()
        seen.append(page.url.rpartition("/")[2].removesuffix(".html"))
    assert seen == [source.stem for source in notebooks.sources()]
