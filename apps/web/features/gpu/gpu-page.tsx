"use client";

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { statusQuery } from "@/lib/queries";
import { mayAsk, trainerOf, trainersOf } from "@/lib/services";
import { GpuPageView } from "./gpu-page-view";
import { newestTrainingsQuery } from "./queries";
import { useGpuWatch } from "./use-gpu-watch";

/** The GPUs of the trainer, live, and what runs on them. */
export function GpuPage({ publicServerUrl }: { publicServerUrl: string }) {
  const status = useQuery(statusQuery);
  const trainers = trainersOf(status.data);
  const [wanted, setWanted] = useState("");
  const trainer = trainers.find(({ name }) => name === wanted) ?? trainerOf(status.data);
  // With a single trainer none has to be named.
  const name = trainers.length > 1 ? (trainer?.name ?? "") : "";
  const known = status.data !== undefined;
  const { snapshot, retryNow } = useGpuWatch(publicServerUrl, name, known && mayAsk(trainer));
  const trainings = useQuery({ ...newestTrainingsQuery, enabled: known && mayAsk(trainer) });
  return (
    <GpuPageView
      trainers={trainers}
      trainer={trainer}
      onTrainer={setWanted}
      snapshot={snapshot}
      trainings={trainings.data}
      serverError={status.isError ? status.error : null}
      onRetry={() => {
        retryNow();
        void status.refetch();
      }}
    />
  );
}
