"""The key-value cache of one sub-batch: grows in place instead of being copied at every token.

transformers' `DynamicCache` concatenates, which copies all keys and values for each new token. Its
layers are replaced here by ones that write into room set aside; layers of other kinds (sliding
windows) stay as they are.
"""

from typing import Any

from torch import Tensor
from transformers import DynamicCache, PretrainedConfig
from transformers.cache_utils import DynamicLayer


class RoomyLayer(DynamicLayer):  # type: ignore[no-untyped-call]
    """A layer's keys and values at the front of larger buffers, [rows, heads, room, width]."""

    def __init__(self, room: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._room = room
        self._used = 0
        self._buffers: tuple[Tensor, Tensor] | None = None

    def update(
        self, key_states: Tensor, value_states: Tensor, *_args: Any, **_kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        """Append the new positions and return all of them."""
        start, self._used = self._used, self._used + key_states.shape[-2]
        if self._buffers is None:
            self._room = max(self._room, self._used)
            self._buffers = _emptied(key_states, self._room), _emptied(value_states, self._room)
            self.dtype, self.device = key_states.dtype, key_states.device
            self.is_initialized = True
        elif self._used > self._room:
            self._room = self._used + self._used // 2
            self._buffers = (
                _moved(self._buffers[0], start, self._room),
                _moved(self._buffers[1], start, self._room),
            )
        for buffer, states in zip(self._buffers, (key_states, value_states), strict=True):
            buffer[:, :, start : self._used] = states
        return self._show()

    def batch_select_indices(self, indices: Tensor) -> None:
        """Keep (or repeat) these rows, in this order."""
        if self._buffers is None:
            return
        keys, values = self._buffers
        self._buffers = (
            _moved(keys, self._used, self._room, indices),
            _moved(values, self._used, self._room, indices),
        )
        self._show()

    def _show(self) -> tuple[Tensor, Tensor]:
        """Set what the rest of transformers looks at: views of the part in use."""
        assert self._buffers is not None
        self.keys, self.values = (buffer[:, :, : self._used] for buffer in self._buffers)
        return self.keys, self.values


def roomy_cache(config: PretrainedConfig, room: int) -> DynamicCache:
    """Make a cache for a model with room for this many positions before it has to grow."""
    cache = DynamicCache(config=config)
    cache.layers = [
        RoomyLayer(room) if type(each) is DynamicLayer else each for each in cache.layers
    ]
    return cache


def _emptied(states: Tensor, room: int) -> Tensor:
    """Make a buffer for `room` positions of such states."""
    return states.new_empty(states.shape[0], states.shape[1], room, states.shape[3])


def _moved(buffer: Tensor, used: int, room: int, rows: Tensor | None = None) -> Tensor:
    """Copy the positions in use, of all or some rows, to a new buffer."""
    states = buffer[:, :, :used]
    states = states if rows is None else states.index_select(0, rows)
    moved = _emptied(states, room)
    moved[:, :, :used] = states
    return moved
