import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, mkdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { Network } from "./network";
import { REPOSITORY, STANDALONE, temporaryFolder, WEB_FOLDER } from "./places";

/** The time that a server with new embedded databases may take on two busy cores. */
const START_LIMIT_MS = 60_000;

const PYTHON = path.join(REPOSITORY, ".venv/bin/python");

/** A trainer whose runs are played by another program than the one that learns. */
const ACTOR = `
import sys
from rlmaze_trainer.app import serve
from rlmaze_trainer.settings import Settings
serve(Settings(), (sys.executable, "trainer/tests/actor.py"))
`;

/** MLflow imports much and makes its tables: 12 s of processor time on a machine of its own. */
const MLFLOW_START_LIMIT_MS = 180_000;

/** A running product: the Go server with stores of its own, and the page in front of it. */
export interface World {
  readonly page: string;
  readonly serverUrl: string;
  /** Where only the page's own server may go. */
  readonly privateUrl: string;
  /** What the server keeps; forgotten at the end. */
  readonly dataFolder: string;
  readonly server: Program;
  /** What lies between the browser and the product; only where the world was started with one. */
  readonly network: Network | undefined;
  /** Where the real MLflow answers; only where the world was started with one. */
  readonly mlflowUrl: string | undefined;
  readonly mlflow: Program | undefined;
  /** The trainer; only where the world was started with one. */
  readonly trainer: Program | undefined;
  /** Starts the server again at the same addresses with the same data. */
  restartServer(): Promise<void>;
  /** Starts the trainer again at the same address with the same runs. */
  restartTrainer(): Promise<void>;
  close(): Promise<void>;
}

/** What a world may differ in. */
export interface WorldOptions {
  /** Folder of the models; default: the shipped ones. */
  readonly modelStore?: string;
  /** Puts a network that can be disturbed between the browser and both servers; default: none, straight connections. */
  readonly withNetwork?: boolean;
  /**
   * Starts a trainer beside the server; default: none. `real` trains with PyTorch, `actor` plays runs as their title says (`slow`, `fail`, … ; see
   * trainer/tests/actor.py).
   */
  readonly trainer?: "real" | "actor";
  /** More variables of the trainer's environment, for example a PATH with another nvidia-smi. */
  readonly trainerVariables?: Readonly<Record<string, string>>;
  /** Starts a real MLflow on the server's own PostgreSQL, as `make run` does; default: none. */
  readonly withMlflow?: boolean;
  /** Runs that may wait for the trainer's device; default 4. */
  readonly queueLimit?: number;
}

/** A program that the tests started and that they end by its id. */
export interface Program {
  /** Sends a signal: SIGKILL ends it at once, SIGSTOP freezes it and SIGCONT lets it go on. */
  signal(name: NodeJS.Signals): void;
  /** Ends it in order and waits. */
  end(): Promise<void>;
  /** Waits for its end. */
  readonly ended: Promise<void>;
}

/** Starts a world on free ports. */
export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const dataFolder = temporaryFolder("data");
  const [publicPort = 0, privatePort = 0, pagePort = 0, trainerPort = 0, mlflowPort = 0] = await freePorts(5);
  const network = options.withNetwork === true ? new Network() : undefined;
  const serverUrl = `http://127.0.0.1:${publicPort}`;
  // As the browser reaches them.
  const page = `http://127.0.0.1:${network === undefined ? pagePort : await network.wire(pagePort)}`;
  const streamUrl =
    network === undefined
      ? serverUrl
      : `http://127.0.0.1:${await network.wire(publicPort, await network.bufferingProxy(publicPort))}`;
  const privateUrl = `http://127.0.0.1:${privatePort}`;
  const mlflowUrl = options.withMlflow === true ? `http://127.0.0.1:${mlflowPort}` : undefined;
  const startServer = async (): Promise<Program> => {
    const program = start("server", process.env.RLMAZE_SERVER ?? "", [], REPOSITORY, {
      RLMAZE_ADDR: `127.0.0.1:${publicPort}`,
      RLMAZE_PRIVATE_ADDR: `127.0.0.1:${privatePort}`,
      DATA_DIR: dataFolder,
      CORS_ORIGINS: page,
      LOG_FORMAT: "json",
      MODEL_STORE: options.modelStore ?? path.join(REPOSITORY, "ml/models"),
      DATABASE_URL: "",
      MONGODB_URI: "",
      TRAINER_URL: options.trainer === undefined ? "" : `http://127.0.0.1:${trainerPort}`,
      MLFLOW_TRACKING_URI: mlflowUrl ?? "",
      SETUP_STATE: setupStateOf(dataFolder),
    });
    // Without an active model the health is 503, and yet the server is up.
    return answering(program, `${serverUrl}/health`, (status) => status === 200 || status === 503);
  };
  const startTrainer = (kind: "real" | "actor"): Promise<Program> => {
    const program = start("trainer", PYTHON, kind === "real" ? ["-m", "rlmaze_trainer"] : ["-c", ACTOR], REPOSITORY, {
      PYTHONPATH: path.join(REPOSITORY, "gen/python"),
      TRAINER_ADDR: `127.0.0.1:${trainerPort}`,
      TRAINER_RUNS_DIR: path.join(dataFolder, "trainings"),
      TRAINER_QUEUE_LIMIT: String(options.queueLimit ?? 4),
      TRAINER_WARM: kind === "real" ? "true" : "false",
      SERVER_URL: privateUrl,
      MLFLOW_TRACKING_URI: mlflowUrl ?? "",
      ...options.trainerVariables,
    });
    // Any answer will do: it has no page to look at.
    return answering(program, `http://127.0.0.1:${trainerPort}/`, (status) => status > 0);
  };
  let trainer = options.trainer === undefined ? undefined : await startTrainer(options.trainer);
  let server = await startServer().catch(async (reason: unknown) => {
    await trainer?.end();
    throw reason;
  });
  const web = await startPage(`http://127.0.0.1:${pagePort}`, pagePort, privatePort, streamUrl).catch(
    async (reason: unknown) => {
      await Promise.all([server.end(), trainer?.end()]);
      throw reason;
    },
  );
  const mlflow =
    mlflowUrl === undefined
      ? undefined
      : await startMlflow(mlflowPort, dataFolder).catch(async (reason: unknown) => {
          await Promise.all([server.end(), web.end(), trainer?.end()]);
          throw reason;
        });
  return {
    page,
    serverUrl,
    privateUrl,
    dataFolder,
    mlflowUrl,
    mlflow,
    get server() {
      return server;
    },
    get trainer() {
      return trainer;
    },
    network,
    async restartTrainer() {
      if (options.trainer === undefined) return;
      await trainer?.ended;
      trainer = await startTrainer(options.trainer);
    },
    async restartServer() {
      await server.ended;
      server = await startServer();
    },
    async close() {
      server.signal("SIGCONT");
      trainer?.signal("SIGCONT");
      mlflow?.signal("SIGCONT");
      // MLflow before the PostgreSQL that it stands on.
      await mlflow?.end();
      await Promise.all([server.end(), web.end(), trainer?.end(), network?.close()]);
      rmSync(dataFolder, { recursive: true, force: true });
    },
  };
}

