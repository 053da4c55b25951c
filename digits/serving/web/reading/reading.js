/** Strokes -> readings; the same strokes are never read twice. */
import { ofStrokes } from "./canvas.js";
import { grouped } from "./grouping.js";
import { boxOf } from "../drawing/strokes.js";

/**
 * @typedef {{box: import("../drawing/strokes.js").Box, answer: import("./device.js").Answer}} Reading
 *
 * @param {import("./device.js").Reader} reader
 * @returns {(strokes: import("../drawing/strokes.js").Stroke[]) => Promise<Reading[]>} in reading order
 */
export function reading(reader) {
  let known = new Map();
  return async (strokes) => {
    const asked = new Map(); // answers that this call used; the next one keeps only these
    const ask = async (group) => {
      const key = group.map(({ id, points }) => `${id}:${points.length}`).join();
      const answer = asked.get(key) ?? known.get(key) ?? (await reader.read(ofStrokes(group)));
      asked.set(key, answer);
      return answer;
    };
    const likelihood = reader.sureness ? async (group) => (await ask(group)).likely : null;
    const found = [];
    for (const group of await grouped(strokes, likelihood)) {
      found.push({ box: boxOf(group), answer: await ask(group) });
    }
    known = asked;
    return found;
  };
}
