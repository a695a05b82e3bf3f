"""A model: a backbone, its text, its codec and its noise; and loading one."""

from dataclasses import dataclass, replace
from typing import Annotated, Any

import torch
from jaxtyping import UInt8
from torch import Tensor, nn

from ..arguments import UNCHECKED, checked
from ..kinds import PathLike
from .backbone import CALL, HALVES, Backbone, Call, Half, Latents, Site, find_backbone
from .catalogue import CHECKPOINTS, Checkpoint, resolve, shortened
from .checkpoints import UnsupportedModel, guess_defaults, load_parts
from .codec import Codec
from .memory import fits
from .noise import Noise
from .offloading import Offload, place, working_device
from .places import Device, precision_of, working_precision
from .text import Condition, Text
from .video_codecs import find_codec

__all__ = ["CHECKPOINTS", "Checkpoint", "Model", "UnsupportedModel", "load"]


@dataclass(repr=False)
class Model:
    """A latent diffusion model for video, or for images, which are videos of one frame.

    Nothing of it changes while it runs: several threads may use one model.
    """

    backbone: Backbone
    text: Text
    codec: Codec
    noise: Noise
    defaults: Checkpoint

    def __post_init__(self):
        _check_parts(self.backbone, self.text, self.codec)

    @classmethod
    def of(
        cls, network: nn.Module, vae: Any, text_encoder: Any, tokenizer: Any, scheduler: Any, defaults: Checkpoint
    ) -> "Model":
        """A model of diffusers' and transformers' parts; vae and text_encoder may be None where nothing asks for them.

        Raises ValueError for a network that the package cannot run, and for parts that do not fit each other.
        """
        backbone = find_backbone(network)
        text = Text(tokenizer, text_encoder, defaults.check_prompt, backbone.padding, backbone.tidies)
        return cls(backbone, text, find_codec(vae), Noise(scheduler), defaults)

    def __repr__(self) -> str:
        kind, dtype = type(self.network).__name__, str(self.dtype).removeprefix("torch.")
        millions = sum(weight.numel() for weight in self.network.parameters()) / 1e6
        made = f"{self.defaults.frames} x {self.defaults.height} x {self.defaults.width}"
        return f"Model({kind}, {millions:.1f} M weights, makes {made}, {self.device}, {dtype})"

    @property
    def network(self) -> Any:
        """The network, as it was loaded; setting it takes another one, also what `torch.compile` returns."""
        return self.backbone.network

    @network.setter
    def network(self, network: nn.Module) -> None:
        backbone = find_backbone(network)
        _check_parts(backbone, self.text, self.codec)
        self.backbone = backbone

    def __getattr__(self, name: str) -> Any:
        moved = {"unet": "network", "transformer": "network", "vae": "codec.vae", "tokenizer": "text.tokenizer"}
        moved |= {"text_encoder": "text.encoder", "scheduler": "noise.scheduler"}
        hint = f"; it is model.{moved[name]}" if name in moved else ""
        raise AttributeError(f"Model has no attribute {name!r}{hint}")

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("unet", "transformer"):
            raise AttributeError(f"Model has no attribute {name!r}; write model.network = …")
        super().__setattr__(name, value)

    @property
    def device(self) -> torch.device:
        """Where the network works."""
        return working_device(self.network)

    @property
    def dtype(self) -> torch.dtype:
        """The precision of the network, but for parts that some keep in single precision."""
        return working_precision(self.network)

    @property
    def latents_dtype(self) -> torch.dtype:
        """The precision of latents: of flow matching, single, as their pipelines have it; else the network's."""
        return max(torch.float32, self.dtype, key=lambda kind: kind.itemsize) if self.noise.is_flow else self.dtype

    @property
    def is_video(self) -> bool:
        """Whether the model makes videos."""
        return self.backbone.is_video

    @property
    def sites(self) -> list[Site]:
        """Where pixels attend to the prompt, in the order in which it happens."""
        return self.backbone.sites()

    @property
    def groups(self) -> tuple[str, ...]:
        """The names of the parts of the network that sites belong to."""
        return self.backbone.groups

    def cells(self) -> list[int]:
        """The sizes of maps there are: how many latent cells wide one of their cells is, smallest first."""
        return sorted({self.backbone.cells(site) for site in self.sites})

    def encode(self, prompts: str | list[str]) -> Condition:
        """Embedded prompts, on the network's device. Raises ValueError for one that is too long or not understood."""
        prompts = [prompts] if isinstance(prompts, str) else list(prompts)
        text = self.text.encode(prompts)
        mask = None if text.mask is None else text.mask.to(self.device)
        return Condition(text.states.to(self.device, self.dtype), mask)

    def decode(self, latents: Latents) -> UInt8[Tensor, "batch frames height width 3"]:
        """Pixels of latents, on the CPU."""
        return self.codec.decode(latents)

    def predict(
        self, latents: Latents, timestep: Tensor | float, text: Condition | Tensor,
        negative: Condition | Tensor | None = None, cfg_scale: float = 1.0, call: Call | None = None,
    ) -> Latents:  # fmt: skip
        """What the network predicts: the noise, a velocity, whatever it was trained for (`model.noise.prediction`).

        With a `negative` text, classifier-free guidance: negative + cfg_scale * (positive - negative) (Ho and Salimans
        2022), in the precision of the latents; in one call, if the network can and a GPU has room. `call` are the facts
        that the loop knows; a call by hand needs none.
        """
        if negative is None:
            return self._run(latents, timestep, text, call, ("conditional",))
        if self.backbone.joint and fits(doubled := torch.cat([latents, latents]), self.backbone.width, self.dtype):
            texts = Condition.of(negative).join(Condition.of(text))
            without, with_text = self._run(doubled, timestep, texts, call, HALVES).chunk(2)
        else:
            without = self._run(latents, timestep, negative, call, ("unconditional",))
            with_text = self._run(latents, timestep, text, call, ("conditional",))
        return without + cfg_scale * (with_text - without)

    def predict_half(
        self, latents: Latents, timestep: Tensor | float, text: Condition, half: Half, call: Call | None = None
    ) -> Latents:
        """What the network predicts in one half of classifier-free guidance, for those who put the halves together."""
        return self._run(latents, timestep, text, call, (half,))

    def _run(
        self, latents: Latents, timestep: Tensor | float, text: Condition | Tensor, call: Call | None,
        halves: tuple[Half, ...],
    ) -> Latents:  # fmt: skip
        text, timestep = Condition.of(text), torch.as_tensor(timestep)
        facts = {"clips": len(latents) // len(halves), "size": tuple(latents.shape[2:]), "timestep": _read(timestep)}
        token = CALL.set(replace(call or Call(), halves=halves, **facts))
        try:
            timestep = timestep.to(latents.device, non_blocking=True)  # else it waits for all that the GPU has to do
            return self.backbone.predict(latents.to(self.dtype), timestep, text).to(latents.dtype)
        finally:
            CALL.reset(token)


@checked
def load(
    name: PathLike = "pocket", device: Device | None = None,
    dtype: Annotated[torch.dtype | str | None, UNCHECKED] = None, offload: Offload = "auto",
) -> Model:  # fmt: skip
    """Load a model: a name of `CHECKPOINTS`, a folder in diffusers' layout, or "owner/name" on the model hub.

    Device and precision default to CUDA and half precision where there is a GPU, else to the CPU and float32. Half
    precision is bfloat16 for transformers, if the GPU has it, and float16 for U-Nets. `offload` keeps text encoder,
    network and autoencoder in the CPU's memory, and each on the GPU only while it works: "auto" does so where the
    weights of all three fill more than half of the GPU. The pocket models and folders never touch the network.

    Raises ValueError for an unknown name and for a model that `generate` could not run, FileNotFoundError for an
    incomplete folder and OSError for a model that cannot be loaded or fetched.
    """
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    checkpoint = resolve(str(name))
    precision = precision_of(dtype, torch.device(device), checkpoint.precision)
    try:
        parts = load_parts(checkpoint, precision)
        weights = [parts[part].eval().requires_grad_(False) for part in ("text_encoder", "network", "vae")]
        is_video = find_backbone(parts["network"]).is_video
        defaults = checkpoint if checkpoint.frames else guess_defaults(checkpoint, parts, is_video)
        model = Model.of(**parts, defaults=shortened(defaults))
    except ValueError as error:
        raise UnsupportedModel(f"name={str(name)!r} cannot be run: {error}") from None
    except OSError as error:  # what is missing or cannot be fetched
        raise type(error)(f"{error} (name={str(name)!r})") from error.__cause__
    place(weights, torch.device(device), offload)
    return model


def _check_parts(backbone: Backbone, text: Text, codec: Codec) -> None:
    """Raise ValueError for parts that do not fit: latents of another width than the network's, or texts."""
    kind = type(backbone.network).__name__
    if codec.vae is not None and codec.channels != backbone.channels:
        raise ValueError(
            f"{kind} takes latents of {backbone.channels} channels, and the autoencoder makes {codec.channels}"
        )
    if text.encoder is not None and text.encoder.config.hidden_size != backbone.text_width:
        raise ValueError(
            f"{kind} takes embeddings of width {backbone.text_width}, and the text encoder makes "
            f"{text.encoder.config.hidden_size}"
        )


def _read(timestep: Tensor) -> float:
    """A timestep as a number; while a CUDA graph records, none can be read."""
    if timestep.is_cuda and torch.cuda.is_current_stream_capturing():
        return float("nan")
    return float(timestep.flatten()[0])
