/** A line of strokes -> a strip, the model's input for lines: 32 pixels high, upright, its digits 18
 *  pixels high with their middle in row 16. Strokes are drawn into it, at its size, so that nothing is
 *  resampled. */
import { rasterised } from "../../drawing/raster.js";
import { extentOf } from "./lines.js";

const WIDTHS = [48, 96, 144, 192]; // columns that the model takes at once: a signature for each
const WIDEST = 192;
export const HEIGHT = 32;
const TALL = 18; // a digit's height
const MARGIN = 6; // columns that stay free on both sides of the ink
const OVERLAP = 64; // columns that neighbouring windows of a long strip share
// The slants that are tried, in pixels sideways per pixel up, and what is usual: their mean, and their
// standard deviation, widely taken.
const SHEARS = Array.from({ length: 17 }, (_, i) => -0.3 + (1.2 * i) / 16);
const UPRIGHT = 0.15;
const RARE = 0.4;

/**
 * @typedef {object} Strip
 * @property {Uint8Array} image row by row, ink 255 on 0
 * @property {number} width even; one of WIDTHS, or more than any of them
 * @property {(point: {x: number, y: number}) => number} column of a point of a stroke
 *
 * @param {import("./lines.js").Line} line
 * @returns {Strip}
 */
export function stripOf(line) {
  return drawn(line, slantOf(drawn(line, 0)));
}

function drawn({ strokes, height, level, pen, raster = rasterised }, shear) {
  const scale = TALL / height;
  const upright = strokes.map(({ id, points }) => ({
    id,
    points: points.map(({ x, y, width }) => ({
      x: x + shear * (y - level),
      y,
      width: Math.min(width, pen.most),
    })),
  }));
  const { x0, x1 } = extentOf(upright);
  const widest = Number.isFinite(pen.most) ? pen.most : 0;
  const room = MARGIN + (scale * widest) / 2;
  const least = 2 * Math.ceil((scale * (x1 - x0)) / 2 + room);
  const width = WIDTHS.find((one) => one >= least) ?? least;
  const left = (x0 + x1) / 2 - width / 2 / scale;
  const view = { scale, left, top: level - HEIGHT / 2 / scale, least: pen.least };
  return {
    image: raster(upright, width, HEIGHT, view),
    width,
    column: ({ x, y }) => scale * (x + shear * (y - level) - left),
  };
}

/** How far writing leans to the right, in pixels sideways per pixel up: the columns' sums of ink are
 *  the most uneven where a line was sheared upright (Vinciarelli & Luettin 2001). */
function slantOf({ image, width }) {
  const inked = [];
  for (let y = 0; y < HEIGHT; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const ink = image[y * width + x];
      if (ink) inked.push(x, HEIGHT / 2 - 0.5 - y, ink);
    }
  }
  let best = 0;
  let most = -1;
  for (const shear of SHEARS) {
    const sums = new Float32Array(width + 2 * HEIGHT);
    for (let i = 0; i < inked.length; i += 3) {
      sums[Math.round(inked[i] - shear * inked[i + 1]) + HEIGHT] += inked[i + 2];
    }
    // A few digits say little, so a slant that is rare needs more evidence.
    const usual = Math.exp(-(((shear - UPRIGHT) / RARE) ** 2) / 2);
    const uneven = usual * sums.reduce((sum, value) => sum + value * value, 0);
    if (uneven > most) [most, best] = [uneven, shear];
  }
  return best;
}

/**
 * The windows of a strip, from the left.
 * @param {{image: Uint8Array, width: number}} strip
 * @returns {{start: number, begin: number, end: number, image: Uint8Array}[]} start: its first column;
 *   its outputs count from column begin to column end: there it is farther from its edge than the
 *   others are from theirs
 */
export function windowsOf({ image, width }) {
  const last = width - WIDEST;
  if (last <= 0) return [{ start: 0, begin: 0, end: width, image }];
  const count = Math.ceil(last / (WIDEST - OVERLAP)) + 1;
  const starts = Array.from(
    { length: count },
    (_, i) => 2 * Math.floor((last * i) / (count - 1) / 2),
  );
  return starts.map((start, i) => {
    const window = new Uint8Array(WIDEST * HEIGHT);
    for (let y = 0; y < HEIGHT; y += 1) {
      window.set(image.subarray(y * width + start, y * width + start + WIDEST), y * WIDEST);
    }
    const middle = (a, b) => 2 * Math.floor((starts[a] + starts[b] + WIDEST) / 4);
    return {
      start,
      begin: i ? middle(i - 1, i) : 0,
      end: i < count - 1 ? middle(i, i + 1) : width,
      image: window,
    };
  });
}
