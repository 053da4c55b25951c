/** Keeps one version of the site, complete. site.py fills in its files with the SHA-256 of each: nothing
 *  else can be kept, and an install fails if one of them is missing. */
const STAMP = "{{stamp}}";
const FILES = "{{files}}"; // path -> integrity; "./" is index.html
const BUILDS = "{{builds}}"; // the same for each build of the runtime; a browser needs only one

const OURS = `digits ${registration.scope} `; // other sites may share the origin
const NAME = OURS + STAMP;

function wanted() {
  const build = new URL(location.href).searchParams.get("build");
  return { ...FILES, ...BUILDS[build] };
}

async function install() {
  const cache = await caches.open(NAME);
  try {
    await Promise.all(Object.entries(wanted()).map((file) => take(cache, ...file)));
  } catch (error) {
    await caches.delete(NAME);
    throw error;
  }
}

async function take(cache, path, integrity) {
  // A path with a hash never changes its content, so an earlier version may have it already.
  const hashed = path.includes("/") && path !== "./";
  const kept = hashed && (await earlier(path));
  const request = new Request(path, { integrity, cache: hashed ? "default" : "no-cache" });
  const response = kept || (await fetch(request));
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  await cache.put(path, response);
}

async function earlier(path) {
  for (const name of await caches.keys()) {
    if (!name.startsWith(OURS)) continue;
    const found = await (await caches.open(name)).match(path);
    if (found) return found;
  }
  return null;
}

async function activate() {
  for (const name of await caches.keys()) {
    if (name.startsWith(OURS) && name !== NAME) await caches.delete(name);
  }
  await clients.claim();
}

async function kept(request, path) {
  const cache = await caches.open(NAME);
  return (await cache.match(path)) ?? fetch(request);
}

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("message", (event) => event.data === "take over" && self.skipWaiting());
self.addEventListener("fetch", (event) => {
  const { method, url } = event.request;
  const plain = url.split(/[?#]/)[0];
  if (method !== "GET" || !plain.startsWith(registration.scope)) return;
  const rest = plain.slice(registration.scope.length);
  const path = rest === "" || rest === "index.html" ? "./" : rest;
  if (path in wanted()) event.respondWith(kept(event.request, path));
});
