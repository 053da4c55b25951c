/** A picture -> its ink, as lines of writing on even paper, dark or light. */
import { SIDE } from "./canvas.js";
import { extentOf, inLines } from "./lines/lines.js";

const MOST = 1000; // pixels, of the longer side that a picture is reduced to
const LEAST = 24; // of 255, by which the strongest ink differs from the paper
const SPECK = 0.12; // of the usual height, what is no ink
const MANY = 400; // parts: more is no line of digits
const LONGEST = 200; // pixels, of the ink on a canvas

/**
 * @param {ImageBitmap} bitmap
 * @returns {import("./lines/lines.js").Line[] | null} in pixels of the reduced picture; `reduced` is its size
 *   as a share of the whole one's. Their strokes are rows of pixels that are ink. Null if there is no ink.
 */
export function linesIn(bitmap) {
  const reduced = Math.min(1, MOST / Math.max(bitmap.width, bitmap.height));
  const width = Math.max(1, Math.round(bitmap.width * reduced));
  const height = Math.max(1, Math.round(bitmap.height * reduced));
  const ink = inkOf(greyOf(bitmap, width, height), width, height);
  if (!ink) return null;
  const picture = { ink, width, height };
  const parts = partsOf(picture);
  const usual = parts.map(({ tall }) => tall).sort((a, b) => b - a)[Math.floor(parts.length / 4)];
  const clean = parts.filter(({ tall, wide }) => Math.max(tall, wide) >= SPECK * usual);
  if (clean.length > MANY) return [];
  return inLines(clean.map(({ outline }) => outline)).map((line) => {
    const rows = line.strokes.flatMap(({ id }) => parts[id].rows);
    return {
      ...line,
      reduced,
      strokes: rows,
      pen: { least: 0, most: Infinity },
      raster: (strokes, across, down, view) => averaged(picture, strokes, across, down, view),
      canvas: (strokes) => canvasOf(picture, strokes),
    };
  });
}

/**
 * Whether pages see the pixels of canvases. Some browsers give back noise, or white, against
 * fingerprinting.
 * @returns {boolean}
 */
export function seesPixels() {
  const context = document.createElement("canvas").getContext("2d");
  context.fillStyle = "#000";
  context.fillRect(0, 0, 16, 16);
  const { data } = context.getImageData(0, 0, 16, 16);
  return data.every((value, i) => i % 4 === 3 || value < 32);
}

/** The picture on white, as paper is, unless it is transparent with ink too bright to be seen on it. */
function greyOf(bitmap, width, height) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  let light = 0;
  let opaque = 0;
  for (let i = 0; i < data.length; i += 4) {
    opaque += data[i + 3];
    light += (data[i + 3] * (data[i] + data[i + 1] + data[i + 2])) / 3;
  }
  const transparent = opaque < 0.95 * 255 * (data.length / 4);
  const paper = transparent && opaque > 0 && light / opaque > 127 ? 0 : 255;
  const grey = new Float32Array(width * height);
  for (let i = 0; i < grey.length; i += 1) {
    const [red, green, blue, alpha] = data.subarray(4 * i, 4 * i + 4);
    const own = 0.299 * red + 0.587 * green + 0.114 * blue;
    grey[i] = paper + ((own - paper) * alpha) / 255;
  }
  return grey;
}

/** What is darker than light paper or lighter than dark paper, bright on exactly 0. The paper is the
 *  median of the border. */
function inkOf(grey, width, height) {
  const border = [];
  for (let x = 0; x < width; x += 1) border.push(grey[x], grey[(height - 1) * width + x]);
  for (let y = 0; y < height; y += 1) border.push(grey[y * width], grey[y * width + width - 1]);
  border.sort((a, b) => a - b);
  const paper = border[border.length >> 1];
  const sign = paper > 127 ? -1 : 1;
  const ink = grey.map((value) => Math.max(0, sign * (value - paper)));
  const strongest = ink.reduce((a, b) => Math.max(a, b), 0);
  if (strongest < LEAST) return null;
  const least = halfway(ink, strongest);
  return Uint8Array.from(ink, (value) =>
    value < least ? 0 : Math.round(255 * Math.min(1, value / strongest)),
  );
}

/** The least brightness that counts as ink: half of the threshold that separates ink from paper best
 *  (Otsu 1979). */
