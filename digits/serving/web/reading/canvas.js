/** Canvases, the model's input: 256×256, ink bright on exactly 0. The model's own graph finds the ink,
 *  scales it and centres it; here the ink is only drawn whole, with a margin. */
import { rasterised } from "../drawing/raster.js";
import { boxOf } from "../drawing/strokes.js";

export const SIDE = 256;
const LONGEST = 200; // pixels of the ink's longer side
// Minimum width of a line, as a fraction of the ink's longer side: that of MNIST's pens, which the
// model knows. A fine line on a large drawing area is fine only because the area is large.
const THINNEST = 0.1;

let shared;

/** @returns {CanvasRenderingContext2D} of a black canvas, which every call reuses */
function blank() {
  if (!shared) {
    const element = document.createElement("canvas");
    element.width = element.height = SIDE;
    shared = element.getContext("2d", { willReadFrequently: true });
  }
  shared.resetTransform();
  shared.globalCompositeOperation = "source-over";
  shared.fillStyle = "#000";
  shared.fillRect(0, 0, SIDE, SIDE);
  return shared;
}

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

/**
 * Whether pages see the pixels of canvases. Some browsers give back noise, or white, against
 * fingerprinting.
 * @returns {boolean}
 */
export function seesPixels() {
  const { data } = blank().getImageData(0, 0, 16, 16);
  return data.every((value, i) => i % 4 === 3 || value < 32);
}

/**
 * The canvas of a picture of one digit, in dark or light ink.
 * @param {ImageBitmap} picture
 * @returns {Uint8Array | null} 256×256, row by row; null if all of it has one colour
 */
export function ofPicture(picture) {
  const scale = Math.min(1, LONGEST / Math.max(picture.width, picture.height));
  const width = Math.max(1, Math.round(picture.width * scale));
  const height = Math.max(1, Math.round(picture.height * scale));
  const context = blank();
  context.imageSmoothingQuality = "high";
  // Transparent pixels become white, as paper is, unless the ink is too bright to be seen on it.
  const paper = inkOfTransparent(context, picture, width, height) > 127 ? "#000" : "#fff";
  context.fillStyle = paper;
  context.fillRect(0, 0, SIDE, SIDE);
  context.drawImage(picture, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  const grey = new Float32Array(width * height);
  for (let i = 0; i < grey.length; i += 1) {
    grey[i] = 0.299 * data[4 * i] + 0.587 * data[4 * i + 1] + 0.114 * data[4 * i + 2];
  }
  return inkOf(grey, width, height);
}

/** Mean brightness of the opaque pixels; 0 if no pixel is transparent. */
function inkOfTransparent(context, picture, width, height) {
  context.clearRect(0, 0, SIDE, SIDE);
  context.drawImage(picture, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  let light = 0;
  let opaque = 0;
  for (let i = 0; i < data.length; i += 4) {
    opaque += data[i + 3];
    light += data[i + 3] * (data[i] + data[i + 1] + data[i + 2]) / 3;
  }
  const transparent = opaque < 0.95 * 255 * (data.length / 4);
  return transparent && opaque > 0 ? light / opaque : 0;
}

/** Ink bright on exactly 0: what is darker than light paper or lighter than dark paper. The paper is
 *  the median of the border. */
function inkOf(grey, width, height) {
  const border = [];
  for (let x = 0; x < width; x += 1) border.push(grey[x], grey[(height - 1) * width + x]);
  for (let y = 0; y < height; y += 1) border.push(grey[y * width], grey[y * width + width - 1]);
  border.sort((a, b) => a - b);
  const paper = border[border.length >> 1];
  const sign = paper > 127 ? -1 : 1;
  const ink = grey.map((value) => Math.max(0, sign * (value - paper)));
  const strongest = ink.reduce((a, b) => Math.max(a, b), 0);
  if (strongest < 24) return null;
  const least = halfway(ink, strongest);
  const bytes = new Uint8Array(SIDE * SIDE);
  const top = (SIDE - height) >> 1;
  const left = (SIDE - width) >> 1;
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const value = ink[y * width + x];
      if (value < least) continue;
      bytes[(top + y) * SIDE + left + x] = Math.round(255 * Math.min(1, value / strongest));
    }
  }
  return bytes;
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
