"use client";

import { SetActiveModelResponseSchema } from "@rlmaze/api/rlmaze/model/v1/model_service_pb";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { toast } from "sonner";
import { useServerConnection } from "@/components/shell/connection-provider";
import { postMessage } from "@/lib/bff";
import { modelsQuery, statusQuery } from "@/lib/queries";
import { ModelsPageView } from "./models-page-view";

/** The registry: which models there are, and which one acts. */
export function ModelsPage() {
  const models = useQuery({
    ...modelsQuery,
    refetchOnMount: "always",
    refetchInterval: (query) => (query.state.status === "error" ? 3_000 : false),
  });
  const { answeringSince } = useServerConnection();
  const queryClient = useQueryClient();
  const activation = useMutation({
    mutationFn: ({ modelId, reason }: { modelId: string; reason: string }) =>
      postMessage(SetActiveModelResponseSchema, "/api/models/active", { modelId, reason }),
    onSuccess: (reply) => {
      toast.success(`${reply.model?.modelId ?? "The model"} is active`, {
        description: "New episodes use it; running ones keep theirs.",
      });
    },
    onError: (error, { modelId }) => {
      toast.error(`${modelId} was not made active`, { description: error.message });
    },
    onSettled: () =>
      Promise.all([
        queryClient.invalidateQueries({ queryKey: modelsQuery.queryKey }),
        queryClient.invalidateQueries({ queryKey: statusQuery.queryKey }),
      ]),
  });
  return (
    <ModelsPageView
      models={models.data}
      error={models.error}
      stale={models.data !== undefined && (models.isError || models.dataUpdatedAt < answeringSince)}
      readAt={models.dataUpdatedAt}
      activating={activation.isPending ? activation.variables.modelId : undefined}
      onActivate={(modelId, reason) => activation.mutate({ modelId, reason })}
      onRetry={() => void models.refetch()}
    />
  );
}
