/** The corrected digits, in the browser's database, until they are deleted.
 *
 *  @typedef {{id?: number, label: number, seen: Uint8Array}} Taught  seen: 28×28, ink 255 on 0
 */

const NAME = `digits ${new URL(".", document.baseURI).pathname}`; // other sites may share the origin
const TABLE = "taught";

/** Does something with the table; null if the browser keeps nothing. */
function within(mode, act) {
  return new Promise((done) => {
    const failed = () => done(null);
    let opening;
    try {
      opening = indexedDB.open(NAME, 1);
    } catch {
      return failed();
    }
    opening.onupgradeneeded = () => {
      opening.result.createObjectStore(TABLE, { keyPath: "id", autoIncrement: true });
    };
    opening.onerror = failed;
    opening.onsuccess = () => {
      const database = opening.result;
      const transaction = database.transaction(TABLE, mode);
      const asked = act(transaction.objectStore(TABLE));
      transaction.oncomplete = () => {
        database.close();
        done(asked.result ?? true);
      };
      transaction.onerror = transaction.onabort = failed;
    };
    return undefined;
  });
}

/** @returns {Promise<Taught[]>} all of them, oldest first */
export const taught = async () => (await within("readonly", (table) => table.getAll())) ?? [];

/** @param {Taught} digit new, or with the id of the one that it replaces
 *  @returns {Promise<number | null>} its id; null if it cannot be kept */
export const keep = (digit) => within("readwrite", (table) => table.put(digit));

/** @param {number[]} ids */
export const forget = (ids) =>
  within("readwrite", (table) => ids.map((id) => table.delete(id)).at(-1) ?? table.count());
