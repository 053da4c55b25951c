/** Canvases, the model's input: 256×256, ink bright on exactly 0. The model's own graph finds the ink,
 *  scales it and centres it; here the ink is only drawn whole, with a margin. */
import { rasterised } from "../drawing/raster.js";
import { boxOf } from "../drawing/strokes.js";

export const SIDE = 256;
const LONGEST = 200; // pixels of the ink's longer side
// Minimum width of a line, as a fraction of the ink's longer side: that of MNIST's pens, which the
// model knows. A fine line on a large drawing area is fine only because the area is large.
const THINNEST = 0.1;

/**
 * @param {import("../drawing/strokes.js").Stroke[]} strokes of one digit
 * @returns {Uint8Array} 256×256, row by row
 */
export function ofStrokes(strokes) {
  const { x0, y0, x1, y1 } = boxOf(strokes);
  const longest = Math.max(x1 - x0, y1 - y0);
  const scale = LONGEST / longest;
  const half = SIDE / 2 / scale;
  const view = { scale, left: (x0 + x1) / 2 - half, top: (y0 + y1) / 2 - half };
  return rasterised(strokes, SIDE, SIDE, { ...view, least: THINNEST * longest });
}
