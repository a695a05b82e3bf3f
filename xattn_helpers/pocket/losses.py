"""What each pocket network minimises."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL, DPMSolverMultistepScheduler
from torch import Tensor, nn
from transformers import CLIPTextModel

EMPTY_SHARE = 0.1  # of the captions: they teach the unconditional half of classifier-free guidance
LARGEST_WEIGHT = {"image": 10.0, "video": 200.0}  # of a noisy timestep, relative to one in the middle
LEAST_SIGNAL = {"image": None, "video": 0.03}  # sqrt(abar) at the last timestep; None leaves Stable Diffusion's .068
MOST_SNR = 5.0  # signal-to-noise ratio above which a timestep counts less


def build_scheduler(kind: str = "image") -> DPMSolverMultistepScheduler:
    """Stable Diffusion's and ModelScope's noise schedule, with a solver that needs few steps.

    For video it ends in less signal. An object's path through 16 frames shines through even the strongest noise of
    that schedule; a model that is trained with it reads the motion there, also where there is none, and not in the
    prompt (Lin et al. 2023, "Common diffusion noise schedules and sample steps are flawed").
    """
    scheduler = DPMSolverMultistepScheduler(
        num_train_timesteps=1000, beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear",
        timestep_spacing="trailing",
    )  # fmt: skip
    if LEAST_SIGNAL[kind] is None:
        return scheduler
    betas = rescale(scheduler.alphas_cumprod.double(), LEAST_SIGNAL[kind])
    return DPMSolverMultistepScheduler.from_config(scheduler.config, trained_betas=betas.tolist())


def rescale(signal: Tensor, least: float) -> Tensor:
    """Betas for abar (timesteps,) whose square root is stretched to end at `least` (Lin et al. 2023, algorithm 1)."""
    root = signal.sqrt()
    root = least + (root - root[-1]) * (root[0] - least) / (root[0] - root[-1])
    return 1 - torch.cat([root[:1] ** 2, (root[1:] / root[:-1]) ** 2])


def reconstruction_loss(made: Tensor, wanted: Tensor) -> Tensor:
    """Absolute and squared error of pixels, and absolute error of their differences, which keeps edges sharp."""
    edges = sum(F.l1_loss(made.diff(dim=axis), wanted.diff(dim=axis)) for axis in (-1, -2))
    return F.l1_loss(made, wanted) + F.mse_loss(made, wanted) + 0.5 * edges


def class_map(masks: Tensor, objects: Tensor) -> Tensor:
    """Masks (n, actors, h, w) and object indices (n, actors) to labels (n, h, w): 0 background, i + 1 object i."""
    return (masks.long() * (objects + 1)[:, :, None, None]).amax(1)


@torch.no_grad()
def through(vae: AutoencoderKL, pixels: Tensor) -> Tensor:
    """Pixels in [0, 1] encoded and decoded again: what generated pictures look like at their best."""
    with torch.autocast(pixels.device.type, torch.bfloat16):
        return (vae(2 * pixels - 1).sample.float() / 2 + 0.5).clamp(0, 1)


def spoil(pixels: Tensor) -> Tensor:
    """Small changes of brightness and contrast, and a little noise, so that the detector relies on shapes."""
    count = len(pixels)
    gain, shift = torch.empty(2, count, 1, 1, 1, device=pixels.device).uniform_(-0.1, 0.1)
    noise = 0.03 * torch.rand(count, 1, 1, 1, device=pixels.device) * torch.randn_like(pixels)
    return ((pixels - 0.5) * (1 + gain) + 0.5 + shift + noise).clamp(0, 1)


def diffusion_loss(
    batch_of: Callable[[int], tuple[Tensor, Tensor]],
    text_encoder: CLIPTextModel,
    empty: Tensor,
    kind: str = "image",
    focus: tuple[float, float] = (0.0, 0.0),
) -> Callable[[nn.Module, int], Tensor]:
    """The objective of the paper's eq. 1, weighted over timesteps, for `Training.run`.

    `batch_of(n)` gives latents and tokens; `empty` holds the tokens of the empty caption, (1, tokens); `kind` is a key
    of LARGEST_WEIGHT. `focus` is (share, begin): so much of the timesteps is drawn from that part of the schedule on.
    """
    signal = build_scheduler(kind).alphas_cumprod.to(empty.device)
    weights = timestep_weights(signal, LARGEST_WEIGHT[kind])

    def loss(network: nn.Module, count: int) -> Tensor:
        dtype = next(network.parameters()).dtype
        latents, tokens = batch_of(count)
        dropped = torch.rand(count, 1, device=tokens.device) < EMPTY_SHARE
        with torch.no_grad():
            embeddings = text_encoder(torch.where(dropped, empty, tokens)).last_hidden_state
        timesteps = draw_timesteps(count, len(signal), *focus).to(latents.device)
        noise = torch.randn_like(latents)
        kept = signal[timesteps].view(-1, *[1] * (latents.ndim - 1))
        noisy = kept.sqrt() * latents + (1 - kept).sqrt() * noise  # eq. 2
        guess = network(noisy.to(dtype), timesteps, embeddings.to(dtype)).sample.float()
        return (weights[timesteps] * (guess - noise).square().flatten(1).mean(1)).mean()

    return loss


def draw_timesteps(count: int, steps: int, share: float = 0.0, begin: float = 0.0) -> Tensor:
    """Random timesteps (count,), uniform but for a share that is drawn from `begin` x steps on, the noisiest."""
    uniform = torch.randint(steps, (count,))
    noisy = torch.randint(round(begin * steps), steps, (count,))
    return torch.where(torch.rand(count) < share, noisy, uniform)


def timestep_weights(signal: Tensor, largest: float) -> Tensor:
    """Weights of the squared error in the noise, from the cumulative product of alphas, (timesteps,), mean 1.

    Where things are is decided in the noisiest steps, in which the error in the noise is tiny although the picture is
    all wrong; the factor 1 + 1 / SNR makes up for it (it turns the loss into that of v-prediction, Salimans and Ho
    2022), and min(SNR, 5) / SNR takes weight from the cleanest steps (Hang et al. 2023). `largest` bounds the former.
    A video says the same thing 16 times, so that its motion is settled in noisier steps than the layout of an image:
    with the bound of images, the words for motion are learnt late.
    """
    snr = signal / (1 - signal)
    weights = (1 + 1 / snr).clamp(max=largest) * (MOST_SNR / snr).clamp(max=1)
    return weights / weights.mean()


def compile_blocks(network: nn.Module) -> None:
    """Compile the repeated blocks in place: much sooner ready than compiling the whole network, nearly as fast."""
    torch._dynamo.config.recompile_limit = 128  # one program per shape
    kinds = ("ResnetBlock2D", "TemporalConvLayer", "BasicTransformerBlock")
    for module in network.modules():
        if type(module).__name__ in kinds:
            module.compile(dynamic=False)
