"""Reads handwriting: bundle + picture -> digits. Without TensorFlow; LiteRT runs the model."""

import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from digits import bundle as bundles
from digits import pictures
from digits.errors import DigitsError
from digits.pictures.documents import Source
from digits.pictures.grey import Grey
from digits.reading import ink, many
from digits.reading.cuts import cut_touching
from digits.reading.masks import bounds
from digits.reading.page import Box, Page, Reading, page_of
from digits.reading.recogniser import Answer, Recogniser, place
from digits.reading.search import accepted, best_path, longest_run
from digits.reading.segmentation import connected_parts, in_lines, join_broken, whole
from digits.runtime import Model, Outputs


class Reader:
    """Reads digits with one bundle. May be shared between threads, and sent to other processes and
    machines: pickled, it holds its bundle."""

    def __init__(self, bundle: Path | str | None = None) -> None:
        """Loads a bundle, by default the one that comes with the package.

        Raises:
            DigitsError: the bundle is missing, damaged or of a newer format.
        """
        self._bundle = bundles.read(bundles.SHIPPED if bundle is None else bundle)
        self._local = threading.local()  # a recogniser serves one thread

    def __getstate__(self) -> bundles.Bundle:
        return self._bundle

    def __setstate__(self, bundle: bundles.Bundle) -> None:
        self._bundle = bundle
        self._local = threading.local()

    def read(self, picture: Source) -> Page:
        """Reads everything in a picture, from the top, and in each line from the left.

        Args:
            picture: as for `classify`.

        Raises:
            DigitsError: the picture cannot be read.
        """
        grey = pictures.load(picture)
        found = ink.find(grey)
        recogniser = self._recogniser
        recogniser.forget()
        parts = connected_parts(found.map)
        parts = join_broken(parts, recogniser)
        lines = in_lines(parts)
        lines = cut_touching(lines, recogniser)
        longest = longest_run(lines)
        readings: list[list[Reading]] = []
        for line in lines:
            path = best_path(line, longest, recogniser)
            readings.append([])
            for step, is_accepted in zip(path, accepted(path, recogniser), strict=True):
                answer = step.answer or recogniser.ask(step.piece.ink)
                box = _in_picture(step.piece.box, found.scale, grey)
                readings[-1].append(answer.reading(box, is_accepted))
        return page_of(readings)

    def read_many(
        self, sources: Iterable[Source], workers: int = 1
    ) -> Iterator[Page | DigitsError]:
        """Reads many pictures, in the order given; one that cannot be read does not end the others.

        With several workers, each is a process with one thread; a few pictures are read before
        their pages are asked for, and no more are held in memory. A program that calls this needs
        `if __name__ == "__main__":`, as with all of Python's processes. The workers end when the
        iterator does.

        Args:
            sources: as for `read`, and taken when they are needed. Of a document the first page is
                read; `pictures.load_pages(path)` gives the sources for all.
            workers: how many processes read; with 1, this one does.

        Yields:
            for each picture its page, or the DigitsError that says why it cannot be read.

        Raises:
            DigitsError: `workers` is below 1, or a worker was killed, for instance because memory
                ran out.
        """
        if workers < 1:
            raise DigitsError(f"workers must be 1 or more, not {workers}.")
        return (page for page, _ in many.outcomes(self.read, sources, workers))

    def classify(self, picture: Source) -> Reading:
        """Reads a picture of one digit: all ink in it but specks is taken as one thing.

        Args:
            picture: a path, bytes, a binary file, or a uint8 array, grey (h, w) or colour.

        Returns:
            the reading; for a blank picture one that is not accepted, with an empty box.

        Raises:
            DigitsError: the picture cannot be read.
        """
        grey = pictures.load(picture)
        found = ink.find(grey)
        piece = whole(found)
        if piece is None:
            blank = np.zeros((bundles.CANVAS_SIDE, bundles.CANVAS_SIDE), np.uint8)
            return Reading(0, np.full(10, 0.1, np.float32), False, Box(0, 0, 0, 0), blank, 0.0)
        canvas = place(piece.ink)
        answer = Answer.of(self.outputs("canvas", canvas), canvas)
        if grey.shape == (bundles.DIGIT_SIDE, bundles.DIGIT_SIDE):
            # Perhaps it stands in MNIST's frame already, and what seems paper is part of it.
            framed = Answer.of(self.outputs("digit", grey), canvas)
            answer = max(answer, framed, key=lambda one: one.is_digit * one.probabilities.max())
        box = _in_picture(piece.box, found.scale, grey)
        return answer.reading(box, answer.is_digit >= self.threshold)

    def canvas(self, canvas: Grey) -> Reading:
        """Reads a canvas by the model alone, as a page or a phone does.

        Args:
            canvas: uint8 of shape (256, 256), one digit anywhere, ink bright on exactly 0.
        """
        answer = Answer.of(self.outputs("canvas", canvas), canvas)
        return answer.reading(bounds(canvas), answer.is_digit >= self.threshold)

    def outputs(self, signature: str, image: Grey) -> Outputs:
        """What the model itself gives for one image.

        Args:
            signature: "canvas" or "digit".
            image: uint8 of shape (256, 256) or (28, 28).

        Returns:
            by name, with a leading 1 in each shape: `probabilities` and `is_digit`, and for a
            canvas also `digit`, as the bundle's contract says.
        """
        return self._recogniser.model.run(signature, image)

    @property
    def threshold(self) -> float:
        """What `is_digit` must reach for a reading to be accepted, 0 to 1."""
        return self._bundle.threshold

    @property
    def manifest(self) -> dict[str, Any]:
        """The manifest of the bundle that reads."""
        return self._bundle.manifest

    @property
    def _recogniser(self) -> Recogniser:
        """This thread's."""
        if not hasattr(self._local, "recogniser"):
            model = Model(self._bundle.model)
            self._local.recogniser = Recogniser(model, self.threshold)
        return self._local.recogniser


def _in_picture(box: Box, scale: int, grey: Grey) -> Box:
    """A box on the ink map, of which one pixel is `scale` pixels of the picture, in the picture."""
    height, width = grey.shape
    x, y = box.x * scale, box.y * scale
    return Box(x, y, min(box.right * scale, width) - x, min(box.bottom * scale, height) - y)
