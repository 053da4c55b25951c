"""Many pictures: in order, in several processes, with little memory, whatever happens to one."""

import io
import itertools
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from processes import wait_until

from digits import Reader, bundle, pictures
from digits.data.mnist import Mnist
from digits.errors import DigitsError
from digits.pictures.documents import PageOf, Source
from digits.reading import many
from digits.reading.page import Page, Reading

if not (bundle.SHIPPED / "manifest.json").exists():
    pytest.skip("the package holds no model yet", allow_module_level=True)

POSIX = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
ROOT = Path(__file__).parent.parent.parent
READER = Reader()


@pytest.fixture(scope="module")
def digit(mnist: Mnist) -> Callable[[int], NDArray[np.uint8]]:
    """A digit of MNIST, one that is read right, dark on white."""
    chosen: dict[int, NDArray[np.uint8]] = {}
    for image, label in zip(mnist.train_images, mnist.train_labels, strict=True):
        if label not in chosen and READER.read(255 - image).digits == str(label):
            chosen[int(label)] = 255 - image
        if len(chosen) == 10:
            break
    return chosen.__getitem__


def digits_of(pages: Iterator[Page | DigitsError]) -> list[str]:
    return [str(page) if isinstance(page, DigitsError) else page.digits for page in pages]


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_pages_come_in_the_order_of_the_pictures(
    workers: int, digit: Callable[[int], NDArray[np.uint8]], tmp_path: Path
) -> None:
    """Large and small ones, so that some are read before those in front of them."""
    numbers = [place * 7 % 10 for place in range(40)]
    sources: list[Source] = []
    for place, number in enumerate(numbers):
        times = 40 if place % 11 == 0 else 1
        picture = digit(number).repeat(times, 0).repeat(times, 1)
        path = tmp_path / f"{place}.png"
        Image.fromarray(picture).save(path)
        image = Image.fromarray(picture)
        sources.append((path, str(path), path.read_bytes(), picture, image)[place % 5])
    assert digits_of(READER.read_many(sources, workers)) == [*map(str, numbers)]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_picture_that_cannot_be_read_does_not_end_the_others(
    workers: int, digit: Callable[[int], NDArray[np.uint8]]
) -> None:
    closed = io.BytesIO()
    closed.close()
    pages = READER.read_many([digit(4), b"text", "none.png", closed, digit(2)], workers)
    four, text, none, unreadable, two = digits_of(pages)
    assert (four, two) == ("4", "2")
    assert text == "The picture is text, not a picture; save the picture as " + (
        "PNG, JPEG, GIF, BMP, WebP, TIFF, PPM or PGM."
    )
    assert none == "none.png: there is no such file."
    assert unreadable.startswith("The picture cannot be read (")


@pytest.mark.parametrize("workers", [1, 2])
def test_none_gives_none(workers: int) -> None:
    assert [*READER.read_many([], workers)] == []


def test_workers_are_one_or_more() -> None:
    for workers in (0, -1):
        with pytest.raises(DigitsError, match=f"workers must be 1 or more, not {workers}"):
            READER.read_many([], workers)


@pytest.mark.parametrize("workers", [1, 2])
def test_pictures_are_taken_when_they_are_needed(
    workers: int, digit: Callable[[int], NDArray[np.uint8]]
) -> None:
    """An endless supply is no harm: a few are taken ahead of what is asked for."""
    taken = 0

    def supply() -> Iterator[NDArray[np.uint8]]:
        nonlocal taken
        for taken in itertools.count(1):
            yield digit(taken % 10)

    pages = READER.read_many(supply(), workers)
    for asked in range(1, 40):
        page = next(pages)
        assert isinstance(page, Page)
        assert page.digits == str(asked % 10)
        assert taken <= asked + many.AHEAD * workers * (workers > 1)


def test_processes_end_with_the_iterator(digit: Callable[[int], NDArray[np.uint8]]) -> None:
    pages = READER.read_many(itertools.repeat(digit(3)), workers=2)
    next(pages)
    children = running_children()
    assert len(children) >= 2
    del pages
    wait_until(lambda: not children & running_children())


