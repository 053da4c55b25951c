/** Strokes -> readings, without asking twice about the same strokes. */
import { ofStrokes } from "./canvas.js";
import { grouped } from "./grouping.js";
import { boxOf } from "./strokes.js";

/**
 * @typedef {{box: import("./strokes.js").Box, answer: import("./model.js").Answer}} Reading
 *
 * @param {import("./model.js").Reader} reader
 * @returns {(strokes: import("./strokes.js").Stroke[]) => Promise<Reading[]>} in reading order
 */
export function reading(reader) {
  let known = new Map();
  return async (strokes) => {
    const asked = new Map(); // what is still asked about is kept, and nothing else
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
