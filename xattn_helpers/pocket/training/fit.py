"""One training loop for all pocket networks: resumable, seeded, one to many GPUs, with progress and an ETA."""

import copy
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from accelerate import Accelerator
from diffusers.training_utils import EMAModel
from jaxtyping import Float
from torch import Tensor, nn
from tqdm.auto import tqdm

from . import stored
from .clock import Clock

SAVE_EVERY = 60.0  # seconds between checkpoints
LOG_EVERY = 20  # steps between points of the training curve
COMPILED = ("ResnetBlock2D", "TemporalConvLayer", "BasicTransformerBlock", "WanTransformerBlock")  # blocks that repeat

Loss = Callable[[nn.Module, int], Float[Tensor, ""]]  # of a network and a number of samples, which it draws itself


class OutOfTime(Exception):
    """The time allowed for this run is spent; the checkpoint is saved, and the same command goes on from it."""


@dataclass(frozen=True)
class Plan:
    """How long and how hard one network is trained."""

    steps: int  # 0: as many as there is time for, and then the learning rate follows time
    batch: int  # per process
    learning_rate: float
    warmup: int = 200  # steps
    ema: float = 0.999  # decay of the averaged weights, which are the ones that are kept
    weight_decay: float = 0.01
    max_norm: float = 1.0  # of a gradient, which is shortened to it
    hold: float = 0.0  # share of the training before the learning rate falls
    floor: float = 0.0  # share of the learning rate that is left at the end


