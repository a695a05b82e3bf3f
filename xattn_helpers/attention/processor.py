"""The one place where attention is looked at: a stand-in for the processors of a network, and who listens to it.

A listener is called as `listener(maps, site, call)` with

    maps   (batch, frames, heads, height, width, tokens), float32, each row of tokens sums to one;
           `call.part(half)` says where the halves of classifier-free guidance are in the batch
    site   `Site`: where in the network
    call   `Call`: the facts of this call of the network

A listener with `edits = True` returns new maps, which the network then uses. All others only look, after the editors,
and the network goes on with its own attention, bit for bit as if nobody looked.

A listener that only looks may have a method `columns(site, call, large)`: the tokens whose maps it wants, in order;
None for all, and an empty list for a call that it does not look at. `large` says whether the maps of all tokens are too
many to be held (`softmax.py`); they are then not computed unless somebody edits, or wants all.
"""

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from ..backbones.backbone import CALL, LISTENERS, Backbone, Call, Site
from ..backbones.patching import UNCOMPILED, SharedPatch
from .softmax import attention_columns, attention_maps, is_large

AXES = "batch frames heads height width tokens"
Maps = Float[Tensor, "batch frames heads height width tokens"]


class Listener(Protocol):
    """Somebody who sees the maps of some sites."""

    edits: bool

    def __call__(self, maps: Maps, site: Site, call: Call) -> Tensor | None:
        """Look, and return new maps if this listener edits."""
        ...


@dataclass(frozen=True, eq=False)
class Listening:
    """A listener, and the sites of a network that it sees."""

    network: nn.Module
    names: frozenset[str]
    listener: Listener


class TextAttention:
    """Stands in for the processor of one site, which does its work as before unless somebody edits its maps."""

    def __init__(self, backbone: Backbone, site: Site, own: Any):
        self.backbone, self.site, self.own = backbone, site, own

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Any = None,
        attention_mask: Tensor | None = None,
        *rest: Any,
        **options: Any,
    ) -> Tensor:
        """Pixels (rows, pixels, channels) attend to tokens (rows, tokens, width)."""
        inputs = (hidden_states, encoder_hidden_states, attention_mask)
        listeners = self._listeners()
        if not listeners:
            return self.own(attn, *inputs, *rest, **options)
        call = CALL.get()
        if call is None:
            raise RuntimeError(
                f"{type(self.backbone.network).__name__} was called directly while its attention is watched; call "
                "model.predict(latents, timestep, text), which knows the facts of the call"
            )
        query, key, value = self.backbone.project(attn, hidden_states, encoder_hidden_states)
        rows = f"{self.backbone.rows} tokens"
        grid = self.backbone.grid(self.site, call.size)
        editors, watchers = self._roles(listeners, call, is_large(query, key))
        if not editors and not watchers:
            return self.own(attn, *inputs, *rest, **options)
        if not editors and all(tokens is not None for _, tokens in watchers) and is_large(query, key):
            for watcher, tokens in watchers:
                columns = attention_columns(query, key, tokens, attention_mask)
                watcher(rearrange(columns, f"{rows} -> {AXES}", **grid), self.site, call)
            return self.own(attn, *inputs, *rest, **options)
        maps = rearrange(attention_maps(query, key, attention_mask), f"{rows} -> {AXES}", **grid)
        edited = self._edit(editors, maps, call)
        for watcher, tokens in watchers:
            watcher(edited if tokens is None else edited[..., tokens], self.site, call)
        if not editors:
            return self.own(attn, *inputs, *rest, **options)
        weights = rearrange(edited, f"{AXES} -> {rows}")
        mixed = (weights.to(value.dtype) @ value).transpose(1, 2).flatten(2)
        return attn.to_out[1](attn.to_out[0](mixed))

    def __deepcopy__(self, memo: dict) -> Any:
        """A network that is copied while it is watched is not watched."""
        return copy.deepcopy(self.own, memo)

    def _listeners(self) -> list[Listener]:
        """Those of this thread, and of this site."""
        listeners = []
        for listening in LISTENERS.get():
            if listening.network is self.backbone.network and self.site.name in listening.names:
                listeners.append(listening.listener)
        return listeners

    def _roles(
        self, listeners: Sequence[Listener], call: Call, large: bool
    ) -> tuple[list[Listener], list[tuple[Listener, Any]]]:
        """The editors; and those who look at this call, each with the tokens that it wants, None for all."""
        editors, watchers = [], []
        for listener in listeners:
            if listener.edits:
                editors.append(listener)
                continue
            columns = getattr(listener, "columns", None)
            tokens = columns(self.site, call, large) if columns else None
            if tokens is None or len(tokens):
                watchers.append((listener, tokens))
        return editors, watchers

    def _edit(self, editors: Sequence[Listener], maps: Maps, call: Call) -> Maps:
        """The maps after all editors."""
        for editor in editors:
            edited = editor(maps, self.site, call)
            if not isinstance(edited, Tensor) or edited.shape != maps.shape:
                shape = tuple(maps.shape)
                raise TypeError(f"{type(editor).__name__} must return maps of the shape that it was given, {shape}")
            maps = edited
        return maps


@contextmanager
def listening(backbone: Backbone, listener: Listener, sites: Sequence[Site] | None = None) -> Iterator[None]:
    """Let `listener` see sites of a network (all by default) in all calls of this thread inside the block.

    It nests; other threads on the same network neither see nor hear of it; the network's own processors come back with
    the last one. Raises ValueError for a network without text cross-attention and for processors with weights of their
    own, whose attention nobody but they can compute.
    """
    names = frozenset(site.name for site in (backbone.sites() if sites is None else sites))
    if not names:
        raise ValueError(_no_sites(backbone.network))
    entry = Listening(backbone.network, names, listener)
    with UNCOMPILED.on(backbone.network), STAND_INS.on(backbone.network, backbone):
        LISTENERS.set((*LISTENERS.get(), entry))
        try:
            yield
        finally:
            LISTENERS.set(tuple(listening for listening in LISTENERS.get() if listening is not entry))


@contextmanager
def unheard() -> Iterator[None]:
    """Inside the block nobody listens who did before: for passes of a network that no run is made of."""
    token = LISTENERS.set(())
    try:
        yield
    finally:
        LISTENERS.reset(token)


def _put_stand_ins(network: Any, backbone: Backbone) -> dict[str, Any]:
    own = _own_processors(backbone)
    for site in backbone.sites():
        network.get_submodule(site.name).set_processor(TextAttention(backbone, site, own[site.name]))
    return own


def _take_stand_ins(network: Any, own: dict[str, Any]) -> None:
    for name, processor in own.items():
        network.get_submodule(name).set_processor(processor)


STAND_INS = SharedPatch(_put_stand_ins, _take_stand_ins)


def _own_processors(backbone: Backbone) -> dict[str, Any]:
    processors = {}
    for site in backbone.sites():
        processor = backbone.network.get_submodule(site.name).processor
        kind = type(processor).__name__
        if kind not in backbone.processors:
            raise ValueError(
                f"{site} has the attention processor {kind}, whose attention this package cannot compute; possible are "
                f"{', '.join(backbone.processors)}: take it off (set_attn_processor) before recording or editing"
            )
        processors[site.name] = processor
    return processors


def _no_sites(network: nn.Module) -> str:
    kinds = {type(module).__name__ for module in network.modules() if "ttention" in type(module).__name__}
    return (
        f"{type(network).__name__} has no text cross-attention that could be seen; its attention modules: "
        f"{', '.join(sorted(kinds)) or 'none'}"
    )
