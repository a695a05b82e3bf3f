"""Where the maps of the video transformer find the object, by block and by step: study `dit_maps`."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from xattn_helpers import capture, generate

from ..attention.recording import Recording
from ..display.tables import figure_text, number_text, table_text
from ..measures.detection import look
from ..measures.map_quality import auroc, shrink_mask
from ..measures.statistics import Estimate
from .detector_quality import NEW_SEED
from .pocket_quality import asked_of, held_out_stories
from .rows import Case, Row, column
from .study import Study

MODEL = "pocket-dit"
COUNT = 50  # held-out prompts of one object
SHOWN = 5  # steps in the table, evenly spaced; all of them are stored


class DitMaps(Study):
    """In which blocks and at which steps do the maps of the video transformer find the object?"""

    batch, batch_on_gpu = 2, 25
    compared = (MODEL,)

    def cases(self) -> list[Case]:
        """Held-out captions of one object."""
        cases: list[Case] = []
        for number, story in enumerate(held_out_stories()["one"][:COUNT]):
            asked = asked_of(story, "one")
            cases.append(
                {"model": MODEL, "seed": NEW_SEED + number, "prompt": asked["prompt"], "word": asked["word"]}
            )
        return cases

    def measure(self, cases: Sequence[Case]) -> list[Row]:
        """The AUROC of the noun's map: of each block and step, and of the means over steps and over blocks."""
        model = self.model(MODEL)
        with capture(model, every_step=True) as attention:
            clips = generate(model, column(cases, "prompt"), column(cases, "seed"), self.steps, progress=False)
        rows = []
        for index, (case, clip) in enumerate(zip(cases, clips, strict=True)):
            maps = noun_maps(attention, case["word"], index)
            masks = torch.from_numpy(look(clip.video, self.device).masks(case["word"]))
            cells = shrink_mask(masks, (maps.shape[-2], maps.shape[-1]))
            row: Row = {}
            for block, own in enumerate(auroc(maps.mean(1), cells).nanmean(-1).tolist()):
                row[f"block {block}"] = own
            for step, own in enumerate(auroc(maps.mean(0), cells).nanmean(-1).tolist()):
                row[f"step {step}"] = own
            for block, steps in enumerate(auroc(maps, cells).nanmean(-1).tolist()):
                row |= {f"block {block}, step {step}": own for step, own in enumerate(steps)}
            rows.append(row)
        return rows

    def summary(self, rows: Sequence[Row]) -> dict:
        """Means over prompts: of blocks, of steps, and of each block at each step."""
        blocks, steps = numbered(rows, "block"), numbered(rows, "step")
        grid = {}
        for block in blocks:
            grid[block] = [mean(column(rows, f"{block}, {step}")) for step in steps]
        return {
            "blocks": {block: Estimate.mean(column(rows, block)) for block in blocks},
            "steps": {step: Estimate.mean(column(rows, step)) for step in steps},
            "blocks by steps": grid,
        }

    def markdown(self, table: dict) -> str:
        """A row for each block; columns are all steps together and some of them."""
        total = len(table["steps"])
        chosen = sorted(set(np.linspace(0, total - 1, SHOWN).round().astype(int).tolist()))
        rows = []
        for block, figure in table["blocks"].items():
            values = table["blocks by steps"][block]
            texts = [number_text(values[step], ".3f") for step in chosen]
            rows.append([block.removeprefix("block "), figure_text(figure, ".3f"), *texts])
        rows.append(["all", "", *(figure_text(table["steps"][f"step {step}"], ".3f") for step in chosen)])
        prompts = table["blocks"]["block 0"].n
        header = [f"block (n = {prompts})", "mean of all steps", *(f"step {step + 1} of {total}" for step in chosen)]
        return table_text(header, rows)


def noun_maps(attention: Recording, word: str, batch: int) -> Float[Tensor, "blocks steps frames height width"]:
    """A word's maps of one clip, in every block at every step."""
    blocks = []
    for site in attention.sites():
        steps = [attention.maps(word, site=site, step=step, batch=batch) for step in range(len(attention.steps))]
        blocks.append(torch.stack(steps))
    return torch.stack(blocks).cpu()


def numbered(rows: Sequence[Row], name: str) -> list[str]:
    """The columns "name 0", "name 1", … that the rows have."""
    columns: list[str] = []
    while any(f"{name} {len(columns)}" in row for row in rows):
        columns.append(f"{name} {len(columns)}")
    return columns


def mean(values: Sequence[float]) -> float:
    """The mean of those that are there."""
    return float(np.nanmean(values)) if np.isfinite(values).any() else np.nan
