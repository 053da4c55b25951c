"""Runs a bundle's model with LiteRT: the one place that does."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from digits.bundle import CANVAS_SIDE, DIGIT_SIDE, LINE_WIDTHS, MODEL, STRIP_HEIGHT, Bundle
from digits.errors import DigitsError
from digits.terminal import own_words_only

Image = NDArray[np.uint8]
Outputs = dict[str, NDArray[np.float32]]

# When a process first computes, LiteRT says on standard error what with. Nobody asked, and in a
# notebook it would stand below the answer.
_announced, _announcing = threading.Event(), threading.Lock()
SIGNATURES = {  # the shape that each takes, and the outputs that it has at least
    "canvas": ((CANVAS_SIDE, CANVAS_SIDE), {"probabilities", "is_digit", "digit"}),
    "digit": ((DIGIT_SIDE, DIGIT_SIDE), {"probabilities", "is_digit"}),
    **{name: ((STRIP_HEIGHT, width), {"log_probabilities"}) for name, width in LINE_WIDTHS.items()},
}


def model_of(bundle: Bundle) -> "Model":
    """The model of a bundle, which messages call by its path."""
    return Model(bundle.model, str(bundle.folder / MODEL))


def answers(bundle: Bundle, images: Image) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The answers of the signature `digit` to one image or more, by LiteRT on one thread:
    probabilities of the ten digits, shape (n, 10), and of being a digit at all, shape (n,)."""
    model = model_of(bundle)
    outputs = [model.run("digit", image) for image in images]
    probabilities = np.concatenate([output["probabilities"] for output in outputs])
    return probabilities, np.concatenate([output["is_digit"] for output in outputs])


def check(model: "Model", canvas: bool = True) -> None:
    """Runs all signatures once; `canvas` says whether there is one of that name.

    Raises DigitsError, with the model's name, if one does not run, or does not give what the
    bundle's contract says.
    """
    more = ["canvas"] if canvas else []
    for signature in (*more, "digit", *(LINE_WIDTHS.keys() & {*model.signatures})):
        shape, wanted = SIGNATURES[signature]
        try:
            outputs = model.run(signature, np.zeros(shape, np.uint8))
        except (KeyError, ValueError, RuntimeError) as error:
            reason = f"{type(error).__name__} in the signature {signature}"
            raise DigitsError(
                f"{model.name} does not run ({reason}); get the bundle again."
            ) from None
        if not wanted <= outputs.keys() or not all(
            np.isfinite(values).all() for values in outputs.values()
        ):
            raise DigitsError(
                f"{model.name} does not run (the signature {signature} does not give what it "
                "should); get the bundle again."
            )


class Model:
    """A model of the signatures `canvas`, `digit` and perhaps those that read lines, as the
    bundle's contract describes them.

    It computes on one thread, and only one thread may call it at a time.
    """

    def __init__(self, content: bytes, name: str = "The model") -> None:
        """Takes the content of `digits.tflite`, and what messages call it; each signature is opened
        when it is first run. Raises DigitsError then if it does not run."""
        self._content = content
        self.name = name
        self._runners: dict[str, Callable[..., Outputs]] = {}

    def run(self, signature: str, image: Image) -> Outputs:
        """What the model gives for one image.

        Args:
            signature: "canvas", "digit", or one of `LINE_WIDTHS`.
            image: uint8 of shape (256, 256), (28, 28) or (32, width), ink bright on 0.

        Returns:
            float32 arrays by name, each with a leading 1 in its shape: `probabilities` (1, 10) and
            `is_digit` (1,), and for a canvas also `digit` (1, 28, 28), what the network saw; for a
            line, `log_probabilities` (1, width / 2, 21).
        """
        if not _announced.is_set():
            with _announcing, own_words_only():
                outputs = self._run(signature, image)
            _announced.set()
            return outputs
        return self._run(signature, image)

    def _run(self, signature: str, image: Image) -> Outputs:
        if signature == "canvas":
            return self._canvas(image)
        if signature not in self._runners:
            self._runners[signature] = self._runner(signature)
        return self._runners[signature](**{signature: image[None]})

    @cached_property
    def signatures(self) -> list[str]:
        """The names of its signatures."""
        with self._opening():
            return [*Interpreter(model_content=self._content, num_threads=1).get_signature_list()]

    @cached_property
    def _canvas(self) -> Callable[[Image], Outputs]:
        """The signature `canvas`, on the interpreter itself, which is faster than by its runner."""
        with self._opening():
            interpreter = Interpreter(model_content=self._content, num_threads=1)
            runner = interpreter.get_signature_runner("canvas")
            at = runner.get_input_details()["canvas"]["index"]
            details = runner.get_output_details()
            outputs = {name: output["index"] for name, output in details.items()}
            del runner  # or the interpreter refuses to be used directly
            interpreter.allocate_tensors()

        def run(image: Image) -> Outputs:
            interpreter.set_tensor(at, image[None])
            interpreter.invoke()
            return {name: interpreter.get_tensor(index) for name, index in outputs.items()}

        return run

    @contextmanager
    def _opening(self) -> Iterator[None]:
        """Makes whatever LiteRT raises in the block a DigitsError."""
        try:
            yield
        except Exception as error:
            reason = " ".join(str(error).split())
            raise DigitsError(
                f"{self.name} does not run ({reason:.80}); get the bundle again."
            ) from None

    def _runner(self, signature: str) -> Callable[..., Outputs]:
        """Another signature, with an interpreter of its own, which has the inputs of one only."""
        with self._opening():
            interpreter = Interpreter(model_content=self._content, num_threads=1)
            return interpreter.get_signature_runner(signature)
