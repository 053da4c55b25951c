/** All words of the page. site.py reads the object, too, and puts words into index.html and the
 *  manifest; so it is written as JSON. */
export const WORDS = {
  "name": "digits",
  "title": "digits: write a number, it is read here",
  "description": "Write a number with mouse, finger, pen or keyboard. A neural network reads it on your device.",
  "headline": "Write a number",
  "promise": "Read on your device as you write.",
  "board": "Drawing area. Arrow keys move the pen, space puts it down or lifts it.",
  "board_hint": "Write here",
  "board_hint_more": "one digit or a whole number",
  "undo": "Undo",
  "redo": "Redo",
  "clear": "Clear",
  "pen": "Pen",
  "picture": "Picture",
  "photo": "Photo",
  "keys": "Keyboard: arrow keys move the pen (with Shift further), space puts it down and lifts it, Ctrl+Z undoes, Ctrl+Shift+Z does it again, Escape clears.",
  "drop": "Let go to read this picture",
  "results": "What was read",
  "number_empty": "–",
  "why": "Show which ink decided it",
  "why_explained": "Orange ink decided it: without that ink the network would be less sure. Each of 49 patches is covered in turn.",
  "why_impossible": "Only where the model runs on this device.",
  "about": "The model",
  "privacy": "Nothing that you draw leaves this device.",
  "privacy_picture": "A picture is sent to this site's server if it has one that reads; otherwise it is read here, too, as one digit.",
  "privacy_server": "What you draw is sent to this site's server, which reads it.",
  "licences": "It runs on LiteRT.js (Apache-2.0).",
  "no_script": "This page needs JavaScript: it reads what you draw on your own device.",
  "not_sure": "not sure",
  "loading": "Loading the model. You can start to write.",
  "ready": "Read on this device.",
  "ready_server": "The model cannot run here ({reason}), so the server reads what you draw.",
  "no_reader": "Nothing can be read: the model cannot run here ({reason}), and there is no server that reads ({server}). Load the page again, or try another browser.",
  "reason_none": "this site comes without it",
  "reason_failed": "it could not be loaded",
  "reading_failed": "Reading failed ({reason}). Load the page again.",
  "picture_server": "Read by the server.",
  "picture_device_no_server": "Read on this device, as one digit: there is no server that reads ({server}).",
  "picture_reading": "Reading {name}.",
  "picture_unnamed": "the picture",
  "picture_empty": "There is no ink in {name}: it is all of one colour. Take another picture.",
  "picture_not": "{name} is no picture that this browser can open. Save it as PNG or JPEG.",
  "picture_nobody": "{name} cannot be read: the model is not ready here, and there is no server that reads ({server}).",
  "server_none": "it answers {status}",
  "server_unreachable": "it cannot be reached",
  "server_strange": "its answer is no reading",
  "read_blank": "Nothing is drawn.",
  "read_none": "Not sure, or not a digit.",
  "read_number": "Read: {number}.",
  "read_digit": "{digit}, {percent}",
  "read_refused": "not sure",
  "card": "{digit}, {percent} sure",
  "card_refused": "Not sure, or not a digit; most like {digit}, {percent}",
  "seen": "The {digit} as the network sees it, 28 by 28 pixels",
  "bar": "{digit}: {percent}",
  "pen_down": "Pen down",
  "pen_up": "Pen up",
  "update": "A new version of this page is ready.",
  "update_now": "Load it",
  "about_model": "The model is “{name}”, a convolutional network with {parameters} weights, trained on MNIST on {created}.",
  "about_accuracy": "It reads {accuracy} of MNIST's 10,000 test digits right (95 % interval {low} to {high}), accepts {accepted} of them, and accepts {taken} of things that are no digit.",
  "about_calibrated": "Its percentages are calibrated: on those digits they are {error} off on average.",
  "about_unknown": "The model says nothing about itself: its manifest could not be loaded."
};

/**
 * A sentence of the page.
 * @param {string} name of the entry in WORDS
 * @param {Object<string, string|number>} values for what stands in braces
 * @returns {string}
 */
export function say(name, values = {}) {
  return WORDS[name].replace(/\{(\w+)\}/g, (_, key) => values[key]);
}

/**
 * @param {number} fraction 0 to 1
 * @param {number} places after the point
 * @returns {string} such as “98.7 %”, which does not break; never 100 % for what is not
 */
export function percent(fraction, places = 1) {
  const most = 100 - 10 ** -places;
  const shown = fraction < 1 ? Math.min(100 * fraction, most) : 100;
  return `${shown.toFixed(places)}\u00a0%`;
}
