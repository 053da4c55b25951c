/** Connects the parts of the page. */
import { drawingOn } from "./drawing/board.js";
import { example } from "./drawing/example.js";
import { about } from "./page/about.js";
import { answersIn } from "./page/answers.js";
import { correctingIn } from "./page/correcting.js";
import { translate } from "./page/language.js";
import { loading } from "./page/loading.js";
import { numberIn, textOf } from "./page/number.js";
import { keep } from "./page/offline.js";
import { teachingIn } from "./page/teaching.js";
import { say } from "./page/words.js";
import { build, folder, onDevice } from "./reading/device.js";
import { mapOf } from "./reading/occlusion.js";
import { readPicture, watchForPictures } from "./reading/pictures.js";
import { reading } from "./reading/reading.js";
import { onServer } from "./reading/server.js";

// Milliseconds between two readings during a stroke.
const PAUSE = 50;
// Milliseconds that the page says that it has copied.
const COPIED = 2000;

const at = (id) => document.getElementById(id);

translate();
const answers = answersIn(at("cards"), at("spoken"));
const showNumber = numberIn(at("number"), (one) => correcting.open(one));
const correcting = correctingIn(at("correcting"), { choose, erase });
const teach = teachingIn(at);
const drawing = drawingOn(at("board"), penWidth, {
  changed,
  pen: (down) => {
    at("spoken").textContent = say(down ? "pen_down" : "pen_up");
  },
  rechosen: teach,
});

let reader = null;
// Strokes -> what is written.
let read = null;
// The lines that are shown.
let latest = [];
// Of the picture that is shown: its lines, what was chosen in it, and a number.
let picture = null;
// What is said while all is well.
let usual = null;
let busy = false;
// What to do after the current reading.
let again = null;
// Grows with every change: what was begun before it is out of date.
let work = 0;
// Grows in the same way, for what decided a result.
let explained = 0;

/** For tests and measurements: the strokes on the drawing area, what writes and clears it, the answers
 *  shown, and a promise of the reader. */
export const { strokes, write, clear } = drawing;
export const shown = () => latest.flat().map(({ answer }) => answer).filter(Boolean);
export const ready = start();

async function start() {
  const manifest = fetch(`${folder("model")}manifest.json`).then((response) => response.json());
  manifest.then(
    (found) => at("about").replaceChildren(...about(found).map(paragraph)),
    () => at("about").replaceChildren(paragraph(say("about_unknown"))),
  );
  showTools();
  let reason = say("reason_none");
  try {
    if (folder("runtime")) {
      reason = say("reason_failed");
      const progress = loading(Number(document.documentElement.dataset.size), (text) => {
        at("state").textContent = text;
      });
      reader = await onDevice(manifest, progress.got).finally(progress.end);
      usual = { name: "ready", text: say("ready"), privacy: say("privacy") };
    }
  } catch (error) {
    console.info(error);
  }
  if (!reader) await askServer(reason);
  if (reader) {
    performance.mark("ready");
    state(usual);
    read = reading(reader);
    if (!drawing.isBlank()) changed(false);
  }
  at("why").disabled = !reader?.sureness;
  at("why-note").textContent = say(at("why").disabled ? "why_impossible" : "why_explained");
  keepWhenLoaded();
  return reader;
}

