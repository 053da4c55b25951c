/** Gestures that erase: scratching out, and the eraser of a pen. */
import { boxOf } from "./strokes.js";

const TURNS = 4; // of a scratch, to and fro
const LONG = 0.45; // of the scratch's extent, a way between two turns
const COVERED = 0.6; // of a stroke's points, those that a scratch covers

/**
 * @typedef {import("./strokes.js").Stroke} Stroke
 *
 * The strokes that a stroke scratches out: it goes to and fro over them.
 * @param {Stroke} stroke
 * @param {Stroke[]} others
 * @returns {Stroke[]} none if it is no scratch
 */
export function scratchedOut(stroke, others) {
  const box = boxOf([stroke]);
  const turns = Math.max(
    waysOf(stroke.points.map(({ x }) => x)),
    waysOf(stroke.points.map(({ y }) => y)),
  );
  if (turns < TURNS) return [];
  const inside = ({ x, y }) => x >= box.x0 && x <= box.x1 && y >= box.y0 && y <= box.y1;
  return others.filter(
    ({ points }) => points.filter(inside).length >= COVERED * points.length,
  );
}

/** How often values turn after a long way in one direction. */
function waysOf(values) {
  const extent = Math.max(...values) - Math.min(...values);
  let turns = 0;
  let from = values[0];
  let extreme = values[0];
  let direction = 0;
  for (const value of values) {
    if (direction === 0) {
      if (Math.abs(value - from) < LONG * extent) continue;
      direction = Math.sign(value - from);
      extreme = value;
    } else if ((value - extreme) * direction >= 0) {
      extreme = value;
    } else if ((extreme - value) * direction >= LONG * extent) {
      turns += 1;
      direction = -direction;
      extreme = value;
    }
  }
  return turns;
}

/**
 * @param {Stroke[]} strokes
 * @param {{x: number, y: number, width: number}} point of an eraser
 * @returns {Stroke[]} those that it touches
 */
export function touchedBy(strokes, { x, y, width }) {
  return strokes.filter(({ points }) =>
    points.some((at, i) => {
      const from = points[Math.max(i - 1, 0)];
      const apart = distance({ x, y }, from, at);
      return apart < (width + at.width) / 2;
    }),
  );
}

/** @returns {number} from a point to the straight line between two others */
export function distance(point, from, to) {
  const across = to.x - from.x;
  const down = to.y - from.y;
  const along = (point.x - from.x) * across + (point.y - from.y) * down;
  const part = Math.min(Math.max(along / (across * across + down * down || 1), 0), 1);
  return Math.hypot(point.x - from.x - part * across, point.y - from.y - part * down);
}
