"""The training set of the diffusion models: clips drawn once, stored as latents with the tokens of their captions."""

from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from torch import Tensor
from tqdm.auto import tqdm
from transformers import CLIPTokenizer

from .captions import held_out
from .world import World, sample_batch

CHUNK = 64  # clips that are drawn and encoded together


@dataclass
class LatentClips:
    """Clips as latents; captions that are kept for evaluation are marked and never drawn."""

    latents: Tensor  # (clips, frames, 4, 16, 16), float16, divided by the VAE's scaling factor
    video_tokens: Tensor  # (clips, MAX_TOKENS)
    image_tokens: Tensor  # (clips, MAX_TOKENS): without the motion
    video_usable: Tensor  # (clips,) bool
    image_usable: Tensor  # (clips,) bool
    says_motion: Tensor  # (clips,) bool

    def videos(self, count: int, motion_share: float = 0.0) -> tuple[Tensor, Tensor]:
        """A random batch: latents (count, 4, frames, 16, 16) and tokens (count, MAX_TOKENS).

        A share of it is drawn from the captions that name a motion, the rest from all.
        """
        moving = round(motion_share * count)
        clip = torch.cat(
            [_choose(self.video_usable & self.says_motion, moving), _choose(self.video_usable, count - moving)]
        )
        return self.latents[clip].float().transpose(1, 2), self.video_tokens[clip]

    def images(self, count: int) -> tuple[Tensor, Tensor]:
        """A random batch of single frames: latents (count, 4, 16, 16) and tokens (count, MAX_TOKENS)."""
        clip = _choose(self.image_usable, count)
        frame = torch.randint(self.latents.shape[1], (count,), device=clip.device)
        return self.latents[clip, frame].float(), self.image_tokens[clip]

    def to(self, device) -> "LatentClips":
        """The same clips on another device."""
        return LatentClips(**{name: tensor.to(device) for name, tensor in vars(self).items()})


def _choose(usable: Tensor, count: int) -> Tensor:
    candidates = usable.nonzero()[:, 0]
    if count == 0:
        return candidates[:0]
    return candidates[torch.randint(len(candidates), (count,), device=usable.device)]


def tokenize(tokenizer: CLIPTokenizer, captions: list[str]) -> Tensor:
    """Token ids (captions, MAX_TOKENS), padded with the end token as in Stable Diffusion 1."""
    return tokenizer(captions, padding="max_length", truncation=True, return_tensors="pt").input_ids


@torch.no_grad()
def encode_clips(
    vae: AutoencoderKL, tokenizer: CLIPTokenizer, count: int, seed: int, device, file: Path
) -> LatentClips:
    """Draw and encode `count` clips, or read them from `file` when they are already there."""
    if file.exists():
        return LatentClips(**torch.load(file, weights_only=True)).to(device)
    world, dtype = World(device), torch.bfloat16 if torch.device(device).type == "cuda" else torch.float32
    encoder, stored, captions = vae.to(device, dtype), [], []
    for start in tqdm(range(0, count, CHUNK), desc="latents", mininterval=5):
        batch, clips = sample_batch(min(CHUNK, count - start), seed=seed + 1 + start)
        video, _ = world.draw(batch)
        latents = encoder.encode((2 * video.flatten(0, 1) - 1).to(dtype)).latent_dist.mode()
        stored.append((latents * vae.config.scaling_factor).half().unflatten(0, video.shape[:2]))
        captions += [(clip.caption, clip.image_caption, clip.says_motion) for clip in clips]
    video_captions, image_captions, says_motion = map(list, zip(*captions, strict=True))
    clips = LatentClips(
        torch.cat(stored), tokenize(tokenizer, video_captions), tokenize(tokenizer, image_captions),
        torch.tensor([not held_out(text) for text in video_captions]),
        torch.tensor([not held_out(text) for text in image_captions]),
        torch.tensor(says_motion),
    ).to(device)  # fmt: skip
    file.parent.mkdir(parents=True, exist_ok=True)
    torch.save({name: tensor.cpu() for name, tensor in vars(clips).items()}, file)
    return clips