def running_children() -> set[int]:
    import multiprocessing

    return {process.pid or 0 for process in multiprocessing.active_children()}


def test_an_error_in_what_supplies_the_pictures_is_passed_on(
    digit: Callable[[int], NDArray[np.uint8]],
) -> None:
    def supply() -> Iterator[NDArray[np.uint8]]:
        yield digit(1)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(READER.read_many(supply(), workers=2))


def fails(source: object) -> Page:
    raise ZeroDivisionError("on purpose")


def test_a_mistake_of_the_program_is_shown_with_its_traceback() -> None:
    with pytest.raises(RuntimeError, match=r"in fails\n(.*\n)*ZeroDivisionError: on purpose"):
        next(many.outcomes(fails, [b""], workers=2))


@POSIX
def test_a_worker_that_is_killed_gets_one_sentence(
    digit: Callable[[int], NDArray[np.uint8]],
) -> None:
    pages = READER.read_many(itertools.repeat(digit(3)), workers=2)
    next(pages)
    os.kill(min(running_children()), signal.SIGKILL)
    with pytest.raises(DigitsError) as caught:
        for _ in pages:
            pass
    assert str(caught.value) == (
        "The process that read The picture was ended by signal 9, perhaps because memory ran out; "
        "try again with fewer workers."
    )


def test_a_reader_that_was_pickled_reads_the_same(
    digit: Callable[[int], NDArray[np.uint8]],
) -> None:
    READER.read(digit(5))  # with an interpreter, which cannot be pickled
    copy = pickle.loads(pickle.dumps(READER))
    ours, theirs = READER.read(digit(5)), copy.read(digit(5))
    assert ours.digits == theirs.digits == "5"
    np.testing.assert_array_equal(ours.readings[0].probabilities, theirs.readings[0].probabilities)
    assert copy.manifest == READER.manifest
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.append(copy.read(digit(6)).digits))
    thread.start()
    thread.join()
    assert found == ["6"]


@pytest.mark.parametrize("workers", [1, 2])
def test_pages_of_a_document(
    workers: int, digit: Callable[[int], NDArray[np.uint8]], tmp_path: Path
) -> None:
    """Each page is a picture; a page is also read by its number."""
    pages = [Image.fromarray(digit(number)) for number in (3, 1, 4, 1, 5)]
    path = tmp_path / "pages.tif"
    pages[0].save(path, save_all=True, append_images=pages[1:])
    assert digits_of(READER.read_many(pictures.load_pages(path), workers)) == [*"31415"]
    sources = [PageOf(path, number) for number in (5, 1, 2, 9, 3)]
    *read, four = digits_of(READER.read_many([*sources[:3], sources[4], sources[3]], workers))
    assert read == [*"5314"]
    assert four == f"{path} has no page 9; its pages are 1 to 5."


# Programs of their own


def program(text: str, folder: Path) -> list[str]:
    path = folder / "program.py"
    path.write_text(textwrap.dedent(text))
    return [sys.executable, str(path)]


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT)}


def test_a_program_without_a_guard_is_told(tmp_path: Path) -> None:
    """Each worker imports the program, and would start workers itself."""
    command = program(
        """
        from digits import Reader
        from digits.errors import DigitsError
        try:
            list(Reader().read_many([b"1"] * 10, workers=2))
        except DigitsError as error:
            print(error)
        """,
        tmp_path,
    )
    found = subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=120)
    assert found.stdout.endswith(
        "ended by itself; in a program of your own, call read_many below "
        "if __name__ == '__main__'.\n"
    )


