"""ArrayBuffers and typed arrays in Python."""

from __future__ import annotations

from collections.abc import Sequence
from struct import calcsize
from typing import TYPE_CHECKING, Any, Final

from ..realm.engine import Undefined, Value
from .flags import BUFFER_FORMATS
from .handles import MISSING

if TYPE_CHECKING:
    from .bridge import Bridge


_UNSIGNED_BYTES: Final = ("Uint8Array", "Uint8ClampedArray")


class BufferMixin:
    """Copies in and out: the bytes live in JavaScript's heap."""

    __slots__ = ()
    _cfw_bridge: Bridge
    _cfw_value: Value

    def to_bytes(self) -> bytes:
        """A copy of the bytes."""
        return self._cfw_bridge.invoke("bytesOf", self._cfw_value).to_bytes()  # type: ignore[no-any-return]

    def to_memoryview(self) -> memoryview[Any]:
        """A writable copy with the element format of the typed array."""
        view = memoryview(bytearray(self.to_bytes()))
        form = BUFFER_FORMATS.get(self._cfw_bridge.invoke("bufferKind", self._cfw_value), "B")
        return view if form == "B" else view.cast(form)  # type: ignore[call-overload]

    def to_string(self, encoding: str | None = None) -> str:
        """The bytes decoded; ``encoding`` is a label of the Encoding Standard, utf-8 by default.

        ValueError for bytes that are no text in it.
        """
        found = self._cfw_bridge.invoke("decode", self._cfw_value, encoding or "utf-8")
        if found is Undefined:
            raise ValueError(f"Failed to decode Javascript TypedArray as {encoding or 'utf8'}")
        return str(found)

    def assign(self, source: Any, /) -> None:
        """Overwrite the whole buffer with the bytes of ``source``, of the same size."""
        with memoryview(source) as view:
            self._cfw_check(view, "cannot assign to TypedArray of length {other} from buffer of length {own}")
            data = view.tobytes()
        bridge = self._cfw_bridge
        bridge.invoke("overwrite", self._cfw_value, bridge.engine.array_buffer(data))

    def assign_to(self, target: Any, /) -> None:
        """Copy the bytes into a writable Python buffer of the same size."""
        with memoryview(target) as view:
            self._cfw_check(view, "cannot assign from TypedArray of length {own} to buffer of length {other}")
            if view.readonly:
                raise BufferError("Object is not writable.")
            view.cast("B")[:] = self.to_bytes()

    def to_file(self, file: Any, /) -> None:
        """Write the bytes to a file object."""
        file.write(self.to_bytes())

    def from_file(self, file: Any, /) -> None:
        """Fill the buffer from a file object."""
        self.assign(file.read(len(self.to_bytes())))

    _into_file = to_file

    def _cfw_check(self, view: memoryview[Any], unequal: str) -> None:
        size = len(self.to_bytes())
        if view.nbytes != size:
            raise ValueError(unequal.format(own=size, other=view.nbytes))
        kind = self._cfw_bridge.invoke("bufferKind", self._cfw_value)
        if view.itemsize != calcsize(BUFFER_FORMATS.get(kind, "B")):
            raise ValueError("TypedArray and memorybuffer have incompatible formats")


class TypedArrayMixin(BufferMixin):
    __slots__ = ()

    def __bytes__(self) -> bytes:
        # Its items, as of any iterable: only those of unsigned bytes are the bytes themselves.
        kind = self._cfw_bridge.invoke("bufferKind", self._cfw_value)
        return self.to_bytes() if kind in _UNSIGNED_BYTES else bytes(list(self))

    def __getattr__(self, name: str) -> Any:
        if name == "keys":
            # So that dict(array) takes it for pairs, not for a mapping.
            raise AttributeError(name, name=name, obj=self)
        return super().__getattr__(name)  # type: ignore[misc]

    def __len__(self) -> int:
        return int(self._cfw_bridge.invoke("lengthOf", self._cfw_value))

    def _cfw_index(self, index: Any) -> int:
        if isinstance(index, slice):
            raise NotImplementedError("Slice subscripting isn't implemented for typed arrays")
        position = index.__index__()
        return int(position + len(self) if position < 0 else position)

    def __getitem__(self, index: Any) -> Any:
        bridge = self._cfw_bridge
        found = bridge.get(self._cfw_value, self._cfw_index(index))
        if found is MISSING:
            raise IndexError(index)
        return bridge.convert.to_py(found)

    def __setitem__(self, index: Any, value: Any) -> None:
        bridge = self._cfw_bridge
        bridge.invoke("set", self._cfw_value, self._cfw_index(index), bridge.convert.to_js(value))

    def __delitem__(self, index: Any) -> None:
        raise TypeError("object doesn't support item deletion")

    index = Sequence.index
    count = Sequence.count

    def __contains__(self, value: object) -> bool:
        bridge = self._cfw_bridge
        return bool(bridge.invoke("method", self._cfw_value, "includes", bridge.convert.to_js(value)))
