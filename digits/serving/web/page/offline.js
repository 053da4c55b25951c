/** Keeps the page on the device, so that it opens without a network, and keeps it up to date. */

/**
 * @param {string} build of the runtime that this browser loaded; empty for none
 * @param {(load: () => void) => void} outdated called when a newer page is ready, with a function that
 *   loads it
 */
export async function keep(build, outdated) {
  if (!("serviceWorker" in navigator)) return;
  const { serviceWorker } = navigator;
  let asked = false;
  const first = !serviceWorker.controller;
  let taken = false;
  serviceWorker.addEventListener("controllerchange", () => {
    if (asked) return location.reload();
    // The very first worker takes over a page of its own version. A later one, activated from another
    // tab, takes over a page that is older than itself.
    if (!first || taken) outdated(() => location.reload());
    taken = true;
    return undefined;
  });
  let registration;
  try {
    registration = await serviceWorker.register(`sw.js?build=${build}`, { updateViaCache: "none" });
  } catch {
    return; // as in a private window: the page still works, with a network
  }
  const offer = (worker) =>
    outdated(() => {
      asked = true;
      worker.postMessage("take over");
    });
  const watch = (worker) => {
    const tell = () => worker.state === "installed" && registration.active && offer(worker);
    worker.addEventListener("statechange", tell);
    tell();
  };
  if (registration.waiting) watch(registration.waiting);
  if (registration.installing) watch(registration.installing);
  registration.addEventListener("updatefound", () => watch(registration.installing));
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) registration.update().catch(() => {}); // there may be no network
  });
}