async function askServer(reason) {
  try {
    reader = await onServer();
    usual = { name: "server", text: say("ready_server", { reason }), privacy: say("privacy_server") };
  } catch (error) {
    state({ name: "failed", text: say("no_reader", { reason, server: error.message }) });
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

function state({ name, text, privacy = "" }) {
  document.body.dataset.state = name;
  at("state").textContent = text;
  at("privacy").textContent = privacy;
}

function paragraph(text) {
  const element = document.createElement("p");
  element.textContent = text;
  return element;
}

function showTools() {
  const blank = drawing.isBlank() && !picture;
  enable("undo", drawing.canUndo());
  enable("redo", drawing.canRedo());
  enable("clear", !blank);
  at("hint").hidden = !blank;
  at("example").hidden = !blank;
}

/** A button that can no longer be pressed gives the focus to the drawing area. */
function enable(id, can) {
  if (!can && document.activeElement === at(id)) at("board").focus();
  at(id).disabled = !can;
}

function changed(live) {
  work += 1;
  picture = null;
  showTools();
  sayOfPicture("");
  if (!live) correcting.close();
  // A server is asked when the stroke is finished.
  if (live && reader?.page) return;
  if (busy) again = () => changed(live);
  else readNow(live);
}

/** Reads, one reading at a time; of the changes made meanwhile, only the last is read next. */
async function readNow(live) {
  if (!read) return;
  busy = true;
  at("reading").ariaBusy = "true";
  try {
    const lines = await read(drawing.strokes());
    if (document.body.dataset.state === "failed") state(usual);
    // A picture may have taken the drawing's place, which is no change of the drawing.
    if (!picture && (!again || live)) {
      show(withChosen(lines, drawing.chosen()), !live);
      drawing.mark(marksOf(latest));
    }
  } catch (error) {
    state({ name: "failed", text: say("reading_failed", { reason: error.message }) });
  }
  if (live) await new Promise((resolve) => setTimeout(resolve, PAUSE));
  busy = false;
  at("reading").ariaBusy = "false";
  const next = again;
  again = null;
  next?.();
}

function show(lines, aloud) {
  latest = lines;
  showNumber(lines);
  answers.show(lines, aloud);
  const some = lines.length > 0;
  at("copy").hidden = !some || !navigator.clipboard;
  at("correct").hidden = !shown().length;
  explain();
}

/** The lines with the digits that the user chose. */
function withChosen(lines, chosen) {
  const corrected = (one) => {
    if (!one.answer || !(one.key in chosen)) return one;
    const digit = chosen[one.key];
    return { ...one, shown: `${digit}`, answer: { ...one.answer, digit, accepted: true, chosen: true } };
  };
  return lines.map((line) => line.map(corrected));
}

function marksOf(lines) {
  const read = lines.flat().filter(({ answer, box }) => answer && box);
  return read.map(({ box, answer }) => ({ box, accepted: answer.accepted }));
}

function choose(one, digit) {
  // Another picture can have a digit in the same place.
  const key = picture ? `${picture.number}: ${one.key}` : one.key;
  if (one.answer.seen) teach(key, digit, one.answer.seen);
  if (!picture) return drawing.choose(one.key, digit);
  picture.chosen = { ...picture.chosen, [one.key]: digit };
  return show(withChosen(picture.lines, picture.chosen), true);
}

function erase(one, writeAgain) {
  drawing.erase(one, latest.flat(), writeAgain);
  if (writeAgain) at("board").focus();
}

async function explain() {
  explained += 1;
  const mine = explained;
  const wanted = at("why").checked && reader?.sureness;
  at("why-note").hidden = !at("why").checked;
  for (const [i, answer] of shown().entries()) {
    if (!answer.seen) continue;
    const map = wanted ? await mapOf(reader.sureness, answer) : null;
    if (mine !== explained) return;
    answers.showMap(i, answer, map);
  }
}

async function pictureGiven(file) {
  work += 1;
  const mine = work;
  sayOfPicture(say("picture_reading", { name: file.name || say("picture_unnamed") }));
  await ready;
  try {
    const found = await readPicture(file, reader?.sureness ? reader : null);
    if (mine !== work) return found.bitmap?.close();
    picture = { lines: found.lines, chosen: {}, number: mine };
    correcting.close();
    if (found.bitmap) drawing.showPicture(found.bitmap, marksOf(found.lines));
    showTools();
    show(found.lines, true);
    sayOfPicture(found.said);
  } catch (error) {
    if (mine === work) sayOfPicture(error.message);
  }
  return undefined;
}

function sayOfPicture(text) {
  at("picture-state").textContent = text;
}

at("undo").onclick = drawing.undo;
at("redo").onclick = drawing.redo;
at("clear").onclick = drawing.clear;
at("why").onchange = explain;
at("example").onclick = () => {
  const { clientWidth, clientHeight } = at("board");
  at("board").focus({ preventScroll: true });
  drawing.write(example(clientWidth, clientHeight, penWidth()));
};
at("copy").onclick = async () => {
  await navigator.clipboard.writeText(textOf(latest));
  at("copy").textContent = say("copied");
  setTimeout(() => {
    at("copy").textContent = say("copy");
  }, COPIED);
};
document.addEventListener("keydown", (event) => {
  const key = event.key.toLowerCase();
  const command = event.ctrlKey || event.metaKey;
  const elsewhere = event.target.matches("input, summary");
  if (key === "escape") {
    if (!correcting.close() && !elsewhere) drawing.clear();
  } else if (command && key === "z") (event.shiftKey ? drawing.redo : drawing.undo)();
  else if (command && key === "y") drawing.redo();
  else return;
  event.preventDefault();
});
watchForPictures([at("file"), at("camera")], at("stage"), pictureGiven);
