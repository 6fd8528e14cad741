/**
 * 128 bits that stand for a text, as 32 upper-case hexadecimal digits: for tags that say whether a document changed. Good at telling
 * documents apart, no defence against somebody who wants two to look alike.
 */
export function contentHash(text: string): string {
  const lanes = [0x811c9dc5, 0x9e3779b9, 0x85ebca6b, 0xc2b2ae35];
  for (let i = 0; i < text.length; i++) {
    const lane = i & 3;
    // FNV-1a in four lanes; each lane also takes in its neighbour, so that the order of characters counts across lanes.
    const mixed = ((lanes[lane] as number) ^ text.charCodeAt(i) ^ ((lanes[(lane + 1) & 3] as number) >>> 15)) | 0;
    lanes[lane] = Math.imul(mixed, 0x01000193);
  }
  let hash = "";
  let carry = text.length;
  for (const lane of [...lanes, ...lanes].slice(1)) carry = finalMix(carry ^ lane);
  for (const lane of lanes) {
    carry = finalMix(carry ^ lane);
    hash += (carry >>> 0).toString(16).padStart(8, "0");
  }
  return hash.toUpperCase();
}

/** The finish of MurmurHash3: every input bit reaches every output bit. */
function finalMix(value: number): number {
  let mixed = value;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
