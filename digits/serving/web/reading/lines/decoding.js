/** What the network for lines says of a strip -> characters, each with its place and probabilities
 *  (connectionist temporal classification: Graves et al. 2006). */

export const STEP = 2; // columns of a strip that one step of the network stands for
export const SIGNS = ".,-/:()+=";
export const OTHER = "?"; // a letter, or any other character
const CHARACTERS = `0123456789${SIGNS}${OTHER}`; // of the network's outputs; the last one is the blank
const BLANK = CHARACTERS.length;
export const OUTPUTS = BLANK + 1; // of each step

/**
 * @typedef {object} Character
 * @property {string} symbol a digit, one of SIGNS, or OTHER
 * @property {number} column the middle of the steps that show it
 * @property {number[]} probabilities of CHARACTERS, given that there is one
 * @property {number} presence the probability that there is a character at all
 *
 * The characters of the likeliest path.
 * @param {Float32Array} logProbabilities of steps, row by row, 21 each
 * @returns {Character[]} from left to right
 */
export function greedy(logProbabilities) {
  const steps = logProbabilities.length / OUTPUTS;
  const of = (step) => logProbabilities.subarray(step * OUTPUTS, (step + 1) * OUTPUTS);
  const likeliest = (step) => {
    const row = of(step);
    return row.indexOf(row.reduce((a, b) => Math.max(a, b)));
  };
  const found = [];
  for (let begin = 0, end; begin < steps; begin = end) {
    const symbol = likeliest(begin);
    end = begin + 1;
    while (end < steps && likeliest(end) === symbol) end += 1;
    if (symbol !== BLANK) found.push(character(of, begin, end, symbol));
  }
  return found;
}

function character(of, begin, end, symbol) {
  let weights = 0;
  let middle = 0;
  let peak = begin;
  for (let step = begin; step < end; step += 1) {
    const weight = Math.exp(of(step)[symbol]);
    weights += weight;
    middle += weight * step;
    if (of(step)[symbol] > of(peak)[symbol]) peak = step;
  }
  const shown = Array.from(of(peak).subarray(0, BLANK), Math.exp);
  const presence = shown.reduce((a, b) => a + b);
  return {
    symbol: CHARACTERS[symbol],
    column: STEP * (middle / weights + 0.5),
    probabilities: shown.map((value) => value / Math.max(presence, 1e-9)),
    presence,
  };
}

/**
 * The characters with those signs as digits that can be nothing else: a bracket without its other half
 * and a slash without a digit on both sides are ones, and a plus without a digit behind it is the
 * likeliest digit, often a barred 7.
 * @param {Character[]} characters
 * @returns {Character[]}
 */
export function plausible(characters) {
  const text = characters.map(({ symbol }) => symbol);
  return characters.map((one, i) => {
    const before = text.slice(0, i);
    const after = text.slice(i + 1);
    const lonely =
      (one.symbol === "(" && !after.includes(")")) ||
      (one.symbol === ")" && !before.includes("(")) ||
      (one.symbol === "/" && !(isDigit(text[i - 1]) && isDigit(text[i + 1])));
    const barred = one.symbol === "+" && i > 0 && !isDigit(text[i + 1]);
    return lonely || barred ? asDigit(one, lonely ? 1 : mostOf(one.probabilities.slice(0, 10))) : one;
  });
}

function asDigit(one, digit) {
  const probabilities = one.probabilities.slice();
  const sign = CHARACTERS.indexOf(one.symbol);
  probabilities[digit] += probabilities[sign];
  probabilities[sign] = 0;
  return { ...one, symbol: `${digit}`, probabilities };
}

/** @returns {string} the likeliest sign of a character */
export function likeliestSign({ probabilities }) {
  return SIGNS[mostOf(probabilities.slice(10, 10 + SIGNS.length))];
}

/** @returns {boolean} whether a symbol, which may be missing, is a digit */
export function isDigit(symbol) {
  return symbol !== undefined && symbol >= "0" && symbol <= "9";
}

/** @returns {number} the place of the largest value */
export function mostOf(values) {
  return values.indexOf(Math.max(...values));
}
