/** The server's /predict, beside this page, for everything that cannot be read on the device. */
import { rasterised } from "../drawing/raster.js";
import { boxOf } from "../drawing/strokes.js";
import { say } from "../page/words.js";
import { pngOf } from "./png.js";

const NONE = [404, 405, 501]; // as file hosts answer
const MOST = 1000; // pixels, of the longer side of a drawing that is sent
const RIM = 20; // pixels around it

/** The server refused to read, or something else answered in its place. */
export class Refusal extends Error {
  /**
   * @param {string} message a sentence, or a part of one
   * @param {boolean} exists whether the answer came from a server that reads
   */
  constructor(message, exists) {
    super(message);
    this.exists = exists;
  }
}

/**
 * Lets the server read a picture.
 * @param {Blob} body a picture file
 * @returns {Promise<object>} as of `digits read --json`
 * @throws {Refusal}
 */
export async function predict(body) {
  let response;
  try {
    response = await fetch(new URL("predict", document.baseURI), {
      method: "POST",
      headers: { "Content-Type": body.type || "application/octet-stream" },
      body,
    });
  } catch {
    throw new Refusal(say("server_unreachable"), false);
  }
  if (NONE.includes(response.status)) {
    throw new Refusal(say("server_none", { status: response.status }), false);
  }
  const json = await response.json().catch(() => null);
  if (response.ok && Array.isArray(json?.readings)) return json;
  if (typeof json?.detail === "string") throw new Refusal(json.detail, true);
  if (response.ok) throw new Refusal(say("server_strange"), false);
  throw new Refusal(say("server_none", { status: response.status }), false);
}

/**
 * A reader that asks the server. A blank picture is read first, to see whether there is one.
 * @returns {Promise<{page: (strokes: import("../drawing/strokes.js").Stroke[]) =>
 *   Promise<import("./reading.js").Written[][]>}>}
 * @throws {Refusal} there is no server
 */
export async function onServer() {
  await predict(await pictureOf(new Uint8Array(28 * 28), 28, 28));
  return {
    page: async (strokes) => {
      if (!strokes.length) return [];
      const { x0, y0, x1, y1 } = boxOf(strokes);
      const scale = Math.min(1, MOST / Math.max(x1 - x0, y1 - y0));
      const view = { scale, left: x0 - RIM / scale, top: y0 - RIM / scale, least: 2 / scale };
      const width = Math.ceil((x1 - x0) * scale) + 2 * RIM;
      const height = Math.ceil((y1 - y0) * scale) + 2 * RIM;
      const ink = rasterised(strokes, width, height, view);
      const toStrokes = ([x, y, wide, high]) => ({
        x0: x / scale + view.left,
        y0: y / scale + view.top,
        x1: (x + wide) / scale + view.left,
        y1: (y + high) / scale + view.top,
      });
      return linesOf(await predict(await pictureOf(ink, width, height)), toStrokes);
    },
  };
}

async function pictureOf(ink, width, height) {
  const paper = ink.map((value) => 255 - value);
  return new Blob([await pngOf(paper, width, height)], { type: "image/png" });
}

/**
 * What a server read, as the page shows it.
 * @param {object} page of `predict`
 * @param {(box: number[]) => object} placed takes x, y, width and height to the box of a character
 * @returns {import("./reading.js").Written[][]}
 */
export function linesOf({ text, readings }, placed = (box) => box) {
  const shown = readings.filter(({ group }) => group !== null);
  let next = 0;
  return text.split("\n").filter(Boolean).map((line) => {
    let gap = false;
    return [...line].flatMap((sign) => {
      if (sign === " ") {
        gap = true;
        return [];
      }
      const of = { shown: sign, gap, key: "", strokes: [], box: null, answer: null };
      gap = false;
      if (!/[0-9?]/.test(sign) || next === shown.length) return [of];
      const { box, digit, probabilities, accepted } = shown[next];
      next += 1;
      const answer = { probabilities, digit, accepted, seen: null };
      return [{ ...of, key: `${box}`, box: placed(box), answer }];
    });
  });
}
