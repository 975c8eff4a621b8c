"""Reading checkpoints of all kinds; what is broken, of another kind or malicious is named."""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from hwml_sdk.cli import main
from hwml_sdk.errors import DataError, RefusedError
from hwml_sdk.lora.checkpoint import find_checkpoints, peft_name, read_checkpoint
from hwml_sdk.pickles import read_pickled
from hwml_sdk.safetensors import read_safetensors, to_safetensors

from .files import adapter_arrays, write_adapter, write_safetensors


def test_a_peft_folder_is_read_and_written_back(tmp_path: Path) -> None:
    arrays = adapter_arrays()
    found = read_checkpoint(write_adapter(tmp_path / "a", arrays))
    assert found.config["r"] == 2
    for name, (raw, _) in arrays.items():
        assert found.tensors[name].to_bytes() == raw.tobytes()
    (tmp_path / "b.safetensors").write_bytes(to_safetensors(found.tensors, {"format": "pt"}))
    again, metadata = read_safetensors(tmp_path / "b.safetensors")
    assert metadata == {"format": "pt"}
    assert {name: tensor.to_bytes() for name, tensor in again.items()} == {
        name: raw.tobytes() for name, (raw, _) in arrays.items()
    }


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"abc", "cut off"),
        (struct.pack("<Q", 10**12) + b"{}", "cut off"),
        (struct.pack("<Q", 4) + b"{nop", "not JSON"),
        (struct.pack("<Q", 2) + b"[]", "no JSON object"),
    ],
)
def test_broken_safetensors(tmp_path: Path, data: bytes, words: str) -> None:
    (tmp_path / "x.safetensors").write_bytes(data)
    with pytest.raises(DataError, match=words):
        read_checkpoint(tmp_path / "x.safetensors")


