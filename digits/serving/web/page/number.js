/** The number that was read, line by line; its digits can be tapped. */
import { say } from "./words.js";

/**
 * @typedef {import("../reading/reading.js").Written} Written
 *
 * @param {Written[][]} lines
 * @returns {string} as it is written: a line each, a space for a gap, ? for what is not sure
 */
export function textOf(lines) {
  return lines
    .map((line) => line.map(({ gap, shown }) => (gap ? " " : "") + shown).join(""))
    .join("\n");
}

/**
 * @param {HTMLElement} element
 * @param {(one: Written) => void} tapped a digit, or what is not sure
 */
export function numberIn(element, tapped) {
  const empty = element.textContent;

  /** @param {Written[][]} lines */
  return (lines) => {
    const focused = [...element.querySelectorAll("button")].indexOf(document.activeElement);
    const longest = Math.max(1, ...lines.map((line) => textOf([line]).length));
    element.style.setProperty("--count", longest);
    element.style.setProperty("--lines", Math.max(1, lines.length));
    if (!lines.length) element.textContent = empty;
    else element.replaceChildren(...lines.map(row));
    element.querySelectorAll("button")[focused]?.focus();
  };

  function row(line) {
    const made = document.createElement("span");
    made.className = "line";
    for (const one of line) {
      if (one.gap) made.append(" ");
      made.append(sign(one));
    }
    return made;
  }

  function sign(one) {
    const { shown, answer } = one;
    const made = document.createElement(answer ? "button" : "span");
    made.textContent = shown;
    if (!answer) return made;
    made.type = "button";
    made.className = answer.accepted ? "sure" : "unsure";
    made.setAttribute("aria-label", say("correct_this", { shown: answer.accepted ? shown : say("not_sure") }));
    made.onclick = () => tapped(one);
    return made;
  }
}
