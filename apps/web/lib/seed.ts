/** The largest seed: 64 bits without sign. */
export const LARGEST_SEED = 2n ** 64n - 1n;

/** Whether a text is empty (any seed) or a seed of 64 bits in decimal. */
export function isSeed(text: string): boolean {
  return text === "" || (/^\d{1,20}$/.test(text) && BigInt(text) <= LARGEST_SEED);
}
