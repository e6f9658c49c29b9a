"use client";

import type { Run } from "@rlmaze/api/rlmaze/experiment/v1/experiment_pb";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { curveOf } from "./metric-curve";
import { smallCurveQuery } from "./queries";
import { isLive, latest, wordsOf } from "./run-words";
import { sparklinePath } from "./sparkline";

const WIDTH = 88;
const HEIGHT = 24;

/** The figure that tells most about a run; empty when it has none. */
function tellingKey(run: Run): string {
  for (const key of ["success_rate", "reward"]) if (latest(run, key) !== undefined) return key;
  return run.metrics[0]?.key ?? "";
}

/** How the success of a run went, small. It is read once the row is on the screen. */
export function SmallCurve({ run }: { run: Run }) {
  const box = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    const { current: element } = box;
    if (element === null) return;
    if (typeof IntersectionObserver === "undefined") {
      setSeen(true);
      return;
    }
    const observer = new IntersectionObserver(([entry]) => setSeen(entry?.isIntersecting === true), {
      rootMargin: "120px",
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const key = tellingKey(run);
  const { data } = useQuery({ ...smallCurveQuery(run.runId, key, isLive(run)), enabled: seen && key !== "" });
  const words = wordsOf(key);
  const curve = data ? curveOf(data, "steps") : { xs: [], ys: [] };
  const low = words.low ?? Math.min(...curve.ys);
  const high = words.high ?? Math.max(...curve.ys);
  const path = sparklinePath(curve, WIDTH - 4, HEIGHT - 4, [low, high]);
  return (
    <div ref={box} className="h-6 w-[88px]" title={key === "" ? "No figures yet" : `${words.name} over the steps`}>
      {path === "" ? (
        <div className="h-full border-line border-b border-dashed" />
      ) : (
        <svg viewBox={`-2 -2 ${WIDTH} ${HEIGHT}`} width={WIDTH} height={HEIGHT} aria-hidden="true">
          <path
            d={path}
            fill="none"
            stroke={isLive(run) ? "var(--accent)" : "var(--text-3)"}
            strokeWidth="1.5"
            strokeLinejoin="round"
            strokeLinecap="round"
          />
        </svg>
      )}
    </div>
  );
}
