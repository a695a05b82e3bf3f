"""Wrong arguments of `display`: errors name the argument, what was given and what is possible."""

import numpy as np
import pytest
from display_videos import FRAMES, moving_square

from xattn_helpers import display

SHORT = np.zeros((4, 8, 8))
BOXES = np.tile([0.2, 0.2, 0.4, 0.4], (FRAMES, 1))
WRONG = {
    "no video": (lambda v: display.show(), "videos: given none"),
    "list": (lambda v: display.show([v, v]), r"videos\[0\]: given a list; possible.*show\(\*videos\)"),
    "ragged": (lambda v: display.strip([[1, 2], [3]]), "video: given a list of 2, not an array"),
    "nothing": (lambda v: display.show(None), r"videos\[0\]: given NoneType; possible: uint8"),
    "titles": (lambda v: display.show(v, v, titles="a"), "titles: given 1.*exactly 2"),
    "title number": (lambda v: display.show(v, titles=5), "titles=5.: titles is an int; it must be a text, or a list"),
    "fps": (lambda v: display.show(v, fps=0), "fps=0.: fps must be a number from 0.01 to 1000"),
    "fps bool": (lambda v: display.show(v, fps=True), "fps=True.: fps is a bool; it must be a number"),
    "fps text": (lambda v: display.save(v, "a.webp", fps="8"), "fps='8'.: fps is a str"),
    "fps NaN": (lambda v: display.save(v, "a.webp", fps=float("nan")), "fps=nan.: fps must be"),
    "columns": (lambda v: display.show(v, columns=0), "columns=0.: columns must be an integer from 1"),
    "width": (lambda v: display.show(v, width=10.5), "width=10.5.: width is a float; it must be an integer"),
    "channels first": (lambda v: display.strip(v.transpose(0, 3, 1, 2)), r"\(16, 3, 96, 128\).*height, width, 3"),
    "int64": (lambda v: display.strip(v.astype(int)), "video: given int64.*uint8"),
    "float range": (lambda v: display.strip(v.astype(float)), r"from 0 to 255; possible.*float in \[0, 1\]"),
    "a little above 1": (lambda v: display.strip(v / 200), "from 0 to 1.27; possible"),
    "below 0": (lambda v: display.strip(v / 255 - 0.1), "from -0.1 to"),
    "float NaN": (lambda v: display.strip(v * np.nan), "video: given float64.*nan"),
    "frame": (lambda v: display.strip(v, (0, 16)), r"frames: given \[0, 16\].*up to 15"),
    "frame before": (lambda v: display.strip(v, (-17,)), r"frames: given \[-17\]"),
    "frame between": (lambda v: display.strip(v, (0, 1.5)), r"frames: given \[0, 1.5\]"),
    "no frame": (lambda v: display.strip(v, ()), r"frames: given \[\]"),
    "count": (lambda v: display.strip(v, 0), "frames: given 0.*count above 0"),
    "count text": (lambda v: display.strip(v, None), "frames: given None.*count above 0"),
    "gap": (lambda v: display.strip(v, gap=-1), "gap=-1.: gap must be an integer from 0"),
    "suffix": (lambda v: display.save(v, "a.avi"), "path: given a.avi.*mp4"),
    "path": (lambda v: display.save(v, None), "path=None.: path is None; it must be a name or a path"),
    "too wide": (lambda v: display.show(np.zeros((1, 1, 16384, 3), np.uint8)), "video: given.*up to 16383 pixels"),
    "map count": (lambda v: display.overlay(v, SHORT), "maps: given 4 for 16 frames"),
    "map shape": (lambda v: display.heatmaps(np.zeros(4)), r"maps: given float64 of shape \(4,\)"),
    "map NaN": (lambda v: display.heatmaps(np.full((1, 4, 4), np.nan)), "maps.*finite"),
    "map huge": (lambda v: display.heatmaps(np.full((1, 4, 4), 1e300)), "maps.*finite"),
    "colormap": (lambda v: display.overlay(v, v[..., 0], colormap="hot pink"), "colormap: given 'hot pink'.*viridis"),
    "colormap list": (lambda v: display.heatmaps(SHORT, colormap=["magma"]), "colormap is a list; it must be a text"),
    "alpha": (lambda v: display.overlay(v, v[..., 0], alpha=60), "alpha=60.: alpha must be a number from 0 to 1"),
    "alpha text": (lambda v: display.draw_mask(v, v[..., 0] > 9, alpha="x"), "alpha='x'.: alpha is a str"),
    "size": (lambda v: display.heatmaps(SHORT, size=0), "size=0.: size must be a number from 1"),
    "size text": (lambda v: display.heatmaps(SHORT, size="128"), "size='128'.: size is a str"),
    "box count": (lambda v: display.draw_boxes(v, BOXES[:3]), r"boxes: given.*shape \(3, 4\).*\(16, 4\)"),
    "track": (lambda v: display.draw_boxes(v, object()), r"boxes: given object.*path.boxes\(16\)"),
    "box pixels": (lambda v: display.draw_boxes(v, BOXES * 100), r"boxes: given \[\[20. 20. 40. 40.\]\].*fractions"),
    "box order": (lambda v: display.draw_boxes(v, BOXES[:, ::-1]), "x0 <= x1"),
    "thickness": (lambda v: display.draw_boxes(v, BOXES, thickness=0), "thickness=0.: thickness must be an integer"),
    "color name": (lambda v: display.draw_boxes(v, BOXES, "reddish"), "color: given 'reddish'"),
    "color floats": (lambda v: display.draw_boxes(v, BOXES, (1.0, 0, 0)), "color.*integers"),
    "color range": (lambda v: display.draw_boxes(v, BOXES, (256, 0, 0)), "color.*integers in 0..255"),
    "no color": (lambda v: display.draw_mask(v, v[..., 0] > 9, "none"), "color: given 'none'"),
    "mask count": (lambda v: display.draw_mask(v, SHORT > 0), "masks: given 4 for 16 frames"),
    "soft mask": (lambda v: display.draw_mask(v, v[..., 0] / 255), "masks: given.*only 0 and 1"),
    "row titles": (lambda v: display.image_grid([[v[0]]], ["a", "b"]), "row_titles: given 2.*exactly 1"),
    "column titles": (lambda v: display.image_grid([[v[0]]], None, ["a", "b"]), "column_titles: given 2"),
    "empty grid": (lambda v: display.image_grid([]), "rows: given no cells"),
    "no grid": (lambda v: display.image_grid(5), "rows: given 5"),
    "grid of texts": (lambda v: display.image_grid(["ab"]), "rows: given 'ab'"),
    "cell": (lambda v: display.image_grid([[v[0]]], cell=0), "cell=0.: cell must be a number from 0.1 to 20"),
    "video in a cell": (lambda v: display.image_grid([[v]]), "rows: given 16 pictures in one cell"),
    "captions": (lambda v: display.contact_sheet([v], ["a", "b"]), "captions: given 2.*exactly 1"),
    "no sheet": (lambda v: display.contact_sheet([], []), "videos: given none"),
    "sheet of nothing": (lambda v: display.contact_sheet(None, []), "videos: given None"),
}


@pytest.mark.parametrize(("call", "message"), WRONG.values(), ids=WRONG)
def test_wrong_arguments(call, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=message):
        call(moving_square())
    assert not list(tmp_path.iterdir()), "nothing is written"
