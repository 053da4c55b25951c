/** All the text of the page. site.py reads this object too, and puts entries into index.html and the
 *  manifest; that is why it is written as JSON. */
export const WORDS = {
  "name": "digits",
  "title": "digits: write a number and have it read",
  "description": "Write a number with a mouse, finger, pen or keyboard. A neural network reads it, on your device if it can.",
  "headline": "Write a number",
  "promise": "It is read as you write.",
  "board": "Drawing area. The arrow keys move the pen; Space puts it down or lifts it.",
  "board_hint": "Write here",
  "board_hint_more": "one digit or a whole number",
  "undo": "Undo",
  "redo": "Redo",
  "clear": "Clear",
  "pen": "Pen",
  "picture": "Picture",
  "photo": "Photo",
  "keys": "Keyboard: the arrow keys move the pen (faster with Shift), Space puts it down and lifts it, Ctrl+Z undoes, Ctrl+Shift+Z redoes, Escape clears.",
  "drop": "Drop the picture to read it",
  "results": "Result",
  "number_empty": "–",
  "why": "Show which ink decided the result",
  "why_explained": "Orange marks the ink that decided the result: without it the network would be less sure. To find it, each of 49 patches is covered in turn.",
  "why_impossible": "Available only when the model runs on this device.",
  "about": "About the model",
  "privacy": "Nothing that you draw leaves this device.",
  "privacy_picture": "A picture is sent to this site's server if there is one; otherwise it is read here too, as a single digit.",
  "privacy_server": "What you draw is sent to this site's server, which reads it.",
  "licences": "The model runs on LiteRT.js (Apache-2.0).",
  "no_script": "This page needs JavaScript: it reads what you draw on your own device.",
  "not_sure": "not sure",
  "loading": "Loading the model. You can start writing.",
  "ready": "Read on this device.",
  "ready_server": "The model cannot run here ({reason}), so the server reads what you draw.",
  "no_reader": "Nothing can be read: the model cannot run here ({reason}), and no server is available ({server}). Reload the page, or try another browser.",
  "reason_none": "this site comes without it",
  "reason_failed": "it could not be loaded",
  "reading_failed": "Reading failed ({reason}). Reload the page.",
  "picture_server": "Read by the server.",
  "picture_device_no_server": "Read on this device, as a single digit: no server is available ({server}).",
  "picture_reading": "Reading {name}.",
  "picture_unnamed": "the picture",
  "picture_empty": "There is no ink in {name}: it is all one colour. Try another picture.",
  "picture_noise": "This browser gives pages noise in place of the pixels of {name}, as a protection against fingerprinting, so it cannot be read here. Allow this site to read canvases, or write the number.",
  "picture_not": "This browser cannot open {name} as a picture. Save it as PNG or JPEG.",
  "picture_nobody": "{name} cannot be read: the model is not ready here, and no server is available ({server}).",
  "server_none": "status {status}",
  "server_unreachable": "not reachable",
  "server_strange": "unexpected answer",
  "read_blank": "Nothing is drawn.",
  "read_none": "Not sure, or not a digit.",
  "read_number": "Read: {number}.",
  "read_digit": "{digit}, {percent}",
  "read_refused": "not sure",
  "card": "{digit}, {percent} sure",
  "card_refused": "Not sure, or not a digit; most likely {digit}, {percent}",
  "seen": "The {digit} as the network sees it, 28 by 28 pixels",
  "bar": "{digit}: {percent}",
  "pen_down": "Pen down",
  "pen_up": "Pen up",
  "update": "A new version of this page is ready.",
  "update_now": "Reload",
  "about_model": "The model is “{name}”, a convolutional network with {parameters} weights, trained on MNIST on {created}.",
  "about_accuracy": "It reads {accuracy} of MNIST's 10,000 test digits correctly (95 % interval {low} to {high}) and accepts {accepted} of them.",
  "about_rejection": "Of new letters, signs and scribbles of the kinds that it was trained to reject, it accepts {non_digits}.",
  "about_calibrated": "Its confidence is calibrated: on MNIST's test digits it is off by {error} on average.",
  "about_unknown": "Nothing is known about the model: its manifest could not be loaded."
};

/**
 * A piece of the page's text.
 * @param {string} name of the entry in WORDS
 * @param {Object<string, string|number>} values that replace the names in braces
 * @returns {string}
 */
export function say(name, values = {}) {
  return WORDS[name].replace(/\{(\w+)\}/g, (_, key) => values[key]);
}

/**
 * @param {number} fraction 0 to 1
 * @param {number} places after the point
 * @returns {string} such as “98.7 %”, with a space that does not break; 100 % only for exactly 1
 */
export function percent(fraction, places = 1) {
  const most = 100 - 10 ** -places;
  const shown = fraction < 1 ? Math.min(100 * fraction, most) : 100;
  return `${shown.toFixed(places)}\u00a0%`;
}
