/** The page in the user's language. */
import { LANGUAGE, say } from "./words.js";

/** Puts the page's text into the user's language. In index.html there is, in English, what is seen first. */
export function translate() {
  document.documentElement.lang = LANGUAGE;
  if (LANGUAGE !== "en") document.title = say("title");
  for (const element of document.querySelectorAll("[data-say]")) {
    if (LANGUAGE !== "en" || !element.textContent) element.textContent = say(element.dataset.say);
  }
  for (const element of document.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", say(element.dataset.label));
  }
}

const formats = {}; // by places: making one takes longer than using it

/**
 * @param {number} fraction 0 to 1
 * @param {number} places after the point
 * @returns {string} such as “98.7 %”, with a space that does not break; 100 % only for exactly 1
 */
export function percent(fraction, places = 1) {
  const most = 100 - 10 ** -places;
  const shown = fraction < 1 ? Math.min(100 * fraction, most) : 100;
  if (!formats[places]) {
    const digits = { minimumFractionDigits: places, maximumFractionDigits: places };
    formats[places] = new Intl.NumberFormat(LANGUAGE, digits);
  }
  return `${formats[places].format(shown)}\u00a0%`;
}
