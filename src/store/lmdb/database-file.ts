// LMDB maps its file into memory and trusts what it finds: a file that is something else, or a copy that was cut short, ends the process with a
// signal. So the parts that LMDB looks at first are checked before it gets the file.

import { closeSync, fstatSync, openSync, readSync } from "node:fs";

/** Where things lie in one of the two meta pages of an LMDB file, after 24 bytes of page header. All numbers are little-endian. */
const layout = {
  magic: 24,
  version: 28,
  pageSize: 48,
  freeListRoot: 88,
  mainRoot: 136,
  transaction: 152,
  end: 160,
} as const;
const magic = 0xbeefc0de;
const dataVersion = 2;
const noPage = 0xffff_ffff_ffff_ffffn;

/**
 * Does nothing if a file is absent, empty or an LMDB file that LMDB can look into.
 * @throws Error that says what is wrong with it.
 */
export function assertDatabaseFile(file: string): void {
  let handle: number;
  try {
    handle = openSync(file, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  try {
    const { size } = fstatSync(handle);
    if (size === 0) return;
    const problem = problemOf(size, (at) => readAt(handle, at, layout.end));
    if (problem !== undefined) throw new Error(`${file} is no database of lifepod: ${problem}`);
  } finally {
    closeSync(handle);
  }
}

function problemOf(size: number, metaAt: (position: number) => DataView | undefined): string | undefined {
  const first = metaAt(0);
  if (first === undefined || !isMeta(first)) return "it is a file of another kind";
  const pageSize = first.getUint32(layout.pageSize, true);
  const second = metaAt(pageSize);
  if (second === undefined || !isMeta(second)) return "it is cut short";
  const newest = transactionOf(second) > transactionOf(first) ? second : first;
  for (const root of [layout.freeListRoot, layout.mainRoot]) {
    const page = newest.getBigUint64(root, true);
    if (page !== noPage && (page + 1n) * BigInt(pageSize) > BigInt(size)) return "it is cut short";
  }
  return undefined;
}

function isMeta(page: DataView): boolean {
  return page.getUint32(layout.magic, true) === magic && page.getUint32(layout.version, true) === dataVersion;
}

const transactionOf = (page: DataView): bigint => page.getBigUint64(layout.transaction, true);

/** `undefined` if the file ends before. */
function readAt(handle: number, position: number, length: number): DataView | undefined {
  const bytes = new Uint8Array(length);
  return readSync(handle, bytes, 0, length, position) < length ? undefined : new DataView(bytes.buffer);
}
