"""Runs in a real browser: the video, Stop, errors, files, code; and that nothing goes to another machine."""

import re

from browser_for_tests import ask, shoot, tell, until
from PIL import Image


def press(page, name):
    page.get_by_role("button", name=name, exact=True).first.click()


def says(page, text):
    page.wait_for_function(
        "text => [...document.querySelectorAll('.widget-html, .jupyter-widget-html')]"
        ".some((node) => node.textContent.includes(text))",
        arg=text,
    )


def ready(page):
    page.wait_for_function("[...document.querySelectorAll('button')].some((node) => node.textContent === 'Run')")


def pixels(page):
    """What the player's picture shows now."""
    return page.evaluate("document.querySelector('.xattn-film canvas').toDataURL()")


def frame(page):
    return int(re.match(r"frame (\d+) of 8", page.locator(".xattn-film output").inner_text())[1])


def test_a_run_shows_the_video_and_plays(pad, page, kernel):
    pad.tool("remove all points")
    page.mouse.click(*pad.at(0.3, 0.3))
    page.mouse.click(*pad.at(0.7, 0.6))
    press(page, "Run")
    says(page, "lines: asked")
    ready(page)
    until(lambda: page.locator(".xattn-film .xattn-titles").inner_text().split() == ["unguided", "guided"])
    assert ask(kernel, "drawer.clip.seed == 0 and drawer.own.seed == 0")
    seen = set()
    until(lambda: seen.add(frame(page)) or len(seen) > 2)  # it plays by itself
    page.get_by_role("button", name="pause").click()
    stopped = frame(page)
    page.wait_for_timeout(600)
    assert frame(page) == stopped
    page.locator(".xattn-film input[type=range]").focus()
    page.keyboard.press("Home")
    until(lambda: frame(page) == 1)
    first = pixels(page)
    page.keyboard.press("ArrowRight")
    until(lambda: frame(page) == 2)
    assert pixels(page) != first and until(lambda: ask(kernel, "drawer.frame.value") == 1)
    page.get_by_label("speed").select_option("2")
    shoot(page, "drawer")


def test_old_pictures_are_marked(pad, page, kernel):
    page.locator(".xattn-film").scroll_into_view_if_needed()
    until(lambda: page.locator(".xattn-is-stale").count() == 1)
    assert page.get_by_text("The controls have changed since: press Run.").is_visible()
    shoot(page, "stale")


def test_stop_stops_after_the_step(pad, page, kernel):
    tell(kernel, "few = drawer.model.defaults; drawer.model.defaults = replace(few, steps=200); drawer.seed.value = 7")
    press(page, "Run")
    page.wait_for_function("[...document.querySelectorAll('img.widget-image, img.jupyter-widgets')]"
                           ".some((node) => node.offsetParent && node.naturalWidth === 64)")  # fmt: skip
    page.get_by_text(re.compile(r"step \d+ of 400, about \d+ s left")).wait_for()
    shoot(page, "running")
    press(page, "Stop")
    says(page, "Stopped; what was there before is still shown")
    ready(page)
    assert ask(kernel, "drawer.clip.seed == 0 and not drawer.is_running")
    tell(kernel, "drawer.model.defaults = few")


def test_errors_are_sentences_and_leave_everything_usable(pad, page, kernel):
    prompt = page.get_by_label("prompt")
    for text, answer in (
        ("a dragon on the water", "do not know the word 'dragon'"),
        ("a wolf runs at night", "'burger' is not in the prompt"),
        ("", "prompt: it is empty"),
    ):
        prompt.fill(text)
        prompt.press("Enter")
        says(page, answer)
        ready(page)
    shoot(page, "error")
    prompt.fill("a burger floats on the water")
    pad.tool("remove all points")
    says(page, "track: none given for 'burger'")
    pad.tool("undo")
    page.get_by_label("strength").fill("1000000")
    page.get_by_label("strength").press("Tab")
    press(page, "Run")
    says(page, "standard deviations")
    ready(page)
    page.get_by_label("strength").fill("0.08")
    page.get_by_label("strength").press("Tab")
    prompt.press("Enter")
    until(lambda: ask(kernel, "drawer.is_current() and not drawer.is_running"))
    says(page, "lines: asked")


def test_a_clip_is_saved_and_downloaded(pad, page, kernel, lab):
    page.locator(".xattn-film").scroll_into_view_if_needed()
    page.locator("select", has_text=".gif").select_option(".gif")
    press(page, "Save")
    says(page, "Saved as")
    (file,) = lab.folder.glob("*.gif")
    with page.expect_download() as download:
        page.get_by_text("download it").click()
    assert download.value.path().read_bytes() == file.read_bytes()
    assert Image.open(file).n_frames == 8


def test_the_code_is_copied(pad, page, kernel):
    press(page, "Copy code")
    page.get_by_text("Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == ask(kernel, "drawer.code()")


def test_a_run_of_the_history_comes_back(pad, page, kernel):
    assert ask(kernel, "[entry.settings['seed'] for entry in drawer.history.entries]") == [0, 0]
    page.get_by_role("button", name="burger, seed 0").last.click()
    until(lambda: ask(kernel, "drawer.settings == drawer.history.entries[-1].settings"))
    until(lambda: page.locator(".xattn-is-stale").count() == 0)


def test_the_other_explorers_run(page, kernel):
    for index, name in enumerate(("AttentionExplorer", "SwapExplorer", "BiasExplorer", "TrackExplorer"), 1):
        cell = page.locator(".jp-CodeCell").nth(index)
        cell.locator(".cm-content").click()
        page.keyboard.insert_text(f"explorer = {name}(model); explorer")
        page.keyboard.press("Shift+Enter")
        cell.get_by_role("button", name="Run", exact=True).click()
        cell.locator(".xattn-film canvas").first.wait_for()
        until(lambda: ask(kernel, "explorer.clip is not None and not explorer.is_running"))
        cell.locator(".xattn-film").scroll_into_view_if_needed()
        shoot(page, name)
        cell.get_by_role("button", name="pause").click()  # what plays takes the processor from the next


def test_nothing_goes_to_another_machine_and_nothing_failed(page, lab):
    own = ("data:", "blob:", lab.address)
    assert [address for address in page.outside if not address.startswith(own)] == []
    assert page.errors == []
