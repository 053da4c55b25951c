/** Shows the digits that the user corrected, and gives them away: as a folder to teach from, or to a
 *  server that collects them. */
import { pngOf } from "../reading/png.js";
import { paint } from "./answers.js";
import { forget, keep, taught } from "./store.js";
import { say } from "./words.js";
import { zipOf } from "./zip.js";

const SIDE = 28;
const COLLECT = new URL("collect", document.baseURI);
// Digits that a server takes at a time.
const MOST = 500;

/**
 * @param {(id: string) => HTMLElement} at
 * @returns {(key: string, label?: number, seen?: Float32Array) => void} keeps a digit in place of that of
 *   the same strokes, or takes that back if there is no label. Without `seen`, as after undo and redo, it is
 *   the one that was kept, and nothing is done if that was deleted or sent.
 */
export function teachingIn(at) {
  // The digits kept since the page was opened, by their strokes' key; without an id if taken back.
  const known = new Map();
  let last = Promise.resolve();
  at("taught-download").onclick = download;
  at("taught-send").onclick = send;
  at("taught-delete").onclick = async () => remove(await taught());
  at("teaching").addEventListener("toggle", () => at("teaching").open && askServer());
  show();

  // One after another, as they were chosen.
  return (...chosen) => {
    last = last.then(() => teach(...chosen));
  };

  async function teach(key, label, seen) {
    const digit = { ...known.get(key), label };
    if (seen) digit.seen = Uint8Array.from(seen, Math.round);
    if (!digit.seen) return;
    if (label === undefined) {
      await forget([digit.id]);
      delete digit.id;
      known.set(key, digit);
    } else {
      const id = await keep(digit);
      at("taught-said").textContent = id === null ? say("teaching_not_kept") : "";
      if (id !== null) known.set(key, { ...digit, id });
    }
    await show();
  }

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
    const gone = digits.map(({ id }) => id);
    await forget(gone);
    for (const [key, { id }] of known) if (gone.includes(id)) known.delete(key);
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
    let sent = "";
    let kept = 0;
    try {
      for (let i = 0; i < all.length; i += MOST) {
        const part = all.slice(i, i + MOST);
        const answer = await posted(part);
        kept += answer.kept;
        sent = say("teaching_sent", { folder: answer.folder, kept });
        at("taught-said").textContent = sent;
        if (at("privacy").textContent === say("privacy")) at("privacy").textContent = say("privacy_sent");
        await remove(part);
      }
    } catch (error) {
      at("taught-said").textContent = `${sent} ${say("teaching_not_sent", { reason: error.message })}`.trim();
    }
  }

  async function posted(part) {
    const digits = [];
    for (const { label, seen } of part) {
      const bytes = await pngOf(seen, SIDE, SIDE);
      const picture = `data:image/png;base64,${btoa(String.fromCharCode(...bytes))}`;
      digits.push({ label: `${label}`, picture });
    }
    const body = JSON.stringify({ digits });
    const headers = { "Content-Type": "application/json" };
    const response = await fetch(COLLECT, { method: "POST", headers, body });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.detail ?? response.status);
    return answer;
  }
}
