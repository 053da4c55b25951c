/** Pictures that are dropped, pasted, chosen or photographed. The server reads them if there is one;
 *  otherwise they are read on the device, line by line. */
import { say } from "../page/words.js";
import { linesIn, seesPixels } from "./ink.js";
import { readLine } from "./reading.js";
import { linesOf, predict, Refusal } from "./server.js";

const SENT = ["image/png", "image/jpeg", "image/webp"]; // as they are; others are made PNG
const MOST_BYTES = 4e6; // of a file that is sent as it is
const MOST = 2500; // pixels, of the longer side of a picture that is sent otherwise

/**
 * @param {File} file
 * @param {import("./device.js").Reader | null} reader on the device
 * @returns {Promise<{bitmap: ImageBitmap | null, lines: import("./reading.js").Written[][],
 *   said: string}>} boxes are x, y, width and height in the bitmap's pixels; said: a sentence about what
 *   read it
 * @throws {Error} with a sentence for the user
 */
export async function readPicture(file, reader) {
  const name = file.name || say("picture_unnamed");
  const bitmap = await opened(file);
  try {
    return { bitmap, ...(await readBy(file, bitmap, reader, name)) };
  } catch (error) {
    bitmap?.close();
    throw error;
  }
}

async function readBy(file, bitmap, reader, name) {
  let server;
  try {
    const { body, reduced } = await sendable(file, bitmap);
    const whole = (box) => box.map((side) => side / reduced);
    return { lines: linesOf(await predict(body), whole), said: say("picture_server") };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.exists) throw new Error(error.message);
    server = error.message;
  }
  if (!bitmap) throw new Error(say("picture_not", { name }));
  if (!reader) throw new Error(say("picture_nobody", { name, server }));
  if (!seesPixels()) throw new Error(say("picture_noise", { name }));
  const found = linesIn(bitmap);
  if (!found) throw new Error(say("picture_empty", { name }));
  if (!found.length) throw new Error(say("picture_busy", { name, server }));
  const lines = await Promise.all(
    found.map(async (line) => (await readLine(line, reader)).map((one) => inPicture(one, line))),
  );
  return { lines, said: say("picture_device", { server }) };
}

function inPicture(one, { reduced }) {
  const { x0, y0, x1, y1 } = one.box;
  const box = [x0, y0, x1 - x0, y1 - y0].map((side) => side / reduced);
  return { ...one, box, key: `${box}`, strokes: [] };
}

/** Null if this browser cannot open the file; perhaps the server can. */
async function opened(file) {
  try {
    return await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    return null;
  }
}

/** The file, or the picture in it as PNG if the server may not know such files, or it is large; and the size
 *  of what is sent, as a share of the picture's. */
async function sendable(file, bitmap) {
  const asItIs = { body: file, reduced: 1 };
  if (!bitmap || !seesPixels() || (SENT.includes(file.type) && file.size <= MOST_BYTES)) return asItIs;
  const reduced = Math.min(1, MOST / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * reduced));
  canvas.height = Math.max(1, Math.round(bitmap.height * reduced));
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  const body = await new Promise((done) => canvas.toBlob(done));
  return body ? { body, reduced } : asItIs;
}

/**
 * Calls `given` with every picture that the user gives to the page.
 * @param {HTMLInputElement[]} inputs of type file
 * @param {HTMLElement} target that shows where a picture can be dropped
 * @param {(file: File) => void} given
 */
export function watchForPictures(inputs, target, given) {
  for (const input of inputs) {
    input.addEventListener("change", () => {
      if (input.files.length) given(input.files[0]);
      input.value = ""; // so that the same file can be chosen again
    });
  }
  const first = (transfer) => Array.from(transfer?.files ?? [])[0];
  document.addEventListener("paste", (event) => {
    const file = first(event.clipboardData);
    if (file) given(file);
  });
  document.addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    target.classList.add("dropping");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) target.classList.remove("dropping");
  });
  document.addEventListener("drop", (event) => {
    target.classList.remove("dropping");
    const file = first(event.dataTransfer);
    if (!file) return;
    event.preventDefault();
    given(file);
  });
}
