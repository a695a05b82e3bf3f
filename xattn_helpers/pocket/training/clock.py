"""How much of a run's time has passed, the same in every process."""

import math
import time
from typing import cast

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast
from torch import Tensor


class Clock:
    """Share of the time from now to a deadline (of time.monotonic, infinite for none).

    The first process decides for all: were one late before the others, they would wait for it, and with a learning rate
    that follows time, each would train at its own.
    """

    def __init__(self, accelerator: Accelerator, deadline: float, every: int):
        """Several processes agree each `every` steps only."""
        self.accelerator = accelerator
        self.begun, self.deadline = time.monotonic(), deadline
        self.every = 1 if accelerator.num_processes == 1 else every
        self.share = self._share() if self.every == 1 else 0.0

    def read(self, step: int) -> float:
        """The share after a step; 1 once the deadline has passed."""
        if step % self.every == 0:
            self.share = self._share()
            if self.accelerator.num_processes > 1:
                self.share = float(cast(Tensor, broadcast(torch.tensor(self.share, device=self.accelerator.device))))
        return self.share

    @property
    def left(self) -> float:
        """Seconds to the deadline."""
        return max(0.0, self.deadline - time.monotonic())

    def _share(self) -> float:
        length = self.deadline - self.begun
        if math.isinf(length):
            return 0.0
        return 1.0 if length <= 0 else min(1.0, (time.monotonic() - self.begun) / length)
