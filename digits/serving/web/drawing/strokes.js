/** Strokes: what a pen wrote from touching down to lifting, kept as points.
 *
 *  @typedef {{x: number, y: number, width: number}} Point  in pixels; width is that of the line there
 *  @typedef {{id: number, points: Point[]}} Stroke
 *  @typedef {{x0: number, y0: number, x1: number, y1: number}} Box
 */

const TOLERANCE = 0.1; // pixels between what is shown and the curve that was meant
const TAP = 0.01; // pixels; of a line without length Chromium and WebKit draw nothing at all

let last = 0;

/**
 * @param {Point[]} points
 * @returns {Stroke} with a new id
 */
export function newStroke(points) {
  last += 1;
  return { id: last, points };
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
 * The line that the middle of the pen follows, in straight pieces. It goes through the middles between
 * neighbouring points: sampling cuts curves into corners, this rounds them again.
 * @param {Stroke} stroke not empty
 * @param {number} tolerance the farthest that a piece may be from the curve, in pixels
 * @returns {Point[]} at least one
 */
export function centreLine({ points }, tolerance) {
  const line = [points[0]];
  for (let i = 1; i < points.length - 1; i += 1) {
    addCurve(line, points[i], between(points[i], points[i + 1], 0.5), tolerance);
  }
  if (points.length > 1) line.push(points[points.length - 1]);
  return line;
}

/** A quadratic curve from the end of the line. In n pieces it is nowhere farther away than a quarter of
 *  its second difference, divided by n². */
function addCurve(line, control, end, tolerance) {
  const start = line[line.length - 1];
  const bend = Math.hypot(
    start.x - 2 * control.x + end.x,
    start.y - 2 * control.y + end.y,
  );
  const pieces = Math.ceil(Math.sqrt(bend / (4 * tolerance)));
  for (let piece = 1; piece < pieces; piece += 1) {
    const part = piece / pieces;
    line.push(between(between(start, control, part), between(control, end, part), part));
  }
  line.push(end);
}

function between(a, b, part) {
  const at = (name) => a[name] + (b[name] - a[name]) * part;
  return { x: at("x"), y: at("y"), width: at("width") };
}

/**
 * Draws strokes in the context's strokeStyle, with round ends and joins.
 * @param {CanvasRenderingContext2D} context
 * @param {Stroke[]} strokes
 */
export function trace(context, strokes) {
  context.lineCap = context.lineJoin = "round";
  for (const stroke of strokes) {
    const line = centreLine(stroke, TOLERANCE);
    context.beginPath();
    let before = 0;
    line.forEach((to, i) => {
      const from = line[Math.max(i - 1, 0)];
      const width = (from.width + to.width) / 2;
      if (width !== before) {
        context.stroke();
        context.lineWidth = before = width;
        context.beginPath();
        context.moveTo(from.x, from.y);
      }
      const still = from.x === to.x && from.y === to.y;
      context.lineTo(still ? to.x + TAP : to.x, to.y);
    });
    context.stroke();
  }
}
