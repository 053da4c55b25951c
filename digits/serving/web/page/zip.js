/** Files -> a ZIP archive of them, stored as they are: PNG is compressed already. */
import { crc32 } from "../reading/png.js";

const LOCAL = 0x04034b50;
const ENTRY = 0x02014b50;
const END = 0x06054b50;
const VERSION = 20;
const UTF8 = 0x0800; // names are in UTF-8
const DAY = 0x0021; // 1 January 1980, the first that there is: files have no dates

/**
 * @param {{name: string, content: Uint8Array}[]} files by their paths
 * @returns {Blob}
 */
export function zipOf(files) {
  const parts = [];
  const directory = [];
  let offset = 0;
  for (const { name, content } of files) {
    const path = new TextEncoder().encode(name);
    const { length } = content;
    const facts = record("HHHHHLLLHH", [VERSION, UTF8, 0, 0, DAY, crc32(content), length, length, path.length, 0]);
    parts.push(record("L", [LOCAL]), facts, path, content);
    const where = record("HHHLL", [0, 0, 0, 0, offset]);
    directory.push(record("LH", [ENTRY, VERSION]), facts, where, path);
    offset += 4 + facts.length + path.length + content.length;
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const { length } = files;
  const end = record("LHHHHLLH", [END, 0, 0, length, length, size, offset, 0]);
  return new Blob([...parts, ...directory, end], { type: "application/zip" });
}

/** Numbers as little-endian bytes: H two of them, L four. */
function record(kinds, values) {
  const view = new DataView(new ArrayBuffer(4 * kinds.length));
  let at = 0;
  [...kinds].forEach((kind, i) => {
    if (kind === "H") view.setUint16(at, values[i], true);
    else view.setUint32(at, values[i], true);
    at += kind === "H" ? 2 : 4;
  });
  return new Uint8Array(view.buffer, 0, at);
}
