/** What both networks say of a line's characters -> which are digits, and how surely. The weights are
 *  those of digits/reading/lines/judging.py, where they were fitted to pages. There are words on pages; on
 *  a drawing area people write numbers, so there the network for one digit is believed by itself, too. */

const LEAST = 1e-4; // probability that an opinion gives to any digit
const ALONE = 0.25; // the weight of the line's opinion of a character that stands alone
const WHOLE = 2; // the weight of the canvas on whole ink
const CUT = 0.5; // on ink that was cut
const STRANGE = -3; // log odds of a digit, below which the canvas weighs as on ink that was cut
const CANVAS = 0.155;
const PRESENCE = 0.52;
const LIKELIEST = 0.38;
const OFFSET = -4.56;
const AMONG_DIGITS = 5.5; // log odds, for a character among others that are mostly digits
const MOSTLY = 1; // digits for each other character
const ENOUGH = 2; // digits around
const MOST_ODDS = 6; // of a network's opinion whether there is a digit, as a logarithm

/**
 * @typedef {object} Opinion
 * @property {number[]} line probabilities of the digits, by the network for lines
 * @property {number} presence the probability that there is a digit, by that network
 * @property {import("../device.js").Answer} answer of the network for one digit
 * @property {boolean} cut whether the ink was cut
 *
 * @typedef {{probabilities: number[], logOdds: number}} Judged logOdds: that it is a digit, and the
 *   likeliest one; 0 or more is accepted
 *
 * @param {(Opinion | null)[]} part of a line, that gaps part from the others; null for a sign
 * @param {boolean} alone whether its line has one character
 * @param {boolean} drawn whether it was written here, not found in a picture
 * @returns {(Judged | null)[]}
 */
export function judged(part, alone, drawn) {
  const own = part.map((one) => one && (alone ? byCanvas(one) : byBoth(one, drawn)));
  return own.map((one) => one && { ...one, logOdds: one.logOdds + context(one, own) });
}

/** Of a character that stands alone, the network for one digit knows more. */
function byCanvas({ line, presence, answer }) {
  const probabilities = together(line.map((value) => value ** ALONE), answer, 1);
  return { probabilities, logOdds: Math.min(answer.logOdds, answer.logOdds + logOdds(presence)) };
}

function byBoth({ line, presence, answer, cut }, drawn) {
  const canvas = Math.min(Math.max(answer.logOdds, -MOST_ODDS), MOST_ODDS);
  const clear = canvas > STRANGE && !cut;
  const probabilities = together(line, answer, clear ? WHOLE : CUT);
  const likeliest = logOdds(Math.max(...probabilities), 1e-4);
  const odds = CANVAS * canvas + PRESENCE * logOdds(presence) + LIKELIEST * likeliest + OFFSET;
  const agreed = answer.digit === probabilities.indexOf(Math.max(...probabilities));
  return { probabilities, logOdds: drawn && agreed ? Math.max(odds, answer.logOdds) : odds };
}

function together(line, { probabilities }, weight) {
  const sums = line.map(
    (value, digit) => Math.log(value + LEAST) + weight * Math.log(probabilities[digit] + LEAST),
  );
  const most = Math.max(...sums);
  const shares = sums.map((sum) => Math.exp(sum - most));
  const all = shares.reduce((a, b) => a + b);
  return shares.map((share) => share / all);
}

/** What the characters around one add to its log odds. */
function context(one, all) {
  const others = all.filter((other) => other && other !== one);
  const digits = others.filter((other) => other.logOdds >= 0).length;
  if (digits < MOSTLY * (others.length - digits)) return 0;
  return (Math.min(digits, ENOUGH) / ENOUGH) * AMONG_DIGITS;
}

/** The opinion of the network for lines on a character; nothing where it found none. */
export function ofLine(character) {
  const digits = character ? character.probabilities.slice(0, 10) : [];
  const total = digits.reduce((a, b) => a + b, 0);
  const line = total > 1e-6 ? digits.map((value) => value / total) : new Array(10).fill(0.1);
  return { line, presence: character ? total * character.presence : 0 };
}

function logOdds(probability, least = 0.0025) {
  const bounded = Math.min(Math.max(probability, least), 1 - least);
  return Math.log(bounded / (1 - bounded));
}
