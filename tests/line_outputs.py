"""What the network for lines gives for a strip, made by hand."""

import numpy as np

from digits.reading.lines.decoding import BLANK, CHARACTERS
from digits.reading.page import Floats


def outputs(path: str, sure: float = 0.9) -> Floats:
    """Log-probabilities in which each step shows a character of the path, or _ for the blank."""
    probabilities = np.full((len(path), BLANK + 1), (1 - sure) / BLANK, np.float32)
    for step, shown in zip(probabilities, path, strict=True):
        step[BLANK if shown == "_" else CHARACTERS.index(shown)] = sure
    return np.log(probabilities)
