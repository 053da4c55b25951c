/** The drawing area: turns pointers and keys into strokes, and shows them. */
import { boxOf, newHistory, newStroke, trace } from "./strokes.js";

const STEP = 6; // pixels that an arrow key moves the pen
const FAST_STEP = 24; // with Shift
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * @param {HTMLCanvasElement} element
 * @param {() => number} penWidth in CSS pixels
 * @param {{changed: (live: boolean) => void, pen: (down: boolean) => void}} tell changed: the
 *   strokes changed, live while one is being written; pen: a key put the pen down or lifted it
 */
export function drawingOn(element, penWidth, tell) {
  const context = element.getContext("2d");
  const history = newHistory();
  const held = new Set(); // arrow keys
  let stroke = null; // the one being written
  let pointer = null; // the one that writes it; null for the keyboard
  let pen = null; // where the keyboard's pen is, once it is used
  let marks = []; // underlines of readings
  let picture = null;
  let scale = 1; // below 1 if the area has become smaller than the drawing

  const strokes = () => (stroke ? [...history.now(), stroke] : history.now());

  function fit() {
    const { clientWidth, clientHeight } = element;
    const density = window.devicePixelRatio || 1;
    element.width = Math.round(clientWidth * density);
    element.height = Math.round(clientHeight * density);
    const now = history.now();
    const { x1, y1 } = now.length ? boxOf(now) : { x1: 0, y1: 0 };
    scale = Math.min(1, clientWidth / Math.max(x1, 1), clientHeight / Math.max(y1, 1));
    show();
  }

  function show() {
    const density = element.width / Math.max(element.clientWidth, 1);
    const colour = (name) => getComputedStyle(element).getPropertyValue(name);
    context.resetTransform();
    context.clearRect(0, 0, element.width, element.height);
    context.scale(density, density);
    if (picture) showPicture(colour);
    context.scale(scale, scale);
    for (const { box, accepted } of marks) {
      context.strokeStyle = colour(accepted ? "--accent" : "--soft");
      context.lineWidth = 3 / scale;
      context.setLineDash(accepted ? [] : [2, 7]);
      context.beginPath();
      context.moveTo(box.x0 + 3, box.y1 + 10);
      context.lineTo(box.x1 - 3, box.y1 + 10);
      context.stroke();
    }
    context.setLineDash([]);
    context.strokeStyle = colour("--ink");
    trace(context, strokes());
    if (pen && document.activeElement === element) showPen(colour);
  }

  function showPicture(colour) {
    const { clientWidth, clientHeight } = element;
    const { bitmap, boxes } = picture;
    const fits = Math.min(clientWidth / bitmap.width, clientHeight / bitmap.height);
    const left = (clientWidth - bitmap.width * fits) / 2;
    const top = (clientHeight - bitmap.height * fits) / 2;
    context.drawImage(bitmap, left, top, bitmap.width * fits, bitmap.height * fits);
    context.lineWidth = 2;
    for (const { box, accepted } of boxes) {
      const [x, y, width, height] = box.map((side) => side * fits);
      context.strokeStyle = colour(accepted ? "--accent" : "--soft");
      context.setLineDash(accepted ? [] : [2, 7]);
      context.strokeRect(left + x, top + y, width, height);
    }
    context.setLineDash([]);
  }

  function showPen(colour) {
    context.beginPath();
    context.arc(pen.x, pen.y, penWidth() / 2 + 4, 0, 2 * Math.PI);
    context.strokeStyle = colour("--accent");
    context.lineWidth = stroke ? 4 : 2;
    context.stroke();
  }

  function changed(live) {
    if (!live && !history.now().length) marks = [];
    show();
    tell.changed(live);
  }

  function begin(point) {
    picture = null;
    stroke = newStroke();
    stroke.points.push(point);
  }

  function end() {
    const written = stroke;
    stroke = null;
    pointer = null;
    if (written) history.add(written);
    changed(false);
  }

  function pointOf(event) {
    const { left, top } = element.getBoundingClientRect();
    // Only pens report pressure; a mouse always reports 0.5.
    const pressed = event.pointerType === "pen" && event.pressure > 0 ? 0.5 + event.pressure : 1;
    return {
      x: (event.clientX - left - element.clientLeft) / scale,
      y: (event.clientY - top - element.clientTop) / scale,
      width: (penWidth() * pressed) / scale,
    };
  }

  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || stroke) return;
    element.setPointerCapture(event.pointerId);
    pointer = event.pointerId;
    pen = null;
    begin(pointOf(event));
    changed(true);
  });
  element.addEventListener("pointermove", (event) => {
    if (event.pointerId !== pointer) return;
    const parts = event.getCoalescedEvents?.() ?? [];
    for (const part of parts.length ? parts : [event]) stroke.points.push(pointOf(part));
    changed(true);
  });
  element.addEventListener("pointerup", (event) => event.pointerId === pointer && end());
  element.addEventListener("pointercancel", (event) => {
    if (event.pointerId !== pointer) return;
    stroke = null;
    end();
  });

  function movePen(fast) {
    const reach = (fast ? FAST_STEP : STEP) / scale;
    for (const key of held) {
      pen.x = Math.min(Math.max(pen.x + ARROWS[key][0] * reach, 0), element.clientWidth / scale);
      pen.y = Math.min(Math.max(pen.y + ARROWS[key][1] * reach, 0), element.clientHeight / scale);
    }
    if (!stroke) return show();
    stroke.points.push({ ...pen, width: penWidth() / scale });
    changed(true);
  }

  element.addEventListener("keydown", (event) => {
    if (pointer !== null || event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = event.key in ARROWS;
    if (!arrow && event.key !== " ") return;
    event.preventDefault();
    pen ??= { x: element.clientWidth / 2 / scale, y: element.clientHeight / 4 / scale };
    if (arrow) {
      held.add(event.key);
      movePen(event.shiftKey);
    } else if (!event.repeat) {
      if (stroke) end();
      else {
        begin({ ...pen, width: penWidth() / scale });
        changed(true);
      }
      tell.pen(stroke !== null);
    }
  });
  element.addEventListener("keyup", (event) => held.delete(event.key));
  element.addEventListener("focus", show);
  element.addEventListener("blur", () => {
    held.clear();
    if (stroke && pointer === null) end();
    show();
  });
  new ResizeObserver(fit).observe(element);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);

  const afterStroke = (act) => () => {
    if (stroke) end();
    picture = null;
    act();
    changed(false);
  };
  return {
    strokes,
    undo: afterStroke(history.undo),
    redo: afterStroke(history.redo),
    canUndo: history.canUndo,
    canRedo: history.canRedo,
    isBlank: () => !strokes().length && !picture,
    clear: afterStroke(history.clear),
    /** @param {import("../reading/reading.js").Reading[]} to underline */
    mark: (readings) => {
      marks = readings.map(({ box, answer }) => ({ box, accepted: answer.accepted }));
      show();
    },
    /** @param {ImageBitmap} bitmap shown in place of the drawing
     *  @param {{box: number[], accepted: boolean}[]} boxes x, y, width, height in its pixels */
    showPicture: (bitmap, boxes) => {
      if (history.now().length) history.clear();
      picture = { bitmap, boxes };
      marks = [];
      show();
    },
  };
}
