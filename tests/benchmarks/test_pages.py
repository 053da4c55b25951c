"""Are made pages scored as a person would score them, and times compared with what is meant?"""

import argparse
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks import ROOT
from benchmarks.fill import model_card
from benchmarks.pages import (
    __main__,
    made,
    makers,
    measuring,
    scoring,
    times,
)
from benchmarks.pages.made import MadePage, Sources
from benchmarks.pages.scoring import Answer, Score
from digits.data.mnist import Mnist
from digits.errors import DigitsError
from digits.evaluation import wilson_interval
from digits.reading.reader import Reader

# Scoring.


def page_of(text: str, cells: made.Cells | None = None) -> MadePage:
    return MadePage(np.zeros((1, 1), np.uint8), text, cells)


def answer(text: str, cells: dict[scoring.Place, str] | None = None) -> Answer:
    lines = ("".join(filter(str.isdigit, line)) for line in text.split("\n"))
    return Answer(text, tuple(filter(None, lines)), cells or {})


@pytest.mark.parametrize(
    ("read", "score"),
    [
        ("-3.14", Score(True, True, False)),
        ("3.14", Score(False, True, False)),
        ("-3.1?4", Score(False, True, True)),
        ("-3.1?", Score(False, False, True)),
        ("-3.15", Score(False, False, False)),
        ("", Score(False, False, False)),
    ],
)
def test_a_text_is_right_to_the_letter(read: str, score: Score) -> None:
    assert scoring.of_text(answer(read), page_of("-3.14")) == [score]


def test_gaps_count_in_lines_and_not_between_boxes() -> None:
    gap, none = answer("12 345"), answer("12345")
    assert scoring.of_text(gap, page_of("12 345"))[0].right
    assert not scoring.of_text(none, page_of("12 345"))[0].right
    assert not scoring.of_text(gap, page_of("12345"))[0].right
    assert scoring.of_boxes(gap, page_of("12345"))[0].right
    assert not scoring.of_boxes(answer("12344"), page_of("12345"))[0].right


def test_words_must_give_no_digit() -> None:
    assert scoring.of_words(answer(""), page_of("")) == [Score(True, True, False)]
    assert scoring.of_words(answer("??"), page_of("")) == [Score(True, True, True)]
    assert scoring.of_words(answer("?1"), page_of("")) == [Score(False, False, True)]


def test_cells_count_one_by_one() -> None:
    page = page_of("12 3", (("12", ""), ("", "3"), ("4", "")))
    read = {(0, 0): "12", (0, 1): "", (1, 0): "7", (1, 1): "?", (2, 0): "?4", (3, 0): "9"}
    assert scoring.of_cells(answer("", read), page) == [
        Score(True, True, False),
        Score(True, True, False),
        Score(False, False, False),
        Score(False, False, True),
        Score(False, True, True),
        Score(False, False, False),  # a cell that was not found, though there is nothing in it
    ]
    with pytest.raises(ValueError, match="no cells"):
        scoring.of_cells(answer(""), page_of(""))


def test_the_line_of_a_kind_tells_wrong_from_refused() -> None:
    scores = [Score(True, True, False)] * 5 + [Score(False, True, False)] * 2
    scores += [Score(False, False, True)] * 3
    assert scoring.line_of("mine", scores, 1.5) == {
        "kind": "mine",
        "n": 10,
        "right": 0.5,
        "interval": list(wilson_interval(5, 10)),
        "digits_right": 0.7,
        "wrong": 0.2,
        "refused": 0.3,
        "milliseconds": 1.5,
    }


# The command.


def test_pages_are_measured_from_digits_to_the_tables(tmp_path: Path, sources: Sources) -> None:
    reader = Reader()
    kinds = ("plain", "sudoku", "words_printed", measuring.ONE_DIGIT)
    lines = [measuring.measured(reader, name, sources, 2) for name in kinds]
    assert [line["n"] for line in lines] == [2, 162, 2, 2]
    assert [line["pages"] for line in lines] == [2, 2, 2, 2]
    assert lines[0]["digits_right"] == lines[3]["right"] == 1
    assert all(line["milliseconds"] > 0 for line in lines)
    table = __main__.summary(lines)
    assert all(name in table for name in kinds)
    block = model_card.made_pages(lines)
    assert "| five digits on white | 2 |" in block


