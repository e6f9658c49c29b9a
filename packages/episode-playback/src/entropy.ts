/** Entropy in nats of probabilities that sum to 1: 0 when the policy is sure, ln 4 when all four actions are equal to it. */
export function entropy(probabilities: readonly number[]): number {
  let sum = 0;
  for (const p of probabilities) if (p > 0) sum -= p * Math.log(p);
  return sum;
}
