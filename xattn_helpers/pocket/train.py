"""Train the pocket models: `python -m xattn_helpers.pocket.train`, or with several GPUs `accelerate launch -m …`.

Stages run in order, each resumes from its checkpoint and is skipped when it is done: the autoencoder, the detector,
the text side, the image model, and the video model that is inflated from it. `--smoke` runs all of it in seconds.
"""

import json
import math
import time
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from accelerate import Accelerator
from diffusers import AutoencoderKL, ModelMixin, UNet2DConditionModel, UNet3DConditionModel
from torch import Tensor, nn
from transformers import CLIPTextModel, CLIPTokenizer, HfArgumentParser

from .detector import PocketDetector
from .fit import OutOfTime, Plan, Training
from .latents import LatentClips, encode_clips, tokenize
from .losses import build_scheduler, class_map, compile_blocks, diffusion_loss, reconstruction_loss, spoil, through
from .networks import build_image_unet, build_vae, build_video_unet, inflate
from .text import build_text_encoder, build_tokenizer
from .vocabulary import MEDIA, OBJECTS
from .world import World, sample_batch

STAGES = ("vae", "detector", "text", "t2i", "t2v")
CURVE_POINTS = 100  # kept of a training curve
WEIGHTS = Path(__file__).parent / "weights"
SHARD = "15MB"  # hosts of repositories and reviewers dislike larger files


@dataclass
class TrainConfig:
    """All that can be set from the command line."""

    stages: list[str] = field(default_factory=lambda: list(STAGES), metadata={"help": f"which of {STAGES}"})
    out: Path = field(default=WEIGHTS, metadata={"help": "folder of the finished models"})
    work: Path = field(default=Path("runs/pocket"), metadata={"help": "folder of checkpoints and latents"})
    seed: int = 0
    clips: int = field(default=49152, metadata={"help": "clips in the training set of the diffusion models"})
    vae_steps: int = 2000
    vae_batch: int = 96
    detector_steps: int = 1500
    detector_batch: int = 96
    t2i_steps: int = 4000
    t2i_batch: int = 512
    t2v_steps: int = 2500
    t2v_batch: int = 96
    t2v_noisy_share: float = field(default=0.6, metadata={"help": "of the timesteps, drawn from the noisiest: motion"})
    t2v_noisy_from: float = field(default=0.75, metadata={"help": "where the noisiest timesteps begin, in [0, 1)"})
    t2v_motion_share: float = field(default=0.35, metadata={"help": "of a batch, from captions that name a motion"})
    minutes: float = field(default=math.inf, metadata={"help": "stop after this time; the next call goes on"})
    compile: bool = field(default=False, metadata={"help": "compile the blocks: minutes at first, then faster (CUDA)"})
    go_on: list[str] = field(default_factory=list, metadata={"help": "of t2i, t2v: start from the weights in --out"})
    smoke: bool = field(default=False, metadata={"help": "a few steps of everything, to see that it runs"})

    def __post_init__(self):
        self.out, self.work = Path(self.out), Path(self.work)
        for name, given, possible in (("stages", self.stages, STAGES), ("go_on", self.go_on, STAGES[-2:])):
            if unknown := set(given) - set(possible):
                raise ValueError(f"{name}: {sorted(unknown)} given, possible are {', '.join(possible)}")
        if self.smoke:
            self.work = self.work / "smoke"  # the real checkpoints and the real weights stay as they are
            self.out = self.work / "weights" if self.out == WEIGHTS else self.out
            self.clips = 4
            for stage in ("vae", "detector", "t2i", "t2v"):
                setattr(self, f"{stage}_steps", 2)
                setattr(self, f"{stage}_batch", 1 if stage == "t2v" else 2)


