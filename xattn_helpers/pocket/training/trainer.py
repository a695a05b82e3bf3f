"""The training program: its stages run in order, each resumes from its checkpoint and is skipped when it is done."""

import json
import time
from collections.abc import Sequence
from datetime import date
from typing import TypeVar

import torch
from accelerate import Accelerator
from diffusers import ModelMixin
from torch import nn
from transformers import CLIPTextModel

from .config import TrainConfig
from .fit import Loss, OutOfTime, Plan, Training
from .stages import STAGES, Stage, check_needs

CURVE_POINTS = 100  # kept of a training curve
Network = TypeVar("Network", bound=nn.Module)
SHARD = "15MB"  # hosts of repositories and reviewers dislike larger files


class Trainer:
    """Runs stages, with what they share: devices, seeds, folders and the time that is left."""

    def __init__(self, config: TrainConfig, stages: Sequence[Stage] = STAGES):
        self.config = config
        self.stages = [stage for stage in stages if stage.name in config.stages]
        self.accelerator = Accelerator()
        self.device = self.accelerator.device
        self.deadline = time.monotonic() + 60 * config.minutes
        torch.backends.cudnn.benchmark = True

    def run(self) -> None:
        """All stages in order; stops cleanly when the time is up.

        Raises FileNotFoundError, before anything is trained, when a stage needs what nobody has made.
        """
        check_needs(self.stages, self.config.out)
        try:
            for stage in self.stages:
                torch.manual_seed(self.config.seed)  # every process builds the same network
                stage.run(self)
        except OutOfTime as stop:
            self.accelerator.print(f"stopped after {self.config.minutes:g} minutes: {stop}; the same command goes on")

    def fit(self, name: str, network: Network, loss: Loss, plan: Plan) -> Network:
        """Train one network, or go on with it; returns it with averaged weights, in evaluation mode."""
        training = Training(name, network, plan, self.config.work, self.accelerator, self.config.seed)
        if self.config.compile:
            training.compile()
        training.run(loss, self.deadline)
        if self.accelerator.is_main_process:
            self._note(training)
        return network

    def save(self, model: ModelMixin | CLIPTextModel, folder: str) -> None:
        """Store a finished model in half precision, in diffusers' layout."""
        if self.accelerator.is_main_process:
            model.to("cpu", torch.float16).save_pretrained(self.config.out / folder, max_shard_size=SHARD)
        self.accelerator.wait_for_everyone()  # the next stage reads it

    def finished(self, kind: type[ModelMixin], folder: str) -> ModelMixin:
        """A model that an earlier stage, or an earlier training, has stored."""
        return kind.from_pretrained(self.config.out / folder, torch_dtype=torch.float32)

    def _note(self, training: Training) -> None:
        """Add a network's training curve and cost to `training.json`, from which the model card is made."""
        file = self.config.out / "training.json"
        notes = json.loads(file.read_text()) if file.exists() else {}
        earlier = []
        if training.name in self.config.go_on and training.name in notes:
            earlier = [notes[training.name]]
        notes[training.name] = {**self._cost(training), "before": earlier}
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(notes, indent=1) + "\n")

    def _cost(self, training: Training) -> dict:
        """What a training took, and how its loss fell."""
        stride = max(1, len(training.curve) // CURVE_POINTS)
        return {
            "plan": vars(training.plan),
            "seconds": training.seconds,
            "curve": training.curve[::stride],
            "seed": self.config.seed,
            "processes": self.accelerator.num_processes,
            "device": torch.cuda.get_device_name() if self.device.type == "cuda" else "CPU",
            "date": date.today().isoformat(),
            "parameters": sum(weight.numel() for weight in training.network.parameters()),
        }
