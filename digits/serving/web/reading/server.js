/** The server's /predict, beside this page, for everything that cannot be read on the device. */
import { say } from "../page/words.js";

const NONE = [404, 405, 501]; // as file hosts answer

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
 * Lets the server read a picture or a canvas.
 * @param {Blob | string} body a picture file, or JSON
 * @returns {Promise<object>} as of `digits read --json`
 * @throws {Refusal}
 */
export async function predict(body) {
  const type = typeof body === "string" ? "application/json" : body.type;
  let response;
  try {
    response = await fetch(new URL("predict", document.baseURI), {
      method: "POST",
      headers: { "Content-Type": type || "application/octet-stream" },
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
 * A reader that asks the server. A blank canvas is read first, to see whether there is one.
 * @returns {Promise<import("./device.js").Reader>}
 * @throws {Refusal} there is no server
 */
export async function onServer() {
  const read = async (canvas) => {
    const rows = Array.from({ length: 256 }, (_, y) =>
      Array.from(canvas.subarray(256 * y, 256 * (y + 1))),
    );
    const { readings } = await predict(JSON.stringify({ canvas: rows }));
    return answerOf(readings[0]);
  };
  await read(new Uint8Array(256 * 256));
  // A canvas is 131 kB as JSON: too much for every movement of the pen.
  return { live: false, read, sureness: null };
}

/**
 * @param {object} reading from the server
 * @returns {import("./device.js").Answer}
 */
export function answerOf({ digit, probabilities, accepted }) {
  return { probabilities, digit, accepted, likely: accepted ? 1 : 0, seen: null };
}
