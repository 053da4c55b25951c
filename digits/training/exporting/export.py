"""A finished network -> a bundle: one LiteRT file with the geometry inside.

Nothing is written unless LiteRT gives the same answers as Keras.
"""

import io
import shlex
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from digits import bundle
from digits.bundle import CANVAS_SIDE, DIGIT_SIDE, LINE_WIDTHS, STRIP_HEIGHT, STRIP_WIDTH
from digits.data.mnist import Bytes
from digits.errors import DigitsError
from digits.evaluation import CLASSES
from digits.runs import recipes
from digits.runs.recipes import Recipe, command_line
from digits.runtime import Model, Outputs
from digits.terminal import own_words_only
from digits.training import geometry
from digits.training.lines import network as line_network

GOLDEN = 8  # MNIST digits, and lines, that golden inputs are made of
TOLERANCE = 1e-4  # of probabilities, between any two runtimes
CONTRACT = {
    "canvas": (
        "uint8 (1, 256, 256): one digit anywhere, any size, any pen, ink bright on exactly 0 -> "
        "digit float32 (1, 28, 28) from 0 to 255, which the network sees; probabilities float32 "
        "(1, 10) of the digits 0 to 9; is_digit float32 (1,), the probability that it is one"
    ),
    "digit": (
        "uint8 (1, 28, 28): a digit in MNIST's frame (longer side 20 pixels, centre of mass in "
        "the middle), ink 255 on 0 -> probabilities and is_digit, as above"
    ),
    "line": (
        "uint8 (1, 32, 192): a line of writing, upright, ink 255 on 0, digits 18 pixels high with "
        "their middle in row 16 -> log_probabilities float32 (1, 96, 21), each step 2 columns, of "
        "0 1 2 3 4 5 6 7 8 9 . , - / : ( ) + = ? (any other character) and the blank"
    ),
    **{
        name: (
            f"uint8 (1, 32, {width}): as line, by the same weights, for a shorter one -> "
            f"log_probabilities float32 (1, {width // 2}, 21)"
        )
        for name, width in LINE_WIDTHS.items()
        if width < STRIP_WIDTH
    },
    "accepted": "is_digit is at least thresholds.is_digit; otherwise not sure, or no digit",
}
IMAGE = (  # in place of all that, for a model of what is no digit
    "uint8 (1, 28, 28): an image as those that it was trained on -> probabilities float32 (1, 10) "
    "of the labels 0 to 9; is_digit float32 (1,), which means nothing here"
)

LIKELIEST = "the probability of the likeliest digit: this network has no output for non-digits"
IN_MANIFEST = (  # of a run's metrics
    *("test_accuracy", "test_accuracy_interval", "test_loss", "ece"),
    *("test_accepted", "non_digits_accepted", "validation_accuracy"),
    *("parameters", "mflop", "train_seconds"),
    "lines",
)


def export(
    model: keras.Model,
    folder: Path,
    digits: Bytes,
    manifest: Mapping[str, Any],
    lines: tuple[keras.Model, Bytes] | None = None,
    canvas: bool = True,
) -> None:
    """Writes the bundle of a finished network, or of two.

    Args:
        model: from `models.finish`.
        folder: of the bundle, replaced if it is one.
        digits: MNIST digits to make golden inputs of, uint8 of shape (n, 28, 28), n at least
            `GOLDEN`.
        manifest: what is known of the model; `contract` and the files are added.
        lines: the network for lines, from `line_network.finish`, and strips to make golden inputs
            of, uint8 of shape (n, 32, 192), n at least `GOLDEN`.
        canvas: whether there is a signature `canvas`, whose geometry is that of digits.

    Raises:
        DigitsError: LiteRT gives another answer than Keras, something that is not finite, or a file
            without its weights; nothing is written then.
    """
    networks = {"model.keras": model}
    golden = {"digit": digits[:GOLDEN]}
    if canvas:
        golden["canvas"] = _canvases(digits[:GOLDEN])
    if lines:
        networks["line.keras"] = lines[0]
        for name, width in LINE_WIDTHS.items():
            left = (STRIP_WIDTH - width) // 2
            golden[name] = np.ascontiguousarray(lines[1][:GOLDEN, :, left : left + width])
    every = signatures(*networks.values())
    functions = {name: every[name] for name in golden}
    expected = {name: answers(functions[name], of[:, None]) for name, of in golden.items()}
    lite = converted([*networks.values()], functions)
    with own_words_only():
        runtime = Model(lite)
        for name, inputs in golden.items():
            outputs = answers(partial(runtime.run, name), inputs)
            check(f"LiteRT, signature {name}", expected[name], outputs)
    files = {bundle.MODEL: lite, **{name: _keras_file(of) for name, of in networks.items()}}
    for name, content in files.items():
        if len(content) < 4 * networks.get(name, model).count_params():
            raise DigitsError(f"{name} came out without its weights; nothing was written.")
    files["golden.npz"] = _golden_file(golden, expected)
    contract = _contract([*golden])
    bundle.write(folder, files, {**manifest, "contract": contract})


