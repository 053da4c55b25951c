"""What happened in each epoch of a training run."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, fields
from pathlib import Path
from typing import Any

from digits.errors import DigitsError
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


def write_events(
    history: Sequence[Epoch], path: Path, result: Mapping[str, Any] | None = None
) -> None:
    """Writes a JSON line for each epoch and, at the end of a run, one for its result.

    Each has `event`, "epoch" or "result", and is whole or not there for whoever follows the file.

    Raises:
        OSError: the file cannot be written; it is as it was.
    """
    events: list[Mapping[str, Any]] = [{"event": "epoch"} | asdict(epoch) for epoch in history]
    if result is not None:
        events.append({"event": "result", **result})
    with replacing(path) as file:
        file.write("".join(json.dumps(event) + "\n" for event in events).encode())


def read_csv(path: Path) -> list[Epoch]:
    """Reads what `write_csv` wrote; nothing when there is no such file yet.

    Raises:
        DigitsError: it is no such table.
    """
    try:
        rows = list(csv.reader(path.read_text().splitlines()))[1:]
        return [Epoch(int(number), *map(float, rest)) for number, *rest in rows]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError) as error:
        raise DigitsError(f"{path} cannot be read as a history ({error}).") from None
