"""What is put on a network while somebody needs it: once for all threads, and taken off by the last of them."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from torch import nn


@dataclass
class SharedPatch:
    """A patch of a network. `put(network, *about)` returns what `take(network, memory)` needs to restore it."""

    put: Callable[..., Any]
    take: Callable[[nn.Module, Any], None]
    memory: WeakKeyDictionary[nn.Module, Any] = field(default_factory=WeakKeyDictionary)
    users: WeakKeyDictionary[nn.Module, int] = field(default_factory=WeakKeyDictionary)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def on(self, network: nn.Module, *about: Any) -> Iterator[None]:
        """The network is patched inside the block, and maybe longer, while another thread is inside of its own."""
        with self.lock:
            if not self.users.get(network):
                self.memory[network] = self.put(network, *about)
            self.users[network] = self.users.get(network, 0) + 1
        try:
            yield
        finally:
            with self.lock:
                self.users[network] -= 1
                if not self.users[network]:
                    self.take(network, self.memory.pop(network))

    def is_on(self, network: nn.Module) -> bool:
        """Whether any thread is inside of such a block."""
        return bool(self.users.get(network))


def _set_compiled_aside(network: nn.Module) -> dict[nn.Module, Any]:
    """What `compile()` of a network, or of its blocks, has left on them."""
    compiled: dict[nn.Module, Any] = {}
    for module in network.modules():
        if module._compiled_call_impl is not None:
            compiled[module], module._compiled_call_impl = module._compiled_call_impl, None
    return compiled


def _restore_compiled(network: nn.Module, compiled: dict[nn.Module, Any]) -> None:
    for module, call in compiled.items():
        module._compiled_call_impl = call


# Compiled code would neither see a patch nor, once compiled with one, forget it. torch's own switch is for all networks
# and threads of a process at once.
UNCOMPILED = SharedPatch(_set_compiled_aside, _restore_compiled)


def marks(network: nn.Module) -> tuple:
    """Where the weights of a network are, and what is put on its modules: forwards, processors, hooks.

    What was recorded of a network can be replayed as long as these are the same.
    """
    places = tuple(tensor.data_ptr() for tensor in (*network.parameters(), *network.buffers()))
    put = []
    for module in network.modules():
        own = vars(module)
        objects = tuple(id(own[name]) for name in ("forward", "processor") if name in own)
        put.append((objects, tuple(module._forward_hooks), tuple(module._forward_pre_hooks)))
    return places, tuple(put)
