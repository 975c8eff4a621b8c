"""PyTorch files (.bin, .pt, Lightning's .ckpt) read without executing anything and without torch.

Since PyTorch 1.6 such a file is a zip archive, stored without compression: `data.pkl` describes the objects, each
storage is an entry `data/KEY`. The pickle is unpickled with a table of names that build tensors and plain containers;
any other name stops it before anything is called, and all of them are listed (`pickletools` looks, it runs nothing).
Storages are views of the mapped file: a checkpoint of 1 GB costs no memory until its values are touched.
"""

from __future__ import annotations

import io
import pickle
import pickletools
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from .errors import DataError, RefusedError
from .safetensors import mapped
from .tensors import STORED, Tensor

MAX_PICKLE_BYTES = 256 << 20
_STORAGES = {
    "FloatStorage": "float32",
    "BFloat16Storage": "bfloat16",
    "HalfStorage": "float16",
    "DoubleStorage": "float64",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
}
_LOCAL_HEADER = struct.Struct("<26xHH")  # of a zip entry: its lengths of name and of extra field


class _Storage:
    """One storage of the archive: a flat array, and the dtype its type says."""

    def __init__(self, raw: NDArray[Any], dtype: str) -> None:
        self.raw = raw
        self.dtype = dtype


def _rebuild_tensor(
    storage: Any, offset: Any, size: Any, stride: Any, _requires_grad: Any = False, _hooks: Any = None, *_: Any
) -> Tensor:
    """What torch._utils._rebuild_tensor_v2 does, with the bounds checked: numbers in a file may be anything."""
    if not isinstance(storage, _Storage):
        raise pickle.UnpicklingError("a tensor without a storage")
    shape, strides = tuple(map(int, size)), tuple(map(int, stride))
    if len(shape) != len(strides) or min((*shape, *strides, int(offset)), default=0) < 0:
        raise pickle.UnpicklingError(f"a tensor of shape {shape} with strides {strides}")
    empty = 0 in shape
    last = int(offset) + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
    if not empty and last >= len(storage.raw):
        raise pickle.UnpicklingError(f"a tensor of shape {shape} reaches beyond its storage")
    raw = storage.raw[int(offset) :]
    if empty:
        return Tensor(np.empty(shape, dtype=raw.dtype), storage.dtype)
    viewed = as_strided(raw, shape, tuple(step * raw.itemsize for step in strides), writeable=False)
    return Tensor(viewed, storage.dtype)


def _rebuild_parameter(data: Any, *_: Any) -> Any:
    return data


def _plain(*arguments: Any) -> str:
    """A stand-in for names that carry no weight: devices, dtypes, sizes."""
    return " ".join(map(str, arguments))


class _Attributes(dict[str, Any]):
    """Lightning's hyper-parameters: a dict that is also reached by attributes."""

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, dict):
            self.update(state)


_ALLOWED: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
    ("torch", "Size"): tuple,
    ("torch", "device"): _plain,
    ("lightning.fabric.utilities.data", "AttributeDict"): _Attributes,
    ("lightning_fabric.utilities.data", "AttributeDict"): _Attributes,
    **{("torch", name): dtype for name, dtype in _STORAGES.items()},
}


class _Unpickler(pickle.Unpickler):
    """Builds tensors and containers only."""

    def __init__(self, text: bytes, storage: Callable[[str, str], _Storage]) -> None:
        super().__init__(io.BytesIO(text))
        self._storage = storage

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"the name {module}.{name} is refused")
        return _ALLOWED[module, name]

    def persistent_load(self, pid: Any) -> _Storage:
        if not (isinstance(pid, tuple) and len(pid) == 5 and pid[0] == "storage" and pid[1] in STORED):
            raise pickle.UnpicklingError(f"a reference of unknown kind: {str(pid)[:80]}")
        return self._storage(str(pid[2]), str(pid[1]))


