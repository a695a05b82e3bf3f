"""The training program: its stages run in order, each resumes from its checkpoint and is skipped when it is done."""

import json
import os
import time
from collections.abc import Sequence
from datetime import date
from typing import TypeVar, cast

import torch
from accelerate import Accelerator
from diffusers import ModelMixin
from torch import nn
from transformers import CLIPTextModel

from ...backbones.checkpoints import quiet
from .config import TrainConfig
from .fit import Loss, OutOfTime, Plan, Training
from .stages import STAGES, Stage, check_needs
from .stored import compact, readable

CURVE_POINTS = 100  # kept of a training curve
Network = TypeVar("Network", bound=nn.Module)
SHARD = "15MB"  # hosts of repositories and reviewers dislike larger files


class Trainer:
    """Runs stages, with what they share: devices, seeds, folders and the time that is left."""

    def __init__(self, config: TrainConfig, stages: Sequence[Stage] = STAGES):
        self.config = config
        self.stages = [stage for stage in stages if stage.name in config.stages]
        # Several processes without a GPU are not seen as several unless it is told.
        self.accelerator = Accelerator(cpu="LOCAL_RANK" in os.environ and not torch.cuda.is_available())
        self.device = self.accelerator.device
        self.deadline = time.monotonic() + 60 * config.minutes
        self.before: dict[str, list] = {}  # notes of the trainings that this run goes on from, by network
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

    def fit(self, name: str, network: Network, loss: Loss, plan: Plan, folder: str = "") -> Network:
        """Train one network, or go on with it; returns it with averaged weights, in evaluation mode.

        Given a folder, each checkpoint also stores the model there: a run that is killed leaves one that can be used.
        """
        training = Training(name, network, plan, self.config.work, self.accelerator, self.config.seed)
        if folder:
            training.snapshot = lambda averaged: self._keep(cast(ModelMixin, averaged), folder, training)
        if self.config.compile:
            training.compile()
        training.run(loss, self.deadline)
        if self.accelerator.is_main_process:
            self._note(training)
        return network

    def save(self, model: ModelMixin | CLIPTextModel, folder: str) -> None:
        """Store a finished model in half precision, in diffusers' layout."""
        if self.accelerator.is_main_process:
            self._store(model, folder)
        self.accelerator.wait_for_everyone()  # the next stage reads it

    def _store(self, model: ModelMixin | CLIPTextModel, folder: str) -> None:
        """Write the files beside the folder, then move each to its place: an interruption leaves whole ones."""
        final, part = self.config.out / folder, self.config.out / f"{folder}.part"
        model.to("cpu")
        for weight in model.parameters():  # `to` would warn of parts that are usually kept in single precision
            weight.data = weight.data.half()
        with quiet():
            model.save_pretrained(part, max_shard_size=SHARD)
        compact(part)
        final.mkdir(parents=True, exist_ok=True)
        for file in part.iterdir():
            file.replace(final / file.name)
        part.rmdir()

    def _keep(self, averaged: ModelMixin, folder: str, training: Training) -> None:
        """What a killed run leaves: the model so far, and the note about it."""
        self._store(averaged, folder)
        self._note(training)

    def finished(self, kind: type[ModelMixin], folder: str) -> ModelMixin:
        """A model that an earlier stage, or an earlier training, has stored."""
        return kind.from_pretrained(self.config.out / folder, torch_dtype=torch.float32)

    def _note(self, training: Training) -> None:
        """Add a network's training curve and cost to `training.json`, from which the model card is made."""
        file = self.config.out / "training.json"
        with readable(file):
            notes = json.loads(file.read_text()) if file.exists() else {}
        earlier = []
        if training.name in self.config.go_on:
            earlier = self.before.setdefault(training.name, _earlier(notes.get(training.name), training.resumed))
        notes[training.name] = {**self._cost(training), "before": earlier}
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(notes, separators=(",", ":")) + "\n")

    def _cost(self, training: Training) -> dict:
        """What a training took, and how its loss fell."""
        stride = max(1, len(training.curve) // CURVE_POINTS)
        return {
            "plan": vars(training.plan) | {"steps": training.step},
            "seconds": training.seconds,
            "curve": training.curve[::stride],
            "seed": self.config.seed,
            "processes": self.accelerator.num_processes,
            "device": torch.cuda.get_device_name() if self.device.type == "cuda" else "CPU",
            "date": date.today().isoformat(),
            "parameters": sum(weight.numel() for weight in training.network.parameters()),
        }


def _earlier(note: dict | None, resumed: bool) -> list[dict]:
    """What came before a training, from the note that it finds: another training's, or, when it resumes, its own."""
    if note is None:
        return []
    return note["before"] if resumed else [note]
