"""How noisy the attention maps of the pocket models are, images against videos: study `attention_noise`.

A case is a prompt with a seed. Of each video 4 frames count, evenly spaced, and for the image model a case is 4
pictures: as many. (Only the jitter needs every frame of a video, and images have none.) Maps are averaged over heads,
steps and the sites of a place, and held against the masks of the detector. Frames of one video resemble each other,
and so do the seeds of one prompt: therefore every interval resamples prompts, and the difference of the models is taken
prompt by prompt.
"""

from collections.abc import Sequence

import numpy as np
import torch

from ...attention.recording import capture
from ...measures.detection import look
from ...sampling import generate
from ..rows import Case, Row
from ..study import Study
from .maps import place_maps
from .prompts import PAPER, batch_of, held_out_prompts, roles
from .statistics import describe
from .table import GROUPS, IMAGE, VIDEO, printed, summary

SEEDS = (0, 1, 2)


class AttentionNoise(Study):
    """How well do attention maps find the object, how noisy are they, and are those of videos worse?"""

    batch, batch_on_gpu = 1, 16

    def cases(self) -> list[Case]:
        """Every prompt with every seed, of both models."""
        cases: list[Case] = []
        for model in (IMAGE, VIDEO):
            for group, nouns in zip(GROUPS, (held_out_prompts(), PAPER), strict=True):
                for prompt, word in nouns.items():
                    about: Case = {"model": model, "group": group, "prompt": prompt, "word": word}
                    cases += [about | {"seed": seed} for seed in SEEDS]
        return cases

    def group(self, case: Case) -> tuple:
        """Cases of one model, with prompts that were held out or those of the paper."""
        return case["model"], case["group"]

    def measure(self, cases: Sequence[Case]) -> list[Row]:
        """Generate, look for the object, and hold the maps against its mask."""
        model = self.model(str(cases[0]["model"]))
        prompts, seeds = batch_of(model, cases)
        with capture(model, every_step=True) as attention:
            clips = generate(model, prompts, seeds, self.steps, progress=False)
        pictures = np.concatenate([clip.video for clip in clips])
        count = len(pictures) // len(cases)
        average = place_maps(attention)
        by_step = [place_maps(attention, step) for step in range(len(attention.steps))]
        rows = []
        for index, case in enumerate(cases):
            part = slice(index * count, (index + 1) * count)
            masks = torch.from_numpy(look(pictures[part], self.device).masks(str(case["word"])))
            of_case = {place: maps[:, part].cpu() for place, maps in average.items()}
            steps = [{place: maps[:, part].cpu() for place, maps in step.items()} for step in by_step]
            rows.append(describe(of_case, steps, masks, roles(model.text, str(case["prompt"]), str(case["word"]))))
        return rows

    def summary(self, rows: Sequence[Row]) -> dict:
        """Means over prompts of both models, their difference, and what a perfect map would have."""
        return summary(rows)

    def show(self, table: dict) -> None:
        """Print the figures of both models, a line each."""
        for text in printed(table):
            print(text)
