/** Strokes -> lines of writing, from the top. */

// Widths of a line, as fractions of a digit's height: those of MNIST's pens, which the model knows. A
// fine line on a large drawing area is fine only because the area is large, and small digits are not
// thick because the pen is.
const PEN = { least: 0.1, most: 0.17 };
const LOWEST = 2.5; // pen widths, the least height of a line: a dot alone is no digit
const LOW = 0.5; // of the usual height: a dot, a dash or a bar, which starts no line
const LEVEL = 0.65; // of the usual height, by which parts of one line differ in level at most
const FAR = 0.9; // the same for low parts
const SHARED = 0.4; // of the narrower of two strokes, what lies above the other if they are one part

/**
 * @typedef {import("../../drawing/strokes.js").Stroke} Stroke
 * @typedef {import("../../drawing/strokes.js").Box} Box
 *
 * @typedef {object} Line
 * @property {Stroke[]} strokes from left to right
 * @property {number} height of its digits, the pen's width included, in pixels
 * @property {number} level of the middle of its digits
 * @property {{least: number, most: number}} pen limits of its lines' widths
 * @property {Function} [raster] draws its strokes, in place of `rasterised`
 * @property {(strokes: Stroke[]) => Uint8Array} [canvas] of a character, in place of `ofStrokes`
 */

/** @returns {{least: number, most: number}} of digits of a height */
export function penFor(height) {
  return { least: PEN.least * height, most: PEN.most * height };
}

/**
 * The box around the middle of the lines, without the pen's width.
 * @param {Stroke[]} strokes
 * @returns {Box}
 */
export function extentOf(strokes) {
  const box = { x0: Infinity, y0: Infinity, x1: -Infinity, y1: -Infinity };
  for (const { points } of strokes) {
    for (const { x, y } of points) {
      box.x0 = Math.min(box.x0, x);
      box.y0 = Math.min(box.y0, y);
      box.x1 = Math.max(box.x1, x);
      box.y1 = Math.max(box.y1, y);
    }
  }
  return box;
}

/**
 * @param {Stroke[]} strokes
 * @returns {Line[]}
 */
export function inLines(strokes) {
  const parts = joined(strokes);
  const usual = median(parts.map(({ box }) => [box.y1 - box.y0, Math.sqrt(box.y1 - box.y0)]));
  const lines = [];
  const isLow = ({ box }) => box.y1 - box.y0 < LOW * usual;
  for (const part of parts.filter((one) => !isLow(one)).sort((a, b) => a.x - b.x)) {
    const near = nearest(lines, (line) => Math.abs(line.level - part.y));
    if (near && Math.abs(near.level - part.y) < LEVEL * usual) near.parts.push(part);
    else lines.push({ parts: [part], level: 0 });
    const line = lines.find((one) => one.parts.includes(part));
    const last = line.parts.slice(-3);
    line.level = last.reduce((sum, { y }) => sum + y, 0) / last.length;
  }
  const tall = lines.flatMap((line) => line.parts.map((part) => ({ part, line })));
  for (const part of parts.filter(isLow)) {
    const beside = tall.filter((one) => Math.abs(one.part.y - part.y) < FAR * usual);
    const away = (one) => Math.hypot(one.part.x - part.x, 2 * (one.part.y - part.y));
    const near = nearest(beside, away);
    if (near) near.line.parts.push(part);
    else lines.push({ parts: [part], level: part.y });
  }
  return lines.map(({ parts: own }) => measured(own)).sort((a, b) => a.level - b.level);
}

function measured(parts) {
  const heights = parts.map(({ box, strokes }) => [box.y1 - box.y0, lengthOf(strokes)]);
  const strokes = parts.flatMap((part) => part.strokes);
  const wide = median(strokes.map(({ points }) => [points[0].width, 1]));
  const middle = Math.max(median(heights), (LOWEST - 1) * wide);
  const pen = penFor(middle);
  // Pixels of a picture have no pen; their box has all of the ink.
  const height = middle + (wide && Math.min(Math.max(wide, pen.least), pen.most));
  const tall = parts.filter(({ box }) => box.y1 - box.y0 > 0.6 * middle);
  let level = 0;
  let weights = 0;
  for (const { box } of tall.length ? tall : parts) {
    const weight = box.x1 - box.x0 + wide;
    level += (weight * (box.y0 + box.y1)) / 2;
    weights += weight;
  }
  return { strokes, height, level: level / weights, pen };
}

/** Strokes that touch, one largely above the other, as one part: an 8 of two circles is not in two
 *  lines. */
function joined(strokes) {
  let parts = [];
  for (const stroke of strokes) {
    let one = [stroke];
    const box = () => extentOf(one);
    const others = [];
    for (const part of parts) {
      if (touch(part.box, box(), stroke.points[0].width)) one = [...part.strokes, ...one];
      else others.push(part);
    }
    const around = box();
    others.push({
      strokes: one,
      box: around,
      x: (around.x0 + around.x1) / 2,
      y: (around.y0 + around.y1) / 2,
    });
    parts = others;
  }
  return parts;
}

function touch(a, b, pen) {
  const narrower = Math.max(Math.min(a.x1 - a.x0, b.x1 - b.x0), pen / 2);
  const across = Math.min(a.x1, b.x1) - Math.max(a.x0, b.x0) + pen / 2;
  const apart = Math.max(a.y0, b.y0) - Math.min(a.y1, b.y1);
  return apart < pen && across > SHARED * narrower;
}

/** @returns {number} of a stroke's line, in pixels, and at least the pen's width */
export function lengthOf(strokes) {
  let sum = 0;
  for (const { points } of strokes) {
    sum += points[0].width;
    for (let i = 1; i < points.length; i += 1) {
      sum += Math.hypot(points[i].x - points[i - 1].x, points[i].y - points[i - 1].y);
    }
  }
  return sum;
}

/** The value below which half of the weight lies; of pairs of a value and its weight. */
function median(pairs) {
  const sorted = pairs.slice().sort((a, b) => a[0] - b[0]);
  const half = sorted.reduce((sum, [, weight]) => sum + weight, 0) / 2;
  let below = 0;
  for (const [value, weight] of sorted) {
    below += weight;
    if (below >= half) return value;
  }
  return 0;
}

function nearest(all, distance) {
  let best = null;
  for (const one of all) if (!best || distance(one) < distance(best)) best = one;
  return best;
}
