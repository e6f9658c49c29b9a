import { GetStatusResponseSchema, SystemService } from "@rlmaze/api/rlmaze/system/v1/system_service_pb";
import { goClient } from "@/server/go-server";
import { unary } from "@/server/unary";

export const dynamic = "force-dynamic";

/** How the Go server and its stores are. */
export function GET(): Promise<Response> {
  return unary(GetStatusResponseSchema, () => goClient(SystemService).getStatus({}));
}