def read_pickled(path: str | Path) -> Any:
    """The objects of a PyTorch file, its tensors as `Tensor`s.

    Raises RefusedError (naming them) for a pickle that names anything but tensors and plain containers, DataError for
    a file that is broken, cut off or of the format before PyTorch 1.6.
    """
    path = Path(path)
    data = mapped(path)
    if bytes(data[:4]) != b"PK\x03\x04":
        _refuse_old(path, data)
    try:
        with zipfile.ZipFile(path) as archive:
            entries = {info.filename: info for info in archive.infolist()}
            place = next((name for name in entries if name.endswith("/data.pkl")), None)
            if place is None:
                raise DataError("is a zip archive without data.pkl: no PyTorch file", path=path)
            text = _entry(data, entries[place], path).tobytes()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise DataError(f"is cut off or broken: {error}", path=path) from error
    _refuse_names(path, text)
    folder = place.rpartition("/")[0]

    def storage(key: str, dtype: str) -> _Storage:
        info = entries.get(f"{folder}/data/{key}")
        if info is None:
            raise pickle.UnpicklingError(f"the storage {key} is missing")
        raw = _entry(data, info, path)
        whole = len(raw) - len(raw) % np.dtype(STORED[dtype]).itemsize
        return _Storage(raw[:whole].view(STORED[dtype]), dtype)

    try:
        return _Unpickler(text, storage).load()
    except DataError:
        raise
    except Exception as error:  # whatever a broken pickle does to the machine that reads it
        raise DataError(f"is broken: {error}", path=path) from error


def _entry(data: NDArray[np.uint8], info: zipfile.ZipInfo, path: Path) -> NDArray[np.uint8]:
    if info.compress_type != zipfile.ZIP_STORED:
        raise DataError(
            f"{info.filename} is compressed, which PyTorch never does: repack it with torch.save", path=path
        )
    if info.filename.endswith(".pkl") and info.file_size > MAX_PICKLE_BYTES:
        raise DataError(f"{info.filename} is over {MAX_PICKLE_BYTES >> 20} MB: no file of weights", path=path)
    head = data[info.header_offset : info.header_offset + _LOCAL_HEADER.size]
    if len(head) < _LOCAL_HEADER.size:
        raise DataError("is cut off", path=path)
    name, extra = _LOCAL_HEADER.unpack(head.tobytes())
    begin = info.header_offset + _LOCAL_HEADER.size + name + extra
    if begin + info.file_size > len(data):
        raise DataError("is cut off", path=path)
    return data[begin : begin + info.file_size]


def _refuse_names(path: Path, text: bytes) -> None:
    try:
        odd = sorted({name for name in names_in(text) if tuple(name.rsplit(".", 1)) not in _ALLOWED})
    except ValueError as error:
        raise DataError(f"is broken: its pickle cannot be read ({error})", path=path) from error
    if odd:
        raise RefusedError(
            f"{path}: refused, nothing in it was run: its pickle names {', '.join(odd)}; "
            "save the weights alone, as safetensors"
        )


def names_in(text: bytes) -> list[str]:
    """All `module.name` that a pickle would look up, read from its opcodes without running it. Raises ValueError."""
    found: list[str] = []
    strings: list[str] = []
    memo: dict[int, str] = {}
    memoized = 0
    pushed = ""  # the string that the opcode before this one pushed
    for opcode, argument, _ in pickletools.genops(text):
        last, pushed = pushed, ""
        if opcode.name in ("GLOBAL", "INST"):
            found.append(str(argument).replace(" ", "."))
        elif opcode.name == "STACK_GLOBAL":
            found.append(".".join(strings[-2:]) if len(strings) > 1 else "an unreadable name")
        elif "UNICODE" in opcode.name:
            pushed = str(argument)
            strings.append(pushed)
        elif opcode.name in ("MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT"):
            memo[memoized if opcode.name == "MEMOIZE" else int(argument or 0)] = last
            memoized += 1
            pushed = last
        elif opcode.name in ("GET", "BINGET", "LONG_BINGET") and memo.get(int(argument or 0)):
            strings.append(memo[int(argument or 0)])
    return found


def _refuse_old(path: Path, data: NDArray[np.uint8]) -> None:
    """A plain pickle, as PyTorch wrote before 1.6, or something that only bears the suffix."""
    head = bytes(data[: 1 << 20])
    if head[:1] == b"\x80":
        try:
            names = sorted(set(names_in(head)))
        except ValueError:
            names = []
        _refuse_names(path, head) if names else None
        raise DataError("has PyTorch's format before 1.6: load and torch.save it again, or use safetensors", path=path)
    raise DataError("is no PyTorch file (neither zip archive nor pickle)", path=path)
