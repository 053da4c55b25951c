"""Reads handwriting: bundle + picture -> digits. Without TensorFlow; LiteRT runs the model."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digits import bundle as bundles
from digits import pictures
from digits.errors import DigitsError
from digits.layout import ink, structure, tiles
from digits.layout.segmentation import whole
from digits.layout.sheets import paper
from digits.layout.structure import Layout
from digits.pictures.box import Box
from digits.pictures.documents import Source
from digits.pictures.grey import Grey
from digits.pictures.masks import bounds
from digits.reading import forms, many, turning, whole_page
from digits.reading.findings import Findings, findings_of
from digits.reading.page import Page, Reading
from digits.reading.recogniser import Answer, Recogniser, place
from digits.runtime import Outputs, check, model_of

AT_ONCE = 256  # small pictures in which ink is found at the same time


class Reader:
    """Reads digits with one bundle. May be shared between threads, and sent to other processes and
    machines: pickled, it holds its bundle."""

    def __init__(self, bundle: Path | str | None = None) -> None:
        """Loads a bundle, by default the one that comes with the package.

        Raises:
            DigitsError: the bundle is missing, damaged or of a newer format, its model does not
                run, or it was not trained on digits.
        """
        self._bundle = bundles.read(bundles.SHIPPED if bundle is None else bundle)
        self._bundle.check_reads()
        self._local = threading.local()  # a recogniser serves one thread
        check(self._recogniser.model)

    def __repr__(self) -> str:
        return f"Reader({str(self._bundle.folder)!r})"

    def __getstate__(self) -> bundles.Bundle:
        return self._bundle

    def __setstate__(self, bundle: bundles.Bundle) -> None:
        self._bundle = bundle
        self._local = threading.local()

    def read(
        self,
        picture: Source,
        *,
        pattern: str | None = None,
        count: int | None = None,
        regions: Sequence[tuple[int, int, int, int]] = (),
        guess: bool = False,
    ) -> Page:
        """Reads everything in a picture, from the top, and in each line from the left.

        Args:
            picture: as for `classify`.
            pattern: the form that each line is known to have: # for a digit, any of the signs
                . , - / : ( ) + = and spaces. What is not in the ink is ? then.
            count: how many digits each line is known to have; like a pattern of so many #.
            regions: x, y, width and height, in pixels of the picture, of what alone is read, in
                this order.
            guess: show the likeliest digit instead of ?.

        Raises:
            DigitsError: the picture cannot be read, a pattern holds other characters, there are
                both a pattern and a count, or a region is not in the picture.
        """
        grey = pictures.load(picture)
        page, _ = self.examine(grey, pattern=pattern, count=count, regions=regions, guess=guess)
        return replace(page, picture=grey)

    def examine(
        self,
        picture: Source,
        *,
        pattern: str | None = None,
        count: int | None = None,
        regions: Sequence[tuple[int, int, int, int]] = (),
        guess: bool = False,
    ) -> tuple[Page, Findings]:
        """As `read`, with what was found on the way: paper, rules, cells and lines."""
        form = forms.pattern_of(pattern, count)
        grey = pictures.load(picture)
        if not regions:
            return self._examine(grey, form, guess)
        boxes = forms.boxes_of(regions, grey.shape)
        crops = (np.ascontiguousarray(grey[box.window]) for box in boxes)
        found = [self._examine(crop, form, guess) for crop in crops]
        moved = [own.moved(box.x, box.y) for (_, own), box in zip(found, boxes, strict=True)]
        return forms.together([page for page, _ in found], boxes), Findings.together(moved)

    def _examine(self, grey: Grey, pattern: str | None, guess: bool) -> tuple[Page, Findings]:
        sheet = paper.find(tiles.flattened(grey))
        found = ink.find(sheet.grey)
        recogniser = self._recogniser
        recogniser.forget()

        def lay_out(turns: int) -> Layout:
            faint = None if found.clear else np.rot90(found.faint, turns)
            return structure.find(np.ascontiguousarray(np.rot90(found.map, turns)), faint)

        if pattern:
            laid_out, turns = lay_out(0), 0
            lines = whole_page.lines(laid_out, recogniser)
            areas = whole_page.read(lines, recogniser, pattern)
        else:
            laid_out, areas, turns = turning.upright(lay_out, recogniser)

        def in_picture(box: Box) -> Box:
            box = turning.turned_back(box, turns, found.map.shape)
            return sheet.in_picture(_in_picture(box, found.scale, sheet.grey))

        page = whole_page.page(areas, laid_out.cells, recogniser, in_picture, pattern, guess)
        return page, findings_of(sheet, laid_out, areas, in_picture)

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
            for each picture its page, without the picture, or the DigitsError that says why it
            cannot be read.

        Raises:
            DigitsError: `workers` is below 1, or a worker was killed, for instance because memory
                ran out.
        """
        return (page for page, _ in many.outcomes(self._page, sources, _checked(workers)))

    def _page(self, picture: Source) -> Page:
        return self.examine(picture)[0]

    def classify(self, picture: Source) -> Reading:
        """Reads a picture of one digit: all ink in it but specks is taken as one thing.

        Args:
            picture: a path, bytes, a binary file, an array, a PIL image, or a `PageOf` a document,
                as `pictures.load` takes them: floats from 0 to 1 or 0 to 255, integers from 0 to
                255, uint16 up to 65535, or bool, grey (h, w) or colour.

        Returns:
            the reading; for a blank picture one that is not accepted, with an empty box.

        Raises:
            DigitsError: the picture cannot be read.
        """
        grey = pictures.load(picture)
        return self._classified(grey, ink.find(grey))

    def _classified(self, grey: Grey, found: ink.Ink) -> Reading:
        laid_out = structure.find(found.map, None if found.clear else found.faint)
        piece = whole(laid_out.ink, found.clear)
        if piece is None:
            blank = np.zeros((bundles.CANVAS_SIDE, bundles.CANVAS_SIDE), np.uint8)
            return Reading(0, np.full(10, 0.1, np.float32), False, Box(0, 0, 0, 0), blank, 0.0)
        canvas = place(piece.ink)
        outputs = self.outputs("canvas", canvas)
        answer, seen = Answer.of(outputs, canvas), outputs["digit"][0]
        # Perhaps it stands in MNIST's frame already, and what seems paper is part of it. If the
        # network was shown just that, as of most digits of MNIST, it would say the same again.
        if grey.shape == seen.shape and not np.array_equal(grey, seen):
            framed = Answer.of(self.outputs("digit", grey), canvas)
            answer = max(answer, framed, key=lambda one: one.is_digit * one.probabilities.max())
        box = _in_picture(piece.box, found.scale, grey)
        return answer.reading(box, answer.is_digit >= self.threshold)

    def classify_many(
        self, sources: Iterable[Source], workers: int = 1
    ) -> Iterator[Reading | DigitsError]:
        """Reads many pictures of one digit each, as `read_many` reads many pages.

        An array of shape (n, h, w) is n pictures.

        Yields:
            for each picture its reading, or the DigitsError that says why it cannot be read.

        Raises:
            DigitsError: as for `read_many`.
        """
        if _checked(workers) == 1 and isinstance(sources, np.ndarray) and _is_stack(sources):
            return self._stack_classified(sources)
        return (reading for reading, _ in many.outcomes(self.classify, sources, workers))

    def _stack_classified(self, greys: Grey) -> Iterator[Reading]:
        for start in range(0, len(greys), AT_ONCE):
            some = np.ascontiguousarray(greys[start : start + AT_ONCE])
            for grey, found in zip(some, ink.find_all(some), strict=True):
                yield self._classified(grey, found)

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
            model = model_of(self._bundle)
            # A bundle without a network for lines reads them with the shipped one.
            lines = model if "line" in model.signatures else model_of(bundles.read())
            self._local.recogniser = Recogniser(model, lines, self.threshold)
        return self._local.recogniser


def _is_stack(array: NDArray[Any]) -> bool:
    """Whether an array is several small pictures, all sure to be grey and in bytes."""
    sides = array.shape[1:]
    return (
        array.dtype == np.uint8
        and len(sides) == 2
        and max(sides) ** 2 <= ink.SMALL
        and array.size > 0
    )


def _checked(workers: int) -> int:
    if workers < 1:
        raise DigitsError(f"workers must be 1 or more, not {workers}.")
    return workers


def _in_picture(box: Box, scale: int, grey: Grey) -> Box:
    """A box on the ink map, of which one pixel is `scale` pixels of the picture, in the picture."""
    height, width = grey.shape
    x, y = box.x * scale, box.y * scale
    return Box(x, y, min(box.right * scale, width) - x, min(box.bottom * scale, height) - y)
