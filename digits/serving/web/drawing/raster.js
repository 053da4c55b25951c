/** Strokes -> pixels, in plain JavaScript. A canvas would draw them too, but a browser that resists
 *  fingerprinting gives back noise in place of its pixels. */
import { centreLine } from "./strokes.js";

const TOLERANCE = 0.2; // pixels between the ink and the curve that was meant
const SHORTEST = 1; // pixels; a shorter piece of a line becomes part of the next one

/**
 * Draws strokes with round ends and joins, and smooth edges.
 * @param {import("./strokes.js").Stroke[]} strokes none empty
 * @param {number} width of the picture, in pixels
 * @param {number} height
 * @param {{scale: number, left: number, top: number, least: number}} view how many of the picture's
 *   pixels there are to one of the strokes'; in the strokes' pixels, where the picture's left and upper
 *   edges are, and the minimum width of a line
 * @returns {Uint8Array} height×width, row by row: 255 in the ink, 0 outside, in between at its edges
 */
export function rasterised(strokes, width, height, { scale, left, top, least }) {
  const picture = { pixels: new Uint8Array(width * height), width, height };
  const placed = (point) => ({
    x: (point.x - left) * scale - 0.5, // so that the middles of pixels are whole numbers
    y: (point.y - top) * scale - 0.5,
    radius: (Math.max(point.width, least) * scale) / 2,
  });
  for (const stroke of strokes) {
    const line = centreLine(stroke, TOLERANCE / scale).map(placed);
    let from = line[0];
    line.forEach((to, i) => {
      const ends = i === 0 || i === line.length - 1;
      if (!ends && Math.hypot(to.x - from.x, to.y - from.y) < SHORTEST) return;
      addPiece(picture, from, to);
      from = to;
    });
  }
  return picture.pixels;
}

/** Adds all that is near enough to the straight line from one point to another; they may be equal. This
 *  is where the time goes, so the bounds are integers (`| 0`) and nothing is rounded. */
function addPiece({ pixels, width, height }, from, to) {
  const radius = (from.radius + to.radius) / 2;
  const outer = radius + 0.5;
  const inner = Math.max(radius - 0.5, 0) ** 2;
  const across = to.x - from.x;
  const down = to.y - from.y;
  const squared = across * across + down * down || 1;
  const [partOfX, partOfY] = [across / squared, down / squared];
  const slant = down ? across / down : 0;
  const reach = down ? outer * Math.hypot(1, slant) : Infinity; // of a row, to both sides of the line
  const least = Math.max(Math.min(from.x, to.x) - outer, 0);
  const most = Math.min(Math.max(from.x, to.x) + outer, width - 1);
  const last = Math.min(Math.max(from.y, to.y) + outer, height - 1) | 0;
  for (let y = Math.ceil(Math.max(Math.min(from.y, to.y) - outer, 0)) | 0; y <= last; y += 1) {
    const fromY = y - from.y;
    const middle = from.x + fromY * slant;
    const end = Math.floor(Math.min(most, middle + reach)) | 0;
    for (let x = Math.ceil(Math.max(least, middle - reach)) | 0; x <= end; x += 1) {
      const at = y * width + x;
      if (pixels[at] === 255) continue;
      const fromX = x - from.x;
      const along = fromX * partOfX + fromY * partOfY;
      const part = along < 0 ? 0 : along > 1 ? 1 : along;
      const awayX = fromX - part * across;
      const awayY = fromY - part * down;
      const away = awayX * awayX + awayY * awayY;
      const share = away <= inner ? 1 : outer - Math.sqrt(away);
      const value = 255 * share + 0.5;
      if (value > pixels[at]) pixels[at] = value; // which drops the fraction
    }
  }
}
