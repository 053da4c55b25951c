"""Fifteen corruptions after MNIST-C, to measure a model on images unlike those it was trained on.

The corruptions and their names are those of MNIST-C (Mu & Gilmer 2019, arXiv:1906.02337); the code
is our own. docs/explanation/honest-numbers.md says how it differs from the published code.

Every function takes uint8 images of shape (n, 28, 28), ink 255 on 0, and a seed, and returns new
images of the same shape and dtype. The same images and seed give the same result.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from digits.bundle import DIGIT_SIDE

Images = NDArray[np.uint8]
Floats = NDArray[np.float32]


def shot_noise(images: Images, seed: int) -> Images:
    """Photon counts: each pixel is drawn from a Poisson distribution, of mean 3 at full ink."""
    rate = 3.0
    return _bytes(np.random.default_rng(seed).poisson(images * (rate / 255)) / rate)


def impulse_noise(images: Images, seed: int) -> Images:
    """Salt and pepper: 17 % of the pixels, half of them 255 and half 0."""
    drawn = np.random.default_rng(seed).random(images.shape)
    result = images.copy()
    result[drawn < 0.17 / 2] = 255
    result[drawn > 1 - 0.17 / 2] = 0
    return result


def glass_blur(images: Images, seed: int) -> Images:
    """Frosted glass: a blur, two passes that swap each pixel with a neighbour, and a blur."""
    rng = np.random.default_rng(seed)
    blurred = ndimage.gaussian_filter(_floats(images), (0, 0.7, 0.7))
    every = np.arange(len(images))
    for _ in range(2):
        for row in range(DIGIT_SIDE - 2, 0, -1):
            for column in range(DIGIT_SIDE - 2, 0, -1):
                down, right = rng.integers(-1, 2, (2, len(images)))
                other = every, row + down, column + right
                taken = blurred[other]
                blurred[other] = blurred[:, row, column]
                blurred[:, row, column] = taken
    return _bytes(ndimage.gaussian_filter(blurred, (0, 0.7, 0.7)))


def motion_blur(images: Images, seed: int) -> Images:
    """Motion during the exposure: a trail of 10 pixels, within 45° of horizontal, that fades like a
    Gaussian of 3 pixels."""
    radius, fading, size = 10, 3.0, 2 * 10 + 3
    angles = np.random.default_rng(seed).uniform(-np.pi / 4, np.pi / 4, len(images))
    steps = np.arange(radius + 1)
    weights = np.exp(-(steps**2) / (2 * fading**2))
    weights /= weights.sum()
    # Each step of the trail falls between four pixels of the kernel, which share its weight.
    kernels = np.zeros((len(images), size, size))
    every = np.arange(len(images))[:, None]
    down, right = (radius + 1 + along(angles)[:, None] * steps for along in (np.sin, np.cos))
    for row in (np.floor(down), np.floor(down) + 1):
        for column in (np.floor(right), np.floor(right) + 1):
            share = (1 - abs(down - row)) * (1 - abs(right - column))
            place = every, row.astype(int), column.astype(int)
            np.add.at(kernels, place, share * weights)
    padded = DIGIT_SIDE + size, DIGIT_SIDE + size  # room for the whole convolution
    spectrum = np.fft.rfft2(_floats(images), padded)
    spectrum *= np.fft.rfft2(kernels, padded)
    whole = np.fft.irfft2(spectrum, padded)
    return _bytes(whole[:, radius + 1 :, radius + 1 :][:, :DIGIT_SIDE, :DIGIT_SIDE])


def shear(images: Images, seed: int) -> Images:
    """A slant to the left or to the right of 0.4 pixels a row, about the centre."""
    return _either(images, seed, np.array([[1, 0], [-0.4, 1]]), np.array([[1, 0], [0.4, 1]]))


def scale(images: Images, seed: int) -> Images:
    """Shrunk to 0.7 of its size about the centre."""
    return _mapped(images, np.eye(2) / 0.7)


def rotate(images: Images, seed: int) -> Images:
    """Rotation by 0.4 radians (23°), either way, about the centre."""
    matrix = np.array([[np.cos(0.4), np.sin(0.4)], [-np.sin(0.4), np.cos(0.4)]])
    return _either(images, seed, matrix, matrix.T)


def brightness(images: Images, seed: int) -> Images:
    """Half of full brightness added everywhere."""
    return _bytes(_floats(images) + 0.5)


def translate(images: Images, seed: int) -> Images:
    """A shift by 3 pixels up or down and left or right; what leaves the image is lost."""
    away = np.random.default_rng(seed).choice([-3, 3], (len(images), 2))
    padded = np.pad(images, ((0, 0), (3, 3), (3, 3)))
    rows, columns = (3 - away.T)[:, :, None] + np.arange(DIGIT_SIDE)
    return padded[np.arange(len(images))[:, None, None], rows[:, :, None], columns[:, None]]


def stripe(images: Images, seed: int) -> Images:
    """The seven columns on the left and the seven on the right inverted."""
    result = 255 - images
    result[:, :, 7:-7] = images[:, :, 7:-7]
    return result


def fog(images: Images, seed: int) -> Images:
    """A fractal cloud, 2.5 times as bright as full ink, is added, and the sum is dimmed to fit."""
    thickness, together = 2.5, 1000  # so many images at a time, or the clouds would be others
    rng = np.random.default_rng(seed)
    result = np.empty_like(images)
    for start in range(0, len(images), together):
        part = _floats(images[start : start + together])
        brightest = part.max(axis=(1, 2), keepdims=True)
        cloud = _clouds(rng, len(part))[:, :DIGIT_SIDE, :DIGIT_SIDE]
        share = brightest / (brightest + thickness)
        result[start : start + together] = _bytes((part + thickness * cloud) * share)
    return result


def spatter(images: Images, seed: int) -> Images:
    """Spatters of mud, a quarter as bright as ink: smooth noise above a threshold, without its thin
    parts."""
    rng = np.random.default_rng(seed)
    wet = ndimage.gaussian_filter(rng.normal(0.65, 0.3, images.shape), (0, 1, 1)) > 0.65
    mud = ndimage.gaussian_filter(wet.astype(np.float32), (0, 1.5, 1.5))
    mud[mud < 0.8] = 0
    return _bytes(_floats(images) * (1 - mud) + 0.25 * mud)


def dotted_line(images: Images, seed: int) -> Images:
    """A straight row of white dots, 3 pixels apart, from one edge to the opposite edge."""
    dots = _line(images, seed, spacing=3, teeth=0)
    return _drawn(images, dots, dots, 2.0)


def zigzag(images: Images, seed: int) -> Images:
    """A white zigzag from one edge to the opposite edge: a corner every 2 pixels, 2 pixels off the
    straight line."""
    corners = _line(images, seed, spacing=2, teeth=2)
    return _drawn(images, corners[:, :-1], corners[:, 1:], 1.0)


def canny_edges(images: Images, seed: int) -> Images:
    """The edges alone, one pixel wide (Canny 1986): sigma 1 pixel, thresholds 0.1 and 0.2."""
    smooth = ndimage.gaussian_filter(_floats(images), (0, 1, 1))
    # Sobel's operator by hand: SciPy's would also smooth across images.
    difference, smoothing = [-1, 0, 1], [1, 2, 1]
    down, right = (
        ndimage.correlate1d(ndimage.correlate1d(smooth, difference, axis), smoothing, 3 - axis)
        for axis in (1, 2)
    )
    strength = np.hypot(down, right)
    direction = np.round(np.arctan2(down, right) / (np.pi / 4)).astype(int) % 4
    padded = np.pad(strength, ((0, 0), (1, 1), (1, 1)))
    ridge = np.zeros(images.shape, bool)
    for eighth, (step_down, step_right) in enumerate(((0, 1), (1, 1), (1, 0), (1, -1))):
        ahead = padded[:, 1 + step_down :, 1 + step_right :][:, :DIGIT_SIDE, :DIGIT_SIDE]
        behind = padded[:, 1 - step_down :, 1 - step_right :][:, :DIGIT_SIDE, :DIGIT_SIDE]
        # Of two equal neighbours, one is kept.
        ridge |= (direction == eighth) & (strength > ahead) & (strength >= behind)
    within = np.zeros((3, 3, 3), bool)
    within[1] = True  # eight neighbours in the same image, none in the next
    pieces, _ = ndimage.label(ridge & (strength > 0.1), within)
    return np.isin(pieces, pieces[ridge & (strength > 0.2)]) * np.uint8(255)


ALL: tuple[Callable[[Images, int], Images], ...] = (
    shot_noise, impulse_noise, glass_blur, motion_blur, shear, scale, rotate, brightness,
    translate, stripe, fog, spatter, dotted_line, zigzag, canny_edges,
)  # fmt: skip
CORRUPTIONS = {function.__name__: function for function in ALL}


def _floats(images: Images) -> Floats:
    return images.astype(np.float32) / np.float32(255)


def _bytes(values: NDArray[np.floating]) -> Images:
    return np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)


def _mapped(images: Images, backward: NDArray[np.floating]) -> Images:
    """Resamples bilinearly; `backward` maps (row, column) from the centre, result to source."""
    matrix = np.eye(3)
    matrix[1:, 1:] = backward
    centre = np.array([0, (DIGIT_SIDE - 1) / 2, (DIGIT_SIDE - 1) / 2])
    return _bytes(
        ndimage.affine_transform(_floats(images), matrix, centre - matrix @ centre, order=1)
    )


def _either(
    images: Images, seed: int, one: NDArray[np.floating], other: NDArray[np.floating]
) -> Images:
    """Maps each image by one or the other matrix, at random."""
    first = np.random.default_rng(seed).random(len(images)) < 0.5
    result = np.empty_like(images)
    result[first], result[~first] = _mapped(images[first], one), _mapped(images[~first], other)
    return result


def _clouds(rng: np.random.Generator, count: int) -> Floats:
    """Midpoint displacement on a torus (Fournier, Fussell & Carpenter 1982): clouds from 0 to 1,
    shape (count, 32, 32)."""
    grid = np.zeros((count, 32, 32), np.float32)
    grid[:, 0, 0] = rng.uniform(-1, 1, count)
    step, height = 32, 1.0
    while step > 1:
        half = step // 2
        corners = grid[:, ::step, ::step]
        side = corners + np.roll(corners, -1, 1)
        noise = rng.uniform(-height, height, (3, *corners.shape))
        centres = (side + np.roll(side, -1, 2)) / 4 + noise[0]
        below, beside = corners + np.roll(corners, -1, 1), corners + np.roll(corners, -1, 2)
        grid[:, half::step, ::step] = (below + centres + np.roll(centres, 1, 2)) / 4 + noise[1]
        grid[:, ::step, half::step] = (beside + centres + np.roll(centres, 1, 1)) / 4 + noise[2]
        grid[:, half::step, half::step] = centres
        step, height = half, height / 1.5
    grid -= grid.min(axis=(1, 2), keepdims=True)
    return grid / grid.max(axis=(1, 2), keepdims=True)


def _line(images: Images, seed: int, spacing: int, teeth: float) -> NDArray[np.floating]:
    """Points on a random line through each image, left to right or top to bottom: `spacing` pixels
    apart, alternately `teeth` pixels to either side. Shape (n, points, 2), as (x, y)."""
    rng = np.random.default_rng(seed)
    start, end = rng.uniform(4, DIGIT_SIDE - 4, (2, len(images), 1))
    along = np.arange(0.0, DIGIT_SIDE + 1, spacing)
    across = start + (end - start) * along / DIGIT_SIDE
    across += np.where(np.arange(len(along)) % 2, teeth, -teeth)
    points = np.stack([np.broadcast_to(along, across.shape), across], axis=2)
    upright = rng.random(len(images)) < 0.5
    points[upright] = points[upright, :, ::-1]
    return points


def _drawn(
    images: Images, starts: NDArray[np.floating], ends: NDArray[np.floating], width: float
) -> Images:
    """Draws white segments with round ends; `starts` and `ends` are (n, segments, 2), as (x, y)."""
    y, x = np.mgrid[:DIGIT_SIDE, :DIGIT_SIDE].astype(np.float32) + 0.5
    nearest = np.full(images.shape, np.inf, np.float32)
    for start, end in zip(starts.swapaxes(0, 1), ends.swapaxes(0, 1), strict=True):
        x0, y0 = start.T[..., None, None].astype(np.float32)
        x1, y1 = end.T[..., None, None].astype(np.float32)
        along, down = x1 - x0, y1 - y0
        length = np.maximum(along**2 + down**2, 1e-9)
        share = np.clip(((x - x0) * along + (y - y0) * down) / length, 0, 1)
        distance = np.hypot(x - x0 - share * along, y - y0 - share * down)
        nearest = np.minimum(nearest, distance)
    return np.maximum(images, _bytes(width / 2 + 0.5 - nearest))
