"""What lesson 01 says of tokens that mean nothing, and that its drawing has the numbers of its cell."""

import contextlib
import io
from dataclasses import replace

import torch
from torch.nn import functional as F

from tools import notebooks
from tools.diagrams import attention as drawing
from xattn_helpers import capture, detect, generate, load
from xattn_helpers.attention.softmax import attention_maps
from xattn_helpers.measures.map_quality import auroc

PROMPT = "a burger floats on the water"


def test_the_drawing_has_the_numbers_of_the_cell():
    cells = notebooks.read(notebooks.FOLDER / "01_cross_attention.py").cells
    (cell,) = [cell for cell in cells if cell.source.startswith("sky, burger, water")]
    names, printed = {"torch": torch}, io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(cell.source, names)
    drawn = attention_maps(drawing.QUERIES[None, None], drawing.KEYS[None, None])[0, 0]
    torch.testing.assert_close(names["A"], drawn)
    shown = drawing.query_key_value().svg()
    assert {f">{number}<" for number in printed.getvalue().split()} == {">0.33<", ">0.89<", ">0.05<"}
    assert all(shown.count(f">{number}<") >= 2 for number in printed.getvalue().split())


def test_padding_finds_and_avoids_an_object_as_random_vectors_do():
    """A high AUROC of the best padding says nothing: it goes from 0 to 1, and so does that of vectors by chance."""
    model = load("pocket-t2i", "cpu")
    picture, empty = generate(model, PROMPT, seed=1, progress=False), model.encode("")
    mask = torch.from_numpy(detect(picture.video, "burger")[1])
    generator = torch.Generator().manual_seed(0)
    clean, level = picture.latents[None], model.noise.level(300.0)
    noisy = level.alpha * clean + level.sigma * torch.randn(clean.shape, generator=generator)

    def found_by(states):
        with torch.no_grad(), capture(model, prompt="") as recording:
            model.predict(noisy, 300, replace(empty, states=states))
        maps = torch.cat([recording.maps(position) for position in range(2, states.shape[1])])
        return auroc(F.interpolate(maps[:, None], mask.shape[-2:], mode="bilinear")[:, 0], mask)

    random = torch.randn(empty.states.shape, generator=generator) * empty.states.std()
    for scores in (found_by(empty.states), found_by(torch.cat([empty.states[:, :2], random[:, 2:]], 1))):
        assert scores.min() < 0.1 and scores.max() > 0.95 and (scores > 0.5).sum() not in (0, len(scores))
