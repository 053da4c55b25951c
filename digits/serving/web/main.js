/** Connects the parts of the page. */
import { about } from "./page/about.js";
import { answersIn } from "./page/answers.js";
import { drawingOn } from "./drawing/board.js";
import { build, onDevice } from "./reading/device.js";
import { mapOf } from "./reading/occlusion.js";
import { keep } from "./page/offline.js";
import { readPicture, watchForPictures } from "./reading/pictures.js";
import { reading } from "./reading/reading.js";
import { onServer } from "./reading/server.js";
import { say } from "./page/words.js";

const PAUSE = 50; // milliseconds between two readings during a stroke

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
let latest = []; // the answers shown
let busy = false;
let again = null; // what to do after the current reading

/** For tests and measurements: the strokes on the drawing area, the answers shown, and a promise of the
 *  reader. */
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
      at("privacy").textContent = say("privacy");
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

/** Waits until the page has been painted, so that nothing heavy delays that; in a background tab, which
 *  is not painted, at most 200 ms. */
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

/** In CSS pixels. On a small drawing area people write smaller, so the pen is finer. */
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
  sayOfPicture("");
  if (live && reader && !reader.live) return; // it is asked once the stroke is finished
  if (busy) again = () => changed(live);
  else readNow(live);
}

/** Reads, one reading at a time; of the changes made meanwhile, only the last is read next. */
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
  sayOfPicture(say("picture_reading", { name: file.name || say("picture_unnamed") }));
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
    sayOfPicture(found.said);
  } catch (error) {
    sayOfPicture(error.message);
  }
}

function sayOfPicture(text) {
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
