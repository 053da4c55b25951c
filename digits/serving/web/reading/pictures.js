/** Pictures that are dropped, pasted, chosen or photographed. The server reads them if there is one;
 *  otherwise they are read on the device, as a single digit. */
import { ofPicture, seesPixels } from "./canvas.js";
import { answerOf, predict, Refusal } from "./server.js";
import { say } from "../page/words.js";

/**
 * @param {File} file
 * @param {import("./device.js").Reader | null} reader on the device
 * @returns {Promise<{bitmap: ImageBitmap | null, answers: import("./device.js").Answer[],
 *   boxes: {box: number[], accepted: boolean}[], said: string}>} said: a sentence about what read it
 * @throws {Error} with a sentence for the user
 */
export async function readPicture(file, reader) {
  const name = file.name || say("picture_unnamed");
  const bitmap = await opened(file);
  try {
    const { readings } = await predict(file);
    const boxes = readings.map(({ box, accepted }) => ({ box, accepted }));
    return { bitmap, answers: readings.map(answerOf), boxes, said: say("picture_server") };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.exists) throw new Error(error.message);
    if (!bitmap) throw new Error(say("picture_not", { name }));
    if (!reader) throw new Error(say("picture_nobody", { name, server: error.message }));
    if (!seesPixels()) throw new Error(say("picture_noise", { name }));
    const canvas = ofPicture(bitmap);
    if (!canvas) throw new Error(say("picture_empty", { name }));
    const answers = [await reader.read(canvas)];
    const said = say("picture_device_no_server", { server: error.message });
    return { bitmap, answers, boxes: [], said };
  }
}

/** Null if this browser cannot open the file; perhaps the server can. */
async function opened(file) {
  try {
    return await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    return null;
  }
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
