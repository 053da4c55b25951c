/** The model on this device: the bundle's own digits.tflite, run by LiteRT.js.
 *
 *  @typedef {object} Answer
 *  @property {number[]} probabilities of the digits 0 to 9
 *  @property {number} digit the likeliest
 *  @property {boolean} accepted false: not sure, or not a digit
 *  @property {number} likely how likely this is a digit, and this one, where what is just about
 *    accepted is a digit as likely as not; 0 to 1
 *  @property {Float32Array | null} seen 28×28, 0 to 255, what the network saw, if that is known
 *
 *  @typedef {object} Reader
 *  @property {(canvas: Uint8Array) => Promise<Answer>} read of a canvas, 256×256
 *  @property {((digit: Uint8Array) => Promise<number[]>) | null} sureness for 28×28 pixels:
 *    of each digit, the probability that there is a digit and it is this one
 */

// The smallest module that uses relaxed SIMD: i8x16.relaxed_swizzle of two constants.
const RELAXED = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 15, 1, 13, 0, 65, 1, 253, 15,
  65, 2, 253, 15, 253, 128, 2, 11,
];

/** @returns {string} which of the runtime's builds this browser runs */
export function build() {
  const relaxed = WebAssembly.validate(new Uint8Array(RELAXED));
  return relaxed ? "litert_wasm_internal" : "litert_wasm_compat_internal";
}

/**
 * Loads runtime and model.
 * @param {string} runtime URL of the folder of LiteRT.js
 * @param {string} model URL of the folder of the model
 * @param {Promise<object>} manifest of the bundle
 * @returns {Promise<Reader>} rejected where that cannot be
 */
export async function onDevice(runtime, model, manifest) {
  preload(`${runtime}${build()}.js`, "script");
  preload(`${runtime}${build()}.wasm`, "fetch");
  const [core, bytes] = await Promise.all([
    import(`${runtime}core.js`).then((module) => started(module, `${runtime}${build()}.js`)),
    bytesOf(`${model}digits.tflite`),
  ]);
  const threshold = (await manifest).thresholds.is_digit;
  const compiled = await core.loadAndCompile(bytes, { accelerator: "wasm" });
  const run = async (signature, input, shape) => {
    const tensor = new core.Tensor(input, shape);
    try {
      const outputs = await compiled.run(signature, { [signature]: tensor });
      const found = {};
      for (const [name, output] of Object.entries(outputs)) {
        found[name] = output.toTypedArray();
        output.delete();
      }
      return found;
    } finally {
      tensor.delete();
    }
  };
  const reader = {
    read: async (canvas) => {
      const found = await run("canvas", canvas, [1, 256, 256]);
      const probabilities = Array.from(found.probabilities);
      const is = found.is_digit[0];
      const most = Math.max(...probabilities);
      return {
        probabilities,
        digit: probabilities.indexOf(most),
        accepted: is >= threshold,
        likely: (odds(is) / (odds(is) + odds(threshold))) * most,
        seen: found.digit,
      };
    },
    sureness: async (digit) => {
      const found = await run("digit", digit, [1, 28, 28]);
      return Array.from(found.probabilities, (probability) => probability * found.is_digit[0]);
    },
  };
  await reader.read(new Uint8Array(256 * 256)); // the first run takes longer; let it be this one
  return reader;
}

/** The runtime started on the processor: a graphics card takes longer to wake than to be of use. */
async function started(core, path) {
  globalThis.Module = { printErr: (text) => console.debug(text) }; // it reports progress as errors
  const gpu = { requestAdapter: async () => null };
  Object.defineProperty(navigator, "gpu", { value: gpu, configurable: true });
  try {
    await core.loadLiteRt(path);
  } finally {
    delete navigator.gpu; // and the browser's own is there again
  }
  return core;
}

/** Has a file fetched that will only be asked for when others are there. */
function preload(href, as) {
  const link = document.createElement("link");
  Object.assign(link, { rel: "preload", href, as, crossOrigin: "anonymous" });
  document.head.append(link);
}

async function bytesOf(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

function odds(probability) {
  return Math.max(probability, 1e-6) / Math.max(1 - probability, 1e-6);
}
