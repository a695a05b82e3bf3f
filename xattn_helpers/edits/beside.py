"""An edit and its source in one batch: what the network predicts for both, each with a scale of its own."""

from dataclasses import dataclass

import torch

from ..attention.processor import unheard
from ..backbones.noise import Level
from ..backbones.text import Condition
from .edit import Latents, Run


@dataclass(frozen=True, eq=False)
class Pair:
    """A run of two clips, the edit and then its source, and the scales of classifier-free guidance of each."""

    run: Run
    scales: tuple[float, float]
    negative: Condition | None  # for as many as have a scale other than 1

    @classmethod
    def of(cls, run: Run, scales: tuple[float, float], negative_prompt: str) -> "Pair":
        """Embed the negative prompt. Raises ValueError for one that the model does not understand."""
        count = sum(scale != 1 for scale in scales)
        negative = run.model.encode([negative_prompt] * count) if count else None
        return cls(run, scales, negative)

    def predict(self, inputs: Latents, level: Level, index: int) -> tuple[Latents, Latents]:
        """What the network predicts for the edit, and for the source; clips of scale 1 have no unconditional half."""
        model, call = self.run.model, self.run.call(index)
        predictions = model.predict_half(inputs, level.timestep, self.run.text, "conditional", call).split(1)
        if self.negative is None:
            return predictions
        chosen = [clip for clip, scale in enumerate(self.scales) if scale != 1]
        without = model.predict_half(inputs[chosen], level.timestep, self.negative, "unconditional", call)
        mixed = list(predictions)
        for clip, own in zip(chosen, without.split(1), strict=True):
            mixed[clip] = own + self.scales[clip] * (predictions[clip] - own)
        return mixed[0], mixed[1]

    def of_source(self, latents: Latents, level: Level) -> Latents:
        """What the network predicts for the source alone, without classifier-free guidance; nobody listens."""
        states, mask = self.run.text.states[1:], self.run.text.mask
        text = Condition(states, None if mask is None else mask[1:])
        with unheard(), torch.no_grad():
            return self.run.model.predict_half(latents, level.timestep, text, "conditional")