def _contract(names: list[str]) -> dict[str, str]:
    """What a model with these signatures takes and gives."""
    if "canvas" in names:
        return {name: of for name, of in CONTRACT.items() if name in (*names, "accepted")}
    return {"digit": IMAGE}


def loaded(source: bundle.Bundle, name: str) -> keras.Model:
    """A bundle's Keras file, verified. Raises DigitsError if it is missing or damaged."""
    source.file(name)  # verifies it
    return keras.models.load_model(source.folder / name)


def manifest_of(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """What a bundle's manifest says about a run, from the run's metrics."""
    recipe = Recipe(**metrics["recipe"])
    command = command_line(recipe)
    if "ensemble" in metrics:
        command += f" --ensemble {len(metrics['ensemble']['members'])}"
    own = metrics.get("own_data")
    if own:  # a bundle is published: of where the data were on this machine, it has the name alone
        own = {key: own[key] for key in own if key != "remarks"} | {"path": Path(own["path"]).name}
        command += f" --data {shlex.quote(own['path'])}" + " --not-digits" * (not own["digits"])
    return {
        "name": recipes.title(recipe),
        "created": time.strftime("%Y-%m-%d", time.gmtime()),
        "command": command,
        "recipe": metrics["recipe"],
        "seed": recipe.seed,
        "data": of_own_data(own)
        if own
        else f"MNIST, verified by SHA-256, from {metrics['data_source']}",
        **({"own_data": own} if own else {}),
        **({"drawn_from": metrics["drawn_from"]} if "drawn_from" in metrics else {}),
        "metrics": {name: metrics[name] for name in IN_MANIFEST if name in metrics},
        "thresholds": {"is_digit": metrics["threshold"]},
        **({"is_digit": LIKELIEST} if metrics.get("outputs") == CLASSES else {}),
        "temperature": metrics["temperature"],
        "versions": metrics["versions"],
        "commit": _commit(),
    }


def of_own_data(own: Mapping[str, Any]) -> str:
    """What a manifest says about data that are not MNIST, in words."""
    counts = f"{own['training']:,} training and {own['test']:,} test images"
    kind = "" if own["digits"] else ", no digits"
    return f"not MNIST{kind}: {own['path']}, {counts}, SHA-256 {own['sha256']}"


def signatures(
    model: keras.Model, line_model: keras.Model | None = None, batch: int | None = 1
) -> dict[str, Any]:
    """The TensorFlow functions that are exported: two, and with a network for lines those of
    `LINE_WIDTHS`; see `CONTRACT`.

    They take `batch` images. None is any number, which LiteRT in the browser does not take.
    """

    def signature(name: str, height: int, width: int) -> Any:
        taken = [tf.TensorSpec((batch, height, width), tf.uint8, name)]
        return tf.function(input_signature=taken, autograph=False)  # none branches on a tensor

    @signature("digit", DIGIT_SIDE, DIGIT_SIDE)
    def digit(digit: tf.Tensor) -> dict[str, tf.Tensor]:
        return model(tf.cast(digit[..., None], tf.float32), training=False)

    @signature("canvas", CANVAS_SIDE, CANVAS_SIDE)
    def canvas(canvas: tf.Tensor) -> dict[str, tf.Tensor]:
        framed = geometry.frame(tf.cast(canvas, tf.float32))
        return {"digit": framed, **model(framed[..., None], training=False)}

    found = {"digit": digit, "canvas": canvas}
    for name, width in LINE_WIDTHS.items() if line_model else ():
        own = line_network.finished_at(line_model, width)
        found[name] = signature(name, STRIP_HEIGHT, width)(partial(_lines_read, own))
    return found


def _lines_read(model: keras.Model, strips: tf.Tensor) -> dict[str, tf.Tensor]:
    read: dict[str, tf.Tensor] = model(tf.cast(strips[..., None], tf.float32), training=False)
    return read


def _commit() -> str | None:
    """The commit of the code, followed by "+" if files differ from it; None outside a checkout."""
    root = Path(__file__).parents[3]
    git = ["git", "describe", "--always", "--abbrev=40", "--dirty=+", "--exclude=*"]
    try:
        done = subprocess.run(git, cwd=root, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def converted(models: list[keras.Model], functions: Mapping[str, Any]) -> bytes:
    """The LiteRT file of networks, with a signature for each function."""
    # Not from the functions themselves: that silently leaves the weights out.
    archive = keras.export.ExportArchive()
    for model in models:
        archive.track(model)
    for name, function in functions.items():
        archive.add_endpoint(name, function)
    with tempfile.TemporaryDirectory() as folder:
        archive.write_out(folder, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=[*functions])
        return bytes(converter.convert())


def _keras_file(model: keras.Model) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        return path.read_bytes()


def _golden_file(golden: Mapping[str, Bytes], expected: Mapping[str, Outputs]) -> bytes:
    """The inputs, and the outputs that every runtime must give for them, as an .npz."""
    arrays: dict[str, Any] = {f"{name}_input": inputs for name, inputs in golden.items()}
    for name, outputs in expected.items():
        arrays |= {f"{name}_{output}": values for output, values in outputs.items()}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def _canvases(digits: Bytes) -> Bytes:
    """Digits of all sizes and in all corners, one thick, one faint, a cross, and a blank."""
    canvases = np.zeros((len(digits) + 4, CANVAS_SIDE, CANVAS_SIDE), np.uint8)
    for index, digit in enumerate(digits):
        large = np.kron(digit, np.ones((1 + index % 8,) * 2, np.uint8))
        room = CANVAS_SIDE - len(large)
        top, left = index * 41 % (room + 1), index * 67 % (room + 1)
        canvases[index, top : top + len(large), left : left + len(large)] = large
    thick, faint, cross, _ = canvases[len(digits) :]
    thick[30:220, 100:160] = 255
    faint[128, 20:200] = 3
    diagonal = np.eye(CANVAS_SIDE, dtype=bool)
    cross[diagonal | diagonal[::-1]] = 255
    return canvases


def answers(run: Callable[[Bytes], Mapping[str, Any]], inputs: Bytes) -> Outputs:
    """What a runtime answers to each input, as one array for each output."""
    answers = [run(one) for one in inputs]
    return {name: np.concatenate([of[name] for of in answers]) for name in answers[0]}


def check(runtime: str, expected: Outputs, outputs: Mapping[str, Any]) -> None:
    """Raises DigitsError if a runtime's outputs differ from those expected, or are not finite."""
    for name, values in expected.items():
        scale = 255 if name == "digit" else 1
        found = outputs[name]
        if name == "log_probabilities":
            values, found = np.exp(values), np.exp(found)
        difference = np.abs(values - found).max() / scale
        if not difference <= TOLERANCE:  # so that NaN is refused, too
            raise DigitsError(
                f"{runtime} differs from Keras by {difference:.1e} in {name}, more than "
                f"{TOLERANCE:.0e}; nothing was written."
            )
