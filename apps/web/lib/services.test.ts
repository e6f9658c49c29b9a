import { create } from "@bufbuild/protobuf";
import { GetStatusResponseSchema, ServiceState } from "@rlmaze/api/rlmaze/system/v1/system_service_pb";
import { expect, test } from "vitest";
import { mayAsk, mlflowOf, serviceSentence, serviceWords, trainerOf, trainersOf } from "./services";

const status = (services: { name: string; state: ServiceState }[]) => create(GetStatusResponseSchema, { services });

test("the most able trainer counts, and MLflow is none", () => {
  const given = status([
    { name: "mlflow", state: ServiceState.UP },
    { name: "trainer", state: ServiceState.AWAY },
    { name: "trainer-2", state: ServiceState.PREPARING },
  ]);
  expect(trainerOf(given)?.name).toBe("trainer-2");
  expect(trainersOf(given)).toHaveLength(2);
  expect(mlflowOf(given)?.state).toBe(ServiceState.UP);
});

test("an older server tells nothing, and may be asked all the same", () => {
  expect(trainerOf(status([]))).toBeUndefined();
  expect(mlflowOf(undefined)).toBeUndefined();
  expect(mayAsk(undefined)).toBe(true);
  expect(
    [ServiceState.UP, ServiceState.AWAY, ServiceState.PREPARING, ServiceState.NOT_CONFIGURED].map((state) =>
      mayAsk(create(GetStatusResponseSchema, { services: [{ name: "mlflow", state }] }).services[0]),
    ),
  ).toEqual([true, false, false, false]);
});

test("services have names for people", () => {
  expect(["mlflow", "trainer", "trainer-3", "other"].map((name) => serviceWords(name).name)).toEqual([
    "MLflow",
    "Trainer",
    "Trainer 3",
    "other",
  ]);
});

test("what a service says is a sentence", () => {
  expect(serviceSentence({ message: "the trainer does not answer" })).toBe("The trainer does not answer.");
  expect(serviceSentence({ message: "Installing PyTorch …" })).toBe("Installing PyTorch …");
  expect(serviceSentence({ message: " " })).toBe("");
});
