/** A number that somebody wrote, to try the page with. */
import { newStroke } from "./strokes.js";

// In heights of a digit, x and y by turns.
const LINES = [
  [0.02, 0.12, 0.2, 0, 0.45, 0.02, 0.5, 0.2, 0.36, 0.4, 0.2, 0.46, 0.4, 0.5, 0.54, 0.68, 0.44, 0.92, 0.2, 1, 0, 0.92],
  [0.76, 0.96, 0.77, 0.97],
  [1.02, 0.14, 1.16, 0, 1.14, 0.5, 1.1, 1],
  [1.56, 0, 1.48, 0.3, 1.4, 0.6, 1.66, 0.6, 1.98, 0.58],
  [1.84, 0.24, 1.8, 0.6, 1.76, 1],
];
const WIDE = 2;

/**
 * @param {number} width of the drawing area, in pixels
 * @param {number} height
 * @param {number} pen its width
 * @returns {import("./strokes.js").Stroke[]} 3.14, in its middle
 */
export function example(width, height, pen) {
  const tall = Math.min(0.5 * height, (0.8 * width) / WIDE);
  const left = (width - WIDE * tall) / 2;
  const top = (height - tall) / 2;
  return LINES.map((values) => {
    const points = [];
    for (let i = 0; i < values.length; i += 2) {
      points.push({ x: left + values[i] * tall, y: top + values[i + 1] * tall, width: pen });
    }
    return newStroke(points);
  });
}
