"""Why are the maps of a video model noisy? A controlled answer: study `noise_grid`, on models trained for it.

The paper names three reasons: depth, data, and the number of layers. The grid (`variants.py`) changes these, how the
video model came to be, and one thing that the paper does not name: whether the text encoder keeps words apart, or mixes
a word with those before it. `python -m xattn_helpers.studies.noise_grid.train` trains the models; what is not trained
yet is left out. Of each: how well the noun's map finds the object, how much other tokens know of it, how rough the map
is; and what a swap, a gradient and a bias do. Maps are means over steps, heads and the sites of a height.
"""

from collections.abc import Sequence

import numpy as np
import torch

from ...attention.recording import capture
from ...backbones.model import Model
from ...edits.swap import Swap
from ...measures.detection import look
from ...sampling import generate
from ..attention_noise.prompts import batch_of, held_out_prompts, roles
from ..forward_swap.cases import swap_cases
from ..guidance.cases import table_cases
from ..guidance.setting import Setting
from ..guidance.steered import OnTracks
from ..models import digest_of
from ..rows import Case, Row, column
from ..study import first_of_each
from .maps import describe_maps, maps_by_height, overlap
from .table import markdown, summary
from .variants import VARIANTS, variant_model

PROMPTS, SEEDS, STEERED = 20, (0, 1), 24  # of the maps; and how many cases are steered
SETTINGS = {"unguided": Setting(), "gradient": Setting({}), "bias": Setting(bias={})}


class NoiseGrid(OnTracks):
    """Which of the paper's reasons for noisy maps holds, and which did it not name?"""

    batch, batch_on_gpu = 1, 24
    settings = SETTINGS

    @property
    def present(self) -> list[str]:
        """The variants that are trained."""
        return [name for name, variant in VARIANTS.items() if variant.trained(self.smoke)]

    def model(self, name: str) -> Model:
        """The model of a variant."""
        return variant_model(name, self.device, self.smoke)

    def weights(self, case: Case) -> dict[str, str]:
        """Digests of the weights of a variant's parts, and of the detector."""
        name = str(case["model"])
        if name not in self.digests:
            model = self.model(name)
            parts = [part for part in (model.network, model.codec.vae, model.text.encoder) if part is not None]
            self.digests[name] = digest_of(*parts, config=dict(model.noise.scheduler.config))
        return {name: self.digests[name]}

    def __init__(self, smoke: bool = False):
        super().__init__(smoke)
        self.digests: dict[str, str] = {}

    def cases(self) -> list[Case]:
        """Of every variant: prompts for its maps, pairs for a swap, and cases to be steered."""
        cases: list[Case] = []
        for name in VARIANTS:
            for prompt, word in held_out_prompts(PROMPTS).items():
                about: Case = {"kind": "maps", "setting": "", "model": name, "prompt": prompt, "word": word}
                cases += [about | {"seed": seed} for seed in SEEDS]
            if VARIANTS[name].family != "image":
                cases += [{"setting": ""} | case for case in swap_cases(name, SEEDS[:1])]
                for setting in SETTINGS:
                    steered: Case = {"kind": "steered", "setting": setting, "model": name}
                    cases += [steered | case for case in table_cases()[:STEERED]]
        return cases

    def chosen(self, limit: int | None = None) -> list[Case]:
        """The cases of a run: of the variants that are trained."""
        present = self.present
        return [case for case in super().chosen(limit) if case["model"] in present]

    def smoke_cases(self) -> list[Case]:
        """A case of each kind, of the first two variants."""
        shown = self.present[:2]
        return first_of_each([case for case in self.cases() if case["model"] in shown], self.group, 1)

    def depends(self, case: Case) -> object:
        """The knobs of the setting, and the track with its box."""
        return super().depends(case) if case["kind"] == "steered" else None

    def measure(self, cases: Sequence[Case]) -> list[Row]:
        """Maps, swaps, or steered videos."""
        if cases[0]["kind"] == "steered":
            return super().measure(cases)
        return self.maps(cases) if cases[0]["kind"] == "maps" else self.swaps(cases)

    def maps(self, cases: Sequence[Case]) -> list[Row]:
        """What the maps of each prompt know of its object."""
        model = self.network(cases[0])
        prompts, seeds = batch_of(model, cases)
        with capture(model) as attention:
            clips = generate(model, prompts, seeds, self.steps, progress=False)
        pictures = np.concatenate([clip.video for clip in clips])
        count, by_height = len(pictures) // len(cases), maps_by_height(attention)
        rows = []
        for index, case in enumerate(cases):
            part = slice(index * count, (index + 1) * count)
            masks = torch.from_numpy(look(pictures[part], self.device).masks(str(case["word"])))
            own = {height: maps[:, part].cpu() for height, maps in by_height.items()}
            rows.append(describe_maps(own, masks, roles(model.text, str(case["prompt"]), str(case["word"]))))
        return rows

    def swaps(self, cases: Sequence[Case]) -> list[Row]:
        """Where the object is that took another's maps, beside where it is without."""
        model, rows = self.network(cases[0]), []
        free = generate(model, column(cases, "prompt"), column(cases, "seed"), self.steps, progress=False)
        for case, plain in zip(cases, free, strict=True):  # each has a source of its own
            edit = Swap(case["source_word"], case["word"], source=case["source_prompt"])
            clip = generate(model, case["prompt"], case["seed"], self.steps, edits=edit, progress=False)
            assert clip.source is not None
            of_source = look(clip.source.video, self.device).masks(case["source_word"])
            swapped, own = (look(made.video, self.device).masks(case["word"]) for made in (clip, plain))
            rows.append({
                "seen": float(swapped.any((1, 2)).mean()), "seen without": float(own.any((1, 2)).mean()),
                "overlap": overlap(swapped, of_source), "overlap without": overlap(own, of_source),
            })  # fmt: skip
        return rows

    def summary(self, rows: Sequence[Row]) -> dict:
        """For each variant its maps and what edits do; the differences of each question; what trainings spread."""
        return summary(rows)

    def markdown(self, table: dict) -> str:
        """Variants, and questions."""
        return markdown(table)
