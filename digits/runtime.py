"""Runs a bundle's model with LiteRT: the one place that does."""

from collections.abc import Callable
from functools import cached_property

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Outputs = dict[str, NDArray[np.float32]]


class Model:
    """A model of two signatures, `canvas` and `digit`, as the bundle's contract describes them.

    It computes on one thread, and only one thread may call it at a time.
    """

    def __init__(self, content: bytes) -> None:
        """Takes the content of `digits.tflite`; each signature is opened when it is first run."""
        self._content = content

    def run(self, signature: str, image: Image) -> Outputs:
        """What the model gives for one image.

        Args:
            signature: "canvas" or "digit".
            image: uint8 of shape (256, 256) or (28, 28), ink bright on 0.

        Returns:
            float32 arrays by name, each with a leading 1 in its shape: `probabilities` (1, 10) and
            `is_digit` (1,), and for a canvas also `digit` (1, 28, 28), what the network saw.
        """
        return self._canvas(image) if signature == "canvas" else self._digit(digit=image[None])

    @cached_property
    def _canvas(self) -> Callable[[Image], Outputs]:
        """The signature `canvas`, on the interpreter itself, which is faster than by its runner."""
        interpreter = Interpreter(model_content=self._content, num_threads=1)
        runner = interpreter.get_signature_runner("canvas")
        at = runner.get_input_details()["canvas"]["index"]
        outputs = {name: output["index"] for name, output in runner.get_output_details().items()}
        del runner  # or the interpreter refuses to be used directly
        interpreter.allocate_tensors()

        def run(image: Image) -> Outputs:
            interpreter.set_tensor(at, image[None])
            interpreter.invoke()
            return {name: interpreter.get_tensor(index) for name, index in outputs.items()}

        return run

    @cached_property
    def _digit(self) -> Callable[..., Outputs]:
        """The signature `digit`, by its runner: an interpreter has the inputs of one only."""
        interpreter = Interpreter(model_content=self._content, num_threads=1)
        return interpreter.get_signature_runner("digit")
