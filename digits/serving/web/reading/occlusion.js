/** Finds the ink that decided a reading, by covering each of 7×7 patches of the digit in turn. */

const SIDE = 28;
const PATCHES = 7;
const PATCH = SIDE / PATCHES;

/**
 * @param {(digit: Uint8Array) => Promise<number[]>} sureness of a reader
 * @param {import("./device.js").Answer} answer with what the network saw
 * @returns {Promise<Float32Array>} 7×7, how much less sure it is without the ink of a patch: 1 for
 *   the patch that matters most, or for a tenfold change of the odds if no patch changes them as much
 */
export async function mapOf(sureness, answer) {
  const digit = Uint8Array.from(answer.seen, Math.round);
  const whole = logOdds((await sureness(digit))[answer.digit]);
  const lost = new Float32Array(PATCHES * PATCHES);
  for (let patch = 0; patch < lost.length; patch += 1) {
    const covered = withoutPatch(digit, patch);
    if (!covered) continue;
    lost[patch] = Math.max(0, whole - logOdds((await sureness(covered))[answer.digit]));
  }
  const most = Math.max(Math.LN10, ...lost);
  return lost.map((value) => value / most);
}

/** A copy without the ink of a patch; null if the patch has none. */
function withoutPatch(digit, patch) {
  const copy = digit.slice();
  const top = Math.floor(patch / PATCHES) * PATCH;
  const left = (patch % PATCHES) * PATCH;
  for (let y = top; y < top + PATCH; y += 1) copy.fill(0, y * SIDE + left, y * SIDE + left + PATCH);
  return copy.some((value, i) => value !== digit[i]) ? copy : null;
}

function logOdds(probability) {
  const held = Math.min(Math.max(probability, 1e-6), 1 - 1e-6);
  return Math.log(held / (1 - held));
}
