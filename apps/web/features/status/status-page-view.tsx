import { timestampMs } from "@bufbuild/protobuf/wkt";
import {
  type GetStatusResponse,
  ServerState,
  ServiceState,
  type ServiceStatus,
  type StoreStatus,
} from "@rlmaze/api/rlmaze/system/v1/system_service_pb";
import {
  CircleCheck,
  CircleDashed,
  CircleX,
  Database,
  Dumbbell,
  FlaskConical,
  Hourglass,
  type LucideIcon,
  TriangleAlert,
  Unplug,
} from "lucide-react";
import Link from "next/link";
import type { ReactNode } from "react";
import { ProgressBar } from "@/components/services/progress-bar";
import { PageHeader } from "@/components/shell/page-header";
import { ThemeToggle } from "@/components/shell/theme-toggle";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";
import { Panel, PanelBody, PanelHead, PanelTitle } from "@/components/ui/panel";
import { Skeleton } from "@/components/ui/skeleton";
import { StateLine } from "@/components/ui/state-line";
import { cn } from "@/lib/class-names";
import { count, duration, milliseconds, percent } from "@/lib/format";
import type { ServerConnection } from "@/lib/server-connection";
import { serviceSentence, serviceWords } from "@/lib/services";

export type StatusPageViewProps = {
  /** Undefined while nothing was read yet. */
  status: GetStatusResponse | undefined;
  /** When it was read, milliseconds since the epoch. */
  readAt: number;
  /** Why the last question failed. */
  error: Error | null;
  connection: ServerConnection;
  onRetry: () => void;
};

const stateWords: Record<ServerState, { word: string; tone: "ok" | "warn" | "danger"; sentence: string }> = {
  [ServerState.UNSPECIFIED]: { word: "unknown", tone: "warn", sentence: "The server did not say how it is." },
  [ServerState.SERVING]: { word: "serving", tone: "ok", sentence: "Everything is up." },
  [ServerState.DEGRADED]: {
    word: "degraded",
    tone: "warn",
    sentence: "Episodes run, but a store is down or no model is active.",
  },
  [ServerState.DRAINING]: {
    word: "draining",
    tone: "danger",
    sentence: "The server is going down and takes no new streams.",
  },
};

/** Stores, spool, latency and streams of the Go server. */
export function StatusPageView({ status, readAt, error, connection, onRetry }: StatusPageViewProps) {
  return (
    <>
      <PageHeader title="Status" />
      <main className="scroll-thin min-h-0 flex-1 overflow-y-auto p-2">
        <div className="mx-auto max-w-6xl space-y-2">
          {error !== null && status !== undefined ? (
            <StateLine
              kind="stale"
              framed
              title={`Numbers of ${new Date(readAt).toLocaleTimeString()}`}
              action={
                <Button size="sm" onClick={onRetry}>
                  Try again
                </Button>
              }
            >
              {error.message} {connection.detail}
            </StateLine>
          ) : null}
          {error === null && connection.draining ? (
            <StateLine kind="draining" framed title="The server is going down">
              New streams are refused until it is back; the page tries again by itself.
            </StateLine>
          ) : null}
          {status === undefined ? (
            error === null ? (
              <StatusSkeleton />
            ) : (
              <Panel className="min-h-80">
                <Notice
                  icon={<Unplug />}
                  tone="danger"
                  title="The server is away"
                  actions={<Button onClick={onRetry}>Try again</Button>}
                >
                  {error.message} {connection.detail}
                </Notice>
              </Panel>
            )
          ) : (
            <Known status={status} />
          )}
          <Panel className="md:hidden">
            <PanelHead>
              <PanelTitle>Appearance</PanelTitle>
              <ThemeToggle />
            </PanelHead>
          </Panel>
        </div>
      </main>
    </>
  );
}

