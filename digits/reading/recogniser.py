"""What the model says of ink, remembered while one picture is read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from digits.bundle import CANVAS_SIDE, LINE_WIDTHS, STRIP_WIDTH
from digits.pictures.box import Box
from digits.pictures.grey import Grey
from digits.reading.page import Floats, Reading
from digits.runtime import Model, Outputs

LONGEST = 200  # pixels, of the ink on a canvas
MOST_REMEMBERED = 300  # answers, 64 kB each


@dataclass(frozen=True)
class Answer:
    """What the model says of a piece of ink; the attributes are as in `Reading`."""

    probabilities: Floats
    is_digit: float
    canvas: Grey

    @classmethod
    def of(cls, outputs: Outputs, canvas: Grey) -> Answer:
        """From what `Model.run` gives, and the canvas that the ink is on."""
        return cls(outputs["probabilities"][0], float(outputs["is_digit"][0]), canvas)

    def reading(self, box: Box, accepted: bool) -> Reading:
        """The answer as a reading of the ink in a box of the picture."""
        digit = int(self.probabilities.argmax())
        return Reading(digit, self.probabilities, accepted, box, self.canvas, self.is_digit)


class Recogniser:
    """Asks models about the ink in a picture, for one thread.

    `lines` is the model whose signature `line` reads lines, and `threshold` what `is_digit` must
    reach for ink to be accepted as a digit, 0 to 1.
    """

    def __init__(self, model: Model, lines: Model, threshold: float) -> None:
        self.model = model
        self._lines = lines
        self._threshold = _odds(threshold)
        self._answers: dict[tuple[tuple[int, ...], bytes], Answer] = {}

    def forget(self) -> None:
        """Forgets all answers, before another picture is read.

        Only then, since memory that is freed when a picture has been read goes back to the system,
        and getting it again for the next one takes a tenth of the time.
        """
        self._answers.clear()

    def ask(self, ink: Grey) -> Answer:
        """What the model says of ink, uint8 of shape (h, w), bright on 0.

        The same ink is asked about once only: a part is looked at before it is cut, and again when
        it is taken as a whole.
        """
        key = ink.shape, ink.tobytes()
        if key not in self._answers:
            if len(self._answers) == MOST_REMEMBERED:
                self._answers.clear()
            canvas = place(ink)
            self._answers[key] = Answer.of(self.model.run("canvas", canvas), canvas)
        return self._answers[key]

    def line(self, window: Grey) -> Floats:
        """The log-probabilities of the steps of a strip's window, uint8 of shape (32, width), one
        of `LINE_WIDTHS`: float32 of shape (width / 2, 21)."""
        width = window.shape[1]
        name = next(name for name, own in LINE_WIDTHS.items() if own == width)
        if name in self._lines.signatures:
            return self._lines.run(name, window)["log_probabilities"][0]
        beside = (STRIP_WIDTH - width) // 2  # a bundle of before there were narrow strips
        wide = np.pad(window, ((0, 0), (beside, beside)))
        found = self._lines.run("line", wide)["log_probabilities"][0]
        return found[beside // 2 : (beside + width) // 2]

    def odds(self, answer: Answer) -> float:
        """The odds that the ink is a digit, relative to the threshold's; 1 or more is accepted."""
        return _odds(answer.is_digit) / self._threshold

    def likelihood(self, answer: Answer) -> float:
        """The probability, 0 to 1, that the ink is a digit and its most likely digit is right.

        Ink that is only just accepted is taken for a digit with probability 1/2.
        """
        odds = _odds(answer.is_digit)
        return odds / (odds + self._threshold) * float(answer.probabilities.max())


def place(ink: Grey) -> Grey:
    """Puts ink in the middle of a canvas, whole: uint8 of shape (h, w), bright on 0, becomes
    (256, 256). Ink of more than 200 pixels is averaged down to that."""
    longest = max(ink.shape)
    if longest > LONGEST:
        height, width = (max(1, round(side * LONGEST / longest)) for side in ink.shape)
        ink = np.asarray(Image.fromarray(ink).resize((width, height), Image.Resampling.BOX))
    canvas = np.zeros((CANVAS_SIDE, CANVAS_SIDE), np.uint8)
    top, left = (CANVAS_SIDE - ink.shape[0]) // 2, (CANVAS_SIDE - ink.shape[1]) // 2
    canvas[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return canvas


def _odds(probability: float) -> float:
    return max(probability, 1e-6) / max(1 - probability, 1e-6)
