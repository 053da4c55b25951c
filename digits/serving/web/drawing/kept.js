/** Keeps the drawing of a tab over a reload, an update of the page and a crash, until the tab is
 *  closed. */
import { newStroke } from "./strokes.js";

const NAME = `digits drawing ${new URL(".", document.baseURI).pathname}`; // other sites may share the origin
const rounded = (value) => Math.round(value * 100) / 100;

/** @param {import("./history.js").Drawing} drawing */
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

/** @returns {import("./history.js").Drawing | undefined} what was kept */
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
