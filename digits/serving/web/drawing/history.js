/** What was drawn and corrected so far, with undo and redo. A tab keeps it over a reload, an update of
 *  the page and a crash, until it is closed.
 *
 *  @typedef {import("./strokes.js").Stroke} Stroke
 *  @typedef {object} Drawing
 *  @property {Stroke[]} strokes
 *  @property {Object<string, number>} chosen the digits that the user chose, by the key of their strokes
 */
import { newStroke } from "./strokes.js";

const EMPTY = { strokes: [], chosen: {} };

/**
 * @param {Drawing} first
 * @returns {{now: () => Drawing, go: (next: Drawing) => void, clear: () => void,
 *   undo: () => boolean, redo: () => boolean, canUndo: () => boolean, canRedo: () => boolean}}
 */
export function newHistory(first = EMPTY) {
  let states = first.strokes.length ? [EMPTY, first] : [EMPTY];
  let at = states.length - 1;
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
    go,
    clear: () => states[at].strokes.length && go(EMPTY),
    undo: () => step(-1),
    redo: () => step(1),
    canUndo: () => at > 0,
    canRedo: () => at < states.length - 1,
  };
}

const NAME = `digits drawing ${new URL(".", document.baseURI).pathname}`; // other sites may share the origin
const rounded = (value) => Math.round(value * 100) / 100;

/** @param {Drawing} drawing */
export function keepDrawing({ strokes, chosen }) {
  try {
    if (!strokes.length) return sessionStorage.removeItem(NAME);
    const lines = strokes.map(({ points }) =>
      points.flatMap(({ x, y, width }) => [rounded(x), rounded(y), rounded(width)]),
    );
    const at = strokes.map(({ id }) => id);
    sessionStorage.setItem(NAME, JSON.stringify({ lines, at, chosen }));
  } catch {
    // There is no storage, or it is full: the drawing lasts as long as the page.
  }
  return undefined;
}

/** @returns {Drawing | undefined} what was kept */
export function keptDrawing() {
  try {
    const { lines, at, chosen } = JSON.parse(sessionStorage.getItem(NAME));
    const ids = new Map();
    const strokes = lines.map((values, i) => {
      const points = [];
      for (let k = 0; k < values.length; k += 3) {
        const [x, y, width] = values.slice(k, k + 3);
        points.push({ x, y, width });
      }
      const stroke = newStroke(points);
      ids.set(`${at[i]}`, stroke.id);
      return stroke;
    });
    // Strokes have new numbers, and so have the keys that name them.
    const renamed = (key) => key.replace(/(?<=^|,)\d+/g, (id) => ids.get(id) ?? id);
    const entries = Object.entries(chosen).map(([key, digit]) => [renamed(key), digit]);
    return { strokes, chosen: Object.fromEntries(entries) };
  } catch {
    return undefined; // nothing was kept
  }
}
