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
from accelerate.utils import broadcast
from diffusers.training_utils import EMAModel
from jaxtyping import Float
from torch import Tensor, nn
from tqdm.auto import tqdm

from .stored import UnusableFile, read

SAVE_EVERY = 120.0  # seconds between checkpoints
LOG_EVERY = 20  # steps between points of the training curve
COMPILED = ("ResnetBlock2D", "TemporalConvLayer", "BasicTransformerBlock")  # classes of the blocks that repeat

Loss = Callable[[nn.Module, int], Float[Tensor, ""]]  # of a network and a number of samples, which it draws itself


class OutOfTime(Exception):
    """The time allowed for this run is spent; the checkpoint is saved, and the same command goes on from it."""


@dataclass(frozen=True)
class Plan:
    """How long and how hard one network is trained."""

    steps: int
    batch: int  # per process
    learning_rate: float
    warmup: int = 200  # steps
    ema: float = 0.999  # decay of the averaged weights, which are the ones that are kept
    weight_decay: float = 0.01
    max_norm: float = 1.0  # of a gradient, which is shortened to it


class Training:
    """Weights in fp32, arithmetic in bf16 on a GPU: twice as fast here as autocast, which keeps norms in fp32.

    Begins anew, or where the checkpoint `name`.pt in `folder` ends. Sets torch's random numbers from the seed, the
    process and the step, so that a run goes on with new ones.
    """

    def __init__(self, name: str, network: nn.Module, plan: Plan, folder: Path, accelerator: Accelerator, seed: int):
        self.name, self.plan, self.accelerator = name, plan, accelerator
        self.checkpoint = folder / f"{name}.pt"
        self.network = network.to(accelerator.device).train()
        self.ema = EMAModel(self.network.parameters(), decay=plan.ema, foreach=True)
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), plan.learning_rate, betas=(0.9, 0.99), weight_decay=plan.weight_decay
        )
        self.step = 0
        self.seconds = 0.0
        self.curve: list[tuple[int, float]] = []  # step and loss
        self.saved_at = time.monotonic()
        if self.checkpoint.exists():
            self._restore()
        dtype = torch.bfloat16 if accelerator.device.type == "cuda" else torch.float32
        self.working = copy.deepcopy(self.network).to(dtype)
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
        quiet = not self.accelerator.is_main_process
        with tqdm(total=self.plan.steps, initial=self.step, desc=self.name, disable=quiet, mininterval=5) as bar:
            while self.step < self.plan.steps:
                value = self._update(loss)
                bar.update()
                if self.step % LOG_EVERY == 0:
                    self.curve.append((self.step, value.item()))
                    bar.set_postfix(loss=f"{value.item():.4f}")
                self._save_in_time(deadline)
        self._save()
        self.ema.copy_to(self.network.parameters())
        return self.network.eval().requires_grad_(False)

    def learning_rate(self) -> float:
        """Linear warm-up, then half a cosine down to zero."""
        warmup = min(1.0, (self.step + 1) / max(1, self.plan.warmup))
        cosine = math.cos(math.pi * self.step / self.plan.steps)
        return self.plan.learning_rate * warmup * (0.5 + 0.5 * cosine)

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
        weights = list(self.network.parameters())
        copies = list(self.working.parameters())
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

    def _save_in_time(self, deadline: float) -> None:
        """Save now and then, and when the deadline has passed; raises OutOfTime when steps are left then."""
        late = self._is_late(deadline)
        if late or time.monotonic() - self.saved_at > SAVE_EVERY:
            self._save()
        if late and self.step < self.plan.steps:
            raise OutOfTime(f"{self.name}: step {self.step} of {self.plan.steps}")

    def _is_late(self, deadline: float) -> bool:
        """Whether the deadline has passed; the first process decides for all, or the others would wait for it."""
        late = time.monotonic() > deadline
        if self.accelerator.num_processes == 1:
            return late
        if self.step % LOG_EVERY:
            return False
        return bool(broadcast(torch.tensor(float(late), device=self.accelerator.device)))

    def _parts(self) -> dict:
        return {"network": self.network, "ema": self.ema, "optimizer": self.optimizer}

    def _save(self) -> None:
        now = time.monotonic()
        self.seconds += now - self.saved_at
        self.saved_at = now
        if not self.accelerator.is_main_process:
            return
        state = {key: part.state_dict() for key, part in self._parts().items()}
        progress = {"step": self.step, "seconds": self.seconds, "curve": self.curve}
        self.checkpoint.parent.mkdir(parents=True, exist_ok=True)
        half_written = self.checkpoint.with_suffix(".part")
        torch.save(state | progress, half_written)
        half_written.replace(self.checkpoint)  # an interruption leaves the old checkpoint whole
        self.checkpoint.with_suffix(".json").write_text(json.dumps(progress | {"plan": vars(self.plan)}))

    def _restore(self) -> None:
        advice = f"delete it, and {self.name} is trained from its beginning"
        state = read(self.checkpoint, self.accelerator.device, advice)
        try:
            for key, part in self._parts().items():
                part.load_state_dict(state[key])
            self.step, self.seconds, self.curve = state["step"], state["seconds"], state["curve"]
        except (KeyError, TypeError, RuntimeError, ValueError, AttributeError):
            raise UnusableFile(f"{self.checkpoint} is of another network or another program: {advice}") from None


def _take_gradient(weight: nn.Parameter) -> Float[Tensor, " values"]:
    """The gradient of a working weight, flat and in fp32; the weight forgets it."""
    if weight.grad is None:
        raise RuntimeError(f"the loss does not depend on a weight of shape {tuple(weight.shape)}")
    gradient = weight.grad.float().flatten()
    weight.grad = None
    return gradient
