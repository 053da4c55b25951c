"""Write a model for ONNX Runtime: a file for each of its signatures, for any number of images."""

import argparse
from pathlib import Path

from digits import bundle as bundles
from digits.commands import add_model_flag
from digits.errors import explained
from digits.files import replacing
from digits.terminal import own_words_only, say


def add_flags(parser: argparse.ArgumentParser) -> None:
    add_model_flag(parser)
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder for the .onnx files"
    )


def run(arguments: argparse.Namespace, prog: str) -> None:
    source = bundles.read(arguments.model or bundles.SHIPPED)
    with own_words_only():
        from digits.runtime import check, model_of

        check(model_of(source), source.digits)  # before TensorFlow is imported, which takes seconds
        from digits.training.exporting.onnx_files import onnx_files

        files = onnx_files(source)
    with explained(f"{arguments.out} cannot be written", "choose another --out"):
        arguments.out.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            with replacing(arguments.out / name) as file:
                file.write(content)
    for name in files:
        say(str(arguments.out / name))
