/** Strokes: what a pen wrote from touching down to lifting, kept as points.
 *
 *  @typedef {{x: number, y: number, width: number}} Point  in pixels; width is that of the line there
 *  @typedef {{id: number, points: Point[]}} Stroke
 *  @typedef {{x0: number, y0: number, x1: number, y1: number}} Box
 */

let last = 0;

/** @returns {Stroke} an empty stroke with a new id */
export function newStroke() {
  last += 1;
  return { id: last, points: [] };
}

/**
 * The box around the ink of strokes, including the pen's width.
 * @param {Stroke[]} strokes at least one, none empty
 * @returns {Box}
 */
export function boxOf(strokes) {
  const box = { x0: Infinity, y0: Infinity, x1: -Infinity, y1: -Infinity };
  for (const { points } of strokes) {
    for (const { x, y, width } of points) {
      box.x0 = Math.min(box.x0, x - width / 2);
      box.y0 = Math.min(box.y0, y - width / 2);
      box.x1 = Math.max(box.x1, x + width / 2);
      box.y1 = Math.max(box.y1, y + width / 2);
    }
  }
  return box;
}

/**
 * Draws strokes in the context's strokeStyle, with round caps and joins.
 * @param {CanvasRenderingContext2D} context
 * @param {Stroke[]} strokes
 * @param {number} least minimum width of a line
 */
export function trace(context, strokes, least = 0) {
  context.lineCap = context.lineJoin = "round";
  for (const stroke of strokes) {
    const points = stroke.points.map((at) => ({ ...at, width: Math.max(at.width, least) }));
    const even = points.every((point) => point.width === points[0].width);
    if (even) traceEven(context, points);
    else traceUneven(context, points);
  }
}

function traceEven(context, points) {
  context.lineWidth = points[0].width;
  context.beginPath();
  context.moveTo(points[0].x, points[0].y);
  // Through the midpoints of the segments: sampling cuts corners into curves, this rounds them again.
  for (let i = 1; i < points.length - 1; i += 1) {
    const { x, y } = points[i];
    context.quadraticCurveTo(x, y, (x + points[i + 1].x) / 2, (y + points[i + 1].y) / 2);
  }
  const end = points[points.length - 1];
  context.lineTo(end.x, end.y);
  context.stroke();
}

function traceUneven(context, points) {
  for (let i = 1; i < points.length; i += 1) {
    context.lineWidth = (points[i - 1].width + points[i].width) / 2;
    context.beginPath();
    context.moveTo(points[i - 1].x, points[i - 1].y);
    context.lineTo(points[i].x, points[i].y);
    context.stroke();
  }
}

/**
 * The strokes drawn so far, with undo and redo.
 * @returns {{now: () => Stroke[], add: (stroke: Stroke) => void, clear: () => void,
 *   undo: () => boolean, redo: () => boolean, canUndo: () => boolean, canRedo: () => boolean}}
 */
export function newHistory() {
  let states = [[]];
  let at = 0;
  const go = (next) => {
    states = [...states.slice(0, at + 1), next];
    at += 1;
  };
  const step = (by) => {
    if (!(at + by in states)) return false;
    at += by;
    return true;
  };
  return {
    now: () => states[at],
    add: (stroke) => go([...states[at], stroke]),
    clear: () => states[at].length && go([]),
    undo: () => step(-1),
    redo: () => step(1),
    canUndo: () => at > 0,
    canRedo: () => at < states.length - 1,
  };
}
