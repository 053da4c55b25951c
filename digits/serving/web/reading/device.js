/** The model on this device: what browser_model.py made of the bundle's digits.tflite, run by LiteRT.js.
 *
 *  @typedef {object} Answer
 *  @property {number[]} probabilities of the digits 0 to 9
 *  @property {number} digit the most likely one
 *  @property {boolean} accepted false means not sure, or not a digit
 *  @property {number} logOdds that this is a digit, relative to the threshold's; 0 or more is accepted
 *  @property {Float32Array | null} seen 28×28, 0 to 255, what the network saw; null if not known
 *
 *  @typedef {object} Reader
 *  @property {(canvas: Uint8Array) => Promise<Answer>} read reads a canvas, 256×256
 *  @property {(strip: Uint8Array) => Promise<Float32Array>} line reads a strip, 32 rows of 48, 96,
 *    144 or 192: for each two columns the logarithms of 21 probabilities
 *  @property {((digit: Uint8Array) => Promise<number[]>) | null} sureness for
 *    28×28 pixels: of each digit, the probability that the ink is that digit
 */

// The smallest module that uses relaxed SIMD: i8x16.relaxed_swizzle of two constants.
const RELAXED = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 15, 1, 13, 0, 65, 1, 253, 15,
  65, 2, 253, 15, 253, 128, 2, 11,
];

/** @returns {string} the build of the runtime that this browser can run */
export function build() {
  const relaxed = WebAssembly.validate(new Uint8Array(RELAXED));
  return relaxed ? "litert_wasm_internal" : "litert_wasm_compat_internal";
}

// index.html asks for this module by itself, so that loading begins before the rest of the page is there.
const { dataset } = document.documentElement;
let tell = () => {};
const begun = begin();
begun.catch(() => {}); // reported where it is awaited

async function begin() {
  const runtime = folder("runtime");
  if (!runtime) return null;
  const ask = questions(new Worker(new URL("worker.js", import.meta.url)));
  const models = dataset.models.split(" ").map((name) => folder("model") + name);
  await ask({ runtime, build: build(), models });
  return ask;
}

/** @returns {string} the URL of a folder of the site; empty if it has none of that name */
export function folder(name) {
  return dataset[name] && new URL(dataset[name], document.baseURI).href;
}

/**
 * Loads the runtime and the model, in a worker.
 * @param {Promise<object>} manifest of the bundle
 * @param {(bytes: number) => void} got told how many bytes have arrived so far
 * @returns {Promise<Reader>} rejected if they cannot be loaded
 */
export async function onDevice(manifest, got) {
  tell = got;
  const ask = await begun;
  const threshold = (await manifest).thresholds.is_digit;
  return {
    read: async (input) => {
      const found = await ask({ signature: "canvas", input, shape: [1, 256, 256] });
      const probabilities = Array.from(found.probabilities);
      const is = found.is_digit[0];
      return {
        probabilities,
        digit: probabilities.indexOf(Math.max(...probabilities)),
        accepted: is >= threshold,
        logOdds: Math.log(odds(is) / odds(threshold)),
        seen: found.digit,
      };
    },
    line: async (input) => {
      const width = input.length / 32;
      const name = `line${width === 192 ? "" : width}`;
      const found = await ask({ signature: name, input, shape: [1, 32, width] });
      return found.log_probabilities;
    },
    sureness: async (input) => {
      const found = await ask({ signature: "digit", input, shape: [1, 28, 28] });
      return Array.from(found.probabilities, (probability) => probability * found.is_digit[0]);
    },
  };
}

/** Turns a worker into a function that gives a promise for each task. If the worker fails, all of
 *  them are rejected. */
function questions(worker) {
  const open = new Map();
  let last = 0;
  worker.onmessage = ({ data: { id, found, error, got: bytes } }) => {
    if (bytes) return tell(bytes);
    const { resolve, reject } = open.get(id);
    open.delete(id);
    if (found) resolve(found);
    else reject(new Error(error));
    return undefined;
  };
  worker.onerror = (event) => {
    event.preventDefault();
    for (const { reject } of open.values()) reject(new Error(event.message));
    open.clear();
  };
  return (task) =>
    new Promise((resolve, reject) => {
      last += 1;
      open.set(last, { resolve, reject });
      worker.postMessage({ id: last, task });
    });
}

function odds(probability) {
  return Math.max(probability, 1e-6) / Math.max(1 - probability, 1e-6);
}
