"""One training loop for all pocket networks: resumable, seeded, one to many GPUs, with progress and an ETA."""

import copy
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast
from diffusers.training_utils import EMAModel
from torch import Tensor, nn
from tqdm.auto import tqdm

SAVE_EVERY = 120.0  # seconds between checkpoints
LOG_EVERY = 20  # steps between points of the training curve


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
    clip: float = 1.0  # largest norm of a gradient


class Training:
    """Weights in fp32, arithmetic in bf16 on a GPU: twice as fast here as autocast, which keeps norms in fp32."""

    def __init__(self, name: str, network: nn.Module, plan: Plan, folder: Path, accelerator: Accelerator, seed: int):
        self.name, self.plan, self.accelerator = name, plan, accelerator
        self.checkpoint = folder / f"{name}.pt"
        self.network = network.to(accelerator.device).train()
        self.ema = EMAModel(self.network.parameters(), decay=plan.ema, foreach=True)
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), plan.learning_rate, betas=(0.9, 0.99), weight_decay=plan.weight_decay
        )
        self.step, self.seconds, self.curve = 0, 0.0, []
        if self.checkpoint.exists():
            self._restore()
        dtype = torch.bfloat16 if accelerator.device.type == "cuda" else torch.float32
        self.working = copy.deepcopy(self.network).to(dtype)
        torch.manual_seed(hash((seed, accelerator.process_index, self.step)) % 2**31)

    def run(self, loss: Callable[[nn.Module, int], Tensor], deadline: float = math.inf) -> nn.Module:
        """Minimise `loss(network, batch size)`; returns the averaged network in evaluation mode.

        Raises OutOfTime when `deadline` (of time.monotonic) passes before the last step.
        """
        quiet = not self.accelerator.is_main_process
        started = saved = time.monotonic()
        with tqdm(total=self.plan.steps, initial=self.step, desc=self.name, disable=quiet, mininterval=5) as bar:
            while self.step < self.plan.steps:
                value = self._update(loss)
                bar.update()
                if self.step % LOG_EVERY == 0:
                    self.curve.append((self.step, value.item()))
                    bar.set_postfix(loss=f"{value.item():.4f}")
                now, late = time.monotonic(), self._late(deadline)
                if now - saved > SAVE_EVERY or late:
                    self.seconds += now - started
                    started = saved = now
                    self._save()
                if late and self.step < self.plan.steps:
                    raise OutOfTime(f"{self.name}: step {self.step} of {self.plan.steps}")
        self.seconds += time.monotonic() - started
        self._save()
        self.ema.copy_to(self.network.parameters())
        return self.network.eval().requires_grad_(False)

    def _late(self, deadline: float) -> bool:
        """Whether the deadline has passed; the first process decides for all, or the others would wait for it."""
        late = time.monotonic() > deadline
        if self.accelerator.num_processes == 1:
            return late
        if self.step % LOG_EVERY:
            return False
        return bool(broadcast(torch.tensor(float(late), device=self.accelerator.device)))

    def _update(self, loss: Callable[[nn.Module, int], Tensor]) -> Tensor:
        """One step: gradients of the working copy, applied to the fp32 weights."""
        weights, copies = list(self.network.parameters()), list(self.working.parameters())
        with torch.no_grad():
            torch._foreach_copy_(copies, weights)
        value = loss(self.working, self.plan.batch)
        value.backward()
        gradients = torch.nn.utils.parameters_to_vector(copy.grad.float() for copy in copies)
        gradients = self.accelerator.reduce(gradients, "mean")  # over processes
        parts = gradients.split([weight.numel() for weight in weights])
        for weight, working, part in zip(weights, copies, parts, strict=True):
            weight.grad, working.grad = part.view_as(weight), None
        torch.nn.utils.clip_grad_norm_(weights, self.plan.clip)
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate()
        self.optimizer.step()
        self.ema.step(weights)
        self.step += 1
        return value.detach()

    def learning_rate(self) -> float:
        """Linear warm-up, then half a cosine down to zero."""
        warm = min(1.0, (self.step + 1) / max(1, self.plan.warmup))
        return self.plan.learning_rate * warm * (0.5 + 0.5 * math.cos(math.pi * self.step / self.plan.steps))

    def _state(self) -> dict:
        return {"network": self.network, "ema": self.ema, "optimizer": self.optimizer}

    def _save(self) -> None:
        if not self.accelerator.is_main_process:
            return
        state = {key: part.state_dict() for key, part in self._state().items()}
        progress = {"step": self.step, "seconds": self.seconds, "curve": self.curve}
        self.checkpoint.parent.mkdir(parents=True, exist_ok=True)
        half_written = self.checkpoint.with_suffix(".part")
        torch.save(state | progress, half_written)
        half_written.replace(self.checkpoint)  # an interruption leaves the old checkpoint whole
        self.checkpoint.with_suffix(".json").write_text(json.dumps(progress | {"plan": vars(self.plan)}))

    def _restore(self) -> None:
        state = torch.load(self.checkpoint, map_location=self.accelerator.device, weights_only=True)
        for key, part in self._state().items():
            part.load_state_dict(state[key])
        self.step, self.seconds, self.curve = state["step"], state["seconds"], state["curve"]
