/** Shows what was read: the number, and a card for each digit. */
import { percent } from "./language.js";
import { textOf } from "./number.js";
import { say } from "./words.js";

const SIDE = 28;

/**
 * @param {HTMLElement} cards a list
 * @param {HTMLElement} spoken a live region
 */
export function answersIn(cards, spoken) {
  const shown = []; // one card per answer; reused, so that bars move instead of jumping

  /**
   * @param {import("../reading/reading.js").Written[][]} lines
   * @param {boolean} aloud whether a screen reader announces them; not during a stroke
   */
  function show(lines, aloud) {
    const answers = lines.flat().map(({ answer }) => answer).filter(Boolean);
    while (shown.length > answers.length) shown.pop().item.remove();
    while (shown.length < answers.length) {
      shown.push(newCard());
      cards.append(shown[shown.length - 1].item);
    }
    answers.forEach((answer, i) => fill(shown[i], answer));
    if (aloud) spoken.textContent = sentence(lines, answers);
  }

  /**
   * @param {number} i index of the card
   * @param {import("../reading/device.js").Answer} the answer that it shows
   * @param {Float32Array | null} map 7×7, how much each patch of ink mattered; null to show none
   */
  function showMap(i, answer, map) {
    if (shown[i]?.answer === answer) paint(shown[i].seen, answer.seen, map);
  }

  return { show, showMap };
}

/** What is shown, in words: screen readers skip a question mark. */
function sentence(lines, answers) {
  if (!lines.length) return say("read_blank");
  if (!lines.flat().some(({ shown }) => shown !== "?")) return say("read_none");
  const unsure = ` ${say("not_sure")} `;
  const number = textOf(lines).replaceAll("?", unsure).replaceAll("\n", "; ").trim();
  const each = answers.map((answer) => {
    const sure = percent(answer.probabilities[answer.digit], 0);
    return answer.accepted
      ? say("read_digit", { digit: answer.digit, percent: sure })
      : say("read_refused");
  });
  return `${say("read_number", { number })} ${each.join("; ")}.`;
}

function newCard() {
  const item = document.createElement("li");
  item.className = "card";
  const seen = document.createElement("canvas");
  seen.width = seen.height = SIDE;
  seen.setAttribute("role", "img");
  const name = document.createElement("p");
  name.className = "card-name";
  const bars = document.createElement("ol");
  bars.className = "bars";
  bars.start = 0;
  const heights = Array.from({ length: 10 }, () => {
    const bar = document.createElement("li");
    const said = document.createElement("span");
    said.className = "hidden";
    const column = document.createElement("span");
    column.className = "column";
    const height = document.createElement("span");
    column.append(height);
    bar.append(said, column);
    bars.append(bar);
    return { bar, said, height };
  });
  item.append(seen, name, bars);
  return { item, seen, name, heights, answer: null };
}

function fill(card, answer) {
  const { probabilities, digit, accepted, chosen, seen } = answer;
  const sure = percent(probabilities[digit]);
  card.item.classList.toggle("refused", !accepted);
  card.name.replaceChildren(element("b", accepted ? digit : "?"), " ");
  const unsure = chosen ? say("chosen") : say("not_sure");
  card.name.append(element("span", accepted && !chosen ? sure : unsure));
  const kind = chosen ? "card_chosen" : accepted ? "card" : "card_refused";
  card.item.setAttribute("aria-label", say(kind, { digit, percent: sure }));
  card.heights.forEach(({ bar, said, height }, i) => {
    said.textContent = say("bar", { digit: i, percent: percent(probabilities[i]) });
    height.style.transform = `scaleY(${probabilities[i]})`;
    bar.classList.toggle("most", i === digit);
    bar.dataset.digit = i;
  });
  card.seen.hidden = !seen;
  if (seen && card.answer !== answer) {
    card.seen.setAttribute("aria-label", say("seen", { digit }));
    paint(card.seen, seen, null);
  }
  card.answer = answer;
}

function element(tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

/**
 * Ink bright on dark, as the network gets it; the ink that decided the result in orange.
 * @param {HTMLCanvasElement} canvas 28×28
 * @param {ArrayLike<number>} seen
 * @param {Float32Array | null} map 7×7
 */
export function paint(canvas, seen, map) {
  const context = canvas.getContext("2d");
  const image = context.createImageData(SIDE, SIDE);
  for (let i = 0; i < seen.length; i += 1) {
    const patch = 7 * Math.floor(i / SIDE / 4) + Math.floor((i % SIDE) / 4);
    const heat = map ? map[patch] : 0;
    const ink = seen[i] / 255;
    const grey = 24 + 231 * ink;
    image.data.set(
      [
        mixed(grey, 30 + 225 * ink, heat),
        mixed(grey, 24 + 110 * ink, heat),
        mixed(grey, 20 + 8 * ink, heat),
        255,
      ],
      4 * i,
    );
  }
  context.putImageData(image, 0, 0);
}

function mixed(from, to, part) {
  return from + (to - from) * part;
}
