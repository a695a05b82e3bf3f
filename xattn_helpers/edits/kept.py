"""What networks made, kept for whoever asks again: the last few of each, and nothing of a network that is gone."""

import threading
from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

from torch import nn


class Kept:
    """At most `limit` results of each network, by what they depend on; the oldest goes first. Threads may share it."""

    def __init__(self, limit: int):
        self.limit = limit
        self.by_network: WeakKeyDictionary[nn.Module, dict[Any, Any]] = WeakKeyDictionary()
        self.lock = threading.Lock()

    def of(self, network: nn.Module) -> dict[Any, Any]:
        """A copy of what is kept of a network."""
        with self.lock:
            return dict(self.by_network.get(network, {}))

    def add(self, network: nn.Module, made: Mapping[Any, Any]) -> None:
        """Keep more of a network."""
        with self.lock:
            results = self.by_network.setdefault(network, {})
            results.update(made)
            while len(results) > self.limit:
                del results[next(iter(results))]