function Known({ status }: { status: GetStatusResponse }) {
  const state = stateWords[status.state];
  const latency = status.stepLatency;
  const uptime =
    status.startedAt && status.serverTs ? timestampMs(status.serverTs) - timestampMs(status.startedAt) : Number.NaN;
  return (
    <>
      <Panel className="p-3">
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
          <h2 className="font-semibold text-title">Go server</h2>
          <Badge tone={state.tone}>
            {state.tone === "ok" ? <CircleCheck aria-hidden="true" /> : <TriangleAlert aria-hidden="true" />}
            {state.word}
          </Badge>
          <p className="text-body text-text-2">{state.sentence}</p>
        </div>
        <p className="mt-1 text-sub text-text-3">
          Version <span className="figure text-text-2">{status.version || "–"}</span>
          {status.revision === "" ? null : (
            <>
              , revision <span className="figure text-text-2">{status.revision.slice(0, 12)}</span>
            </>
          )}
          , up for <span className="figure text-text-2">{Number.isFinite(uptime) ? duration(uptime) : "–"}</span>
        </p>
      </Panel>

      <div className="grid grid-cols-2 gap-2 lg:grid-cols-4">
        <Key name="Live streams" note={`${count(status.websocketConnections)} of them WebSocket`}>
          {count(status.liveStreams)}
        </Key>
        <Key
          name="One step, p95"
          note={latency ? `p50 ${milliseconds(latency.p50Ms)} · p99 ${milliseconds(latency.p99Ms)}` : "no steps yet"}
        >
          {latency && latency.count > 0n ? milliseconds(latency.p95Ms) : "–"}
        </Key>
        <Key name="Requests" note={`errors ${percent(status.errorRate, 2)}`}>
          {count(status.requestCount)}
        </Key>
        <Key name="Episodes finished" note={`${count(status.streamsUnfinished)} streams cut or stopped`}>
          {count(status.episodesFinished)}
        </Key>
      </div>

      <div className={cn("grid gap-2", status.services.length === 0 ? "lg:grid-cols-2" : "lg:grid-cols-3")}>
        <Panel aria-label="Stores">
          <PanelHead>
            <PanelTitle>Stores</PanelTitle>
          </PanelHead>
          <PanelBody className="space-y-3">
            {status.stores.map((store) => (
              <Store key={store.name} store={store} />
            ))}
          </PanelBody>
        </Panel>
        {status.services.length === 0 ? null : (
          <Panel aria-label="Services">
            <PanelHead>
              <PanelTitle>Services</PanelTitle>
              <span className="truncate text-meta text-text-3">episodes run without them</span>
            </PanelHead>
            <PanelBody className="space-y-3">
              {status.services.map((service) => (
                <Service
                  key={service.name}
                  service={service}
                  now={status.serverTs ? timestampMs(status.serverTs) : Number.NaN}
                />
              ))}
            </PanelBody>
          </Panel>
        )}
        <Panel>
          <PanelHead>
            <PanelTitle>Models and log</PanelTitle>
          </PanelHead>
          <PanelBody>
            <dl className="space-y-2 text-body">
              <Fact term="Active model">
                {status.activeModelId === "" ? (
                  <Link href="/models" className="text-warn underline underline-offset-2">
                    none, choose one
                  </Link>
                ) : (
                  status.activeModelId
                )}
              </Fact>
              <Fact term="Models in memory">{count(status.modelsLoaded)}</Fact>
              <Fact term="Training viewers">{count(status.trainingViewers)}</Fact>
              <Fact term="Steps computed">{latency ? count(latency.count) : "–"}</Fact>
              <Fact term="Episodes in the spool">
                {status.spooledEpisodes > 0n ? (
                  <span className="text-warn">{count(status.spooledEpisodes)} wait for the log</span>
                ) : (
                  "none, all are in the log"
                )}
              </Fact>
            </dl>
          </PanelBody>
        </Panel>
      </div>
    </>
  );
}

const storeNames: Record<string, { name: string; holds: string }> = {
  postgresql: { name: "PostgreSQL", holds: "models and which one is active" },
  mongodb: { name: "MongoDB", holds: "one document an episode" },
};

