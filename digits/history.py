"""What happened in each epoch of a training run."""

import csv
import io
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from digits.files import replacing


@dataclass(frozen=True)
class Epoch:
    """One line of the history.

    `loss` (nats) and `accuracy` (0 to 1) are means over the epoch's distorted training images,
    with dropout and while the weights move. `validation_loss` and `validation_accuracy` are the
    network's at the epoch's end on the held-out images as they are. Both losses are without label
    smoothing, and before the temperature is fitted. `seconds` is the epoch's time, validation
    included.
    """

    epoch: int
    seconds: float
    learning_rate: float
    loss: float
    accuracy: float
    validation_loss: float
    validation_accuracy: float


def write_csv(history: Sequence[Epoch], path: Path) -> None:
    """Writes a header and a line for each epoch, in place of what is there.

    Raises:
        OSError: the file cannot be written; it is as it was.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(column.name for column in fields(Epoch))
    writer.writerows(astuple(epoch) for epoch in history)
    with replacing(path) as file:
        file.write(text.getvalue().encode())
