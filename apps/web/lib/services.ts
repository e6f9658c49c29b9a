import {
  type GetStatusResponse,
  ServiceState,
  type ServiceStatus,
} from "@rlmaze/api/rlmaze/system/v1/system_service_pb";

/** Services as people call them, and what goes on without them. */
const known: Readonly<Record<string, { readonly name: string; readonly does: string }>> = {
  trainer: { name: "Trainer", does: "runs trainings and reads the GPUs" },
  mlflow: { name: "MLflow", does: "keeps experiments, runs and their metrics" },
};

/** What a service is called, "Trainer 2" for `trainer-2`, and what it is for. */
export function serviceWords(name: string): { readonly name: string; readonly does: string } {
  const exact = known[name];
  if (exact !== undefined) return exact;
  const numbered = /^trainer-(\d+)$/.exec(name);
  return { name: numbered ? `Trainer ${numbered[1]}` : name, does: known.trainer?.does ?? "" };
}

/** The MLflow of this installation; undefined while the status is not known, or of a server that tells nothing about it. */
export function mlflowOf(status: GetStatusResponse | undefined): ServiceStatus | undefined {
  return status?.services.find(({ name }) => name === "mlflow");
}

/** Best first: what one trainer can do is there when any of them can. */
const RANK: Readonly<Record<ServiceState, number>> = {
  [ServiceState.UP]: 0,
  [ServiceState.PREPARING]: 1,
  [ServiceState.AWAY]: 2,
  [ServiceState.NOT_CONFIGURED]: 3,
  [ServiceState.UNSPECIFIED]: 4,
};

/** Every trainer of this installation. */
export function trainersOf(status: GetStatusResponse | undefined): readonly ServiceStatus[] {
  return status?.services.filter(({ name }) => name !== "mlflow") ?? [];
}

/** The trainer of this installation, the most able one where there are several; undefined as for {@link mlflowOf}. */
export function trainerOf(status: GetStatusResponse | undefined): ServiceStatus | undefined {
  return trainersOf(status).reduce<ServiceStatus | undefined>(
    (best, one) => (best === undefined || RANK[one.state] < RANK[best.state] ? one : best),
    undefined,
  );
}

/** Whether questions that need a service may be asked: it answers, or nothing is known about it. */
export function mayAsk(service: ServiceStatus | undefined): boolean {
  return service === undefined || service.state === ServiceState.UP || service.state === ServiceState.UNSPECIFIED;
}

/** What a service says about itself, as a sentence; empty when it says nothing. */
export function serviceSentence({ message }: Pick<ServiceStatus, "message">): string {
  const text = message.trim();
  if (text === "") return "";
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(capital) ? capital : `${capital}.`;
}
