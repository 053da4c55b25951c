"""Are the benchmarks' figures those of the data that --data names, and never taken for MNIST's?"""

import importlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from benchmarks import RESULTS_FOLDER, own_networks, records, sweep, training
from benchmarks.fill import blocks, pages, recorded
from benchmarks.harness import command_line
from benchmarks.harness.json_lines import Line, read_lines, write_lines
from digits.data.mnist import Dataset, Mnist
from digits.labelled import opening

ANY = ("training", "records", "own_networks", "sweep", "corruptions")
MNIST_ALONE = (
    *("teach", "suspects", "workers", "inference"),
    *("handwriting.__main__", "pages.__main__", "ablation.__main__"),
)


@pytest.fixture
def other(tmp_path: Path, mnist: Mnist) -> Path:
    """Data that are not MNIST: some of its digits."""
    path = tmp_path / "mine.npz"
    np.savez(path, x_train=mnist.train_images[:350], y_train=mnist.train_labels[:350])
    return path


@pytest.fixture
def own(other: Path) -> Dataset:
    return opening.load(other)


def run(monkeypatch: pytest.MonkeyPatch, module: str, *flags: str | Path) -> int:
    """The status with which a benchmark refuses its arguments, before it measures anything."""

    def measured(*_: object, **__: object) -> None:
        raise AssertionError("a process was begun")

    monkeypatch.setattr("subprocess.Popen.__init__", measured)
    found = importlib.import_module(f"benchmarks.{module}")
    monkeypatch.setattr("sys.argv", [module, *map(str, flags)])
    with pytest.raises(SystemExit) as end:
        found.main()
    return int(end.value.code or 0)


@pytest.mark.parametrize("module", ANY)
def test_other_data_are_not_measured_among_the_results(
    module: str, other: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command_line, "RESULTS_FOLDER", other.parent)
    out = other.with_name("results.jsonl")
    assert run(monkeypatch, module, "--data", other, "--out", out) == 2
    error = capsys.readouterr().err
    assert f"--data {other} is not MNIST, and benchmarks/results keeps" in error
    assert "choose another --out" in error


