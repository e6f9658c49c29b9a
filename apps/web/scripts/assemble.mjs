// Puts what the standalone server serves beside it: Next leaves the static files to a CDN by default.
import { cpSync, existsSync, rmSync } from "node:fs";
import path from "node:path";

const web = path.join(import.meta.dirname, "..");
const standalone = path.join(web, ".next/standalone/apps/web");

for (const [from, to] of [
  [path.join(web, ".next/static"), path.join(standalone, ".next/static")],
  [path.join(web, "public"), path.join(standalone, "public")],
]) {
  if (!existsSync(from)) continue;
  rmSync(to, { recursive: true, force: true });
  cpSync(from, to, { recursive: true });
}
