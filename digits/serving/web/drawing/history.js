/** What was drawn and corrected so far, with undo and redo.
 *
 *  @typedef {import("./strokes.js").Stroke} Stroke
 *  @typedef {object} Drawing
 *  @property {Stroke[]} strokes
 *  @property {Object<string, number>} chosen the digits that the user chose, by the key of their strokes
 */

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
