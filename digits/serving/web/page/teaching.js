/** Shows the digits that the user corrected, and gives them away: as a folder to teach from, or to a
 *  server that collects them. */
import { pngOf } from "../reading/png.js";
import { paint } from "./answers.js";
import { forget, keep, taught } from "./store.js";
import { say } from "./words.js";
import { zipOf } from "./zip.js";

const SIDE = 28;
const COLLECT = new URL("collect", document.baseURI);

/**
 * @param {(id: string) => HTMLElement} at
 * @returns {(key: string, label: number, seen: Float32Array) => Promise<void>} keeps a digit; one of the
 *   same strokes is replaced
 */
export function teachingIn(at) {
  const ids = new Map(); // of the digits kept since the page was opened, by their strokes' key
  at("taught-download").onclick = download;
  at("taught-send").onclick = send;
  at("taught-delete").onclick = async () => remove(await taught());
  at("teaching").addEventListener("toggle", () => at("teaching").open && askServer());
  show();

  return async (key, label, seen) => {
    const digit = { label, seen: Uint8Array.from(seen, Math.round) };
    const id = await keep(ids.has(key) ? { ...digit, id: ids.get(key) } : digit);
    at("taught-said").textContent = id === null ? say("teaching_not_kept") : "";
    if (id !== null) ids.set(key, id);
    await show();
  };

  async function show() {
    const all = await taught();
    at("teaching").hidden = !all.length;
    at("teaching").querySelector("summary").textContent = say("teaching", { count: all.length });
    at("taught").replaceChildren(...all.map(item));
  }

  function item(digit) {
    const made = document.createElement("li");
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = SIDE;
    paint(canvas, digit.seen, null);
    const away = document.createElement("button");
    away.type = "button";
    away.append(canvas, `${digit.label} ×`);
    away.setAttribute("aria-label", say("teaching_remove", { label: digit.label }));
    away.onclick = () => remove([digit]);
    made.append(away);
    return made;
  }

  async function remove(digits) {
    await forget(digits.map(({ id }) => id));
    for (const { id } of digits) for (const [key, of] of ids) if (of === id) ids.delete(key);
    await show();
  }

  async function download() {
    const files = [];
    for (const { id, label, seen } of await taught()) {
      const name = `my-digits/${label}/${`${id}`.padStart(4, "0")}.png`;
      files.push({ name, content: await pngOf(seen, SIDE, SIDE) });
    }
    const link = document.createElement("a");
    link.href = URL.createObjectURL(zipOf(files));
    link.download = "my-digits.zip";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }

  /** Offers to send them only to a server that says where it keeps them. */
  async function askServer() {
    const response = await fetch(COLLECT).catch(() => null);
    const found = response?.ok ? await response.json().catch(() => null) : null;
    const folder = found?.folder;
    at("taught-send").hidden = !folder;
    at("taught-where").textContent = folder ? say("teaching_where", { folder }) : "";
  }

  async function send() {
    const all = await taught();
    const digits = [];
    for (const { label, seen } of all) {
      const bytes = await pngOf(seen, SIDE, SIDE);
      const picture = `data:image/png;base64,${btoa(String.fromCharCode(...bytes))}`;
      digits.push({ label: `${label}`, picture });
    }
    try {
      const body = JSON.stringify({ digits });
      const headers = { "Content-Type": "application/json" };
      const response = await fetch(COLLECT, { method: "POST", headers, body });
      const answer = await response.json();
      if (!response.ok) throw new Error(answer.detail ?? response.status);
      at("taught-said").textContent = say("teaching_sent", answer);
      if (at("privacy").textContent === say("privacy")) at("privacy").textContent = say("privacy_sent");
    } catch (error) {
      at("taught-said").textContent = say("teaching_not_sent", { reason: error.message });
      return;
    }
    await remove(all);
  }
}
