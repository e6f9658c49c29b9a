import { GetTrainingDefaultsResponseSchema, TrainingService } from "@rlmaze/api/rlmaze/training/v1/training_service_pb";
import { goClient } from "@/server/go-server";
import { unary } from "@/server/unary";

export const dynamic = "force-dynamic";

/** Presets, the schema of a configuration, devices and limits: what the form is made from. */
export function GET(): Promise<Response> {
  return unary(GetTrainingDefaultsResponseSchema, () => goClient(TrainingService).getTrainingDefaults({}), {
    saysWhatIsAway: true,
  });
}
