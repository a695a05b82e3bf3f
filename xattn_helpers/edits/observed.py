"""The attention of a video that is given: it is made noisy to some levels, and the network looks at it.

    seen = observe(model, video, "a shark swims in the ocean")
    target = seen.moved("shark", scale=1.5)   # M x shape(A_orig), of the given video's own maps
    clip = edit_video(model, video, seen.clip.prompt, seen.clip.prompt, edits=Guidance("shark", target))
"""

import hashlib
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import UInt8

from ..arguments import checked
from ..attention.processor import unheard
from ..attention.recording import capture
from ..backbones.backbone import Call, Latents
from ..backbones.model import Model
from ..backbones.noise import Level
from ..kinds import Frames, Prompt, Seed, Side
from ..request import complete
from ..sampling import Clip
from ..video_files import AnyVideo, as_given
from .kept import Kept
from .zero_shot import Unguided, by_height, run_key

WATCHED = (0.6, 0.4, 0.2)  # sigmas at which a video is looked at: enough noise that words matter, enough signal to see
# Of the error with a prompt over that without, above which a prompt is refused: one that describes the video helps to
# tell it from noise, and another misleads (Li et al. 2023, "Your diffusion model is secretly a zero-shot classifier").
WORST = 1.05
_LOOKS = Kept(2)  # what a look depends on: Seen


@dataclass(frozen=True, eq=False)
class Seen(Unguided):
    """A given video and the attention of a network that looks at it."""

    misfit: float  # the network's error over that without a prompt; above 1, the prompt does not describe the video


@checked
def observe(
    model: Model, video: AnyVideo, prompt: Prompt, seed: Seed = 0, *,
    frames: Frames | None = None, height: Side | None = None, width: Side | None = None,
) -> Seen:  # fmt: skip
    """A given video and the attention of a network that looks at it, at three levels of noise that `seed` draws.

    `video` is uint8, (frames, height, width, 3), a file or a folder, as for `edit_video`. Raises ValueError for a video
    that is too short or too small and for a prompt that the model does not understand.
    """
    request = complete(model, prompt, seed, None, None, None, frames, height, width)
    pixels, _ = as_given(video, request.frames, request.height, request.width)
    return look_at(model, pixels, encoded(model, pixels), prompt, seed)


def encoded(model: Model, pixels: UInt8[np.ndarray, "frames height width 3"]) -> Latents:
    """The latents of one video, where and in the precision in which a run has them."""
    return model.codec.encode(torch.from_numpy(pixels)[None]).to(model.device, model.latents_dtype)


def look_at(
    model: Model, pixels: UInt8[np.ndarray, "frames height width 3"], latents: Latents, prompt: str, seed: int
) -> Seen:
    """What a network sees in a given video; who listens to an edit of it does not hear of this.

    A video that was just looked at is not looked at again: `observe` gives a target, and then `edit_video` looks.
    """
    video = hashlib.sha256(pixels.tobytes()).hexdigest()
    key = (*run_key(model, prompt, seed, None), pixels.shape, video)
    seen = _LOOKS.of(model.network).get(key)
    if seen is None:
        seen = _look(model, pixels, latents, prompt, seed)
        _LOOKS.add(model.network, {key: seen})
    return seen


def _look(model: Model, pixels: np.ndarray, latents: Latents, prompt: str, seed: int) -> Seen:
    generator, text = torch.Generator().manual_seed(seed), model.encode([prompt, ""])
    errors = torch.zeros(2)
    with unheard(), capture(model) as attention, torch.no_grad():
        for index, level in enumerate(watched_levels(model, latents)):
            drawn = torch.randn(latents.shape, generator=generator).to(latents)
            noisy = (level.alpha * latents + level.sigma * drawn).expand(2, *latents.shape[1:])
            call = Call(index=index, prompts=(prompt, ""))
            prediction = model.predict_half(noisy, level.timestep, text, "conditional", call)
            clean = model.noise.clean(prediction.float(), noisy.float(), level)
            errors += (clean - latents).square().mean((1, 2, 3, 4)).cpu()
    misfit = float(errors[0] / errors[1])
    return Seen(Clip(pixels, latents[0], prompt, seed), by_height(attention, 0), model.text, misfit)


def check_description(seen: Seen) -> None:
    """Raise ValueError for a prompt that makes the network's predictions worse than no prompt does."""
    if seen.misfit > WORST:
        raise ValueError(
            f"source_prompt={seen.clip.prompt!r} given, which does not describe the video: with it the network's error "
            f"is {seen.misfit:.2f} times as large as without a prompt, and it must be below {WORST:g}; give a prompt "
            "that tells what is seen, or check_prompt=False"
        )


def watched_levels(model: Model, latents: Latents) -> list[Level]:
    """Of the levels of the model's usual schedule, those that are nearest to `WATCHED`."""
    levels = model.noise.solver(model.defaults.steps, places=latents[0, 0].numel()).levels()[:-1]
    sigmas, chosen = np.array([level.sigma for level in levels]), []
    for sigma in WATCHED:
        chosen.append(levels[np.abs(sigmas - sigma).argmin()])
    return list(dict.fromkeys(chosen))
