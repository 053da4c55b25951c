/** The drawing area: turns pointers and keys into strokes, and shows them. */
import { scratchedOut, touchedBy } from "./gestures.js";
import { keepDrawing, keptDrawing, newHistory } from "./history.js";
import { boxOf, newStroke } from "./strokes.js";
import { viewOn } from "./view.js";

// Pixels that an arrow key moves the pen.
const STEP = 6;
const FAST_STEP = 24; // with Shift
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
// Of a pointer's buttons, that of a pen's other end.
const ERASER = 32;
// Pixels, of an eraser.
const WIDE = 24;

/**
 * @param {HTMLCanvasElement} element
 * @param {() => number} penWidth in CSS pixels
 * @param {{changed: (live: boolean) => void, pen: (down: boolean) => void,
 *   rechosen: (key: string, digit: number | undefined) => void}} tell changed: the drawing changed, live
 *   while a stroke is being written; pen: a key put the pen down or lifted it; rechosen: undo or redo
 *   took what was chosen for strokes to this
 */
export function drawingOn(element, penWidth, tell) {
  const paint = viewOn(element);
  const history = newHistory(keptDrawing());
  const held = new Set(); // arrow keys
  // The stroke being written.
  let stroke = null;
  // What writes or erases, null for the keyboard: {id, type, erases}.
  let pointer = null;
  // Whether there is a pen: then a hand that rests on the screen draws nothing.
  let stylus = false;
  // Where the keyboard's pen is, once it is used.
  let pen = null;
  // Underlines of readings.
  let marks = [];
  // Where something is to be written again.
  let place = null;
  let picture = null;
  // Below 1 if the area has become smaller than the drawing.
  let scale = 1;

  const strokes = () => {
    const finished = history.now().strokes;
    return stroke ? [...finished, stroke] : finished;
  };

  function fit() {
    const { clientWidth, clientHeight } = element;
    const density = window.devicePixelRatio || 1;
    element.width = Math.round(clientWidth * density);
    element.height = Math.round(clientHeight * density);
    const now = history.now().strokes;
    const { x1, y1 } = now.length ? boxOf(now) : { x1: 0, y1: 0 };
    scale = Math.min(1, clientWidth / Math.max(x1, 1), clientHeight / Math.max(y1, 1));
    show();
  }

  function show() {
    const seen = pen && document.activeElement === element;
    const cursor = seen ? { ...pen, width: penWidth(), down: stroke !== null } : null;
    paint({ strokes: history.now().strokes, stroke, scale, marks, place, picture, pen: cursor });
  }

  function changed(live) {
    if (!live) {
      if (!history.now().strokes.length) marks = [];
      keepDrawing(history.now());
    }
    show();
    tell.changed(live);
  }

  /** Goes on with other strokes; what was chosen for strokes that are there no longer is forgotten. */
  function go(next, chosen = history.now().chosen) {
    history.go({ strokes: next, chosen });
  }

  function begin(point) {
    showPicture(null);
    place = null;
    stroke = newStroke([point]);
  }

  function end() {
    const written = stroke;
    stroke = null;
    pointer = null;
    if (written) {
      const before = history.now().strokes;
      const out = scratchedOut(written, before);
      if (out.length) go(before.filter((one) => !out.includes(one)));
      else go([...before, written]);
    }
    changed(false);
  }

  function eraseAt(point) {
    const before = history.now().strokes;
    const touched = touchedBy(before, point);
    if (!touched.length) return;
    go(before.filter((one) => !touched.includes(one)));
    changed(false);
  }

  function pointOf(event) {
    const { left, top } = element.getBoundingClientRect();
    // Only pens report pressure; a mouse always reports 0.5.
    const pressed = event.pointerType === "pen" && event.pressure > 0 ? 0.5 + event.pressure : 1;
    const erases = pointer?.erases;
    return {
      x: (event.clientX - left - element.clientLeft) / scale,
      y: (event.clientY - top - element.clientTop) / scale,
      width: (erases ? WIDE : penWidth() * pressed) / scale,
    };
  }

  element.addEventListener("pointerdown", (event) => {
    const { pointerId: id, pointerType: type } = event;
    const erases = type === "pen" && (event.buttons & ERASER) !== 0;
    stylus ||= type === "pen";
    if ((event.button !== 0 && !erases) || (stylus && type === "touch")) return;
    if (pointer && !(type === "pen" && pointer.type === "touch")) return;
    if (pointer) stroke = null; // the hand was there before the pen
    else if (stroke) end(); // the keyboard's
    element.setPointerCapture(id);
    pointer = { id, type, erases };
    pen = null;
    if (erases) return eraseAt(pointOf(event));
    begin(pointOf(event));
    return changed(true);
  });
  element.addEventListener("pointermove", (event) => {
    if (event.pointerId !== pointer?.id) return;
    const parts = event.getCoalescedEvents?.() ?? [];
    for (const part of parts.length ? parts : [event]) {
      if (pointer.erases) eraseAt(pointOf(part));
      else stroke.points.push(pointOf(part));
    }
    if (!pointer.erases) changed(true);
  });
  element.addEventListener("pointerup", (event) => event.pointerId === pointer?.id && end());
  element.addEventListener("pointercancel", (event) => {
    if (event.pointerId !== pointer?.id) return;
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
    return changed(true);
  }

  element.addEventListener("keydown", (event) => {
    if (pointer || event.ctrlKey || event.metaKey || event.altKey) return;
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
    if (stroke && !pointer) end();
    show();
  });
  new ResizeObserver(fit).observe(element);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
  watchDensity();

  /** As when the window moves to another screen: the area's size in CSS pixels stays. */
  function watchDensity() {
    const same = window.matchMedia(`(resolution: ${window.devicePixelRatio}dppx)`);
    const changes = () => {
      fit();
      watchDensity();
    };
    same.addEventListener("change", changes, { once: true });
  }

  function showPicture(next) {
    picture?.bitmap.close();
    picture = next;
  }

  const afterStroke = (act) => () => {
    if (stroke) end();
    showPicture(null);
    place = null;
    act();
    changed(false);
  };
  /** Undoes or redoes. A step between the same strokes is a choice, and nothing else is. */
  const step = (move) => () => {
    const before = history.now();
    move();
    const { strokes: now, chosen } = history.now();
    if (now !== before.strokes) return;
    for (const key of Object.keys({ ...before.chosen, ...chosen })) {
      if (before.chosen[key] !== chosen[key]) tell.rechosen(key, chosen[key]);
    }
  };
  return {
    strokes,
    undo: afterStroke(step(history.undo)),
    redo: afterStroke(step(history.redo)),
    canUndo: history.canUndo,
    canRedo: history.canRedo,
    isBlank: () => !strokes().length && !picture,
    clear: afterStroke(history.clear),
    /** @returns {Object<string, number>} the digits that the user chose, by the key of their strokes */
    chosen: () => history.now().chosen,
    /** @param {string} key of a character's strokes
     *  @param {number} digit that it is */
    choose: (key, digit) => {
      const { strokes: now, chosen } = history.now();
      go(now, { ...chosen, [key]: digit });
      changed(false);
    },
    /** @param {import("../reading/reading.js").Written} one
     *  @param {import("../reading/reading.js").Written[]} all characters
     *  @param {boolean} again whether it is to be written again */
    erase: (one, all, again) => {
      const gone = new Set(one.strokes.map((part) => part.of ?? part.id));
      const pieces = all.filter((other) => other !== one).flatMap((other) => other.strokes);
      const left = pieces.filter((part) => gone.has(part.of)).map((part) => newStroke(part.points));
      go([...history.now().strokes.filter(({ id }) => !gone.has(id)), ...left]);
      place = again ? one.box : null;
      changed(false);
    },
    /** @param {import("./strokes.js").Stroke[]} example as if it had been written */
    write: (example) => {
      showPicture(null);
      go([...history.now().strokes, ...example]);
      changed(false);
    },
    /** @param {{box: import("./strokes.js").Box, accepted: boolean}[]} read to underline */
    mark: (read) => {
      marks = read;
      show();
    },
    /** @param {ImageBitmap} bitmap shown in place of the drawing, and closed when it goes
     *  @param {{box: number[], accepted: boolean}[]} boxes x, y, width, height in its pixels */
    showPicture: (bitmap, boxes) => {
      if (history.now().strokes.length) history.clear();
      keepDrawing(history.now());
      showPicture({ bitmap, boxes });
      marks = [];
      show();
    },
  };
}
