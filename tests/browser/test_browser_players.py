"""The players in a real browser: what is seen at each frame is what was stored, and every control does its work."""

import re
from base64 import b64decode

import numpy as np
import pytest
from display_videos import FRAMES, decode, moving_square
from site_for_tests import PATHS, attention, players, write

from xattn_helpers.display import save, show

# The pixels of a canvas in a player's shadow. A list of so many numbers would take Playwright a second.
PIXELS = """(player, index) => {
  const canvas = player.shadowRoot.querySelectorAll("canvas")[index];
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const text = Array.from(data, (value) => String.fromCharCode(value)).join("");
  return [canvas.width, canvas.height, btoa(text)];
}"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write(tmp_path_factory.mktemp("site"))


@pytest.fixture
def page(browser, folder):
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.goto((folder / "00_known.html").as_uri())
    page.locator("xattn-video").first.locator("canvas").first.wait_for()
    yield page
    page.close()


def still(page, kind, number=0):
    """A player, paused at its first frame."""
    player = page.locator(f"xattn-{kind}[data-ready]").nth(number)
    player.wait_for()
    player.evaluate("player => { player.pause(); player.show(0); }")
    return player


def pixels(player, index=0):
    width, height, text = player.evaluate(PIXELS, index)
    return np.frombuffer(b64decode(text), np.uint8).reshape(height, width, 4)[..., :3]


def scrub(player, frame):
    player.get_by_label("frame", exact=True).evaluate(
        "(range, frame) => { range.value = frame; range.dispatchEvent(new Event('input')); }", frame
    )


def test_every_frame_is_that_of_the_stored_video(page, tmp_path):
    stored, _ = decode(save(moving_square(), tmp_path / "a.webp").read_bytes())
    player = still(page, "video")
    for frame in range(FRAMES):
        scrub(player, frame)
        assert np.abs(pixels(player).astype(int) - stored[frame]).max() <= 4, frame
        assert player.get_by_text(f"frame {frame + 1} of {FRAMES}").is_visible()


def test_what_a_frame_leaves_out_is_that_of_the_frame_before(page, tmp_path):
    video = np.repeat(moving_square()[:1], 6, axis=0)
    for frame in range(6):  # two dots in opposite corners: between them a stored frame is transparent
        video[frame, 4 * frame : 4 * frame + 8, 4 : 4 + 8] = 255
        video[frame, -8 - 4 * frame : -4 * frame or None, -12:-4] = 0
    stored, _ = decode(save(video, tmp_path / "a.webp").read_bytes())
    page.set_content(show(video).data)
    player = still(page, "video")
    for frame in range(6):
        scrub(player, frame)
        assert np.abs(pixels(player).astype(int) - stored[frame]).max() <= 4, frame


def test_a_video_plays_pauses_and_steps(page):
    player = still(page, "video")
    player.get_by_role("button", name="play").click()
    page.wait_for_function("document.querySelector('xattn-video').frame >= 3")
    player.get_by_role("button", name="pause").click()
    frame = player.evaluate("player => player.frame")
    page.wait_for_timeout(400)
    assert player.evaluate("player => player.frame") == frame
    player.get_by_role("button", name="one frame forward").click()
    assert player.evaluate("player => player.frame") == (frame + 1) % FRAMES
    for _ in range(2):
        player.get_by_role("button", name="one frame back").click()
    assert player.evaluate("player => player.frame") == frame - 1


def test_without_loop_it_ends_at_the_last_frame(page):
    player = still(page, "video")
    player.get_by_label("loop").uncheck()
    player.get_by_label("speed").select_option("2")
    scrub(player, FRAMES - 3)
    player.get_by_role("button", name="play").click()
    player.get_by_role("button", name="play").wait_for()
    assert player.evaluate("player => [player.frame, player.playing]") == [FRAMES - 1, False]


def test_the_scrubber_is_moved_by_keys(page):
    player = still(page, "video")
    player.get_by_label("frame", exact=True).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert player.evaluate("player => player.frame") == 2


def test_a_video_says_what_is_to_be_seen(page):
    player = still(page, "video")
    pictures = player.locator("canvas").all()
    assert [picture.get_attribute("aria-label") for picture in pictures] == ["a square moves", "grey"]
    assert player.locator("figcaption").all_inner_texts() == ["a square", "grey"]


def test_the_maps_are_those_that_were_recorded(page):
    clip, recording = attention()
    player = still(page, "attention")
    for word, group, step in (("burger", "up", 2), ("floats", "down", 0), ("water", "all layers", None)):
        maps = recording.maps(word, group=None if step is None else group, step=step).numpy()
        player.get_by_label("word").select_option(label=word)
        player.get_by_label("layers").select_option(label=group)
        steps = player.evaluate("player => player.data.steps")
        place = 0 if step is None else next(n for n, text in enumerate(steps) if text.startswith(f"{step + 1} of "))
        player.get_by_label("step", exact=True).evaluate(
            "(range, place) => { range.value = place; range.dispatchEvent(new Event('input')); }", place
        )
        for frame in range(len(clip.video)):
            scrub(player, frame)
            page.wait_for_timeout(50)
            values = np.array(player.evaluate("(player, frame) => player.values(frame)", frame))
            index = player.evaluate("player => [Number(player.word.value), Number(player.group.value)]")
            peak = player.evaluate("(player, [word, group]) => player.data.peaks[word][group]", index)
            assert np.abs(values * peak - maps[frame].ravel()).mean() < 0.04 * peak
            said = re.search(r"“(\w+)”, (\d+) × (\d+): at most ([\d.]+)", player.locator(".message").inner_text())
            assert said[1] == word and (int(said[2]), int(said[3])) == maps.shape[1:]
            assert float(said[4]) == pytest.approx(maps[frame].max(), abs=0.1 * peak + 0.006)


def test_the_line_of_a_swap_divides_before_and_after(page):
    player = still(page, "swap")
    source, both = pixels(player, 0), pixels(player, 1)
    assert (source.argmax(-1) == 1).all(), "the source is green"
    assert (both[:, :14].argmax(-1) == 0).all() and (both[:, 18:].argmax(-1) == 2).all()
    line = player.get_by_label("before and after")
    line.focus()
    page.keyboard.press("End")
    assert (pixels(player, 1)[:, :30].argmax(-1) == 0).all(), "all of it is before"
    box = player.locator("canvas").nth(1).bounding_box()
    page.mouse.click(box["x"] + 0.25 * box["width"], box["y"] + 5)
    assert 20 <= int(line.input_value()) <= 30
    assert (pixels(player, 1)[:, 11:].argmax(-1) == 2).all(), "three quarters are after"


def test_a_path_that_is_chosen_shows_its_video_and_its_box(page):
    player = still(page, "track")
    names = list(PATHS)
    player.get_by_label("show where it was asked to be").uncheck()
    for number, name in enumerate(names):
        button = player.get_by_role("button", name=name, exact=True)
        button.click()
        assert button.get_attribute("aria-pressed") == "true"
        assert np.abs(pixels(player, 1).astype(int) - (60 * number, 120, 0)).max() < 12
        assert player.locator(".message").inner_text().startswith(name)
    player.get_by_label("show where it was asked to be").check()
    white = (pixels(player, 1) > 200).all(-1)
    rows, columns = np.nonzero(white)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (7, 24, 7, 24), "a quarter to three quarters of 32"


def test_a_player_that_was_moved_in_the_page_goes_on(page):
    player = still(page, "video")
    scrub(player, 5)
    page.evaluate("document.querySelector('main').append(document.querySelector('xattn-video'))")
    moved = page.locator("xattn-video").last
    assert moved.evaluate("player => player.frame") == 5 and moved.locator("canvas").count() == 2


def test_who_wants_less_motion_gets_still_videos(browser, folder):
    page = browser.new_page(reduced_motion="reduce")
    page.goto((folder / "00_known.html").as_uri())
    page.locator("xattn-video[data-ready]").first.wait_for()
    page.wait_for_timeout(500)
    assert page.evaluate("[...document.querySelectorAll('xattn-video')].every(player => player.frame === 0)")
    page.close()


def test_without_scripts_the_videos_are_there(browser, folder):
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto((folder / "00_known.html").as_uri())
    assert page.get_by_alt_text("a square moves").is_visible()
    page.context.close()


def test_players_are_small():
    sizes = {player.data[1:16].split()[0]: len(player.data) for player in players()}
    assert max(sizes.values()) < 400_000 and len(show(np.zeros((1, 8, 8, 3), np.uint8)).data) < 12_000
