/** Strokes -> digits. Each stroke joins the digit that it belongs to, or starts a new one. Where the
 *  boxes leave this open, the model decides which is more likely. */
import { boxOf } from "../drawing/strokes.js";

const FARTHEST = 0.25; // horizontal gap between two strokes of one digit, in heights
const FARTHEST_DOWN = 0.4; // the same for a vertical gap
const MOST_ASKED = 3; // digits that a stroke may belong to
const UNLIKELY = 1e-4; // floor of a likelihood, so that no single one outweighs all others

/**
 * @param {import("../drawing/strokes.js").Stroke[]} strokes in the order in which they were written
 * @param {((strokes: import("../drawing/strokes.js").Stroke[]) => Promise<number>) | null} likelihood that
 *   strokes make one digit, 0 to 1; null if it is not known
 * @returns {Promise<import("../drawing/strokes.js").Stroke[][]>} the digits, in reading order
 */
export async function grouped(strokes, likelihood) {
  let groups = [];
  for (const stroke of strokes) {
    const near = groups
      .map((group) => ({ group, bond: bond(boxOf(group), boxOf([stroke])) }))
      .filter(({ bond: strength }) => strength > -Infinity)
      .sort((a, b) => b.bond - a.bond)
      .slice(0, MOST_ASKED);
    const chosen = await choice(near, stroke, likelihood);
    groups = groups.filter((group) => !chosen.includes(group));
    groups.push([...chosen.flat(), stroke].sort((a, b) => a.id - b.id));
  }
  return inReadingOrder(groups);
}

/** The groups that a stroke joins. */
async function choice(near, stroke, likelihood) {
  if (!near.length) return [];
  if (!likelihood) return near[0].bond > 0 ? [near[0].group] : [];
  const log = async (group) => Math.log(Math.max(await likelihood(group), UNLIKELY));
  const apart = [];
  for (const { group } of near) apart.push(await log(group));
  const everything = apart.reduce((a, b) => a + b, 0);
  const ways = [[], ...near.map((_, i) => [i])];
  if (near.length > 1) ways.push([0, 1]);
  let best = [];
  let most = -Infinity;
  for (const way of ways) {
    const joined = way.flatMap((i) => near[i].group);
    let score = everything + (await log([...joined, stroke]));
    for (const i of way) score += near[i].bond - apart[i];
    if (score > most) [most, best] = [score, way];
  }
  return best.map((i) => near[i].group);
}

/**
 * Log odds that two boxes belong to one digit, from the boxes alone.
 * @param {import("../drawing/strokes.js").Box} a
 * @param {import("../drawing/strokes.js").Box} b
 * @returns {number} -Infinity if they are too far apart
 */
function bond(a, b) {
  const tall = Math.max(a.y1 - a.y0, b.y1 - b.y0);
  const across = Math.max(a.x0, b.x0) - Math.min(a.x1, b.x1); // negative: they overlap
  const down = Math.max(a.y0, b.y0) - Math.min(a.y1, b.y1);
  if (across > FARTHEST * tall || down > FARTHEST_DOWN * tall) return -Infinity;
  const shared = -across / Math.min(a.x1 - a.x0, b.x1 - b.x0);
  const sideways = across < 0 ? Math.min(8 * shared, 4) - 1 : -1 - (12 * across) / tall;
  return sideways - (9 * Math.max(down, 0)) / tall;
}

/** Lines from top to bottom, each from left to right. */
function inReadingOrder(groups) {
  const placed = groups.map((group) => ({ group, box: boxOf(group) }));
  placed.sort((a, b) => a.box.y0 + a.box.y1 - b.box.y0 - b.box.y1);
  const lines = [];
  for (const one of placed) {
    const line = lines[lines.length - 1];
    const middle = (one.box.y0 + one.box.y1) / 2;
    if (line && middle < Math.max(...line.map(({ box }) => box.y1))) line.push(one);
    else lines.push([one]);
  }
  for (const line of lines) line.sort((a, b) => a.box.x0 + a.box.x1 - b.box.x0 - b.box.x1);
  return lines.flat().map(({ group }) => group);
}