/** The file in which an installer tells what it prepares; a test may write it. */
export function setupStateOf(dataFolder: string): string {
  return path.join(dataFolder, "setup.json");
}

/** MLflow as `make run` starts it, with a database of its own on the server's PostgreSQL. */
async function startMlflow(port: number, dataFolder: string): Promise<Program> {
  const program = start("mlflow", PYTHON, [path.join(REPOSITORY, "ml/experiments/start_mlflow.py")], REPOSITORY, {
    MLFLOW_ADDR: `127.0.0.1:${port}`,
    MLFLOW_DATABASE_URL: "",
    MLFLOW_DATABASE_URL_FILE: path.join(dataFolder, "mlflow-database-url"),
    MLFLOW_ARTIFACTS_DIR: path.join(dataFolder, "mlflow"),
  });
  return answering(program, `http://127.0.0.1:${port}/health`, (status) => status === 200, MLFLOW_START_LIMIT_MS);
}

async function startPage(page: string, port: number, privatePort: number, serverUrl: string): Promise<Program> {
  const program = start("web", process.execPath, [path.join(STANDALONE, "server.js")], STANDALONE, {
    HOSTNAME: "127.0.0.1",
    PORT: String(port),
    SERVER_URL: `http://127.0.0.1:${privatePort}`,
    PUBLIC_SERVER_URL: serverUrl,
  });
  return answering(program, page, (status) => status === 200);
}

function start(
  name: string,
  command: string,
  args: readonly string[],
  folder: string,
  variables: Record<string, string>,
): Program {
  const child = spawn(command, args, {
    cwd: folder,
    env: { ...process.env, ...variables },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const logs = path.join(WEB_FOLDER, "test-results", "logs");
  mkdirSync(logs, { recursive: true });
  const log = createWriteStream(path.join(logs, `${name}-${child.pid}.log`));
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  // A program that could not even be started has ended too.
  const ended = Promise.race([once(child, "exit"), once(child, "error")]).then(
    () => undefined,
    () => undefined,
  );
  return {
    ended,
    signal: (signal) => {
      if (isRunning(child)) child.kill(signal);
    },
    async end() {
      if (isRunning(child)) child.kill("SIGTERM");
      const patience = setTimeout(() => child.kill("SIGKILL"), 20_000);
      await ended;
      clearTimeout(patience);
    },
  };
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

/** Waits until a program answers; ends it when it does not. */
async function answering(
  program: Program,
  url: string,
  isFine: (status: number) => boolean,
  limitMs = START_LIMIT_MS,
): Promise<Program> {
  try {
    await answers(url, program, isFine, limitMs);
    return program;
  } catch (reason) {
    await program.end();
    throw reason;
  }
}

async function answers(
  url: string,
  program: Program,
  isFine: (status: number) => boolean,
  limitMs: number,
): Promise<void> {
  const deadline = Date.now() + limitMs;
  let gone = false;
  void program.ended.then(() => {
    gone = true;
  });
  for (;;) {
    if (gone) throw new Error(`the program behind ${url} ended while it started; its log is in test-results/logs`);
    if (Date.now() > deadline) throw new Error(`${url} did not answer within ${limitMs} ms`);
    const status = await fetch(url).then(
      (response) => response.status,
      () => 0,
    );
    if (isFine(status)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Ports that nobody listens on. They are held all at once, so that they differ. */
async function freePorts(count: number): Promise<number[]> {
  const holders = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(holders.map((holder) => once(holder, "listening")));
  const ports = holders.map((holder) => {
    const address = holder.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    return address.port;
  });
  await Promise.all(holders.map((holder) => new Promise((resolve) => holder.close(resolve))));
  return ports;
}