def test_lines_that_are_not_measured_again_stay(
    tmp_path: Path, sources: Sources, mnist: Mnist
) -> None:
    kept = [
        {"kind": "gaps", "right": 0.1},
        {"kind": "plain", "right": 0.2},
        {"what": "photo", "seconds": 3},
    ]
    new = [{"kind": "plain", "right": 0.9}, {"kind": "table", "right": 0.4}]
    assert __main__.merged(kept, new) == [
        {"kind": "plain", "right": 0.9},
        {"kind": "table", "right": 0.4},
        {"kind": "gaps", "right": 0.1},
        {"what": "photo", "seconds": 3},
    ]
    arguments = argparse.Namespace(
        out=tmp_path / "no.jsonl", pictures=tmp_path, times=None, only=("gaps",), limit=1
    )
    assert __main__.measure(arguments, mnist) == []
    assert [path.name for path in (tmp_path / "gaps").iterdir() if path.suffix == ".png"]


# Times.


@pytest.fixture
def two_pictures(tmp_path: Path, sources: Sources) -> list[str]:
    names = []
    for number, page in enumerate(measuring.pages("plain", sources, 2)):
        names.append(str(tmp_path / f"{number}.png"))
        Image.fromarray(page.picture).save(names[-1])
    return names


def test_a_checkout_reads_with_its_own_package(tmp_path: Path, two_pictures: list[str]) -> None:
    seconds = times.read_by(ROOT, None, two_pictures)
    assert len(seconds) == 2
    assert all(second > 0 for second in seconds)
    (tmp_path / "digits").mkdir()  # a checkout whose package cannot be imported
    (tmp_path / "digits" / "__init__.py").write_text("raise ImportError('broken')")
    with pytest.raises(DigitsError, match="broken"):
        times.read_by(tmp_path, None, two_pictures)


def test_an_earlier_checkout_must_be_one(tmp_path: Path, sources: Sources) -> None:
    with pytest.raises(DigitsError, match=r"holds no digits/reading/reader\.py"):
        times.measure(sources, tmp_path, None)


def test_amounts_and_workers_are_compared_in_turns(
    tmp_path: Path, sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Path, int]] = []

    def read_by(checkout: Path, bundle: Path | None, files: list[str]) -> list[float]:
        asked.append((checkout, len(files)))
        return [0.002 if checkout == ROOT else 0.008] * len(files)

    monkeypatch.setattr(times, "read_by", read_by)
    monkeypatch.setattr(times, "AMOUNTS", 3)
    line = times.amounts(sources, tmp_path, None)
    assert (line["milliseconds"], line["earlier_milliseconds"], line["ratio"]) == (2, 8, 0.25)
    assert asked == [(ROOT, 3), (tmp_path, 3)] * times.TURNS

    commands: list[list[str]] = []

    def launched(command: list[str]) -> tuple[float, float]:
        commands.append(command)
        return (5.0 if "--workers" in command else 9.0), 50.0

    monkeypatch.setattr(times, "launched", launched)
    line = times.workers(sources, None, count=4)
    assert (line["pictures"], line["seconds"], line["seconds_alone"]) == (4, 5, 9)
    assert line["times"] == pytest.approx(1.8)
    assert [command.count("--workers") for command in commands] == [0, 1] * times.TURNS
    assert commands[0][-4:] == commands[1][-4:]


def test_a_photo_is_read_in_a_process_of_its_own(
    sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(makers, "photo_of_12_megapixels", makers.dark_rim)
    monkeypatch.setattr(times, "TURNS", 1)
    line = times.photo(sources, None)
    assert 200 < line["pixels"][0] < 1000
    assert 0 < line["seconds"] < 60
    assert 30 < line["peak_memory_mb"] < 300  # not this process's, which holds far more


def test_the_table_of_times_compares_with_what_must_be() -> None:
    text = times.summary(
        [
            {"what": "amount", "milliseconds": 3.0, "ratio": 0.5},
            {"what": "photo", "seconds": 0.8, "peak_memory_mb": 390.0},
            {"what": "workers", "pictures": 2000, "workers": 2, "seconds": 4.0, "times": 1.8},
        ]
    )
    assert "3.00 ms   0.50 of" in text
    assert "390 MB" in text
    assert "1.80 times" in text
