"""Gradient passes as CUDA graphs: recorded once, and kept with their network for the next run that can replay them."""

import threading
from collections.abc import Callable, Hashable, Sequence
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from ..backbones.memory import free_share
from ..backbones.patching import marks
from .facts import Facts
from .gradient import SHORT


class Graphed:
    """`run(*inputs, *facts)` as a CUDA graph: recorded once, then replayed in one launch for others of the same shapes.

    A gradient pass of a large network is thousands of small kernels. A GPU computes them in less than a third of the
    time that Python needs to launch them one by one (study `full_size`). `run` must have run before, to be warm. The
    memory stays reserved as long as this object lives; it holds nothing of `run`. Raises RuntimeError for a function
    that reads from the GPU on its way, as `int(tensor)` does.
    """

    def __init__(
        self, run: Callable[..., tuple[Tensor, ...]], inputs: Sequence[Tensor], facts: Sequence[Tensor] = ()
    ):
        self.inputs = [tensor.clone() for tensor in inputs]  # new at each call
        self.facts = [tensor.clone() for tensor in facts]  # the same in all calls of a run
        self.graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(self.graph):
                self.outputs = run(*self.inputs, *self.facts)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            raise RuntimeError(f"graphed=True: this pass cannot become a graph, leave it out ({error})") from error

    def renew(self, facts: Sequence[Tensor]) -> None:
        """Take the facts of another run."""
        for stored, tensor in zip(self.facts, facts, strict=True):
            stored.copy_(tensor)

    def __call__(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """What `run` gives for other inputs, as tensors of the caller's own."""
        for stored, tensor in zip(self.inputs, inputs, strict=True):
            stored.copy_(tensor)
        self.graph.replay()
        return tuple(output.clone() for output in self.outputs)


_KEPT: WeakKeyDictionary[nn.Module, tuple[Hashable, Graphed]] = WeakKeyDictionary()  # the last of each network
_LOCK = threading.Lock()


def key_of(network: nn.Module, tensors: Sequence[Tensor], about: Hashable) -> Hashable:
    """What must be the same where a graph is replayed: weights, what is put on the network, shapes, and the work."""
    shapes = tuple((tuple(tensor.shape), tensor.dtype, tensor.device) for tensor in tensors)
    return marks(network), shapes, about


def take(network: nn.Module, key: Hashable) -> Graphed | None:
    """The graph that was kept for a network, if it has this key: nobody else has it until it is kept again.

    A graph with another key is given up.
    """
    with _LOCK:
        known, graph = _KEPT.pop(network, (None, None))
    return graph if known == key else None


def keep(network: nn.Module, key: Hashable, graph: Graphed, device: torch.device) -> None:
    """Keep a graph for the next run, unless memory is short. It goes with its network."""
    if free_share(device) >= SHORT:
        with _LOCK:
            _KEPT[network] = key, graph


def forget() -> bool:
    """Give the memory of all kept graphs back; whether there were any."""
    with _LOCK:
        count = len(_KEPT)
        _KEPT.clear()
    return count > 0


Pass = Callable[[Tensor, Tensor, Facts], tuple[Tensor, Tensor]]  # of inputs and their timestep: energy and gradient


class GraphOfRun:
    """The graph of a run's passes: the one that an earlier run has left, or one that is recorded at the second pass."""

    def __init__(self, network: nn.Module, facts: Facts, about: Hashable, is_kept: bool):
        self.network, self.facts, self.about, self.is_kept = network, facts, about, is_kept
        self.is_warm = False  # a graph can be recorded of a pass that ran before
        self.graph: Graphed | None = None
        self.key: Hashable = None

    def results(self, run: Pass, inputs: Tensor, timestep: Tensor) -> tuple[Tensor, Tensor] | None:
        """What a replay gives; None if there is nothing to be replayed yet, and the pass must run as usual."""
        if self.graph is None:
            self.graph = self._find(run, (inputs, timestep))
        if self.graph is None:
            return None
        energy, gradient = self.graph(inputs, timestep)
        return energy, gradient

    def _find(self, run: Pass, inputs: tuple[Tensor, Tensor]) -> Graphed | None:
        tensors = self.facts.tensors()
        self.key = key_of(self.network, [*inputs, *tensors], self.about)
        graph = take(self.network, self.key)
        if graph is not None:
            graph.renew(tensors)
        elif self.is_warm:
            filled = self.facts.filled
            graph = Graphed(lambda moving, time, *read: run(moving, time, filled(read)), inputs, tensors)
        return graph

    def release(self) -> None:
        """Keep the graph for the next run, or give its memory back."""
        if self.graph is not None and self.is_kept:
            keep(self.network, self.key, self.graph, self.facts.tokens.device)
        self.graph = None
