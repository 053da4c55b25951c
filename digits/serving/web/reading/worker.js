/** Runs the model in a worker, so that neither loading nor reading holds up the pen. It is a classic
 *  worker because the runtime loads itself with importScripts, which module workers lack. */

let core;
const compiled = []; // the last one reads lines

/** Starts the runtime on the CPU: for a network this small, starting the GPU costs more than it saves. */
async function start({ runtime, build, models }) {
  const plain = self.fetch;
  self.fetch = async (...request) => counted(await plain(...request));
  const files = models.map(bytesOf);
  // Asked for by the runtime itself, it would come after two scripts.
  const wasm = compiledFrom(`${runtime}${build}.wasm`);
  // Reported below, where they are awaited.
  for (const one of [...files, wasm]) one.catch(() => {});
  const failed = new Promise((_, reject) => {
    self.Module = {
      instantiateWasm: (imports, done) => {
        const begin = async (module) => done(await WebAssembly.instantiate(module, imports), module);
        wasm.then(begin).catch(reject); // or nobody would hear of it
        return {};
      },
      printErr: (text) => console.debug(text), // it writes its progress there
    };
  });
  const gpu = { requestAdapter: async () => null };
  Object.defineProperty(navigator, "gpu", { value: gpu, configurable: true });
  core = await import(`${runtime}core.js`);
  await Promise.race([failed, core.loadLiteRt(`${runtime}${build}.js`)]);
  for (const file of files) {
    compiled.push(await core.loadAndCompile(unpacked(await file), { accelerator: "wasm" }));
  }
  return run({ signature: "canvas", input: new Uint8Array(256 * 256), shape: [1, 256, 256] });
}

/** Runs a signature; its outputs by name. */
async function run({ signature, input, shape }) {
  const tensor = new core.Tensor(input, shape);
  try {
    const model = compiled.at(signature.startsWith("line") ? -1 : 0);
    const outputs = await model.run(signature, { [signature]: tensor });
    const found = {};
    for (const [name, output] of Object.entries(outputs)) {
      found[name] = output.toTypedArray();
      output.delete();
    }
    return found;
  } finally {
    tensor.delete();
  }
}

async function compiledFrom(url) {
  try {
    return await WebAssembly.compileStreaming(fetch(url));
  } catch {
    return WebAssembly.compile(await bytesOf(url)); // the host may not know the type of the file
  }
}

async function bytesOf(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return response.arrayBuffer();
}

/** The model file again, of whose weights browser_model.py made whole numbers. */
function unpacked(packed) {
  const [size, count] = new Uint32Array(packed, 0, 2);
  const places = new Uint32Array(packed, 8, 4 * count);
  const model = new Uint8Array(size);
  let from = 8 + places.byteLength;
  let to = 0;
  const next = (length) => packed.slice(from, (from += length));
  for (let i = 0; i < places.length; i += 4) {
    const [place, rows, columns, parts] = places.subarray(i, i + 4);
    model.set(new Uint8Array(next(place - to)), to);
    const weights = new Float32Array(model.buffer, place, rows * columns);
    for (let part = 0; part < parts; part += 1) {
      const steps = new Float32Array(next(4 * rows));
      const numbers = new Int8Array(next(weights.length));
      for (let j = 0; j < numbers.length; j += 1) weights[j] += numbers[j] * steps[(j / columns) | 0];
    }
    to = place + weights.byteLength;
  }
  model.set(new Uint8Array(packed, from), to);
  return model;
}

let got = 0;

/** The same response; what arrives of it is told to the page. */
function counted(response) {
  if (!response.ok || !response.body) return response;
  const count = new TransformStream({
    transform(part, controller) {
      got += part.length;
      self.postMessage({ got });
      controller.enqueue(part);
    },
  });
  return new Response(response.body.pipeThrough(count), response);
}

self.onmessage = async ({ data: { id, task } }) => {
  try {
    const found = await (task.signature ? run(task) : start(task));
    self.postMessage({ id, found });
  } catch (error) {
    self.postMessage({ id, error: `${error?.message ?? error}` });
  }
};
