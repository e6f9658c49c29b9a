/** How much the curves are smoothed. */
export type Smoothing = "off" | "some" | "much";

/** Choices on the training page that this browser keeps. */
export interface TrainingSettings {
  readonly smoothing: Smoothing;
}

export const TRAINING_SETTINGS_KEY = "rlmaze.training";

const defaults: TrainingSettings = { smoothing: "some" };

/** Reads what was kept; whatever cannot be read falls back to its default. */
export function parseTrainingSettings(text: string | null): TrainingSettings {
  try {
    const kept = JSON.parse(text ?? "{}") as Partial<Record<keyof TrainingSettings, unknown>> | null;
    const { smoothing } = kept ?? {};
    return { smoothing: smoothing === "off" || smoothing === "much" ? smoothing : defaults.smoothing };
  } catch {
    return defaults;
  }
}

export function writeTrainingSettings(settings: TrainingSettings): string {
  return JSON.stringify(settings);
}
