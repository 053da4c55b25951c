"""Reads handwriting: bundle + picture -> digits. Without TensorFlow; LiteRT runs the model."""

import itertools
import math
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from digits import bundle as bundles
from digits.reading import ink, pictures, segmentation
from digits.reading.page import Box, Floats, Page, Reading
from digits.reading.pictures import Grey, Source
from digits.reading.segmentation import Fragment, Line
from digits.runtime import Model

LONGEST_RUN = 6  # fragments that are asked about as one digit
MOST_TRUST = 10.0  # that neighbours can lend to a piece, as odds
MOST_CUT = 200  # connected parts of a picture that are tentatively cut
MOST_QUESTIONS = 4000  # about runs of fragments in a picture, unless there are more fragments
MOST_REMEMBERED = 300  # answers about a picture's pieces, 64 kB each
SURE = 0.97  # probability above which a digit is not tentatively cut


@dataclass(frozen=True)
class _Answer:
    probabilities: Floats
    is_digit: float
    canvas: Grey


@dataclass(frozen=True)
class _Step:
    """Fragments from `start` up to `end` taken as one piece, and what that costs."""

    start: int
    end: int
    cost: float
    piece: Fragment
    answer: _Answer | None  # None: passed over as no digit


class Reader:
    """Reads digits with one bundle. May be shared between threads."""

    def __init__(self, bundle: Path | str | None = None) -> None:
        """Loads a bundle, by default the one that comes with the package.

        Raises:
            DigitsError: the bundle is missing, damaged or of a newer format.
        """
        self._bundle = bundles.read(bundles.SHIPPED if bundle is None else bundle)
        self._threshold = self._bundle.threshold
        self._local = threading.local()  # an interpreter serves one thread at a time

    def classify(self, picture: Source) -> Reading:
        """Reads a picture of one digit: all ink in it but specks is taken as one thing.

        Args:
            picture: a path, bytes, a binary file, or a uint8 array, grey (h, w) or colour.

        Returns:
            the reading; of a blank picture one that is not accepted, with an empty box.

        Raises:
            DigitsError: the picture cannot be read.
        """
        grey = pictures.load(picture)
        found = ink.find(grey)
        piece = (
            segmentation.whole(found.map) if found.clear else segmentation.without_specks(found.map)
        )
        if piece is None:
            blank = np.zeros((bundles.CANVAS_SIDE, bundles.CANVAS_SIDE), np.uint8)
            return Reading(0, np.full(10, 0.1, np.float32), False, Box(0, 0, 0, 0), blank, 0.0)
        answer = self._models.canvas(segmentation.place(piece.ink))
        if grey.shape == (bundles.DIGIT_SIDE, bundles.DIGIT_SIDE):
            # Perhaps it stands in MNIST's frame already, and what seems paper is part of it.
            answer = max(answer, self._models.digit(grey, answer.canvas), key=_sureness)
        accepted = answer.is_digit >= self._threshold
        return self._reading(piece, answer, found.scale, grey, accepted)

    def canvas(self, canvas: Grey) -> Reading:
        """Reads a canvas by the model alone, as a page or a phone does.

        Args:
            canvas: uint8 of shape (256, 256), one digit anywhere, ink bright on exactly 0.
        """
        answer = self._models.canvas(canvas)
        accepted = answer.is_digit >= self._threshold
        rows, columns = (np.flatnonzero(canvas.any(axis=axis)) for axis in (1, 0))
        box = Box(0, 0, 0, 0)
        if len(rows):
            x, y = int(columns[0]), int(rows[0])
            box = Box(x, y, int(columns[-1]) + 1 - x, int(rows[-1]) + 1 - y)
        digit = int(answer.probabilities.argmax())
        return Reading(digit, answer.probabilities, accepted, box, canvas, answer.is_digit)

    def outputs(self, signature: str, image: Grey) -> dict[str, Floats]:
        """What the model itself gives for one image.

        Args:
            signature: "canvas" or "digit".
            image: uint8 of shape (256, 256) or (28, 28).

        Returns:
            by name, with a leading 1 in each shape: `probabilities` and `is_digit`, and of a
            canvas also `digit`, as the bundle's contract says.
        """
        return self._models.outputs(signature, image)

    @property
    def threshold(self) -> float:
        """What `is_digit` must reach for a reading to be accepted, 0 to 1."""
        return self._threshold

    @property
    def manifest(self) -> dict[str, Any]:
        """Of the bundle that reads."""
        return self._bundle.manifest

    def read(self, picture: Source) -> Page:
        """Reads everything in a picture, from the top, and in each line from the left.

        Args:
            picture: as for `classify`.

        Raises:
            DigitsError: the picture cannot be read.
        """
        grey = pictures.load(picture)
        found = ink.find(grey)
        self._models.answers.clear()
        readings: list[Reading] = []
        texts = []
        lines = self._tentatively_cut(segmentation.lines(found.map, self._belong))
        total = sum(len(line.fragments) for line in lines)
        longest = max(1, min(LONGEST_RUN, MOST_QUESTIONS // max(total, 1)))
        for line in lines:
            of_line = [
                self._reading(step.piece, answer, found.scale, grey, accepted)
                for step, answer, accepted in self._judged(self._best_path(line, longest))
            ]
            readings.extend(of_line)
            texts.append("".join(str(reading.digit) for reading in of_line if reading.accepted))
        return Page("".join(texts), tuple(filter(None, texts)), tuple(readings))

    def _judged(self, path: list[_Step]) -> list[tuple[_Step, _Answer, bool]]:
        """Each step with the model's answer, and whether it is accepted.

        Among digits, another digit is likelier than in a place nothing is known of: the odds that
        a piece is one grow with the neighbours in its line that are accepted by themselves, and
        fall with those that are refused (Laplace's rule of succession).
        """
        threshold = _odds(self._threshold)
        odds = [_odds(step.answer.is_digit) / threshold if step.answer else 0.0 for step in path]
        alone = sum(value >= 1 for value in odds)
        judged = []
        for step, value in zip(path, odds, strict=True):
            accepted = alone - (value >= 1)
            refused = len(path) - 1 - accepted
            context = min((accepted + 1) / (refused + 1), MOST_TRUST)
            fits = value * context >= 1 if len(path) > 1 else value >= 1
            judged.append((step, step.answer or self._ask(step.piece.ink), fits))
        return judged

    def _reading(
        self, piece: Fragment, answer: _Answer, scale: int, grey: Grey, accepted: bool
    ) -> Reading:
        y0, x0, y1, x1 = (side * scale for side in piece.box)
        height, width = grey.shape
        box = Box(x0, y0, min(x1, width) - x0, min(y1, height) - y0)
        digit = int(answer.probabilities.argmax())
        return Reading(digit, answer.probabilities, accepted, box, answer.canvas, answer.is_digit)

    def _belong(self, one: Fragment, other: Fragment) -> bool:
        """Whether two parts make a digit that is likelier than either alone."""
        alone = max(self._likely(self._ask(part.ink)) for part in (one, other))
        return self._likely(self._ask(segmentation.joined([one, other]).ink)) > max(alone, 0.3)

    def _tentatively_cut(self, lines: list[Line]) -> list[Line]:
        """The lines with those parts cut that may be several digits, `MOST_CUT` at most."""
        left = MOST_CUT
        found = []
        for line in lines:
            fragments: list[Fragment] = []
            for fragment in line.fragments:
                pieces = [fragment]
                if left and fragment.width > 0.6 * max(line.height, 0.8 * fragment.height):
                    left -= 1
                    likely = self._likely(self._ask(fragment.ink))
                    if likely < SURE or fragment.width > 1.1 * line.height:
                        pieces = segmentation.cut(fragment, line.height)
                fragments.extend(pieces)
            fragments.sort(key=lambda one: one.box[1] + one.box[3])
            found.append(Line(tuple(fragments), line.height))
        return found

    def _best_path(self, line: Line, longest: int) -> list[_Step]:
        """The cheapest way to take the line's fragments as digits and other things.

        A step's cost is the negative logarithm of how likely it is, so the cheapest path is the
        likeliest reading (over-segmentation and dynamic programming: Casey & Lecolinet 1996).
        """
        fragments = line.fragments
        best: list[tuple[float, _Step | None]] = [(math.inf, None)] * (len(fragments) + 1)
        best[0] = (0.0, None)
        for start in range(len(fragments)):
            for step in self._steps(fragments[start : start + longest], start, line.height):
                cost = best[start][0] + step.cost
                if cost < best[step.end][0]:
                    best[step.end] = (cost, step)
        path: list[_Step] = []
        end = len(fragments)
        while end > 0:
            step_ = best[end][1]
            assert step_ is not None
            end = step_.start
            path.append(step_)
        path.reverse()
        shown = max(0.45 * line.height, 1)
        return [one for one in path if one.answer or one.piece.height >= shown]

    def _steps(self, ahead: Sequence[Fragment], start: int, height: float) -> Iterator[_Step]:
        """What the fragments from `start` on, of which `ahead` is given, may begin with."""
        right = ahead[0].box[3]
        for count in range(1, len(ahead) + 1):
            run = ahead[:count]
            if run[-1].box[1] - right > 0.35 * height:
                break
            right = max(right, run[-1].box[3])
            piece = segmentation.joined(run)
            if count > 1 and piece.width > 1.7 * height:
                break
            if count > 1 and piece.height > 1.7 * max(height, run[0].height):
                continue
            whole = piece.first and piece.last and len({one.part for one in run}) == 1
            if count == 1 or whole:
                yield _Step(start, start + count, _cost_of_passing(piece, height), piece, None)
            prior = _prior(run, piece, height)
            if prior < 8:
                answer = self._ask(piece.ink)
                cost = prior - math.log(max(self._likely(answer), 1e-5))
                yield _Step(start, start + count, cost, piece, answer)

    def _likely(self, answer: _Answer) -> float:
        """The probability that ink is a digit, and this one, where what is just about accepted is
        a digit as likely as not."""
        odds = _odds(answer.is_digit)
        return odds / (odds + _odds(self._threshold)) * float(answer.probabilities.max())

    def _ask(self, piece: Grey) -> _Answer:
        """What the model says of a piece. Within a picture the same one is asked about once: a part
        is looked at before it is cut, and again when it is taken as a whole."""
        answers = self._models.answers
        key = piece.shape, piece.tobytes()
        if key not in answers:
            if len(answers) == MOST_REMEMBERED:
                answers.clear()
            answers[key] = self._models.canvas(segmentation.place(piece))
        return answers[key]

    @property
    def _models(self) -> "_Models":
        """This thread's."""
        if not hasattr(self._local, "models"):
            self._local.models = _Models(self._bundle.model)
        return self._local.models


class _Models:
    """A model and what it answered in the picture that is being read, for one thread."""

    def __init__(self, content: bytes) -> None:
        self._model = Model(content)
        self.answers: dict[tuple[tuple[int, ...], bytes], _Answer] = {}

    def canvas(self, canvas: Grey) -> _Answer:
        outputs = self.outputs("canvas", canvas)
        return _Answer(outputs["probabilities"][0], float(outputs["is_digit"][0]), canvas)

    def digit(self, digit: Grey, canvas: Grey) -> _Answer:
        """The answer for pixels in MNIST's frame, with the canvas to remember it by."""
        outputs = self.outputs("digit", digit)
        return _Answer(outputs["probabilities"][0], float(outputs["is_digit"][0]), canvas)

    def outputs(self, signature: str, image: Grey) -> dict[str, Floats]:
        return self._model.run(signature, image)


def _sureness(answer: _Answer) -> float:
    return answer.is_digit * float(answer.probabilities.max())


def _odds(probability: float) -> float:
    return max(probability, 1e-6) / max(1 - probability, 1e-6)


def _cost_of_passing(piece: Fragment, height: float) -> float:
    # What is flat, however long, is no digit: a dash, or a piece of a rule.
    return 0.3 + 3.7 * min(max((piece.height / height - 0.3) / 0.35, 0.0), 1.0)


def _prior(run: Sequence[Fragment], piece: Fragment, height: float) -> float:
    """The cost of taking fragments as one digit, before the recogniser is asked."""
    tall = piece.height / height
    cost = 0.0
    if tall < 0.6:
        cost += math.inf if tall < 0.3 else 12 * (0.6 - tall)
    shape = piece.width / max(piece.height, 0.6 * height)
    if shape > 1.3:
        cost += 3 * (shape - 1.3)
    cost += 0.2 * (not piece.first) + 0.2 * (not piece.last)
    gaps = [b.box[1] - a.box[3] for a, b in itertools.pairwise(run) if a.part != b.part]
    return cost + sum(0.3 + 3 * max(gap, 0) / height for gap in gaps)