@POSIX
def test_workers_end_with_a_program_that_is_killed(
    digit: Callable[[int], NDArray[np.uint8]], tmp_path: Path
) -> None:
    Image.fromarray(digit(3)).save(tmp_path / "3.png")
    command = program(
        """
        import itertools, multiprocessing, time
        from digits import Reader
        if __name__ == "__main__":
            pages = Reader().read_many(itertools.repeat("3.png"), workers=2)
            next(pages), next(pages)
            print(*[child.pid for child in multiprocessing.active_children()], flush=True)
            time.sleep(600)
        """,
        tmp_path,
    )
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=environment(), cwd=tmp_path
    )
    assert process.stdout is not None
    workers = [int(number) for number in process.stdout.readline().split()]
    assert len(workers) == 2
    process.kill()
    process.communicate(timeout=60)
    wait_until(lambda: not any(map(is_running, workers)))


def is_running(process: int) -> bool:
    """Whether it runs; one that ended and was not asked for its status does not."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{process}/stat")
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")


@POSIX
def test_memory_stays_flat_over_many_pictures(
    digit: Callable[[int], NDArray[np.uint8]], tmp_path: Path
) -> None:
    """Of the parent, which takes in all answers, and of its workers."""
    Image.fromarray(digit(3)).save(tmp_path / "3.png")
    command = program(
        """
        import resource, sys
        from digits import Reader
        if __name__ == "__main__":
            for page in Reader().read_many(["3.png"] * int(sys.argv[1]), workers=2):
                assert page.digits == "3"
            print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
            print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
        """,
        tmp_path,
    )

    def peaks(count: int) -> list[int]:
        found = subprocess.run(
            [*command, str(count)],
            capture_output=True, text=True, env=environment(), cwd=tmp_path, check=True,
        )  # fmt: skip
        return [int(line) for line in found.stdout.split()]

    few, many_pictures = peaks(50), peaks(600)
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    for before, after in zip(few, many_pictures, strict=True):
        assert (after - before) / unit < 6, (few, many_pictures)


@pytest.mark.parametrize("workers", [1, 2])
def test_many_are_classified_as_one_by_one(workers: int, mnist: Mnist) -> None:
    images = mnist.test_images[:20]
    sources: list[Source] = [*images, "no such file.png", images[0]]
    *found, missing, last = READER.classify_many(sources, workers)
    assert isinstance(missing, DigitsError)
    for reading, alone in zip(
        [*found, last], map(READER.classify, [*images, images[0]]), strict=True
    ):
        assert not isinstance(reading, DigitsError)
        assert (reading.digit, reading.accepted, reading.box) == (
            alone.digit,
            alone.accepted,
            alone.box,
        )
        assert np.array_equal(reading.probabilities, alone.probabilities)


def test_an_array_of_digits_is_many_pictures(mnist: Mnist) -> None:
    """They are read together, to the bit as one by one: with a blank, a negative, and paper of two
    levels, in a stack that does not lie in one piece."""
    images = np.repeat(mnist.test_images[:300], 2, axis=0)
    images[4] = 0
    images[6] = 255 - images[6]
    images[8, :, ::2] |= 90
    stack = images[::2].transpose(0, 2, 1)
    for reading, image in zip(READER.classify_many(stack), stack, strict=True):
        assert isinstance(reading, Reading)
        alone = READER.classify(image)
        assert (reading.digit, reading.is_digit, reading.box) == (
            alone.digit,
            alone.is_digit,
            alone.box,
        )
        assert np.array_equal(reading.probabilities, alone.probabilities)
        assert np.array_equal(reading.canvas, alone.canvas)
    found = list(READER.classify_many(mnist.test_images[:50]))
    right = [
        isinstance(one, Reading) and one.digit == label
        for one, label in zip(found, mnist.test_labels[:50], strict=True)
    ]
    assert np.mean(right) > 0.9
    assert list(READER.classify_many(np.zeros((0, 28, 28), np.uint8))) == []
    (row,) = READER.classify_many(np.zeros((1, 1, 784), np.uint8))
    assert "reshape(28, 28)" in str(row)
    (large,) = READER.classify_many(np.zeros((1, 90, 90), np.uint8))
    assert isinstance(large, Reading)
