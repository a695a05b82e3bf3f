"""The drawer of paths in a real browser: JupyterLab, a system Chromium, a tiny model. `make test-browser` runs it."""

import numpy as np
import pytest
from browser_for_tests import ask, shoot, until

from xattn_helpers import track

# An object that was just begun has no points, and then there are no tracks.
DRAWN = """[[list(key) for key in path.keys] for path in drawer.tracks]
    if all(drawn["points"] for drawn in drawer.pad.value) else []"""


def drawn(kernel, expression=DRAWN):
    return ask(kernel, expression)


def near(given, wanted):
    return np.shape(given) == np.shape(wanted) and np.allclose(given, wanted, atol=0.012)


def test_a_path_is_drawn_with_the_mouse(pad, page, kernel):
    pad.tool("remove all points")
    for place in ((0.2, 0.8), (0.5, 0.3), (0.8, 0.7)):
        page.mouse.click(*pad.at(*place))
    until(lambda: near(drawn(kernel), [[[0.2, 0.8], [0.5, 0.3], [0.8, 0.7]]]))
    pad.drag((0.5, 0.3), (0.4, 0.2))
    until(lambda: near(drawn(kernel)[0][1], [0.4, 0.2]))
    pad.tool("undo")
    until(lambda: near(drawn(kernel)[0][1], [0.5, 0.3]))
    pad.tool("redo")
    until(lambda: near(drawn(kernel)[0][1], [0.4, 0.2]))
    page.locator(".xattn-point").nth(1).dblclick()
    until(lambda: near(drawn(kernel), [[[0.2, 0.8], [0.8, 0.7]]]))
    pad.drag((0.5, 0.75), (0.5, 0.4))  # on the line: a point between
    until(lambda: near(drawn(kernel), [[[0.2, 0.8], [0.5, 0.4], [0.8, 0.7]]]))


def test_a_line_drawn_by_hand_is_a_path_of_a_second_object(pad, page, kernel):
    pad.tool("another object")
    pad.drag((0.1, 0.9), (0.1, 0.1), (0.9, 0.1))
    points = until(lambda: len(drawn(kernel)) == 2 and drawn(kernel)[1])
    assert near(points[0], [0.1, 0.9]) and near(points[-1], [0.9, 0.1]) and len(points) == 6
    lengths = np.linalg.norm(np.diff(points, axis=0), axis=1)
    assert lengths.max() / lengths.min() < 1.5, "at an even speed"
    assert ask(kernel, "drawer.words") == ["burger", "floats"]
    page.get_by_label("word of the object").nth(1).select_option("water")
    until(lambda: ask(kernel, "drawer.words") == ["burger", "water"])
    shoot(page, "two-objects")


def test_a_dot_that_is_dragged_changes_the_speed(pad, page, kernel):
    page.locator(".xattn-dot").nth(4).scroll_into_view_if_needed()
    middle = 0.2 + 0.6 * 4 / 7
    pad.drag((middle, middle), (0.3, 0.3))
    times = until(lambda: ask(kernel, "drawer.pad.value[0]['times']"))
    assert near(times, [0, 0.042, 0.083, 0.125, 0.167, 0.444, 0.722, 1])
    centres = ask(kernel, "drawer.tracks[0].centres(8).tolist()")
    assert near(centres, [[0.2 + 0.6 * time] * 2 for time in times])
    pad.tool("all frames at even times again")
    until(lambda: ask(kernel, "drawer.pad.value[0]['times']") is None)


def test_a_corner_and_a_slider_change_the_size(pad, page, kernel):
    page.mouse.click(*pad.at(0.2, 0.2))
    pad.drag((0.34, 0.34), (0.4, 0.4))
    until(lambda: near(ask(kernel, "drawer.pad.value[0]['sizes']"), [[0.4, 0.4], [0.3, 0.3]]))
    page.get_by_label("size", exact=True).last.fill("0.2")
    until(lambda: near(ask(kernel, "drawer.pad.value[0]['sizes']"), [[0.2, 0.2], [0.3, 0.3]]))


def test_the_keyboard_does_all_of_it(pad, page, kernel):
    page.locator(".xattn-point").nth(1).focus()
    for key in ("ArrowLeft", "ArrowUp", "Shift+ArrowUp", "+"):
        page.keyboard.press(key)
    until(lambda: near(ask(kernel, "drawer.pad.value[0]['sizes'][1]"), [0.32, 0.32]))  # of the last key
    assert near(drawn(kernel)[0][1], [0.78, 0.68])
    page.keyboard.press("Control+z")
    until(lambda: near(ask(kernel, "drawer.pad.value[0]['sizes'][1]"), [0.3, 0.3]))
    pad.svg.focus()
    page.keyboard.press("Enter")
    until(lambda: len(drawn(kernel)[0]) == 3)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Delete")
    until(lambda: len(drawn(kernel)[0]) == 2)
    page.locator(".xattn-dot").nth(3).focus()
    page.keyboard.press("ArrowRight")
    times = until(lambda: ask(kernel, "drawer.pad.value[0]['times']"))
    assert times[3] == pytest.approx(3 / 7 + 0.02, abs=0.002)


def test_a_finger_draws(pad, page, kernel):
    page.touchscreen.tap(*pad.at(0.5, 0.9))
    until(lambda: near(drawn(kernel), [[[0.2, 0.2], [0.8, 0.8], [0.5, 0.9]]]))


def test_the_target_is_that_of_python(pad, page):
    """The cells that the browser paints are those of `Track.mask`, of boxes and discs, also beyond the border."""
    from xattn_helpers.display.explorers.film import HERE

    source = (HERE / "paths.js").read_text()
    rng = np.random.default_rng(0)
    for shape in ("disc", "box"):
        points, sizes = rng.random((3, 2)).round(3).tolist(), (0.1 + 0.5 * rng.random((3, 2))).round(3).tolist()
        path = track([tuple(point) for point in points], size=[tuple(size) for size in sizes])
        for rows, columns in ((8, 8), (15, 26)):
            cells = page.evaluate(
                """async ([source, object, rows, columns, shape]) => {
                  const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
                  const paths = await import(address);
                  return [0, 1, 2, 3, 4].map((frame) => paths.cellsOf(object, frame, 5, rows, columns, shape));
                }""",
                [source, {"points": points, "sizes": sizes, "times": None}, rows, columns, shape],
            )
            for frame, mask in enumerate(path.mask(5, rows, columns, shape)):
                assert sorted(map(tuple, cells[frame])) == sorted(map(tuple, mask.nonzero().tolist()))
