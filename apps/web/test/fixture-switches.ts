import { create } from "@bufbuild/protobuf";
import { type Timestamp, timestampMs, timestampNow } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  type Activation,
  ActivationSchema,
  ActiveModelChangedSchema,
  GateOutcome,
  SwitchRefusedSchema,
} from "@rlmaze/api/rlmaze/model/v1/activation_pb";
import type { Model, SuccessRate } from "@rlmaze/api/rlmaze/model/v1/model_pb";
import type {
  ListActivationsRequest,
  RollBackActiveModelRequest,
  SetActiveModelRequest,
} from "@rlmaze/api/rlmaze/model/v1/model_service_pb";

const parity = { vectors: 64, largestDeviation: 2.4e-7, allowedDeviation: 1e-5 };

function counts(modelId: string, { episodes, successes, intervalLow, intervalHigh }: SuccessRate) {
  return { modelId, episodes, successes, intervalLow, intervalHigh };
}

/** The active model of a made-up server and its history, with the gate of the real one. */
export class FixtureSwitches {
  /** The newest first. */
  readonly #history: Activation[] = [];
  readonly #models: readonly Model[];

  constructor(models: readonly Model[], startedAt: Timestamp) {
    this.#models = models;
    const active = models.find((model) => model.active);
    if (active !== undefined) {
      this.#history.push(
        create(ActivationSchema, {
          activationId: 1n,
          modelId: active.modelId,
          reason: "default at first start",
          actor: "server",
          activatedAt: startedAt,
        }),
      );
    }
  }

  get newest(): Activation | undefined {
    return this.#history[0];
  }

  set(model: Model, request: SetActiveModelRequest): Activation {
    const { newest } = this;
    if (newest?.modelId === model.modelId) return newest;
    this.#expect(request.expectedActivationId);
    const success = this.#compare(model);
    const worse = success !== undefined && (success.candidate.intervalHigh ?? 0) < (success.active.intervalLow ?? 0);
    if (worse && request.overrideReason === "") {
      const message = `it does worse than the active ${success.active.modelId} on ${success.setId}`;
      throw new ConnectError(`${model.modelId} was not made active: ${message}`, Code.FailedPrecondition, undefined, [
        {
          desc: SwitchRefusedSchema,
          value: {
            modelId: model.modelId,
            overridable: true,
            checks: [
              {
                outcome: GateOutcome.PASSED,
                message: "it repeats all 64 parity vectors of its export",
                evidence: { case: "parity", value: parity },
              },
              {
                outcome: GateOutcome.FAILED,
                message,
                overridable: true,
                evidence: { case: "success", value: success },
              },
            ],
          },
        },
      ]);
    }
    return this.#add(model, {
      reason: request.reason,
      actor: request.actor,
      overrideReason: worse ? request.overrideReason : "",
    });
  }

  rollBack(request: RollBackActiveModelRequest): Activation {
    const done = this.#history.find(({ undoneActivationId }) => undoneActivationId === request.expectedActivationId);
    if (done !== undefined) return done;
    this.#expect(request.expectedActivationId);
    const before = this.#history.find(({ modelId }) => modelId !== this.newest?.modelId);
    const model = this.#models.find(({ modelId }) => modelId === before?.modelId);
    if (model === undefined) throw new ConnectError("no other model was active before", Code.FailedPrecondition);
    return this.#add(model, {
      reason: request.reason,
      actor: request.actor,
      undoneActivationId: request.expectedActivationId,
    });
  }

  list(request: ListActivationsRequest): { activations: Activation[]; nextPageToken: string } {
    const { at } = request;
    const size = request.pageSize || 50;
    const found = this.#history.filter(
      ({ activationId, activatedAt }) =>
        (request.pageToken === "" || activationId < BigInt(request.pageToken)) &&
        (at === undefined || activatedAt === undefined || timestampMs(activatedAt) <= timestampMs(at)),
    );
    const activations = found.slice(0, size);
    return { activations, nextPageToken: found.length > size ? String(activations.at(-1)?.activationId) : "" };
  }

  #expect(expected: bigint): void {
    const { newest } = this;
    if (expected === 0n || newest?.activationId === expected) return;
    throw new ConnectError("the active model was changed meanwhile", Code.Aborted, undefined, [
      { desc: ActiveModelChangedSchema, value: newest === undefined ? {} : { activation: newest } },
    ]);
  }

  #compare(model: Model) {
    const active = this.#models.find(({ modelId }) => modelId === this.newest?.modelId);
    const [mine] = model.success;
    const theirs = active?.success.find(({ setHash }) => setHash === mine?.setHash);
    if (active === undefined || mine === undefined || theirs === undefined) return undefined;
    return {
      setId: mine.setId,
      setHash: mine.setHash,
      candidate: counts(model.modelId, mine),
      active: counts(active.modelId, theirs),
    };
  }

  #add(
    model: Model,
    how: { reason: string; actor: string; overrideReason?: string; undoneActivationId?: bigint },
  ): Activation {
    const success = this.#compare(model);
    const activation = create(ActivationSchema, {
      ...how,
      activationId: (this.newest?.activationId ?? 0n) + 1n,
      modelId: model.modelId,
      previousModelId: this.newest?.modelId ?? "",
      activatedAt: timestampNow(),
      parity,
      ...(success === undefined ? {} : { success }),
    });
    this.#history.unshift(activation);
    for (const other of this.#models) other.active = other === model;
    return activation;
  }
}