function halfway(ink, strongest) {
  const bins = new Array(64).fill(0);
  for (const value of ink) bins[Math.min(63, Math.floor((64 * value) / strongest))] += 1;
  const total = bins.reduce((sum, count, bin) => sum + count * bin, 0);
  let below = 0;
  let sumBelow = 0;
  let best = 0;
  let most = -1;
  for (let bin = 0; bin < 63; bin += 1) {
    below += bins[bin];
    sumBelow += bins[bin] * bin;
    const above = ink.length - below;
    if (!below || !above) continue;
    const between = below * above * (sumBelow / below - (total - sumBelow) / above) ** 2;
    if (between > most) [most, best] = [between, bin];
  }
  return (strongest * (best + 1)) / 128;
}

/** The connected parts of the ink: rows of its pixels, and a line across its box for the layout. */
function partsOf({ ink, width, height }) {
  const runs = [];
  const parent = [];
  const root = (i) => (parent[i] === i ? i : (parent[i] = root(parent[i])));
  let above = [];
  for (let y = 0; y < height; y += 1) {
    const own = [];
    for (let x = 0; x < width; x += 1) {
      if (!ink[y * width + x]) continue;
      const from = x;
      while (x < width && ink[y * width + x]) x += 1;
      const run = { y, from, to: x, index: runs.length };
      parent.push(run.index);
      for (const other of above) {
        if (other.from <= run.to && other.to >= run.from) parent[root(run.index)] = root(other.index);
      }
      runs.push(run);
      own.push(run);
    }
    above = own;
  }
  const parts = new Map();
  for (const { y, from, to, index } of runs) {
    const key = root(index);
    if (!parts.has(key)) parts.set(key, { rows: [], x0: from, x1: to, y0: y, y1: y + 1 });
    const part = parts.get(key);
    part.x0 = Math.min(part.x0, from);
    part.x1 = Math.max(part.x1, to);
    part.y1 = y + 1;
    const at = (x) => ({ x, y: y + 0.5, width: 0 });
    part.rows.push({ id: `${y}.${from}`, points: [at(from), at(to)] });
  }
  return [...parts.values()].map(({ rows, x0, y0, x1, y1 }, id) => ({
    rows,
    tall: y1 - y0,
    wide: x1 - x0,
    outline: { id, points: [{ x: x0, y: y0, width: 0 }, { x: x1, y: y1, width: 0 }] },
  }));
}

/** Rows of pixels, averaged over the pixels of a picture of another size, as `rasterised` has it. */
function averaged(picture, rows, width, height, { scale, left, top }) {
  const sums = new Float32Array(width * height);
  for (const { id, points } of rows) {
    const [y, from] = id.split(".").map(Number);
    const count = Math.round(points[1].x - points[0].x);
    for (let i = 0; i < count; i += 1) {
      const ink = picture.ink[y * picture.width + from + i];
      const x = (points[0].x + i - left) * scale;
      spread(sums, width, height, x, (points[0].y - 0.5 - top) * scale, scale, ink);
    }
  }
  const brightest = Math.max(sums.reduce((a, b) => Math.max(a, b), 0), 1);
  return Uint8Array.from(sums, (sum) => Math.round((255 * sum) / brightest));
}

function spread(sums, width, height, x, y, side, ink) {
  const overlap = (cell, at) => Math.min(cell + 1, at + side) - Math.max(cell, at);
  const bottom = Math.min(Math.ceil(y + side), height);
  const right = Math.min(Math.ceil(x + side), width);
  for (let row = Math.max(Math.floor(y), 0); row < bottom; row += 1) {
    for (let column = Math.max(Math.floor(x), 0); column < right; column += 1) {
      sums[row * width + column] += ink * overlap(row, y) * overlap(column, x);
    }
  }
}

/** The canvas of some ink, at its own size, or averaged down to 200 pixels. */
function canvasOf(picture, rows) {
  const { x0: left, x1: right, y0, y1 } = extentOf(rows);
  const [top, bottom] = [y0 - 0.5, y1 + 0.5];
  const scale = Math.min(1, LONGEST / Math.max(right - left, bottom - top));
  const half = SIDE / 2 / scale;
  // On whole pixels where nothing is averaged.
  const start = (low, high) => Math.round((low + high) / 2) - half;
  const view = { scale, left: start(left, right), top: start(top, bottom) };
  return averaged(picture, rows, SIDE, SIDE, view);
}