@pytest.mark.parametrize("module", MNIST_ALONE)
def test_what_means_nothing_on_other_data_takes_mnist_alone(
    module: str, other: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = other.with_name("new.jsonl")
    assert run(monkeypatch, module, "--data", other, "--out", out) == 2
    assert f"--data {other}: holds training images that are not MNIST's" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize("module", [*ANY, *MNIST_ALONE])
def test_data_that_are_not_there_are_a_sentence(
    module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new.jsonl"
    assert run(monkeypatch, module, "--data", tmp_path / "none.npz", "--out", out) == 2
    assert "none.npz: there is no such file or folder" in capsys.readouterr().err
    assert not out.exists()


def test_lines_name_other_data_and_their_hash(own: Dataset, mnist: Mnist) -> None:
    assert own.own
    assert command_line.of_data(own) == {"own_data": {"name": "mine.npz", "sha256": own.own.sha256}}
    assert command_line.of_data(mnist) == command_line.of_run({"test_accuracy": 1}) == {}
    metrics = {"own_data": {"path": "/a/mine.npz", "sha256": own.own.sha256, "digits": True}}
    assert command_line.of_run(metrics) == command_line.of_data(own)


COMMAND = """
import json, pathlib, sys
flags = sys.argv[1:]
out = pathlib.Path(flags[flags.index("--out") + 1])
own = {"path": flags[flags.index("--data") + 1], "sha256": "5a"} if "--data" in flags else None
runs = [out]
if "sweep" in flags:
    runs = [out / "1"]
if "--ensemble" in flags:
    runs = [out, out / "members" / "1"]
for run in runs:
    run.mkdir(parents=True, exist_ok=True)
    metrics = {"seed": 1, "test_accuracy": 0.5, "ensemble": {}} | ({"own_data": own} if own else {})
    metrics |= dict.fromkeys(KEPT, 0) | {"test_accuracy": 0.5}
    (run / "metrics.json").write_text(json.dumps(metrics))
"""


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose commands write down what data they were given, and train nothing."""
    root = tmp_path / "root"
    (root / "digits").mkdir(parents=True)
    program = f"KEPT = {own_networks.KEPT!r}\n{COMMAND}"
    (root / "mnist_model.py").write_text(program)
    (root / "digits" / "cli.py").write_text(program)
    (root / "digits" / "__init__.py").write_text("")
    for module in (training, own_networks, records):
        monkeypatch.setattr(module, "ROOT", root)
    monkeypatch.setenv("PYTHONPATH", str(root))
    return root


@pytest.mark.usefixtures("commands")
def test_every_training_gets_the_data_and_its_line_says_so(tmp_path: Path) -> None:
    data = Path("mine.npz")  # as it was typed, in the folder of the user
    mark: Line = {"own_data": {"name": "mine.npz", "sha256": "5a"}}
    (tmp_path / "run").mkdir()
    found = [
        training.measure("fast", 1, tmp_path / "run", data),
        own_networks.train("docs/examples/mlp.py:build", 1, data),
        *records.train("tiny", tmp_path / "tiny", data),
        *records.train("best", tmp_path / "best", data),
    ]
    assert len(found) == 5
    for line in found:
        assert line.items() >= mark.items()
    given = json.loads((tmp_path / "run" / "metrics.json").read_text())["own_data"]["path"]
    assert given == str(Path.cwd() / "mine.npz")
    (tmp_path / "of_mnist").mkdir()
    assert "own_data" not in training.measure("fast", 1, tmp_path / "of_mnist")


def test_a_sweep_is_measured_with_other_data(
    other: Path, own: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = []

    def measure(flags: str, at_once: int, data: Path | None) -> float:
        given.append(data)
        return 1.0

    monkeypatch.setattr(sweep, "measure", measure)
    out = tmp_path / "sweep.jsonl"
    monkeypatch.setattr("sys.argv", ["sweep", "--data", str(other), "--out", str(out)])
    sweep.main()
    assert given == [other] * 4
    marks = [line["own_data"] for line in read_lines(out)]
    assert marks == [command_line.of_data(own)["own_data"]] * 4


def test_figures_of_several_data_are_not_mixed(
    other: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "kept.jsonl"
    write_lines(out, [{"name": "fast", "recipe_name": "tiny", "seed": 1}])
    assert run(monkeypatch, "training", "--data", other, "--out", out, "--resume") == 2
    assert "--out holds figures of other data than mine.npz" in capsys.readouterr().err
    assert run(monkeypatch, "records", "--data", other, "--out", out, "tiny") == 2
    write_lines(out, [{"seed": 1, "own_data": {"name": "mine.npz", "sha256": "5a"}}])
    assert run(monkeypatch, "training", "--out", out, "--resume") == 2
    assert "--out holds figures of other data than MNIST" in capsys.readouterr().err


def test_figures_for_the_documentation_are_mnists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark: Line = {}

    def measure(name: str, seed: int, out: Path, data: Path | None) -> Line:
        out.mkdir()
        (out / "accuracy.png").write_bytes(b"a figure")
        return {"test_accuracy": 0, "train_seconds": 0, "process_seconds": 0} | mark

    monkeypatch.setattr(training, "measure", lambda *a: measure(*a) | {"peak_memory_mb": 0})
    monkeypatch.setattr(training, "FIGURES", tmp_path / "figures")
    mark["own_data"] = {"name": "mine.npz", "sha256": "5a"}
    training.run(tmp_path / "a.jsonl", Path("mine.npz"))
    assert not (tmp_path / "figures").exists()
    mark.clear()
    training.run(tmp_path / "b.jsonl")
    assert [path.name for path in (tmp_path / "figures").iterdir()] == ["accuracy.png"]


@pytest.mark.parametrize("name", ["training", "records", "own_networks", "corruptions", "sweep"])
def test_pages_refuse_figures_of_other_data(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "results"
    shutil.copytree(RESULTS_FOLDER, results)
    first, *others = read_lines(results / f"{name}.jsonl")
    marked = first | {"own_data": {"name": "mine.npz", "sha256": "5a"}}
    write_lines(results / f"{name}.jsonl", [*others, marked])
    for module in (blocks, recorded):
        monkeypatch.setattr(module, "RESULTS_FOLDER", results)
    monkeypatch.setattr("sys.argv", ["fill", "--check"])
    assert pages.main() == 2
    error = capsys.readouterr().err
    assert f"{name}.jsonl holds figures of mine.npz, and pages show figures of MNIST alone" in error
    assert error.count("\n") == 1
