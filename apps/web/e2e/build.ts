import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, statSync } from "node:fs";
import path from "node:path";
import { REPOSITORY, STANDALONE, temporaryFolder, WEB_FOLDER } from "./places";

/** When the page was built, milliseconds since the epoch; 0 when it was not. */
function builtAt(): number {
  return statSync(path.join(STANDALONE, "server.js"), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** When a source of the page was changed last, milliseconds since the epoch; 0 where git cannot tell. */
function changedAt(): number {
  const folders = ["apps/web", "packages", "gen/ts", "pnpm-lock.yaml"];
  const { status, stdout } = spawnSync("git", ["ls-files", "-co", "--exclude-standard", ...folders], {
    cwd: REPOSITORY,
    encoding: "utf8",
  });
  if (status !== 0) return builtAt() === 0 ? 1 : 0;
  const sources = stdout
    .split("\n")
    .filter((file) => file !== "" && !/\/(e2e|test)\/|\.(test|spec)\.|\.md$/.test(file));
  return Math.max(
    1,
    ...sources.map((file) => statSync(path.join(REPOSITORY, file), { throwIfNoEntry: false })?.mtimeMs ?? 0),
  );
}

/** Builds what `make test` has not built yet: the server (RLMAZE_SERVER names a finished one) and the standalone page. */
export default function build(): void {
  if (!process.env.RLMAZE_SERVER) {
    const binary = path.join(temporaryFolder("server"), "rlmaze");
    execFileSync("go", ["build", "-o", binary, "./server/cmd/rlmaze"], { cwd: REPOSITORY, stdio: "inherit" });
    process.env.RLMAZE_SERVER = binary;
  }
  if (builtAt() < changedAt()) {
    execFileSync("pnpm", ["run", "build"], { cwd: WEB_FOLDER, stdio: "inherit" });
  }
  // Next leaves what browsers fetch outside of the standalone folder.
  for (const [from, to] of [
    [".next/static", ".next/static"],
    ["public", "public"],
  ] as const) {
    const source = path.join(WEB_FOLDER, from);
    const target = path.join(STANDALONE, to);
    // git keeps no empty folder: a fresh clone has no public/ before there is something in it.
    if (existsSync(source) && !existsSync(target)) cpSync(source, target, { recursive: true });
  }
}