@pytest.mark.parametrize(
    "entry",
    [
        {"dtype": "F32", "shape": [2], "data_offsets": [0, 800]},
        {"dtype": "F32", "shape": [3], "data_offsets": [0, 8]},
        {"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]},
        {"dtype": "F32", "shape": [2], "data_offsets": [-8, 0]},
        {"dtype": "F9", "shape": [2], "data_offsets": [0, 8]},
        {"dtype": "F32"},
        7,
    ],
)
def test_broken_entries_of_safetensors(tmp_path: Path, entry: object) -> None:
    text = json.dumps({"x.lora_A.weight": entry}).encode()
    (tmp_path / "x.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + bytes(8))
    with pytest.raises(DataError, match=r"x\.safetensors: is no safetensors file"):
        read_checkpoint(tmp_path / "x.safetensors")


def test_values_that_are_no_numbers(tmp_path: Path) -> None:
    arrays = adapter_arrays()
    name = next(iter(arrays))
    arrays[name][0][0, 0] = np.nan
    with pytest.raises(DataError, match=rf"{name} holds NaN"):
        read_checkpoint(write_adapter(tmp_path / "a", arrays))


def test_a_model_without_an_adapter(tmp_path: Path) -> None:
    write_safetensors(tmp_path / "m.safetensors", {"weight": (np.ones((2, 2), np.float32), "float32")})
    with pytest.raises(DataError, match=r"no LoRA tensors \(1 others\)"):
        read_checkpoint(tmp_path / "m.safetensors")


def _archive(path: Path, text: bytes, *, compress: bool = False) -> Path:
    kind = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", kind) as archive:
        archive.writestr("archive/data.pkl", text)
        archive.writestr("archive/data/0", np.arange(6, dtype=np.float32).tobytes())
    return path


class _Malicious:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        import os

        return os.system, ("touch /tmp/hwml-was-run",)


@pytest.mark.parametrize("protocol", [2, 4])
def test_a_malicious_pickle_is_refused_and_its_names_are_said(
    tmp_path: Path, protocol: int, capsys: pytest.CaptureFixture[str]
) -> None:
    text = pickle.dumps({"x.lora_A.weight": _Malicious(), "set": frozenset([1]), "y": complex(1, 2)}, protocol=protocol)
    place = _archive(tmp_path / "x.bin", text)
    with pytest.raises(RefusedError, match=r"nothing in it was run: its pickle names .*(posix|nt)\.system"):
        read_pickled(place)
    assert main(["lora", "test", "--checkpoint-file", str(place)]) == 3
    assert "complex" in capsys.readouterr().err  # all of them, not only the first
    plain = tmp_path / "old.bin"
    plain.write_bytes(text)
    with pytest.raises(RefusedError, match=r"system"):
        read_pickled(plain)


def _tensor_pickle(size: tuple[int, ...], stride: tuple[int, ...], offset: int = 0) -> bytes:
    """What torch.save writes for one tensor, in opcodes (protocol 2)."""
    out = io.BytesIO()
    out.write(b"\x80\x02}X\x0f\x00\x00\x00x.lora_A.weight")
    out.write(b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\n")
    out.write(b"X\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x06tQ")
    out.write(b"J" + struct.pack("<i", offset))
    for numbers in (size, stride):
        out.write(b"(" + b"".join(b"J" + struct.pack("<i", number) for number in numbers) + b"t")
    out.write(b"\x89ccollections\nOrderedDict\n)RtRs.")
    return out.getvalue()


def test_a_tensor_of_a_torch_file(tmp_path: Path) -> None:
    found = read_checkpoint(_archive(tmp_path / "x.bin", _tensor_pickle((2, 3), (3, 1))))
    assert found.tensors["x.lora_A.weight"].raw.tolist() == [[0, 1, 2], [3, 4, 5]]
    turned = read_checkpoint(_archive(tmp_path / "t.bin", _tensor_pickle((2, 2), (1, 3), 1)))
    assert turned.tensors["x.lora_A.weight"].raw.tolist() == [[1, 4], [2, 5]]


@pytest.mark.parametrize(
    ("size", "stride", "offset"), [((2, 4), (3, 1), 0), ((2, 3), (3, 1), 1), ((2,), (-1,), 3), ((2, 3), (3,), 0)]
)
def test_a_tensor_that_reaches_beyond_its_storage(
    tmp_path: Path, size: tuple[int, ...], stride: tuple[int, ...], offset: int
) -> None:
    with pytest.raises(DataError, match="is broken"):
        read_checkpoint(_archive(tmp_path / "x.bin", _tensor_pickle(size, stride, offset)))


def test_files_that_are_no_torch_files(tmp_path: Path) -> None:
    good = _archive(tmp_path / "good.bin", _tensor_pickle((2, 3), (3, 1))).read_bytes()
    cases = {
        "cut.ckpt": (good[:-40], "cut off or broken"),
        "text.bin": (b"hello", "no PyTorch file"),
        "old.bin": (pickle.dumps({"a": 1}, protocol=2), "before 1.6"),
        "other.txt": (b"hello", "is none of"),
    }
    for name, (data, words) in cases.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(DataError, match=words):
            read_checkpoint(tmp_path / name)
    packed = _archive(tmp_path / "packed.bin", _tensor_pickle((2, 3), (3, 1)), compress=True)
    with pytest.raises(DataError, match="compressed"):
        read_checkpoint(packed)
    with pytest.raises(DataError, match="no such file"):
        read_checkpoint(tmp_path / "none.bin")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no PEFT folder"):
        read_checkpoint(tmp_path / "empty")


@pytest.mark.parametrize(
    ("name", "on_disk"),
    [
        ("base_model.model.a.lora_A.weight", "base_model.model.a.lora_A.weight"),
        ("model.base_model.model.a.lora_A.default.weight", "base_model.model.a.lora_A.weight"),
        ("base_model.model.e.lora_embedding_A.default", "base_model.model.e.lora_embedding_A"),
        ("a.q.lora_B.mine.bias", "base_model.model.a.q.lora_B.bias"),
    ],
)
def test_names_on_disk(name: str, on_disk: str) -> None:
    assert peft_name(name) == on_disk


def test_checkpoints_in_natural_order_and_spread(tmp_path: Path) -> None:
    for step in (1, 2, 9, 10, 11, 20):
        write_adapter(tmp_path / f"step-{step}", adapter_arrays(step))
    names = [path.name for path in find_checkpoints(tmp_path)]
    assert names == [f"step-{step}" for step in (1, 2, 9, 10, 11, 20)]
    assert [path.name for path in find_checkpoints(tmp_path, 3)] == ["step-1", "step-9", "step-11"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no LoRA checkpoints"):
        find_checkpoints(tmp_path / "empty")
