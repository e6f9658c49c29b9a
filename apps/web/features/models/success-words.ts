import type { SuccessCount } from "@rlmaze/api/rlmaze/model/v1/activation_pb";
import type { SuccessRate } from "@rlmaze/api/rlmaze/model/v1/model_pb";
import { count, decimal, percent } from "@/lib/format";

/** "98.4–99.6 %" */
export function interval({ intervalLow, intervalHigh }: SuccessRate | SuccessCount): string {
  return `${decimal(intervalLow * 100, 1)}–${percent(intervalHigh)}`;
}

/** "997 / 1,000" */
export function counts({ successes, episodes }: SuccessRate | SuccessCount): string {
  return `${count(successes)} / ${count(episodes)}`;
}
