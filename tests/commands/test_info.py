"""Does the description of a bundle say what a person at a terminal needs to know?"""

from pathlib import Path
from typing import Any

from digits.bundle import Bundle
from digits.commands import info

MANIFEST: dict[str, Any] = {
    "format": 1,
    "name": "default",
    "created": "2026-11-23",
    "command": "python mnist_model.py --recipe default --seed 3",
    "recipe": {"name": "default", "network": "cnn", "epochs": 16, "learning_rate": 0.003},
    "commit": None,
    "data": "MNIST, verified by SHA-256, from Keras's mirror",
    "metrics": {
        "test_accuracy": 0.9971,
        "test_accuracy_interval": [0.9958, 0.998],
        "ece": 0.0009,
        "test_accepted": 0.9905,
        "non_digits_accepted": 0.012,
        "parameters": 140970,
        "train_seconds": 133.4,
    },
    "thresholds": {"is_digit": 0.91957},
    "versions": {"python": "3.11.7", "tensorflow": "2.21.0", "keras": "3.15.1", "numpy": "2.4.6"},
    "contract": {"canvas": "one digit anywhere, any size, any pen, ink bright on exactly 0 " * 3},
    "files": {"digits.tflite": "341f63eda842e4926fdb8ae023c39156bc6c2e7be0f5ee542110b4b1b6fecbde"},
}


def described(folder: Path, manifest: dict[str, Any]) -> str:
    for name in manifest["files"]:
        (folder / name).write_bytes(bytes(1234))
    return info.as_text(Bundle(folder, manifest, b""))


def test_the_description_is_complete_and_fits_80_columns(tmp_path: Path) -> None:
    text = described(tmp_path, MANIFEST)
    lines = text.replace(str(tmp_path), "here").splitlines()
    assert max(map(len, lines)) <= 80
    assert all(line == line.rstrip() for line in lines)
    words = " ".join(text.split())
    for part in (
        "model default",
        "created 2026-11-23",
        "command python mnist_model.py --recipe default --seed 3",
        "network cnn, epochs 16, learning rate 0.003",
        "99.71% of MNIST's test digits read correctly (95% interval 99.58% to 99.80%)",
        "99.05% of MNIST's test digits accepted",
        "1.20% of non-digits accepted, of the kinds that training draws",
        "140,970 parameters",
        "readings whose is_digit is at least 0.9196",
        "python 3.11.7, tensorflow 2.21.0",
        "1,234 bytes 341f63eda842e492…",
    ):
        assert part in words, part
    assert "None" not in words


def test_a_manifest_may_record_little(tmp_path: Path) -> None:
    little = {key: MANIFEST[key] for key in ("format", "thresholds", "files")}
    text = described(tmp_path, {**little, "recipe": {}, "metrics": {}})
    assert "without a name" in text
    assert "measured      nothing" in text
