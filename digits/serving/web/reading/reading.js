/** Strokes -> what is written, line by line; the same strokes are never read twice. */
import { ofStrokes } from "./canvas.js";
import { shared } from "./lines/characters.js";
import {
  greedy,
  isDigit,
  likeliestSign,
  mostOf,
  OTHER,
  OUTPUTS,
  plausible,
  STEP,
} from "./lines/decoding.js";
import { judged, ofLine } from "./lines/judging.js";
import { extentOf, inLines } from "./lines/lines.js";
import { stripOf, windowsOf } from "./lines/strips.js";

const GAP = 0.55; // of a line's height, the narrowest gap between words
const LONELY = 0.6; // of a line's height, what is taken for the usual gap where there is only one
const USUAL = 2.2; // times the usual gap of its line, the narrowest gap between words
const LONG = 1.2; // of a line's height, a slash
const MAYBE = 0.03; // probability of a one that seems a slash
const SMALL = 0.4; // of a line's height, what is too low for a digit

/**
 * @typedef {import("../drawing/strokes.js").Stroke} Stroke
 *
 * @typedef {object} Written a character
 * @property {string} shown a digit, a sign, or ? for what is not sure
 * @property {boolean} gap whether there is a gap before it
 * @property {import("../drawing/strokes.js").Box} box around its strokes, or in a picture's pixels
 * @property {string} key names its strokes; empty if they are not known
 * @property {Stroke[]} strokes its own, or pieces of them
 * @property {import("./device.js").Answer | null} answer null for a sign
 *
 * @param {object} reader on the device, or of a server
 * @returns {(strokes: Stroke[]) => Promise<Written[][]>} the lines from the top
 */
export function reading(reader) {
  if (reader.page) return reader.page; // the server's own reading of all of them
  let known = new Map();
  return async (strokes) => {
    const asked = new Map(); // answers that this call used; the next one keeps only these
    const once = (kind, own, ask) => {
      const key = kind + keyOf(own);
      if (!asked.has(key)) asked.set(key, known.get(key) ?? ask());
      return asked.get(key);
    };
    const lines = inLines(strokes).map((line) => readLine(line, reader, once));
    const found = await Promise.all(lines);
    known = asked;
    return found;
  };
}

/**
 * @param {import("./lines/lines.js").Line} line
 * @param {import("./device.js").Reader} reader
 * @param {(kind: string, strokes: Stroke[], ask: () => Promise<any>) => Promise<any>} once asks, or
 *   remembers
 * @returns {Promise<Written[]>}
 */
export async function readLine(line, reader, once = (_, __, ask) => ask()) {
  const strip = stripOf(line);
  const outputs = await once("line", line.strokes, () => ofWindows(strip, reader));
  const parts = shared(line, strip, plausible(greedy(outputs)));
  const read = await Promise.all(parts.map((part) => readPart(part, line, reader, once)));
  return shownIn(read, line.height, !line.canvas);
}

async function ofWindows(strip, reader) {
  const parts = [];
  for (const { start, begin, end, image } of windowsOf(strip)) {
    const outputs = await reader.line(image);
    parts.push(outputs.subarray(((begin - start) / STEP) * OUTPUTS, ((end - start) / STEP) * OUTPUTS));
  }
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  parts.reduce((at, part) => {
    all.set(part, at);
    return at + part.length;
  }, 0);
  return all;
}

async function readPart({ character, strokes, cut }, line, reader, once) {
  const box = extentOf(strokes);
  const { height } = line;
  const tall = box.y1 - box.y0;
  let symbol = character ? character.symbol : OTHER;
  let opinion = ofLine(character);
  if (symbol === "/" && tall < LONG * height && opinion.presence * opinion.line[1] > MAYBE) {
    symbol = "1"; // as high as digits are, and leaning
    opinion = { ...opinion, presence: character.presence };
  }
  if (isDigit(symbol) && tall < SMALL * height) symbol = likeliestSign(character);
  const pen = strokes[0].points[0].width / 2;
  const around = { x0: box.x0 - pen, y0: box.y0 - pen, x1: box.x1 + pen, y1: box.y1 + pen };
  const of = { symbol, box: around, key: keyOf(strokes), strokes };
  if (!isDigit(symbol) && symbol !== OTHER) return { ...of, opinion: null };
  const answer = await once("canvas", strokes, () => reader.read(canvasOf(strokes, line)));
  return { ...of, opinion: { ...opinion, answer, cut } };
}

function canvasOf(strokes, line) {
  return line.canvas ? line.canvas(strokes) : ofStrokes(finer(strokes, line.pen.most));
}

/** Strokes with no line wider than most: small digits are no blots because the pen is thick. */
function finer(strokes, most) {
  return strokes.map((stroke) =>
    stroke.points.every(({ width }) => width <= most)
      ? stroke
      : { ...stroke, points: stroke.points.map((at) => ({ ...at, width: Math.min(at.width, most) })) },
  );
}

/** The characters as they are shown, with the gaps between them. */
function shownIn(read, height, drawn) {
  const gaps = read.slice(1).map(({ box }, i) => box.x0 - read[i].box.x1);
  const sorted = gaps.slice().sort((a, b) => a - b);
  // The gap at a third of them in order of width: gaps between words are fewer than others.
  const third = Math.floor((gaps.length - 1) / 3);
  const usual = gaps.length > 1 ? Math.max(sorted[third], 0) : LONELY * height;
  const least = Math.max(GAP * height, USUAL * usual);
  const parts = [];
  read.forEach((one, i) => {
    if (!i || gaps[i - 1] > least) parts.push([]);
    parts[parts.length - 1].push(one);
  });
  return parts.flatMap((part, number) => {
    const opinions = judged(part.map(({ opinion }) => opinion), read.length === 1, drawn);
    return part.map(({ symbol, box, key, strokes, opinion }, i) => {
      const gap = number > 0 && i === 0;
      const of = { gap, box, key, strokes };
      if (!opinion) return { ...of, shown: symbol, answer: null };
      const { probabilities, logOdds } = opinions[i];
      const accepted = logOdds >= 0;
      const digit = mostOf(probabilities);
      const { seen } = opinion.answer;
      return {
        ...of,
        shown: accepted ? `${digit}` : OTHER,
        answer: { probabilities, digit, accepted, logOdds, seen },
      };
    });
  });
}

function keyOf(strokes) {
  return strokes.map(({ id, points }) => `${id}:${points.length}`).join();
}
