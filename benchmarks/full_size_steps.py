"""The denoising steps that `full_size` compares: unguided, guided by this package, and as the paper's released code."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from diffusers import DDIMScheduler, UNet3DConditionModel
from diffusers.models.attention_processor import Attention, AttnProcessor
from torch import Tensor

from xattn_helpers import Guidance, track
from xattn_helpers.checkpoints import Checkpoint
from xattn_helpers.models import Model
from xattn_helpers.pocket.text import build_tokenizer

PROMPT, WORD, PATH = "a burger floats on the water", "burger", track([(0.25, 0.25), (0.25, 0.8)])
PIXELS = 8  # in each direction, that one latent stands for
TIMESTEP, TOKENS = 500, 77
OURS, SAVING, DOWN = "guided step", "guided step, checkpoint_blocks", "guided step, place=down"
GRAPH, BOTH = "guided step, cuda_graph", "guided step, cuda_graph and checkpoint_blocks"
UNGUIDED, RELEASED = "unguided step", "guided step, released code"


@dataclass(frozen=True)
class Scale:
    """A network and the clips it is measured with."""

    options: dict  # of the UNet, what differs from ModelScope's, which are the defaults of its class
    clips: tuple[tuple[int, int], ...]  # frames and pixels of a side
    runs: int  # of which the median counts
    device: str
    dtype: torch.dtype


FULL = Scale({}, ((16, 256), (24, 320)), runs=7, device="cuda", dtype=torch.float16)
SMOKE = Scale(
    {"block_out_channels": (32, 32, 64, 64), "layers_per_block": 1, "cross_attention_dim": 32, "attention_head_dim": 16,
     "norm_num_groups": 8}, ((3, 128),), runs=2, device="cpu", dtype=torch.float32,
)  # fmt: skip


def build(scale: Scale) -> Model:
    """A random network of ModelScope's layout, with a tokenizer that finds the word; it has no decoder."""
    options = {"cross_attention_dim": 1024, "attention_head_dim": 64, "sample_size": 32} | scale.options
    torch.manual_seed(0)
    with torch.device(scale.device):
        before = torch.get_default_dtype()
        torch.set_default_dtype(scale.dtype)  # never in single precision: that would not fit a small GPU
        try:
            unet = UNet3DConditionModel(**options).eval().requires_grad_(False)
        finally:
            torch.set_default_dtype(before)
    scheduler = DDIMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
    return Model(unet, None, None, build_tokenizer(), scheduler, Checkpoint("random", 16, 256, 256))


def probabilities(network: Model, kept: dict) -> dict:
    """Attention processors as the released code has them: an explicit softmax everywhere, and the maps are kept."""

    class Keeping(AttnProcessor):
        def __init__(self, name: str):
            super().__init__()
            self.name = name

        def __call__(self, attn: Attention, *inputs, **options) -> Tensor:
            scores = attn.get_attention_scores

            def keep(*about):
                kept[self.name] = scores(*about)  # (batch * frames * heads, pixels, tokens) in the text layers
                return kept[self.name]

            attn.get_attention_scores = keep
            try:
                return super().__call__(attn, *inputs, **options)
            finally:
                del attn.get_attention_scores

    return {name: Keeping(name) for name in network.unet.attn_processors}


class Steps:
    """The kinds of denoising steps of one clip."""

    def __init__(self, network: Model, scale: Scale, frames: int, side: int):
        self.network, latent = network, side // PIXELS
        of = {"device": scale.device, "dtype": scale.dtype}
        generator = torch.Generator(scale.device).manual_seed(0)
        self.latents = torch.randn(1, 4, frames, latent, latent, generator=generator, **of)
        self.text, self.negative = torch.randn(
            2, 1, TOKENS, network.unet.config.cross_attention_dim, generator=generator, **of
        )
        self.timestep, self.resolutions = torch.tensor(TIMESTEP, device=scale.device), (latent // 4, latent // 2)

    @torch.no_grad()
    def unguided(self) -> None:
        """One call with both halves of classifier-free guidance."""
        self.network.predict_noise(self.latents, self.timestep, self.text, self.negative, 9.0)

    def guidance(self, **options) -> Callable[[], None]:
        """The gradient pass and the update."""
        ours = Guidance(WORD, PATH, resolution=self.resolutions, most=float("inf"), **options)
        ours.begin(self.network, [PROMPT], self.text, steps=50)
        return lambda: ours.update(self.latents, 0, self.timestep, self.network.scheduler)

    def guided(self, **options) -> Callable[[], None]:
        """The gradient pass, the update, and the call with both halves."""
        update = self.guidance(**options)
        return lambda: (update(), self.unguided())

    def released_gradient(self) -> None:
        """The gradient pass to its end, all attention explicit."""
        kept, before = {}, dict(self.network.unet.attn_processors)
        self.network.unet.set_attn_processor(probabilities(self.network, kept))
        try:
            with torch.enable_grad():
                moving = self.latents.detach().requires_grad_(True)
                self.network.predict_noise(moving, self.timestep, self.text)
                heights = {side * side for side in self.resolutions}
                text = [one for one in kept.values() if one.shape[-1] == TOKENS and one.shape[1] in heights]
                energy = sum(one[..., 2].float().square().mean() for one in text)
                torch.autograd.grad(energy, moving)
        finally:
            self.network.unet.set_attn_processor(before)
            kept.clear()  # their class refers to itself, and would hold the maps until Python looks for cycles

    def released(self) -> None:
        """The reference pass, the gradient pass and two calls with both halves; without gradients nothing is kept."""
        before = dict(self.network.unet.attn_processors)
        self.network.unet.set_attn_processor({name: AttnProcessor() for name in before})
        try:
            with torch.no_grad():
                self.network.predict_noise(self.latents, self.timestep, self.text)
            self.unguided()
            self.unguided()
        finally:
            self.network.unet.set_attn_processor(before)
        self.released_gradient()

    def kinds(self) -> dict[str, Callable[[], Callable[[], None]]]:
        """What is measured, by name: functions that make the step, so that nothing of one is held during the next."""
        found = {
            UNGUIDED: lambda: self.unguided, "gradient pass": self.guidance, OURS: self.guided,
            SAVING: lambda: self.guided(checkpoint_blocks=True), DOWN: lambda: self.guided(place="down"),
            GRAPH: lambda: self.guided(cuda_graph=True),
            BOTH: lambda: self.guided(cuda_graph=True, checkpoint_blocks=True),
            "gradient pass, released code": lambda: self.released_gradient, RELEASED: lambda: self.released,
        }  # fmt: skip
        graphs = (GRAPH, BOTH) if self.latents.device.type != "cuda" else ()
        return {name: make for name, make in found.items() if name not in graphs}
