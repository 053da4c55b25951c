"""Calibration: the temperature, and the threshold below which a reading is refused."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from digits.data.mnist import Bytes
from digits.evaluation import CLASSES, cross_entropy, fit_temperature
from digits.runs.history import Epoch
from digits.training.dataset import Labelled
from digits.training.networks.models import finish, predictor

ACCEPTED = 0.99  # of the validation digits, at the threshold


@dataclass(frozen=True)
class Trained:
    """A finished network, and what was fitted to the validation digits."""

    model: keras.Model  # from `models.finish`
    read: Callable[[Bytes], Any]  # images -> its outputs, from `models.predictor`
    cores: int  # parts of a batch that are computed at the same time
    history: list[Epoch]  # of its training; losses are before calibration
    validation: Labelled  # the held-out digits
    temperature: float  # what its logits are divided by
    calibrated_loss: float  # cross-entropy on the validation digits, with the temperature, in nats
    outputs: int  # classes that the network knows: ten digits, and non-digits unless it is 10
    threshold: float  # what `is_digit` must reach for a reading to be accepted, 0 to 1


def calibrate(
    model: keras.Model, history: list[Epoch], validation: Labelled, cores: int
) -> Trained:
    """Fits temperature and threshold to the validation digits, and finishes the network.

    `model` and `history` are from `train`; `validation` are the held-out digits and their labels.
    So many parts of a batch as there are `cores` are computed at the same time.
    """
    images, labels = validation
    temperature = fit_temperature(labels, predictor(model, cores)(images)[:, :CLASSES])
    outputs = model.output_shape[-1]
    model = finish(model, temperature)
    read = predictor(model, cores)
    answers = read(images)
    calibrated_loss = cross_entropy(labels, answers["probabilities"])
    threshold = float(np.quantile(answers["is_digit"], 1 - ACCEPTED, method="lower"))
    return Trained(
        model, read, cores, history, validation, temperature, calibrated_loss, outputs, threshold
    )
