"""The pages in a real browser: of a small site of which all is known, and of the lessons as they are stored."""

import re
from contextlib import contextmanager
from urllib.parse import unquote, urldefrag

import pytest
from browser_for_tests import until
from site_for_tests import write
from visits_for_tests import FITS, visit

from tools import notebooks, reference, tutorial
from tools.teaching import site

WIDTHS = (1280, 390)
LOCAL = ("file:", "data:", "blob:")
READY = """[...document.querySelectorAll("*")]
  .every((element) => !element.localName.startsWith("xattn-") || "ready" in element.dataset)"""
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


@contextmanager
def opening(browser):
    """Opens files; afterwards, nothing has asked for anything outside, and no script has failed."""
    contexts, outside, faults = [], [], []

    def open_page(path, width=1280, theme="light"):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: request.url.startswith(LOCAL) or outside.append(request.url))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(path.as_uri())
        page.wait_for_function(READY)
        return page

    yield open_page
    for context in contexts:  # videos play as long as their page is open, and slow the next
        context.close()
    assert outside == [] and faults == []


@pytest.fixture
def opened(browser):
    with opening(browser) as open_page:
        yield open_page


def names(folder):
    return sorted(path.name for path in folder.glob("*.html"))


# The small site


def test_the_theme_is_switched_and_remembered(small, opened):
    page = opened(small / "00_known.html")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="Dark").click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    page.wait_for_timeout(1000)  # what is on its way to the store when a page ends is lost; nobody is that quick
    page.get_by_role("link", name="01 · Next →").click()
    page.wait_for_url("**/01_next.html")
    until(lambda: theme_of_reloaded(page) == "dark")
    assert page.get_by_role("button", name="Dark").get_attribute("aria-pressed") == "true"


def theme_of_reloaded(page):
    """Chromium stores what is remembered beside the page, and the next page may be quicker."""
    page.reload()
    return page.evaluate("document.documentElement.dataset.theme")


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

LOOKS = {"small": [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")],
         "series": [(1280, "light"), (390, "dark")]}  # fmt: skip


@pytest.fixture(scope="module")
def visits(small, series, browser, shot):
    """Every page of both sites, by site and name; nothing asks for anything outside, and no script fails."""
    told = {"small": {}, "series": {}}
    for title, folder in {"small": small, "series": series}.items():
        for name in names(folder):
            with opening(browser) as open_page:
                page = open_page(folder / name)
                told[title][name] = visit(page, f"{title}-{name.removesuffix('.html')}", LOOKS[title], shot)
    return told


@pytest.mark.parametrize("title", LOOKS)
def test_every_page_is_for_everybody(visits, title):
    for name, told in visits[title].items():
        looks = [f"{width}, {theme}" for width, theme in LOOKS[title]]
        assert told.faults == {look: [] for look in looks}, name
        if title == "series":
            assert told.without_words == told.open_folds == 0, name


@pytest.mark.parametrize("title", LOOKS)
def test_every_link_leads_somewhere(visits, title, request):
    folder, dead = request.getfixturevalue(title), []
    known = {told.url: told.ids for told in visits[title].values()}
    for name, told in visits[title].items():
        assert told.links, name
        for link in told.links:
            target, fragment = urldefrag(link)
            if re.match(r"https?:", target):
                continue  # outside: nothing here asks the network
            is_there = (folder / unquote(target.removeprefix(folder.as_uri() + "/"))).exists()
            if not is_there or (fragment and target in known and not {fragment, unquote(fragment)} & known[target]):
                dead.append((name, link))
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
