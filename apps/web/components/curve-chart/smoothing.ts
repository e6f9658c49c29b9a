/**
 * Exponential moving average over uneven places, without the pull of the first value (each output is a weighted mean of what came before).
 * @param share 0–1: 0 leaves the values as they are; at 1 the weight of a value falls to 1/e over a tenth of the whole axis.
 * @returns as many values; null where the input is null or not finite.
 */
export function smoothed(xs: ArrayLike<number>, ys: ArrayLike<number | null>, share: number): ArrayLike<number | null> {
  const { length } = xs;
  if (share <= 0 || length < 3) return ys;
  const span = (xs[length - 1] ?? 0) - (xs[0] ?? 0);
  const reach = Math.max(Number.MIN_VALUE, span * share * 0.1);
  const out: (number | null)[] = new Array(length);
  let sum = 0;
  let weight = 0;
  let before = xs[0] ?? 0;
  for (let index = 0; index < length; index++) {
    const x = xs[index] ?? 0;
    const y = ys[index];
    const fade = Math.exp(-(x - before) / reach);
    before = x;
    sum *= fade;
    weight *= fade;
    if (y === null || y === undefined || !Number.isFinite(y)) {
      out[index] = null;
      continue;
    }
    sum += y;
    weight += 1;
    out[index] = sum / weight;
  }
  return out;
}
