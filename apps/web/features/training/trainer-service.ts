import {
  type GetStatusResponse,
  ServiceState,
  type ServiceStatus,
} from "@rlmaze/api/rlmaze/system/v1/system_service_pb";

/** How the trainers are, all together. */
export interface TrainerService {
  /** `unknown`: the server did not say yet. */
  readonly state: "unknown" | "up" | "preparing" | "away" | "not-configured";
  /** In words; empty when up. */
  readonly message: string;
  /** 0–1, while it is being prepared and known. */
  readonly progress: number | undefined;
}

/** Reads what the server says of its trainers. One that is up is enough. */
export function trainerService(status: GetStatusResponse | undefined): TrainerService {
  if (status === undefined) return { state: "unknown", message: "", progress: undefined };
  const trainers = status.services.filter(({ name }) => name.startsWith("trainer"));
  const find = (state: ServiceState) => trainers.find((trainer) => trainer.state === state);
  const told = (state: TrainerService["state"], service: ServiceStatus | undefined): TrainerService => ({
    state,
    message: service?.message ?? "",
    progress: service?.progress,
  });
  if (find(ServiceState.UP) !== undefined) return { state: "up", message: "", progress: undefined };
  const preparing = find(ServiceState.PREPARING);
  if (preparing !== undefined) return told("preparing", preparing);
  const away = find(ServiceState.AWAY);
  if (away !== undefined) return told("away", away);
  return told("not-configured", trainers[0]);
}
