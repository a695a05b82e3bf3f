"""Flow matching: how noisy the inputs of the video transformer are, and what it minimises."""

import random

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from transformers import CLIPTextModel

from .latents import LatentStories
from .losses import drop_captions, dtype_of

VIDEO_SHIFT, IMAGE_SHIFT = 3.0, 1.5  # towards noise: a video says the same thing 16 times
UNIFORM_SHARE = 0.15  # of the noise levels; the rest are logit-normal, which hardly ever gives the two ends
TIMESTEPS = 1000  # the network's clock runs from 0 to it


def sample_sigmas(count: int, shift: float, device: torch.device | str) -> Float[Tensor, " count"]:
    """Random shares of noise in (0, 1), most in the middle, then shifted (Esser et al. 2024, eqs. 19 and 23)."""
    normal = torch.randn(count, device=device).sigmoid()
    uniform = torch.rand(count, device=device)
    sigmas = torch.where(torch.rand(count, device=device) < UNIFORM_SHARE, uniform, normal)
    return shift * sigmas / (1 + (shift - 1) * sigmas)


def real_tokens(tokens: Int[Tensor, "count tokens"], end: int) -> Bool[Tensor, "count tokens"]:
    """Which tokens are not padding: all up to the first end token, with which captions are padded, too."""
    return (tokens == end).cumsum(1) <= 1


class FlowLoss:
    """Squared error of the velocity noise - latents at (1 - sigma) latents + sigma noise (Lipman et al. 2023).

    A batch is of videos or of single frames, by turns that are random and the same in every process.
    """

    def __init__(
        self, data: LatentStories, text_encoder: CLIPTextModel, empty: Int[Tensor, "1 tokens"],
        motion_share: float, image_share: float, images: int,
    ):  # fmt: skip
        """`empty` are the tokens of the empty caption; `images` come in place of one video.

        Shares in [0, 1]: of the videos from captions that name a motion, and of the batches that are of images.
        """
        self.data, self.text_encoder, self.empty = data, text_encoder, empty
        self.motion_share, self.image_share, self.images = motion_share, image_share, images
        self.end = int(empty[0, -1])
        self.turns = random.Random(0)

    def __call__(self, network: nn.Module, count: int) -> Float[Tensor, ""]:
        """The loss of `count` videos, or of `images` times as many images."""
        if self.turns.random() < self.image_share:
            latents, tokens = self.data.sample_images(self.images * count)
            return self._error(network, latents[:, :, None], tokens, IMAGE_SHIFT)
        latents, tokens = self.data.sample_videos(count, self.motion_share)
        return self._error(network, latents, tokens, VIDEO_SHIFT)

    def _error(
        self, network: nn.Module, latents: Float[Tensor, "count 4 frames 16 16"], tokens: Int[Tensor, "count tokens"],
        shift: float,
    ) -> Float[Tensor, ""]:  # fmt: skip
        text, dtype = self._embed(tokens), dtype_of(network)
        sigmas = sample_sigmas(len(latents), shift, latents.device)
        share = sigmas.view(-1, 1, 1, 1, 1)
        noise = torch.randn_like(latents)
        noisy = (1 - share) * latents + share * noise
        velocity = network(noisy.to(dtype), TIMESTEPS * sigmas, text.to(dtype), return_dict=False)[0].float()
        return F.mse_loss(velocity, noise - latents)

    @torch.no_grad()
    def _embed(self, tokens: Int[Tensor, "count tokens"]) -> Float[Tensor, "count tokens width"]:
        """The captions as Wan reads them: zero after their end, and not masked."""
        tokens = drop_captions(tokens, self.empty)
        states = self.text_encoder(tokens).last_hidden_state
        return states * real_tokens(tokens, self.end)[..., None]
