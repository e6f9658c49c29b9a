import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

/** Playwright runs in apps/web. */
export const WEB_FOLDER = process.cwd();
export const REPOSITORY = path.resolve(WEB_FOLDER, "../..");
export const STANDALONE = path.join(WEB_FOLDER, ".next/standalone/apps/web");

/** A new folder that the operating system will forget. */
export function temporaryFolder(name: string): string {
  return mkdtempSync(path.join(tmpdir(), `rlmaze-${name}-`));
}
