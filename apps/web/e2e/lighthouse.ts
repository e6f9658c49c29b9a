import { createServer } from "node:net";
import { chromium } from "@playwright/test";
import lighthouse from "lighthouse";
import { CHROME, CHROME_ARGS } from "./chrome";

/** The four judgements, in the order of the report. */
export const categories = ["performance", "accessibility", "best-practices", "seo"] as const;
export type Category = (typeof categories)[number];

/** What Lighthouse says about one page on one kind of device. */
export interface Verdict {
  readonly page: string;
  readonly device: "desktop" | "mobile";
  /** 0–100; left out are those that were not asked for. */
  readonly scores: Partial<Record<Category, number>>;
  /** Largest contentful paint in milliseconds, as Lighthouse computes it for the device. */
  readonly lcpMs: number;
  /** The same as this machine saw it, without a slow network or processor being simulated. */
  readonly observedLcpMs: number;
  /** Cumulative layout shift. */
  readonly cls: number;
  /** Total blocking time in milliseconds. */
  readonly tbtMs: number;
  /** Each audit that cost points: category, what it is about, and what it saw. */
  readonly lost: readonly string[];
}

/** A browser of its own that Lighthouse may drive. */
export interface Inspector {
  judge(origin: string, page: string, device: Verdict["device"], asked: readonly Category[]): Promise<Verdict>;
  close(): Promise<void>;
}

/** How long a page is waited for; an open stream never lets the network rest. */
const LONGEST_LOAD_MS = 12_000;

// Lighthouse's own desktop: no simulated processor, a fast line.
const desktop = {
  formFactor: "desktop",
  screenEmulation: { mobile: false, width: 1350, height: 940, deviceScaleFactor: 1, disabled: false },
  throttling: {
    rttMs: 40,
    throughputKbps: 10 * 1024,
    cpuSlowdownMultiplier: 1,
    requestLatencyMs: 0,
    downloadThroughputKbps: 0,
    uploadThroughputKbps: 0,
  },
} as const;

export async function startInspector(): Promise<Inspector> {
  const port = await freePort();
  const browser = await chromium.launch({
    ...(CHROME === undefined ? {} : { executablePath: CHROME }),
    args: [...CHROME_ARGS, `--remote-debugging-port=${port}`],
  });
  return {
    async judge(origin, page, device, asked) {
      const result = await lighthouse(`${origin}${page}`, {
        port,
        output: "json",
        logLevel: "error",
        onlyCategories: [...asked],
        maxWaitForLoad: LONGEST_LOAD_MS,
        ...(device === "desktop" ? desktop : {}),
      });
      if (result === undefined) throw new Error(`Lighthouse said nothing about ${page}`);
      const { lhr } = result;
      if (lhr.runtimeError !== undefined) throw new Error(`${page}: ${lhr.runtimeError.message}`);
      const scores: Partial<Record<Category, number>> = {};
      const lost: string[] = [];
      for (const category of asked) {
        const judged = lhr.categories[category];
        if (judged === undefined) throw new Error(`Lighthouse did not judge ${category}`);
        scores[category] = Math.round((judged.score ?? 0) * 100);
        for (const { id, weight } of judged.auditRefs) {
          const audit = lhr.audits[id];
          if (weight === 0 || audit === undefined || audit.score === null || audit.score >= 0.995) continue;
          lost.push(
            `${category}: ${audit.title}${audit.displayValue === undefined ? "" : ` (${audit.displayValue})`}${nodesOf(audit)}`,
          );
        }
      }
      const metrics = lhr.audits.metrics?.details as { items?: Record<string, number>[] } | undefined;
      return {
        page,
        device,
        scores,
        lost,
        lcpMs: lhr.audits["largest-contentful-paint"]?.numericValue ?? Number.NaN,
        observedLcpMs: metrics?.items?.[0]?.observedLargestContentfulPaint ?? Number.NaN,
        cls: lhr.audits["cumulative-layout-shift"]?.numericValue ?? Number.NaN,
        tbtMs: lhr.audits["total-blocking-time"]?.numericValue ?? Number.NaN,
      };
    },
    close: () => browser.close(),
  };
}

/** The elements that an audit blames, in words. */
function nodesOf(audit: { details?: unknown }): string {
  const items =
    (audit.details as { items?: { node?: { snippet?: string }; description?: string }[] } | undefined)?.items ?? [];
  const blamed = items.map((item) => item.node?.snippet ?? item.description).filter((words) => words !== undefined);
  return blamed.length === 0 ? "" : `: ${blamed.slice(0, 3).join(" ")}`;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const holder = createServer().listen(0, "127.0.0.1", () => {
      const address = holder.address();
      if (address === null || typeof address === "string") reject(new Error("no port"));
      else holder.close(() => resolve(address.port));
    });
  });
}
