/** The choice that a tap on a digit opens: another reading, writing it again, or erasing it. */
import { say } from "./words.js";

/**
 * @typedef {import("../reading/reading.js").Written} Written
 *
 * @param {HTMLElement} panel
 * @param {{choose: (one: Written, digit: number) => void,
 *   erase: (one: Written, again: boolean) => void}} act
 * @returns {{open: (one: Written) => void, close: () => boolean}} close says whether it was open
 */
export function correctingIn(panel, act) {
  let opened = null; // what had the focus before

  function close() {
    const was = !panel.hidden;
    const inside = panel.contains(document.activeElement);
    panel.hidden = true;
    panel.replaceChildren();
    if (inside && opened?.isConnected) opened.focus();
    return was;
  }

  function button(text, kind, click) {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    made.className = kind;
    made.onclick = () => {
      close();
      click?.();
    };
    return made;
  }

  function open(one) {
    opened = document.activeElement;
    const asked = document.createElement("span");
    asked.textContent = say("correct_which");
    const { probabilities, digit, accepted } = one.answer;
    const digits = document.createElement("span");
    digits.className = "digits";
    digits.dir = "ltr";
    for (let i = 0; i < 10; i += 1) {
      const choice = button(i, "choice", () => act.choose(one, i));
      choice.style.setProperty("--likely", probabilities[i]);
      if (accepted && i === digit) choice.ariaPressed = "true";
      digits.append(choice);
    }
    const others = [];
    if (one.strokes.length) {
      others.push(button(say("again"), "quiet", () => act.erase(one, true)));
      others.push(button(say("erase"), "quiet", () => act.erase(one, false)));
    }
    others.push(button(say("close"), "quiet"));
    panel.setAttribute("aria-label", say("correct_which"));
    panel.replaceChildren(asked, digits, ...others);
    panel.hidden = false;
    digits.children[digit].focus();
  }

  return { open, close };
}