function Store({ store }: { store: StoreStatus }) {
  const known = storeNames[store.name];
  return (
    <div className="flex items-start gap-3">
      <Database className="mt-0.5 size-4 shrink-0 text-text-3" aria-hidden="true" />
      <div className="min-w-0 flex-1">
        <p className="text-body">
          {known?.name ?? store.name}{" "}
          <span className="text-sub text-text-3">{store.embedded ? "embedded" : "external"}</span>
        </p>
        <p className="text-sub text-text-3">{store.up ? known?.holds : store.message}</p>
      </div>
      <div className="text-right">
        <Badge tone={store.up ? "ok" : "danger"}>
          {store.up ? <CircleCheck aria-hidden="true" /> : <CircleX aria-hidden="true" />}
          {store.up ? "up" : "down"}
        </Badge>
        <p className="figure mt-0.5 text-meta text-text-3">{store.up ? milliseconds(store.latencyMs) : "\u00a0"}</p>
      </div>
    </div>
  );
}

const serviceStates: Readonly<
  Record<ServiceState, { word: string; tone: "plain" | "accent" | "ok" | "warn" | "danger"; icon: LucideIcon }>
> = {
  [ServiceState.UNSPECIFIED]: { word: "unknown", tone: "warn", icon: TriangleAlert },
  [ServiceState.UP]: { word: "up", tone: "ok", icon: CircleCheck },
  [ServiceState.AWAY]: { word: "away", tone: "danger", icon: CircleX },
  [ServiceState.PREPARING]: { word: "preparing", tone: "accent", icon: Hourglass },
  [ServiceState.NOT_CONFIGURED]: { word: "none", tone: "plain", icon: CircleDashed },
};

/** A service beside the server. `now` is the server's clock, milliseconds since the epoch. */
function Service({ service, now }: { service: ServiceStatus; now: number }) {
  const { word, tone, icon: Sign } = serviceStates[service.state];
  const { name, does } = serviceWords(service.name);
  const Icon = service.name === "mlflow" ? FlaskConical : Dumbbell;
  const preparing = service.state === ServiceState.PREPARING;
  const since = service.since === undefined ? Number.NaN : now - timestampMs(service.since);
  return (
    <div>
      <div className="flex items-start gap-3">
        <Icon className="mt-0.5 size-4 shrink-0 text-text-3" aria-hidden="true" />
        <div className="min-w-0 flex-1">
          <p className="text-body">{name}</p>
          <p className="text-sub text-text-3">
            {serviceSentence(service) ||
              (service.state === ServiceState.NOT_CONFIGURED ? "Not part of this installation." : does)}
          </p>
        </div>
        <div className="text-right">
          <Badge tone={tone}>
            <Sign aria-hidden="true" />
            {word}
          </Badge>
          <p className="figure mt-0.5 text-meta text-text-3">
            {preparing && service.progress !== undefined
              ? percent(service.progress, 0)
              : Number.isFinite(since) && since >= 0 && service.state !== ServiceState.NOT_CONFIGURED
                ? duration(since)
                : "\u00a0"}
          </p>
        </div>
      </div>
      {preparing ? (
        <ProgressBar label={`Preparation of ${name}`} share={service.progress} className="mt-1 ml-7" />
      ) : null}
    </div>
  );
}

function Key({ name, note, children }: { name: string; note: string; children: ReactNode }) {
  return (
    <Panel className="px-3 py-2">
      <h3 className="text-sub text-text-2">{name}</h3>
      <p className="figure truncate font-medium text-key">{children}</p>
      <p className="figure truncate text-meta text-text-3">{note}</p>
    </Panel>
  );
}

function Fact({ term, children }: { term: string; children: ReactNode }) {
  return (
    <div className="flex items-baseline justify-between gap-3">
      <dt className="text-text-2">{term}</dt>
      <dd className="figure text-right text-sub">{children}</dd>
    </div>
  );
}

function StatusSkeleton() {
  return (
    <div aria-busy="true" className="space-y-2">
      <Skeleton className="h-20" />
      <div className="grid grid-cols-2 gap-2 lg:grid-cols-4">
        {["streams", "latency", "requests", "episodes"].map((place) => (
          <Skeleton key={place} className="h-20" />
        ))}
      </div>
      <Skeleton className="h-40" />
      <span className="sr-only">The status is loading.</span>
    </div>
  );
}
