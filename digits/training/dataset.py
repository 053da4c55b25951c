"""A recipe's training set: MNIST, digits in other handwriting, other pens and fonts, non-digits."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from digits.bundle import DIGIT_SIDE
from digits.data import non_digits as strange
from digits.data import pens, strokes, variants
from digits.data.fonts import families, glyphs
from digits.data.lines import drawing, hands, in_context, in_font, remains, signs, texts
from digits.data.lines.drawing import Lines
from digits.data.mnist import Bytes, Dataset, split
from digits.runs.recipes import Recipe
from digits.training import augmentation
from digits.training.geometry import frame_all

UNSTEADY = 2.5  # pixels of a character that is drawn at 64, by which its strokes bend at most
EVERY_I = 25  # of the letters of fonts, one in so many is an I with serifs
CHUNK = 1000  # characters that are bent at once

# Images, uint8 of shape (n, 28, 28), and labels, uint8 of shape (n,).
Labelled = tuple[Bytes, Bytes]


def prepare(recipe: Recipe, data: Dataset) -> tuple[Labelled, Labelled]:
    """The training set, with what is drawn for it, and the digits held out for validation."""
    training, validation = split(data.train_images, data.train_labels, recipe.held_out)
    return with_drawn(recipe, *training), validation


def with_drawn(recipe: Recipe, images: Bytes, labels: Bytes) -> Labelled:
    """Adds drawn digits and non-digits to training digits, all in MNIST's frame.

    Non-digits have the label 10.

    Raises:
        DigitsError: fonts are needed and cannot be fetched.
    """
    canvases, of_variants = variants.draw_variants(recipe.variants, recipe.seed)
    parts = [
        (images, labels),
        (frame_all(canvases), of_variants),
        _not_digits(non_digits(recipe.non_digits, images, labels, recipe.seed)),
    ]
    if recipe.pens:
        rewritten, of_rewritten = pens.rewrite(recipe.pens, images, labels, recipe.seed)
        parts.append((frame_all(rewritten), of_rewritten))
    if recipe.font_digits or recipe.font_letters:
        parts += of_fonts(recipe, families.TRAINED_ON)
    every_image, every_label = zip(*parts, strict=True)
    return np.concatenate(every_image), np.concatenate(every_label)


def of_fonts(recipe: Recipe, fonts: Sequence[str]) -> list[Labelled]:
    """The recipe's digits, and its letters, in random fonts of these families.

    One letter in `EVERY_I` is an I with serifs.

    Raises:
        DigitsError: the fonts cannot be fetched.
    """
    faces, rng = families.faces(fonts), np.random.default_rng([recipe.seed, 4])
    labels = rng.integers(10, size=recipe.font_digits).astype(np.uint8)
    letters = rng.choice(list(glyphs.LETTERS), recipe.font_letters)
    digits = glyphs.draw("".join(map(str, labels)), faces, rng)
    serif_i = glyphs.draw(
        "I" * (recipe.font_letters // EVERY_I), families.faces(families.SERIF), rng
    )
    others = glyphs.draw("".join(letters[len(serif_i) :]), faces, rng)
    strangers = _unsteady(np.concatenate([serif_i, others]), rng)
    return [(_unsteady(digits, rng), labels), _not_digits(strangers)]


def _unsteady(canvases: Bytes, rng: np.random.Generator) -> Bytes:
    """Bends the strokes of characters, which a hand never draws twice alike, and frames them."""
    knots = rng.uniform(-1, 1, (len(canvases), 2 * augmentation.KNOTS**2))
    amounts = np.hstack([rng.uniform(0, UNSTEADY, (len(canvases), 1)), knots]).astype(np.float32)
    framed = [np.zeros((0, DIGIT_SIDE, DIGIT_SIDE), np.uint8)]
    for start in range(0, len(canvases), CHUNK):
        part = slice(start, start + CHUNK)
        pixels = tf.constant(canvases[part, ..., None], tf.float32)
        bent = augmentation.bend(pixels, tf.constant(amounts[part]))[..., 0]
        framed.append(frame_all(np.round(bent).astype(np.uint8)))
    return np.concatenate(framed)


def lines_of(recipe: Recipe, images: Bytes, labels: Bytes, count: int, number: int) -> Lines:
    """Lines of writing for the network that reads them, composed of digits as they are, drawn and
    with other pens, and of letters of fonts, or set in a font.

    Args:
        recipe: gives the seed, and how many of each kind there are to compose of.
        images, labels: digits, uint8 of shape (n, 28, 28) and (n,).
        count: how many lines.
        number: other numbers give other lines.

    Raises:
        DigitsError: the fonts cannot be fetched.
    """
    seed, faces = [recipe.seed, 5, number], families.faces(families.TRAINED_ON)
    rng = np.random.default_rng(seed)
    canvases, of_variants = variants.draw_variants(recipe.variants, recipe.seed)
    rewritten, of_rewritten = pens.rewrite(recipe.pens // 2, images, labels, recipe.seed)
    others = [letter for letter in glyphs.LETTERS if letter not in texts.SIGNS]
    letters = glyphs.draw("".join(rng.choice(others, recipe.font_digits)), faces, rng)
    rare, of_rare = in_context.draw_in_context(recipe.variants * 4 // 5, rng)
    usual = [(images, labels), (frame_all(rewritten), of_rewritten)]
    drawn = [(frame_all(rare), of_rare), (frame_all(canvases), of_variants)]
    # Half of the lines are in hands as MNIST has them: rare shapes must not make those uncertain.
    sources = [hands.glyphs_of(kinds, frame_all(letters)) for kinds in (usual, usual + drawn)]
    return drawing.draw_lines(count, sources, faces, seed)


def _not_digits(images: Bytes) -> Labelled:
    return images, np.full(len(images), strange.LABEL, np.uint8)


def drawn_from(recipe: Recipe) -> dict[str, Any]:
    """What a training set was drawn with: the SHA-256 of each generator's files, and the fonts."""
    modules = [variants, strange, strokes, pens, glyphs]
    if recipe.lines:
        modules += [drawing, hands, in_context, in_font, remains, signs, texts]
    files = [Path(str(of.__file__)) for of in modules]
    files.append(strange.WRITTEN)
    generators = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
    if not (recipe.font_digits or recipe.font_letters):
        return {"generators": generators}
    return {"generators": generators, "fonts": families.versions(families.TRAINED_ON)}


def non_digits(count: int, images: Bytes, labels: Bytes, seed: int) -> Bytes:
    """Non-digits in MNIST's frame, uint8 of shape (count, 28, 28); see `draw_non_digits`."""
    return frame_all(strange.draw_non_digits(count, images, labels, seed))