class Trainer:
    """The stages, with what they share: devices, seeds, folders."""

    def __init__(self, config: TrainConfig):
        self.config = config
        self.accelerator = Accelerator()
        self.device = self.accelerator.device
        self.deadline = time.monotonic() + 60 * config.minutes
        torch.backends.cudnn.benchmark = True

    def run(self) -> None:
        """All stages in order; stops cleanly when the time is up."""
        try:
            for stage in STAGES:
                if stage in self.config.stages:
                    torch.manual_seed(self.config.seed)  # every process builds the same network
                    getattr(self, stage)()
        except OutOfTime as stop:
            self.accelerator.print(f"stopped after {self.config.minutes} minutes: {stop}; the same command goes on")

    def fit(self, name: str, network: nn.Module, loss, learning_rate: float, **knobs) -> nn.Module:
        """Train one network by the steps and batch size that the configuration has for it."""
        steps, batch = getattr(self.config, f"{name}_steps"), getattr(self.config, f"{name}_batch")
        plan = Plan(steps=steps, batch=batch, learning_rate=learning_rate, **knobs)
        training = Training(name, network, plan, self.config.work, self.accelerator, self.config.seed)
        if self.config.compile:
            compile_blocks(training.working)
        network = training.run(loss, self.deadline)
        if self.accelerator.is_main_process:
            self._note(name, training)
        return network

    def _note(self, name: str, training: Training) -> None:
        """Add a network's training curve and cost to `training.json`, from which the model card is made."""
        file = self.config.out / "training.json"
        notes = json.loads(file.read_text()) if file.exists() else {}
        device = torch.cuda.get_device_name() if self.device.type == "cuda" else "CPU"
        thin = training.curve[:: max(1, len(training.curve) // CURVE_POINTS)]
        before = [notes[name]] if name in self.config.go_on and name in notes else []
        notes[name] = {
            "plan": vars(training.plan), "seconds": training.seconds, "curve": thin, "seed": self.config.seed,
            "processes": self.accelerator.num_processes, "device": device, "date": date.today().isoformat(),
            "parameters": sum(weight.numel() for weight in training.network.parameters()), "before": before,
        }  # fmt: skip
        self.config.out.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(notes, indent=1) + "\n")

    def save(self, model: ModelMixin | CLIPTextModel, folder: str) -> None:
        """Store a finished model in half precision, in diffusers' layout."""
        if self.accelerator.is_main_process:
            model.to("cpu", torch.float16).save_pretrained(self.config.out / folder, max_shard_size=SHARD)
        self.accelerator.wait_for_everyone()  # the next stage reads it

    def frames(self, world: World, pool, count: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Random single frames of a pool of clips: pixels (count, 3, h, w), masks, objects, scenes."""
        clip = torch.randint(len(pool.scene), (count,))
        batch = pool[clip].frames(torch.randint(pool.size.shape[2], (count, 1)))
        video, masks = world.draw(batch)
        return video[:, 0], masks[:, :, 0], batch.objects.to(self.device), batch.scene.to(self.device)

    def vae(self) -> None:
        """Autoencoder: pixels, their gradients, and a whisper of a prior."""
        world, (pool, _) = World(self.device), sample_batch(64 if self.config.smoke else 16384, self.config.seed)

        def loss(network: nn.Module, batch: int) -> Tensor:
            pixels = 2 * self.frames(world, pool, batch)[0] - 1
            posterior = network.encode(pixels.to(network.dtype)).latent_dist
            made = network.decode(posterior.sample()).sample.float()
            return reconstruction_loss(made, pixels) + 1e-7 * posterior.kl().mean()

        vae = self.fit("vae", build_vae(), loss, learning_rate=1e-3, ema=0.995)
        with torch.no_grad():
            pixels = 2 * self.frames(world, pool, 64)[0] - 1
            scale = 1 / vae.encode(pixels).latent_dist.mode().std().item()
        vae.register_to_config(scaling_factor=scale)
        self.save(vae, "vae")

    def detector(self) -> None:
        """Detector: on drawn frames, and on frames that went through the autoencoder, as generated ones do."""
        world, (pool, _) = World(self.device), sample_batch(64 if self.config.smoke else 16384, self.config.seed)
        vae = self.finished(AutoencoderKL, "vae").to(self.device)

        def loss(network: nn.Module, batch: int) -> Tensor:
            pixels, masks, objects, scenes = self.frames(world, pool, batch)
            pixels[: batch // 2] = through(vae, pixels[: batch // 2])
            by_pixel, by_frame = network(spoil(pixels).to(next(network.parameters()).dtype))
            labels = class_map(masks, objects)
            return F.cross_entropy(by_pixel.float(), labels) + 0.1 * F.cross_entropy(by_frame.float(), scenes)

        network = PocketDetector(objects=tuple(OBJECTS), scenes=tuple(MEDIA))
        self.save(self.fit("detector", network, loss, learning_rate=2e-3, ema=0.995), "detector")

    def text(self) -> None:
        """Tokenizer, frozen text encoder and scheduler: nothing to train."""
        tokenizer = build_tokenizer()
        if self.accelerator.is_main_process:
            tokenizer.save_pretrained(self.config.out / "tokenizer")
            build_scheduler("video").save_pretrained(self.config.out / "scheduler")
            build_scheduler("image").save_pretrained(self.config.out / "scheduler_t2i")
        self.save(build_text_encoder(tokenizer), "text_encoder")

    def t2i(self) -> None:
        """Text-to-image model, on single frames."""
        data, text_encoder, empty = self.training_set()
        loss = diffusion_loss(data.images, text_encoder, empty)
        network = self.finished(UNet2DConditionModel, "unet_t2i") if "t2i" in self.config.go_on else build_image_unet()
        self.save(self.fit("t2i", network, loss, learning_rate=6e-4), "unet_t2i")

    def t2v(self) -> None:
        """Text-to-video model, inflated from the text-to-image model."""
        data, text_encoder, empty = self.training_set()
        if "t2v" in self.config.go_on:
            network = self.finished(UNet3DConditionModel, "unet")
        else:
            network = inflate(self.finished(UNet2DConditionModel, "unet_t2i"), build_video_unet())
        config = self.config
        videos = partial(data.videos, motion_share=config.t2v_motion_share)
        loss = diffusion_loss(videos, text_encoder, empty, "video", (config.t2v_noisy_share, config.t2v_noisy_from))
        self.save(self.fit("t2v", network, loss, learning_rate=4e-4), "unet")

    def finished(self, kind: type[ModelMixin], folder: str) -> ModelMixin:
        """A model that an earlier stage, or an earlier training, has stored."""
        return kind.from_pretrained(self.config.out / folder, torch_dtype=torch.float32)

    def training_set(self) -> tuple[LatentClips, CLIPTextModel, Tensor]:
        """Latents and tokens on the device, the text encoder that embeds tokens, and the tokens of no caption."""
        tokenizer = CLIPTokenizer.from_pretrained(self.config.out / "tokenizer")
        text_encoder = CLIPTextModel.from_pretrained(self.config.out / "text_encoder", dtype=torch.float32)
        vae = self.finished(AutoencoderKL, "vae")
        scale = vae.config.scaling_factor  # differs with every training of the autoencoder
        file = self.config.work / f"latents-{self.config.clips}-{self.config.seed}-{scale:.6f}.pt"
        with self.accelerator.main_process_first():
            data = encode_clips(vae, tokenizer, self.config.clips, self.config.seed, self.device, file)
        return data, text_encoder.to(self.device).requires_grad_(False), tokenize(tokenizer, [""]).to(self.device)


def main() -> None:
    """Command line."""
    (config,) = HfArgumentParser(TrainConfig).parse_args_into_dataclasses()
    Trainer(config).run()


if __name__ == "__main__":
    main()
