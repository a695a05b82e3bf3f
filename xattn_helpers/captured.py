"""A function of tensors on a GPU, recorded once as a CUDA graph and then replayed in one launch, without Python.

A gradient pass of a network of ModelScope's size is thousands of small kernels. A GPU computes them in less than a
third of the time that Python needs to launch them one by one (`benchmarks/full_size.py`).
"""

from collections.abc import Callable

import torch
from torch import Tensor


class Captured:
    """`run(*inputs)` as a CUDA graph, for inputs of the same shapes; `run` must have run before, to be warm.

    Its memory stays reserved as long as this object lives. Raises RuntimeError for a function that reads from the GPU
    on its way, as `int(tensor)` does.
    """

    def __init__(self, run: Callable[..., tuple[Tensor, ...]], *inputs: Tensor):
        self.inputs, self.graph = [one.clone() for one in inputs], torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(self.graph):
                self.outputs = run(*self.inputs)
        except RuntimeError as error:
            raise RuntimeError(f"cuda_graph=True: this pass cannot be captured, leave it out ({error})") from error

    def __call__(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """What `run` gives for other inputs, as tensors of the caller's own."""
        for mine, given in zip(self.inputs, inputs, strict=True):
            mine.copy_(given)
        self.graph.replay()
        return tuple(one.clone() for one in self.outputs)
