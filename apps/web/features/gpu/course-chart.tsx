import { useMemo } from "react";
import { CurveChart } from "@/components/curve-chart/curve-chart";
import { cn } from "@/lib/class-names";
import type { Course } from "./gpu-readings";
import { minutesAgo } from "./gpu-words";

type CourseChartProps = {
  label: string;
  color: string;
  course: Course;
  write: (value: number) => string;
  /** Length of the axis. */
  minutes: number;
  low?: number;
  high?: number;
  /** Charts with the same key move their crosshairs together. */
  syncKey: string;
  empty: string;
  className?: string;
};

/** The last minutes of one figure; all charts of a device share the clock. */
export function CourseChart({
  label,
  color,
  course,
  write,
  minutes,
  low,
  high,
  syncKey,
  empty,
  className,
}: CourseChartProps) {
  const curves = useMemo(() => {
    // What lies before the axis begins is left out; the point before it stays, so that the line comes in from the edge.
    const from = Math.max(0, course.xs.findIndex((x) => x >= -minutes) - 1);
    const xs = course.xs.slice(from).map((x) => Math.max(x, -minutes));
    return xs.length === 0 || (xs.at(-1) ?? 0) <= -minutes
      ? []
      : [{ id: label, name: label, color, xs, ys: course.ys.slice(from) }];
  }, [course, minutes, label, color]);
  if (curves.every(({ ys }) => ys.every((y) => y === null))) {
    return <p className={cn("grid place-items-center px-4 text-center text-sub text-text-3", className)}>{empty}</p>;
  }
  return (
    <CurveChart
      label={label}
      xLabel="Minutes before now"
      curves={curves}
      words={{ x: minutesAgo, y: write }}
      xLow={-minutes}
      xHigh={0}
      {...(low === undefined ? {} : { low })}
      {...(high === undefined ? {} : { high })}
      syncKey={syncKey}
      {...(className === undefined ? {} : { className })}
    />
  );
}
