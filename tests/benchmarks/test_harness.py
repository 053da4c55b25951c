"""Does the harness run what it is given, once each, and report what happened?"""

import argparse
import os
import sys
from pathlib import Path

import pytest

from benchmarks.harness import command_line, http_load, installation, interleaving, pinned_processes
from benchmarks.harness.json_lines import Line, Lines, append_line, read_lines, write_lines
from digits.errors import DigitsError

# Processes that are pinned to cores.

JOBS = [("a", 1), ("a", 2), ("b", 1), ("b", 2)]
PRINT = "print(json.dumps({'row': row, 'seed': seed, 'core': core, 'pid': os.getpid()}))"


def python(program: str) -> pinned_processes.Command:
    """Runs a program that has `row`, `seed` and `core` as variables."""

    def command(job: pinned_processes.Job, core: int) -> list[str]:
        variables = f"import json, os, signal, time; row, seed = {job!r}; core = {core}\n"
        return [sys.executable, "-c", variables + program]

    return command


def test_only_trainings_that_did_not_finish_are_repeated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "results.jsonl"
    killed = python(f"if row == 'b' and seed == 1: os.kill(os.getpid(), signal.SIGKILL)\n{PRINT}")
    assert pinned_processes.run(results, JOBS, killed, str) == 1
    output = capsys.readouterr().out
    assert "b, seed 1: " in output
    assert "FAILED with status -9" in output
    before = read_lines(results)
    assert sorted((x["row"], x["seed"]) for x in before) == [("a", 1), ("a", 2), ("b", 2)]
    assert {x["core"] for x in before} <= set(range(os.cpu_count() or 1))
    assert pinned_processes.run(results, JOBS, python(PRINT), str) == 0
    assert read_lines(results)[:3] == before
    assert [(x["row"], x["seed"]) for x in read_lines(results)[3:]] == [("b", 1)]
    never = python("raise SystemExit(5)")
    assert pinned_processes.run(results, JOBS, never, str) == 0  # nothing is left to run


def test_the_last_line_of_a_long_error_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failing = python("import sys; sys.stderr.write('x' * 300_000 + '\\nthe reason'); sys.exit(3)")
    assert pinned_processes.run(tmp_path / "results.jsonl", JOBS[:1], failing, str) == 1
    assert "status 3; --resume tries it again\nthe reason" in capsys.readouterr().out
    assert not (tmp_path / "results.jsonl").exists()


def test_an_interrupted_study_stops_its_trainings(tmp_path: Path) -> None:
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("two trainings at a time need two cores")
    pids, finished = tmp_path / "pids", tmp_path / "finished"
    one_ends = python(
        f"open({str(pids)!r}, 'a').write(f'{{os.getpid()}}\\n')\n"
        f"if seed == 2: time.sleep(60); open({str(finished)!r}, 'w')\n"
        f"while len(open({str(pids)!r}).read().split()) < 2: time.sleep(0.01)\n{PRINT}"
    )

    def interrupt(_: Line) -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pinned_processes.run(tmp_path / "results.jsonl", JOBS[:2], one_ends, interrupt)
    assert not finished.exists()  # it was stopped, not waited for
    for pid in map(int, pids.read_text().split()):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


@pytest.mark.parametrize("processes", [0, 10_000])
def test_more_processes_than_cores_are_refused(tmp_path: Path, processes: int) -> None:
    with pytest.raises(DigitsError, match="--processes must be from 1 to"):
        pinned_processes.run(tmp_path / "results.jsonl", JOBS, python(PRINT), str, processes)


# Turns.


def total(lines: Lines) -> str:
    return f"{len(lines)} lines, {interleaving.mean_seconds(lines, 'b'):.1f} s"


