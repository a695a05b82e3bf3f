"""The training set of the diffusion models: stories drawn once, kept as latents with the tokens of their captions."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from jaxtyping import Bool, Float, Int
from torch import Tensor
from tqdm.auto import tqdm
from transformers import CLIPTokenizer

from ..world.batches import StoryBatch, sample_batch
from ..world.captions import held_out
from ..world.drawing import World
from ..world.stories import Story
from . import stored

CHUNK = 64  # stories that are drawn and encoded together


@dataclass(frozen=True)
class LatentStories:
    """Stories as latents; those whose captions are held out for evaluation are marked and never drawn from."""

    latents: Float[Tensor, "stories frames 4 16 16"]  # float16, times the autoencoder's scaling factor
    video_tokens: Int[Tensor, "stories tokens"]
    image_tokens: Int[Tensor, "stories tokens"]  # without the motion
    video_usable: Bool[Tensor, " stories"]
    image_usable: Bool[Tensor, " stories"]
    says_motion: Bool[Tensor, " stories"]

    def sample_videos(
        self, count: int, motion_share: float = 0.0
    ) -> tuple[Float[Tensor, "count 4 frames 16 16"], Int[Tensor, "count tokens"]]:
        """A random batch of videos and captions.

        A share of it is drawn from the captions that name a motion, the rest from all.
        """
        moving = round(motion_share * count)
        telling = _choose(self.video_usable & self.says_motion, moving)
        story = torch.cat([telling, _choose(self.video_usable, count - moving)])
        return self.latents[story].float().transpose(1, 2), self.video_tokens[story]

    def sample_images(self, count: int) -> tuple[Float[Tensor, "count 4 16 16"], Int[Tensor, "count tokens"]]:
        """A random batch of single frames and captions."""
        story = _choose(self.image_usable, count)
        frame = torch.randint(self.latents.shape[1], (count,), device=story.device)
        return self.latents[story, frame].float(), self.image_tokens[story]

    def first(self, share: float) -> "LatentStories":
        """The first of the stories; a share of them, above 0 and up to 1."""
        count = max(1, round(share * len(self.latents)))
        return LatentStories(**{name: tensor[:count] for name, tensor in vars(self).items()})

    def to(self, device: torch.device | str) -> "LatentStories":
        """The same stories on another device."""
        return LatentStories(**{name: tensor.to(device) for name, tensor in vars(self).items()})


def _choose(usable: Bool[Tensor, " stories"], count: int) -> Int[Tensor, " count"]:
    """Random indices of usable stories."""
    candidates = usable.nonzero()[:, 0]
    if count == 0:
        return candidates[:0]
    return candidates[torch.randint(len(candidates), (count,), device=usable.device)]


def tokenize(tokenizer: CLIPTokenizer, captions: Sequence[str]) -> Int[Tensor, "captions tokens"]:
    """Token ids, padded to MAX_TOKENS with the end token as in Stable Diffusion 1."""
    return tokenizer(list(captions), padding="max_length", truncation=True, return_tensors="pt").input_ids


def encode_stories(
    vae: AutoencoderKL, tokenizer: CLIPTokenizer, count: int, seed: int, device: torch.device | str, file: Path
) -> LatentStories:
    """Draw and encode `count` stories, or read them from `file` when they are already there; on the device.

    Raises UnusableFile for a damaged file.
    """
    if file.exists():
        with stored.readable(file):
            return LatentStories(**stored.load(file, torch.device("cpu"))).to(device)
    latents, video_captions, image_captions, says_motion = [], [], [], []
    world = World(device)
    chunks = tqdm(_make_up(count, seed), total=-(-count // CHUNK), desc="latents", mininterval=5)
    for batch, stories in chunks:
        video, _ = world.draw(batch)
        latents.append(_encode(vae, video))
        video_captions += [story.caption for story in stories]
        image_captions += [story.image_caption for story in stories]
        says_motion += [story.says_motion for story in stories]
    data = LatentStories(
        latents=torch.cat(latents),
        video_tokens=tokenize(tokenizer, video_captions),
        image_tokens=tokenize(tokenizer, image_captions),
        video_usable=torch.tensor([not held_out(caption) for caption in video_captions]),
        image_usable=torch.tensor([not held_out(caption) for caption in image_captions]),
        says_motion=torch.tensor(says_motion),
    ).to(device)
    _store(data, file)
    return data


def _make_up(count: int, seed: int) -> Iterator[tuple[StoryBatch, list[Story]]]:
    """Chunks of stories, made up by another thread while a GPU draws and encodes the ones before."""
    starts = range(0, count, CHUNK)
    with ThreadPoolExecutor(1) as pool:
        yield from pool.map(lambda start: sample_batch(min(CHUNK, count - start), seed=seed + 1 + start), starts)


@torch.no_grad()
def _encode(
    vae: AutoencoderKL, video: Float[Tensor, "stories frames 3 height width"]
) -> Float[Tensor, "stories frames 4 16 16"]:
    """The modes of the latents of a video with pixels in [0, 1], in half precision; moves the autoencoder there."""
    dtype = torch.bfloat16 if video.device.type == "cuda" else torch.float32
    pixels = 2 * video.flatten(0, 1) - 1
    latents = vae.to(video.device, dtype).encode(pixels.to(dtype)).latent_dist.mode()
    return (latents * vae.config.scaling_factor).half().unflatten(0, video.shape[:2])


def _store(data: LatentStories, file: Path) -> None:
    """Keep the latents for the next call."""
    stored.save({name: tensor.cpu() for name, tensor in vars(data).items()}, file)
