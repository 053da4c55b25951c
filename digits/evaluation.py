"""From labels and probabilities to everything that is reported about a model."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Ints = NDArray[np.integer]

CLASSES = 10
BINS = 15  # of confidence, as in Guo et al. 2017


@dataclass(frozen=True)
class Evaluation:
    """A model's results on n labelled images; arrays per digit have the shape (10,)."""

    labels: Ints  # true digits, shape (n,)
    probabilities: Floats  # the model's, shape (n, 10), rows sum to 1
    accuracy: float  # fraction read correctly, 0 to 1
    accuracy_interval: tuple[float, float]  # 95% (Wilson)
    errors: int  # images misread
    loss: float  # mean cross-entropy in nats, without label smoothing
    ece: float  # expected calibration error, 0 to 1
    confusion: Ints  # counts of shape (10, 10): row the true digit, column the predicted one
    precision: Floats  # per digit, 0 to 1
    recall: Floats
    f1: Floats
    classification_report: str  # scikit-learn's

    @property
    def predictions(self) -> Ints:
        """The most likely digit of each image, shape (n,)."""
        return np.argmax(self.probabilities, axis=1)

    @property
    def mistakes(self) -> Ints:
        """Indices of the misread images, most confident first, shape (errors,)."""
        wrong = np.flatnonzero(self.predictions != self.labels)
        return wrong[np.argsort(-self.probabilities[wrong].max(axis=1), kind="stable")]

    def as_text(self) -> str:
        """Accuracy, loss, confusion matrix and classification report, for a terminal."""
        return f"""\
Test accuracy: {accuracy_in_words(self.errors, len(self.labels))}
Test loss: {self.loss:.4f}  (expected calibration error {self.ece:.2%})

Confusion matrix (row: label, column: read as):
{np.array2string(self.confusion)}

Classification report:
{self.classification_report}"""


def evaluate(labels: Ints, probabilities: Floats) -> Evaluation:
    """Measures predictions against labels.

    `labels` are integers 0 to 9, shape (n,), n at least 1; `probabilities` are floats of shape
    (n, 10), each row summing to 1 within 1e-3. Raises ValueError if the shapes do not fit, or rows
    are not probabilities.
    """
    # Imported here, since this module is also used where scikit-learn is not installed.
    from sklearn import metrics

    labels = np.asarray(labels).astype(np.int64)
    probabilities = np.asarray(probabilities).astype(np.float64)
    if labels.ndim != 1 or not len(labels) or probabilities.shape != (len(labels), CLASSES):
        raise ValueError(
            f"labels {labels.shape} and probabilities {probabilities.shape} do not fit"
        )
    if labels.min() < 0 or labels.max() >= CLASSES:
        raise ValueError(f"labels must be 0 to 9, got {labels.min()} to {labels.max()}")
    in_range = (probabilities >= 0) & (probabilities <= 1)  # False for NaN too
    if not in_range.all() or np.abs(probabilities.sum(axis=1) - 1).max() > 1e-3:
        raise ValueError("rows of probabilities must lie in 0 to 1 and sum to 1")

    predictions = probabilities.argmax(axis=1)
    correct = predictions == labels
    digits = np.arange(CLASSES)
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        labels, predictions, labels=digits, zero_division=0
    )
    return Evaluation(
        labels=labels,
        probabilities=probabilities,
        accuracy=float(correct.mean()),
        accuracy_interval=wilson_interval(int(correct.sum()), len(labels)),
        errors=int((~correct).sum()),
        loss=cross_entropy(labels, probabilities),
        ece=expected_calibration_error(probabilities.max(axis=1), correct),
        confusion=metrics.confusion_matrix(labels, predictions, labels=digits),
        precision=precision,
        recall=recall,
        f1=f1,
        classification_report=metrics.classification_report(
            labels, predictions, labels=digits, digits=4, zero_division=0
        ),
    )


def cross_entropy(labels: Ints, probabilities: Floats) -> float:
    """Mean negative log-probability, in nats, that rows of shape (n, 10) give the true labels.

    A probability of 0 counts as 1e-7, as Keras counts it, so that the mean stays finite.
    """
    given = probabilities[np.arange(len(labels)), labels]
    return max(0.0, float(-np.log(np.maximum(given, 1e-7)).mean()))  # never -0.0


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """The 95% score interval of a binomial proportion (Wilson 1927).

    Unlike the textbook p ± z·SE it stays inside 0 to 1 and keeps its coverage near 1. Raises
    ValueError unless 0 <= successes <= trials with at least one trial.
    """
    if trials < 1 or not 0 <= successes <= trials:
        raise ValueError(f"{successes} successes of {trials} trials is not a proportion")
    share, z = successes / trials, 1.959964
    centre = share + z * z / (2 * trials)
    margin = z * np.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    low = 0.0 if successes == 0 else float((centre - margin) / scale)
    high = 1.0 if successes == trials else float((centre + margin) / scale)
    return low, high


def accuracy_in_words(errors: int, count: int) -> str:
    """The accuracy, 95% interval and number of errors on `count` images, at least one."""
    low, high = wilson_interval(count - errors, count)
    interval = f"95% interval {low:.2%} to {high:.2%}"
    return f"{1 - errors / count:.2%}  ({interval}; {errors:,} of {count:,} misread)"


def calibration_bins(confidence: Floats, correct: NDArray[np.bool_]) -> Floats:
    """Groups predictions by confidence into equal-width bins over 0 to 1 (Guo et al. 2017).

    Takes the probability of each predicted digit, shape (n,), 0 to 1, and whether it was right.
    Returns count, mean confidence and accuracy of each bin, shape (15, 3); empty bins hold zeros.
    """
    index = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    count = np.bincount(index, minlength=BINS)
    sums = [np.bincount(index, weights, BINS) for weights in (confidence, correct)]
    return np.stack([count, *(sums / np.maximum(count, 1))], axis=1)


def expected_calibration_error(confidence: Floats, correct: NDArray[np.bool_]) -> float:
    """Mean gap between confidence and accuracy over `calibration_bins`, weighted by count.

    Naeini et al. 2015. 0 is perfect, 1 the worst.
    """
    count, mean_confidence, accuracy = calibration_bins(confidence, correct).T
    return float((count * np.abs(mean_confidence - accuracy)).sum() / count.sum())


def softmax(logits: Floats) -> Floats:
    """Probabilities of shape (n, 10) from logits of shape (n, 10)."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def fit_temperature(labels: Ints, logits: Floats) -> float:
    """What to divide logits by to calibrate the confidence, its temperature (Guo et al. 2017).

    It minimises the cross-entropy and changes no prediction. It is above 1 for an overconfident
    network, and below 1 for an underconfident one, as label smoothing makes it. `labels` are
    integers 0 to 9, shape (n,), of images that were not trained on; `logits` are floats of shape
    (n, 10).
    """
    from scipy.optimize import minimize_scalar

    logits = np.asarray(logits, np.float64)

    def loss(log_temperature: float) -> float:
        return cross_entropy(labels, softmax(logits / np.exp(log_temperature)))

    return float(np.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded").x))