def test_ways_take_turns_and_the_results_are_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "turns.jsonl"
    parser = interleaving.parser(None, out)
    order: list[str] = []

    def measure(way: str) -> Line:
        order.append(way)
        return {"seconds": float(len(order))}

    interleaving.take_turns(parser.parse_args([]), ["a", "b"], measure, total)
    assert order == ["a", "b", "a", "b"]
    assert [line["way"] for line in read_lines(out)] == order
    assert capsys.readouterr().out.endswith("4 lines, 3.0 s\n")
    interleaving.take_turns(parser.parse_args(["--summary"]), ["a", "b"], measure, total)
    assert len(order) == 4  # nothing was measured
    assert capsys.readouterr().out == "4 lines, 3.0 s\n"


def test_an_unfinished_measurement_has_no_summary(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "turns.jsonl"
    write_lines(out, [{"way": "a", "turn": 1, "seconds": 1.0}])
    arguments = interleaving.parser(None, out).parse_args(["--summary"])
    interleaving.take_turns(arguments, ["a", "b"], lambda way: {}, total)
    assert capsys.readouterr().out == "There are no results yet.\n"


# The command line, and JSON lines.


def test_a_benchmark_measures_writes_and_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "results.jsonl"
    parser = command_line.parser("What it measures.", out)

    def measure(arguments: argparse.Namespace) -> list[Line]:
        return [{"figure": 1}]

    def summary(lines: Lines) -> str:
        return f"figure {lines[0]['figure']}"

    monkeypatch.setattr("sys.argv", ["results", "--summary"])
    assert command_line.main(parser, measure, summary) == 0
    assert capsys.readouterr().out == "There are no results yet.\n"
    assert not out.exists()
    monkeypatch.setattr("sys.argv", ["results"])
    assert command_line.main(parser, measure, summary) == 0
    assert read_lines(out) == [{"figure": 1}]
    assert capsys.readouterr().out == "figure 1\n"


def test_a_mistake_of_the_user_keeps_the_earlier_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "results.jsonl"
    write_lines(out, [{"figure": 1}])

    def fail(arguments: argparse.Namespace) -> list[Line]:
        raise DigitsError("DIGITS_HANDWRITING is not set.")

    monkeypatch.setattr("sys.argv", ["results"])
    assert command_line.main(command_line.parser(None, out), fail, str) == 2
    assert capsys.readouterr().err == "DIGITS_HANDWRITING is not set.\n"
    assert read_lines(out) == [{"figure": 1}]


def test_lines_are_appended_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "new" / "lines.jsonl"
    assert read_lines(path) == []
    write_lines(path, [{"a": 1}])
    append_line(path, {"b": "é"})
    assert read_lines(path) == [{"a": 1}, {"b": "é"}]
    write_lines(path, [])
    assert read_lines(path) == []


# Requests.


def test_a_head_says_status_length_and_whether_more_may_follow() -> None:
    head = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 12\r\nConnection: close"
    assert http_load.parse_head(head) == (503, 12, True)
    assert http_load.parse_head(b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\n") == (200, 7, False)


def test_a_post_request_is_complete() -> None:
    head, body = http_load.post("/predict", "image/png", b"\x89PNG").split(b"\r\n\r\n")
    assert head.splitlines()[0] == b"POST /predict HTTP/1.1"
    assert b"Content-Length: 4" in head.splitlines()
    assert body == b"\x89PNG"


# Installations.


def test_the_reading_side_needs_no_tensorflow() -> None:
    closure = installation.closure("mnist-classification")
    assert closure >= {"mnist-classification", "numpy", "ai-edge-litert"}
    assert not closure & {"tensorflow", "tensorflow-cpu", "keras"}
    assert installation.size("numpy") > 10e6


def test_versions_leave_out_what_is_not_installed() -> None:
    versions = installation.versions("numpy", "no-such-distribution")
    assert versions.keys() == {"python", "numpy"}


def test_the_size_of_an_environment_leaves_pip_out(tmp_path: Path) -> None:
    for name in ("pip/a", "digits/b", "c.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"12345")
    assert installation.folder_size(tmp_path) == 10
