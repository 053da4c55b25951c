/** What the manifest says about the model, in sentences. */
import { percent } from "./language.js";
import { LANGUAGE, say } from "./words.js";

/**
 * @param {object} manifest of the bundle
 * @returns {string[]} those for which the manifest has all the figures
 */
export function about({ name, created, metrics }) {
  const figures = {
    name,
    created: created && new Date(created).toLocaleDateString(LANGUAGE, { dateStyle: "long" }),
    parameters: metrics.parameters?.toLocaleString(LANGUAGE),
    accuracy: share(metrics.test_accuracy),
    low: share(metrics.test_accuracy_interval?.[0]),
    high: share(metrics.test_accuracy_interval?.[1]),
    accepted: share(metrics.test_accepted),
    non_digits: share(metrics.non_digits_accepted),
    error: share(metrics.ece),
  };
  const needed = {
    about_model: ["name", "created", "parameters"],
    about_accuracy: ["accuracy", "low", "high", "accepted"],
    about_rejection: ["non_digits"],
    about_calibrated: ["error"],
  };
  return Object.entries(needed)
    .filter(([, keys]) => keys.every((key) => figures[key] !== undefined))
    .map(([sentence]) => say(sentence, figures));
}

function share(fraction) {
  return fraction === undefined ? undefined : percent(fraction, 2);
}
