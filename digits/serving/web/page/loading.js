/** Says how much of the model has arrived, and that nothing arrives any more. */
import { percent } from "./language.js";
import { say } from "./words.js";

const PATIENCE = 1000; // milliseconds, before which nothing is said
const STUCK = 20_000; // milliseconds without a byte

/**
 * @param {number} size in bytes, of all that is to arrive
 * @param {(text: string) => void} tell
 * @returns {{got: (bytes: number) => void, end: () => void}}
 */
export function loading(size, tell) {
  const began = performance.now();
  let share = 0;
  let told = 0;
  let timer;
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      tell(say("loading_stuck", { percent: percent(share, 0) }));
      // The next byte is said.
      told = -1;
    }, STUCK);
  };
  wait();
  return {
    got: (bytes) => {
      share = Math.min(bytes / size, 1);
      wait();
      // A screen reader says every change, so there are ten.
      if (performance.now() - began < PATIENCE || share < told + 0.1) return;
      told = share;
      tell(say("loading_share", { percent: percent(share, 0) }));
    },
    end: () => clearTimeout(timer),
  };
}
