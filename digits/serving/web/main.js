/** Puts the page together. */
import { about } from "./about.js";
import { answersIn } from "./answers.js";
import { drawingOn } from "./drawing.js";
import { build, onDevice } from "./model.js";
import { mapOf } from "./occlusion.js";
import { keep } from "./offline.js";
import { readPicture, watchForPictures } from "./picture.js";
import { reading } from "./reading.js";
import { onServer } from "./server.js";
import { say } from "./words.js";

const PAUSE = 50; // milliseconds between two readings of a stroke that is being written

const at = (id) => document.getElementById(id);
const folder = (name) => {
  const path = document.documentElement.dataset[name];
  return path && new URL(path, document.baseURI).href;
};

const answers = answersIn(at("number"), at("cards"), at("spoken"));
const drawing = drawingOn(at("board"), penWidth, {
  changed,
  pen: (down) => {
    at("spoken").textContent = say(down ? "pen_down" : "pen_up");
  },
});

let reader = null;
let read = null; // strokes -> readings
let latest = []; // answers shown
let busy = false;
let again = null; // what to do when no longer busy

/** The strokes on the drawing area, the answers shown, and a promise of who reads; for tests and
 *  measurements. */
export const { strokes } = drawing;
export const shown = () => latest;
export const ready = start();

async function start() {
  const model = folder("model");
  const manifest = fetch(`${model}manifest.json`).then((response) => response.json());
  manifest.then(
    (found) => at("about").replaceChildren(...about(found).map(paragraph)),
    () => at("about").replaceChildren(paragraph(say("about_unknown"))),
  );
  let reason = say("reason_none");
  try {
    if (folder("runtime")) {
      reason = say("reason_failed");
      await painted();
      reader = await onDevice(folder("runtime"), model, manifest);
      state("ready", say("ready"));
    }
  } catch (error) {
    console.info(error);
  }
  if (!reader) await askServer(reason);
  if (reader) {
    performance.mark("ready");
    read = reading(reader);
    if (drawing.strokes().length) changed(false);
  }
  at("why").disabled = !reader?.sureness;
  at("why-note").textContent = say(at("why").disabled ? "why_impossible" : "why_explained");
  keepWhenLoaded();
  return reader;
}

/** When the page can be seen, which nothing heavy should hold up; in a tab behind others, soon. */
function painted() {
  return new Promise((done) => {
    requestAnimationFrame(() => setTimeout(done));
    setTimeout(done, 200);
  });
}

async function askServer(reason) {
  try {
    reader = await onServer();
    state("server", say("ready_server", { reason }));
    at("privacy").textContent = say("privacy_server");
  } catch (error) {
    state("failed", say("no_reader", { reason, server: error.message }));
  }
}

function keepWhenLoaded() {
  const used = folder("runtime") && reader?.sureness ? build() : "";
  const now = () =>
    keep(used, (load) => {
      at("update").hidden = false;
      at("update-now").onclick = load;
    });
  if (document.readyState === "complete") now();
  else window.addEventListener("load", now);
}

/** In CSS pixels: on a small drawing area one writes smaller, so with a finer pen. */
function penWidth() {
  const { clientWidth, clientHeight } = at("board");
  return (Number(at("pen").value) * Math.min(clientWidth, clientHeight)) / 500;
}

function state(name, text) {
  document.body.dataset.state = name;
  at("state").textContent = text;
}

function paragraph(text) {
  const element = document.createElement("p");
  element.textContent = text;
  return element;
}

function changed(live) {
  at("undo").disabled = !drawing.canUndo();
  at("redo").disabled = !drawing.canRedo();
  at("clear").disabled = drawing.isBlank();
  at("hint").hidden = !drawing.isBlank();
  tellPicture("");
  if (busy) again = () => changed(live);
  else readNow(live);
}

/** One reading at a time; of what changes meanwhile the last is read next. */
async function readNow(live) {
  if (!read) return;
  busy = true;
  at("reading").ariaBusy = "true";
  try {
    const readings = await read(drawing.strokes());
    if (!again || live) {
      latest = readings.map(({ answer }) => answer);
      drawing.mark(readings);
      answers.show(latest, !live);
      await explain();
    }
  } catch (error) {
    state("failed", say("reading_failed", { reason: error.message }));
  }
  if (live) await new Promise((resolve) => setTimeout(resolve, PAUSE));
  busy = false;
  at("reading").ariaBusy = "false";
  const next = again;
  again = null;
  next?.();
}

async function explain() {
  const wanted = at("why").checked && reader?.sureness;
  at("why-note").hidden = !at("why").checked;
  for (const [i, answer] of latest.entries()) {
    if (!answer.seen) continue;
    answers.showMap(i, answer, wanted ? await mapOf(reader.sureness, answer) : null);
  }
}

async function pictureGiven(file) {
  tellPicture(say("picture_reading", { name: file.name || say("picture_unnamed") }));
  await ready;
  try {
    const found = await readPicture(file, reader?.sureness ? reader : null);
    latest = found.answers;
    if (found.bitmap) drawing.showPicture(found.bitmap, found.boxes);
    at("hint").hidden = true;
    at("undo").disabled = !drawing.canUndo();
    at("clear").disabled = false;
    answers.show(latest, true);
    await explain();
    tellPicture(found.said);
  } catch (error) {
    tellPicture(error.message);
  }
}

function tellPicture(text) {
  at("picture-state").textContent = text;
}

at("undo").onclick = drawing.undo;
at("redo").onclick = drawing.redo;
at("clear").onclick = drawing.clear;
at("why").onchange = explain;
document.addEventListener("keydown", (event) => {
  const key = event.key.toLowerCase();
  const command = event.ctrlKey || event.metaKey;
  if (key === "escape") drawing.clear();
  else if (command && key === "z") (event.shiftKey ? drawing.redo : drawing.undo)();
  else if (command && key === "y") drawing.redo();
  else return;
  event.preventDefault();
});
watchForPictures([at("file"), at("camera")], at("stage"), pictureGiven);
