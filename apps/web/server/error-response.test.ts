import { Code, ConnectError } from "@connectrpc/connect";
import { TrainingBusySchema } from "@rlmaze/api/rlmaze/training/v1/training_service_pb";
import { expect, test } from "vitest";
import { type ErrorBody, errorResponse } from "./unary";

const bodyOf = async (response: Response) => (await response.json()) as ErrorBody;

test("a refusal for lack of room brings what runs and when to try again", async () => {
  const error = new ConnectError("all places are taken", Code.ResourceExhausted, undefined, [
    {
      desc: TrainingBusySchema,
      value: { running: [{ runId: "ppo-quick-1" }], queued: 4, queueLimit: 4, retryAfter: { seconds: 40n } },
    },
  ]);
  const response = errorResponse(error);
  expect(response.status).toBe(429);
  expect(await bodyOf(response)).toMatchObject({
    code: "resource_exhausted",
    busy: { running: [{ runId: "ppo-quick-1" }], queued: 4, queueLimit: 4, retryAfter: "40s" },
  });
});

test("what is away is named in the server's words only where a route asks for it, and never for a broken connection", async () => {
  const spoken = new ConnectError("the trainer is being installed", Code.Unavailable);
  const broken = new ConnectError(
    "connect ECONNREFUSED 10.0.0.7:8081",
    Code.Unavailable,
    undefined,
    undefined,
    new Error("ECONNREFUSED"),
  );
  const message = async (error: ConnectError, saysWhatIsAway: boolean) =>
    (await bodyOf(errorResponse(error, { saysWhatIsAway }))).message;
  expect(await message(spoken, true)).toBe("the trainer is being installed");
  expect(await message(spoken, false)).toContain("The Go server cannot be reached");
  expect(await message(broken, true)).toContain("The Go server cannot be reached");
});
