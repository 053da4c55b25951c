/** A line's characters -> the strokes of each. A stroke belongs to one of them whole, unless several are
 *  written in it. */
import { distance } from "../../drawing/gestures.js";
import { extentOf, lengthOf } from "./lines.js";
import { isDigit } from "./decoding.js";
import { HEIGHT } from "./strips.js";

const TALL = 0.5; // of a line's height, ink that may be a digit
const SLIVER = 0.12; // of a stroke, what is not cut off
const BESIDE = 0.25; // of a full column of ink, what it costs to part characters at the middle of one
const NEAR = 0.15; // of a line's height, between strokes of one character
const AWAY = 0.6; // of a line's height, from a character to ink that is not its own

/**
 * @typedef {import("../../drawing/strokes.js").Stroke} Stroke
 *
 * @param {import("./lines.js").Line} line
 * @param {import("./strips.js").Strip} strip
 * @param {import("./decoding.js").Character[]} found in it
 * @returns {{character: import("./decoding.js").Character | null, strokes: Stroke[], cut: boolean}[]}
 *   from left to right; without a character: ink that is none, but may be a digit
 */
export function shared(line, strip, found) {
  const seams = found.slice(1).map((one, i) => seam(strip, found[i].column, one.column));
  const owner = (point) => {
    const column = strip.column(point);
    return seams.reduce((index, at) => index + (column >= at), 0);
  };
  const own = found.map(() => []);
  const parts = line.strokes.map((stroke) => ({ stroke, pieces: cutUp(stroke, owner) }));
  for (const { stroke, pieces } of parts) {
    const most = [...pieces].reduce((a, b) => (b[1].long > a[1].long ? b : a));
    if (found.length) own[most[0]].push(stroke);
  }
  const cut = found.map(() => false);
  found.forEach(({ symbol }, i) => {
    if (tall(own[i]) || (own[i].length && !isDigit(symbol))) return;
    for (const { stroke, pieces } of parts) {
      const mine = pieces.get(i);
      const from = own.findIndex((strokes) => strokes.includes(stroke));
      if (!mine || from < 0 || from === i || !mine.runs.some((points) => tall([{ points }]))) continue;
      divide(stroke, pieces, own, cut);
    }
  });
  found.forEach((_, i) => {
    if (!own[i].length || tall(own[i])) return;
    const beside = [i - 1, i + 1].find((at) => found[at] && touch(own[i], own[at]));
    if (beside !== undefined) own[beside].push(...own[i].splice(0)); // a bar, or a roof, of a digit
  });
  const middles = found.map(({ column }) => middleOf(line, strip, column));
  const shown = found.flatMap((character, i) => {
    const { chosen, others } = nearTo(own[i], middles[i], line.height);
    const unread = others.filter((stroke) => tall([stroke]));
    const made = unread.map((stroke) => ({ character: null, strokes: [stroke], cut: false }));
    if (chosen.length) made.push({ character, strokes: chosen, cut: cut[i] });
    return made;
  });
  if (!found.length && line.strokes.length) {
    shown.push({ character: null, strokes: line.strokes, cut: false });
  }
  const middle = ({ strokes }) => {
    const { x0, x1 } = extentOf(strokes);
    return x0 + x1;
  };
  return shown.sort((a, b) => middle(a) - middle(b));

  function tall(strokes) {
    if (!strokes.length) return false;
    const { y0, y1 } = extentOf(strokes);
    return y1 - y0 >= TALL * line.height;
  }
}

/** Between two characters, the column with the least ink, not too near to either. */
function seam({ image, width }, left, right) {
  let best = (left + right) / 2;
  let least = Infinity;
  for (let x = Math.ceil(left); x <= Math.min(Math.floor(right), width - 1); x += 1) {
    let ink = 0;
    for (let y = 0; y < HEIGHT; y += 1) ink += image[y * width + x] / 255;
    const aside = Math.abs(x + 0.5 - (left + right) / 2) / Math.max((right - left) / 2, 1);
    const cost = ink / HEIGHT + BESIDE * aside ** 2;
    if (cost < least) [least, best] = [cost, x + 0.5];
  }
  return best;
}

/** Whether the ink of some strokes touches that of others. */
function touch(strokes, others) {
  return strokes.some((a) => others.some((b) => near(a.points, b.points) || near(b.points, a.points)));
}

/** Whether a point of one line lies in the ink of the other. */
function near(points, line) {
  return points.some((at) =>
    line.some((to, i) => distance(at, line[Math.max(i - 1, 0)], to) < (at.width + to.width) / 2),
  );
}

/** The pieces of a stroke, by the character whose place they are in. */
function cutUp(stroke, owner) {
  const pieces = new Map();
  let before = null;
  for (const point of stroke.points) {
    const index = owner(point);
    if (!pieces.has(index)) pieces.set(index, { long: 0, runs: [] });
    const piece = pieces.get(index);
    if (before?.index === index) piece.runs[piece.runs.length - 1].push(point);
    else piece.runs.push(before ? [before.point, point] : [point]);
    const from = before?.point ?? point;
    piece.long += Math.hypot(point.x - from.x, point.y - from.y) + (before ? 0 : point.width);
    before = { index, point };
  }
  return pieces;
}

/** Divides a stroke among the characters that have enough of it; the rest goes to the nearest. */
function divide(stroke, pieces, own, cut) {
  const whole = lengthOf([stroke]);
  const owners = [...pieces.keys()].filter((i) => pieces.get(i).long >= SLIVER * whole);
  for (const strokes of own) {
    const at = strokes.indexOf(stroke);
    if (at >= 0) strokes.splice(at, 1);
  }
  for (const [index, { runs }] of pieces) {
    const to = owners.reduce((a, b) => (Math.abs(b - index) < Math.abs(a - index) ? b : a));
    cut[to] = true;
    runs.forEach((points, i) => {
      own[to].push({ id: `${stroke.id}/${index}.${i}`, of: stroke.id, points });
    });
  }
}

/** The column of a line at the level of its digits' middle, in the strokes' pixels. */
function middleOf({ level }, strip, column) {
  const zero = strip.column({ x: 0, y: level });
  return (column - zero) / (strip.column({ x: 1, y: level }) - zero);
}

/** The strokes that make one character, and the others, which are too far from it. */
function nearTo(strokes, middle, height) {
  if (!strokes.length) return { chosen: [], others: [] };
  const boxes = new Map(strokes.map((stroke) => [stroke, extentOf([stroke])]));
  const apart = (stroke) => {
    const { x0, x1 } = boxes.get(stroke);
    return Math.max(x0 - middle, middle - x1, 0);
  };
  const rank = (stroke) => (apart(stroke) > 0.3 * height ? 0 : lengthOf([stroke]));
  const main = strokes.reduce((a, b) => (rank(b) > rank(a) ? b : a));
  if (apart(main) > AWAY * height) return { chosen: [], others: strokes };
  const left = boxes.get(main).x0 - NEAR * height;
  const right = boxes.get(main).x1 + NEAR * height;
  const near = (stroke) => boxes.get(stroke).x1 > left && boxes.get(stroke).x0 < right;
  return {
    chosen: strokes.filter(near),
    others: strokes.filter((stroke) => !near(stroke)),
  };
}