class Training:
    """Weights in fp32, arithmetic in bf16 on a GPU: twice as fast here as autocast, which keeps norms in fp32.

    Begins anew, or where the checkpoint `name`.pt in `folder` ends. Sets torch's random numbers from the seed, the
    process and the step, so that a run goes on with new ones. Raises UnusableFile for a checkpoint that is damaged, or
    of a run with another plan or seed.
    """

    def __init__(self, name: str, network: nn.Module, plan: Plan, folder: Path, accelerator: Accelerator, seed: int):
        self.name, self.plan, self.accelerator = name, plan, accelerator
        self.checkpoint = folder / f"{name}.pt"
        self.knobs = vars(plan) | {"seed": seed}
        self.network = network.to(accelerator.device).train()
        self.ema = EMAModel(self.network.parameters(), decay=plan.ema, foreach=True)
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), plan.learning_rate, betas=(0.9, 0.99), weight_decay=plan.weight_decay,
            fused=accelerator.device.type == "cuda",
        )  # fmt: skip
        self.step = 0
        self.seconds = 0.0
        self.time_share = 0.0  # of a training without a number of steps: how much of it is done
        self.curve: list[tuple[int, float]] = []  # step and loss
        self.recent: list[Tensor] = []  # losses since the last point of the curve
        self.resumed = self.checkpoint.exists()
        self.snapshot: Callable[[nn.Module], None] | None = None  # gets the averaged network at each checkpoint
        self.saved_at = time.monotonic()
        if self.resumed:
            self._restore()
        self.working = copy.deepcopy(self.network)
        if accelerator.device.type == "cuda":
            for weight in self.working.parameters():  # not buffers: rotary positions would lose theirs
                weight.data = weight.data.to(torch.bfloat16)
        torch.manual_seed(hash((seed, accelerator.process_index, self.step)) % 2**31)

    def compile(self) -> None:
        """Compile the repeated blocks in place: much sooner ready than the whole network, and nearly as fast."""
        torch._dynamo.config.recompile_limit = 128  # one program per shape
        for module in self.working.modules():
            if type(module).__name__ in COMPILED:
                module.compile(dynamic=False)

    def run(self, loss: Loss, deadline: float = math.inf) -> nn.Module:
        """Minimise `loss(network, batch size)`; returns the averaged network in evaluation mode.

        Raises OutOfTime when `deadline` (of time.monotonic) passes before the last step.
        """
        self.saved_at = time.monotonic()
        clock, first_share = Clock(self.accelerator, deadline, LOG_EVERY), self.time_share
        quiet = not self.accelerator.is_main_process
        total = self.plan.steps or None
        with tqdm(total=total, initial=self.step, desc=self.name, disable=quiet, mininterval=5) as bar:
            while self.done < 1:
                self.recent.append(self._update(loss))
                bar.update()
                if self.step % LOG_EVERY == 0:
                    self._log(bar, clock)
                passed = clock.read(self.step)
                self.time_share = first_share + (1 - first_share) * passed  # what is left fills this run's time
                self._save_in_time(passed >= 1)
        self._save()
        self.ema.copy_to(self.network.parameters())
        return self.network.eval().requires_grad_(False)

    @property
    def done(self) -> float:
        """Share of the training that is done: of its steps, or of its time."""
        return self.step / self.plan.steps if self.plan.steps else self.time_share

    def learning_rate(self) -> float:
        """Linear warm-up, then half a cosine down to the floor, once the share that is held has passed."""
        warmup = min(1.0, (self.step + 1) / max(1, self.plan.warmup))
        falling = max(0.0, self.done - self.plan.hold) / max(1e-9, 1 - self.plan.hold)
        cosine = 0.5 + 0.5 * math.cos(math.pi * falling)
        return self.plan.learning_rate * warmup * (self.plan.floor + (1 - self.plan.floor) * cosine)

    def _log(self, bar: tqdm, clock: Clock) -> None:
        """The mean loss since the last time, and the time that is left."""
        value = torch.stack(self.recent).mean().item()
        self.recent = []
        self.curve.append((self.step, value))
        left = f", {clock.left:.0f} s left" if math.isfinite(clock.left) else ""
        bar.set_postfix_str(f"loss {value:.4f}, rate {self.learning_rate():.2g}{left}", refresh=False)

    # One step

    def _update(self, loss: Loss) -> Float[Tensor, ""]:
        """Gradients of the working copy, applied to the fp32 weights; returns the loss."""
        value = self._compute_gradients(loss)
        weights = list(self.network.parameters())
        torch.nn.utils.clip_grad_norm_(weights, self.plan.max_norm)
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate()
        self.optimizer.step()
        self.ema.step(weights)
        self.step += 1
        return value

    def _compute_gradients(self, loss: Loss) -> Float[Tensor, ""]:
        """Give each weight the gradient of its working copy, the mean over processes; returns the loss."""
        weights: list[Tensor] = list(self.network.parameters())
        copies: list[Tensor] = list(self.working.parameters())
        with torch.no_grad():
            for weight, copied in zip(weights, copies, strict=True):
                copied.copy_(weight)
        value = loss(self.working, self.plan.batch)
        value.backward()
        gradients = torch.cat([_take_gradient(copied) for copied in copies])  # one message between processes
        gradients = cast(Tensor, self.accelerator.reduce(gradients, "mean"))
        parts = gradients.split([weight.numel() for weight in weights])
        for weight, part in zip(weights, parts, strict=True):
            weight.grad = part.view_as(weight)
        return value.detach()

    # Time and checkpoints

    def _save_in_time(self, late: bool) -> None:
        """Save now and then, and when the deadline has passed; raises OutOfTime when something is left to do then."""
        if late or time.monotonic() - self.saved_at > SAVE_EVERY:
            self._save()
        if late and self.done < 1:
            raise OutOfTime(f"{self.name}: step {self.step} of {self.plan.steps}")

    def averaged(self) -> nn.Module:
        """A copy of the network with the averaged weights, in evaluation mode."""
        network = copy.deepcopy(self.network)
        self.ema.copy_to(network.parameters())
        return network.eval().requires_grad_(False)

    def _parts(self) -> dict:
        return {"network": self.network, "ema": self.ema, "optimizer": self.optimizer}

    def _save(self) -> None:
        now = time.monotonic()
        self.seconds += now - self.saved_at
        self.saved_at = now
        if not self.accelerator.is_main_process:
            return
        state = {key: part.state_dict() for key, part in self._parts().items()}
        progress = {"step": self.step, "seconds": self.seconds, "curve": self.curve, "time_share": self.time_share}
        stored.save(state | progress | {"knobs": self.knobs}, self.checkpoint)
        self.checkpoint.with_suffix(".json").write_text(json.dumps(progress | {"plan": vars(self.plan)}))
        if self.snapshot is not None:
            self.snapshot(self.averaged())

    def _restore(self) -> None:
        state = stored.load(self.checkpoint, self.accelerator.device)
        stored.check_same_run(self.checkpoint, state.get("knobs", {}), self.knobs)
        with stored.readable(self.checkpoint):
            for key, part in self._parts().items():
                part.load_state_dict(state[key])
            self.step, self.seconds, self.curve = state["step"], state["seconds"], state["curve"]
            self.time_share = state.get("time_share", 0.0)
        self.ema.to(self.accelerator.device)  # of which `load_state_dict` takes no care


def _take_gradient(weight: Tensor) -> Float[Tensor, " values"]:
    """The gradient of a working weight, flat and in fp32; the weight forgets it."""
    if weight.grad is None:
        raise RuntimeError(f"the loss does not depend on a weight of shape {tuple(weight.shape)}")
    gradient = weight.grad.float().flatten()
    weight.grad = None
    return gradient
