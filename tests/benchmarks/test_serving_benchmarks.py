"""Do the benchmarks of page and service send what they say?"""

import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from benchmarks import page, serve
from benchmarks.attacks import __main__ as attacks
from benchmarks.attacks import files
from benchmarks.handwriting import pen_numbers
from benchmarks.harness.control_group import control_group
from benchmarks.harness.json_lines import read_lines


def test_pen_strokes_on_the_page_never_repeat_a_point() -> None:
    resting = [np.array([[0.0, 0], [0, 0], [50, 0], [50, 0], [10, 80]])]
    (stroke,) = page.scattered(resting, np.random.default_rng(1), 600, 300)
    assert len(stroke) == 3
    x, y = np.array(stroke).T
    assert 0.35 * 300 <= np.ptp(y) <= 0.85 * 300
    assert (x >= page.MARGIN).all()
    assert (x <= 600 - page.MARGIN).all()


def test_large_arrays_lose_their_exact_sizes() -> None:
    small = {"type": "array", "minItems": 2, "maxItems": 2, "items": {"type": "number"}}
    large = {"type": "array", "minItems": 784, "maxItems": 784, "items": small}
    document = {"schemas": [{"digit": large}]}
    assert serve.without_sizes(document) == {
        "schemas": [{"digit": {"type": "array", "items": small}}]
    }


def test_broken_requests_are_complete_and_the_same_every_time() -> None:
    requests = serve.fuzzed(300)
    assert requests == serve.fuzzed(300)
    bodies = set()
    for request in requests:
        head, body = request.split(b"\r\n\r\n", 1)
        assert f"Content-Length: {len(body)}".encode() in head
        bodies.add(body)
    assert len(bodies) > 250  # hardly any is as it was


def test_files_that_do_harm_are_what_they_claim() -> None:
    with Image.open(io.BytesIO(files.png(40, 30, colour_type=6))) as image:
        assert (image.size, image.mode, image.getextrema()) == ((40, 30), "RGBA", ((0, 0),) * 4)
    assert len(files.png(1, 64_000_000)) < 200_000
    assert len(files.blank("WEBP", 8191, 8191, lossless=True)) < 3000
    request = files.batch(files.striped(30), 3)
    assert request.count(b"\x89PNG") == 3
    assert b"Content-Encoding: gzip" in files.predict(b"x", encoding="gzip")


def test_a_group_limits_what_joins_it() -> None:
    with control_group(100 << 20) as join:
        if join is None:
            pytest.skip("no control group can be made")
        take = f"{sys.executable} -c 'bytearray(500 << 20)'"
        done = subprocess.run(["sh", "-c", f"{join}; exec {take}"], capture_output=True)
    assert done.returncode != 0


def test_the_summaries_say_what_the_results_say() -> None:
    measured = {line["what"]: line for line in read_lines(page.RESULTS)}
    table = page.summary(list(measured.values()))
    assert f"{measured['first_visit']['bytes'] / 1e6:.2f} MB" in table
    assert f"{measured['cold']['milliseconds'] / 1e3:.2f} s" in table
    text = attacks.summary(read_lines(attacks.RESULTS))
    assert [line.partition(":")[0] for line in text.splitlines()] == [*attacks.PARTS]
    assert "KILLED" not in text
    measured = {line["what"]: line for line in read_lines(serve.RESULTS)}
    text = serve.summary(list(measured.values()))
    assert f"{measured['overload']['requests']:,} requests" in text
    assert f"{measured['attack']['memory_after_mb']:.0f} MB" in text


def test_numbers_of_pen_strokes_stay_together() -> None:
    one = [np.array([[0.0, 0.0], [0.0, 10.0]]), np.array([[-2.0, 10.0], [2.0, 10.0]])]
    made = pen_numbers.numbers(
        [one] * 60, [1] * 60, 40, (700.0, 400.0), 12.0, np.random.default_rng(1)
    )
    for number in made:
        assert {*number.text} == {"1"}
        assert 2 <= len(number.text) <= 6
        assert len(number.strokes) == 2 * len(number.text)
        every = np.concatenate(number.strokes)
        assert (every >= 0).all()
        assert (every <= (700, 400)).all()
        lefts = [stem[0, 0] for stem in number.strokes[::2]]
        assert (np.diff(lefts) > 12).all()  # in this order, and apart
        tall = [np.ptp(stem[:, 1]) for stem in number.strokes[::2]]
        assert max(tall) < 1.5 * min(tall)  # of about one height
        for stem, foot in zip(number.strokes[::2], number.strokes[1::2], strict=True):
            assert np.abs(foot.mean(axis=0) - stem[1]).max() < 1e-6
