"""What each pocket network minimises.

A loss takes a network and a number of samples, draws them by itself, and returns their mean loss.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from transformers import CLIPTextModel

from .fit import Loss
from .frames import Frames
from .schedule import Kind, add_noise, build_scheduler, sample_timesteps, timestep_weights

EMPTY_SHARE = 0.1  # of the captions: they teach the unconditional half of classifier-free guidance
PRIOR_WEIGHT = 1e-7  # of the autoencoder's prior: a whisper, as in Stable Diffusion
SCENE_WEIGHT = 0.1  # of the scene beside the objects

Pixels = Float[Tensor, "count 3 height width"]  # in [0, 1] unless said otherwise


def autoencoder_loss(sample: Callable[[int], Frames]) -> Loss:
    """Pixels, their gradients, and a whisper of a prior."""

    def loss(network: AutoencoderKL, count: int) -> Tensor:
        pixels = 2 * sample(count).pixels - 1
        posterior = network.encode(pixels.to(dtype_of(network))).latent_dist
        decoded = network.decode(posterior.sample()).sample.float()
        return reconstruction_loss(decoded, pixels) + PRIOR_WEIGHT * posterior.kl().mean()

    return loss


def reconstruction_loss(decoded: Pixels, pixels: Pixels) -> Float[Tensor, ""]:
    """Absolute and squared error of pixels, and absolute error of their differences, which keeps edges sharp."""
    across = F.l1_loss(decoded.diff(dim=-1), pixels.diff(dim=-1))
    down = F.l1_loss(decoded.diff(dim=-2), pixels.diff(dim=-2))
    return F.l1_loss(decoded, pixels) + F.mse_loss(decoded, pixels) + 0.5 * (across + down)


def detector_loss(sample: Callable[[int], Frames], vae: AutoencoderKL) -> Loss:
    """The class of every pixel and the scene; half of the frames went through the autoencoder, as generated ones do."""

    def loss(network: nn.Module, count: int) -> Tensor:
        frames = sample(count)
        half = count // 2
        pixels = torch.cat([reconstruct(vae, frames.pixels[:half]), frames.pixels[half:]])
        by_pixel, by_frame = network(augment(pixels).to(dtype_of(network)))
        labels = class_map(frames.masks, frames.objects)
        scene_loss = F.cross_entropy(by_frame.float(), frames.scenes)
        return F.cross_entropy(by_pixel.float(), labels) + SCENE_WEIGHT * scene_loss

    return loss


def class_map(
    masks: Bool[Tensor, "count actors height width"], objects: Int[Tensor, "count actors"]
) -> Int[Tensor, "count height width"]:
    """The class of every pixel: 0 for the background, i + 1 for the i-th object; absent actors (-1) have no mask."""
    classes = (objects + 1)[:, :, None, None]
    return (masks.long() * classes).amax(1)


@torch.no_grad()
def reconstruct(vae: AutoencoderKL, pixels: Pixels) -> Pixels:
    """Pixels encoded and decoded again: what generated pictures look like when all else is perfect.

    In half precision on a GPU only: most CPUs compute that twenty times as slowly.
    """
    with torch.autocast(pixels.device.type, torch.bfloat16, enabled=pixels.device.type != "cpu"):
        decoded = vae(2 * pixels - 1).sample.float()
    return (decoded / 2 + 0.5).clamp(0, 1)


def augment(pixels: Pixels) -> Pixels:
    """Small changes of brightness and contrast, and a little noise, so that the detector relies on shapes."""
    count = len(pixels)
    gain, shift = torch.empty(2, count, 1, 1, 1, device=pixels.device).uniform_(-0.1, 0.1)
    strength = 0.03 * torch.rand(count, 1, 1, 1, device=pixels.device)
    noise = strength * torch.randn_like(pixels)
    return ((pixels - 0.5) * (1 + gain) + 0.5 + shift + noise).clamp(0, 1)


class DiffusionLoss:
    """The objective of the paper's eq. 1, the squared error of the predicted noise, weighted over timesteps."""

    def __init__(
        self,
        sample: Callable[[int], tuple[Tensor, Tensor]],
        text_encoder: CLIPTextModel,
        empty: Int[Tensor, "1 tokens"],
        kind: Kind = "image",
        focus: tuple[float, float] = (0.0, 0.0),
    ):
        """`sample(count)` gives latents (count, channels, ...) and tokens (count, tokens), on the device of `empty`.

        `empty` are the tokens of the empty caption. `focus` is a share of the timesteps, in [0, 1], and where in the
        schedule they begin, in [0, 1): so much is drawn from the noisiest part of it.
        """
        self.sample = sample
        self.text_encoder = text_encoder
        self.empty = empty
        self.focus = focus
        self.alpha_bar = build_scheduler(kind).alphas_cumprod.to(empty.device)
        self.weights = timestep_weights(self.alpha_bar, kind)

    def __call__(self, network: nn.Module, count: int) -> Float[Tensor, ""]:
        """The loss of `count` samples."""
        latents, tokens = self.sample(count)
        text = self._embed(tokens)
        timesteps = sample_timesteps(count, len(self.alpha_bar), *self.focus).to(latents.device)
        noise = torch.randn_like(latents)
        noisy = add_noise(latents, noise, self.alpha_bar[timesteps])
        dtype = dtype_of(network)
        predicted = network(noisy.to(dtype), timesteps, text.to(dtype)).sample.float()
        errors = (predicted - noise).square().flatten(1).mean(1)
        return (self.weights[timesteps] * errors).mean()

    @torch.no_grad()
    def _embed(self, tokens: Int[Tensor, "count tokens"]) -> Float[Tensor, "count tokens width"]:
        """The captions as the network reads them, some of them replaced by the empty one."""
        return self.text_encoder(drop_captions(tokens, self.empty)).last_hidden_state


def drop_captions(tokens: Int[Tensor, "count tokens"], empty: Int[Tensor, "1 tokens"]) -> Int[Tensor, "count tokens"]:
    """Some captions, at random, replaced by the empty one."""
    dropped = torch.rand(len(tokens), 1, device=tokens.device) < EMPTY_SHARE
    return torch.where(dropped, empty, tokens)


def dtype_of(network: nn.Module) -> torch.dtype:
    """The precision of a network's weights."""
    return next(network.parameters()).dtype
