import { type Curve, type CurveWords, curveRows, spokenCurves } from "./curve";

type CurveTableProps = {
  /** Caption, for readers. */
  label: string;
  /** Name of the horizontal axis. */
  xLabel: string;
  curves: readonly Curve[];
  words: CurveWords;
};

/** Rows that a table shows: enough to follow a curve, few enough to read. */
const MOST_ROWS = 40;

/** The curves of a chart as figures, the newest on top. */
export function CurveTable({ label, xLabel, curves, words }: CurveTableProps) {
  const spoken = spokenCurves(curves);
  const rows = curveRows(curves, MOST_ROWS);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by the keyboard.
    <section aria-label={`${label}, table`} tabIndex={0} className="scroll-thin h-full overflow-auto">
      <table className="w-full text-sub">
        <caption className="sr-only">{label}</caption>
        <thead className="sticky top-0 bg-panel text-left text-meta text-text-3">
          <tr>
            <th scope="col" className="px-3 py-1 font-normal">
              {xLabel}
            </th>
            {spoken.map((curve) => (
              <th key={curve.id} scope="col" className="px-3 py-1 text-right font-normal">
                {curve.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="figure">
          {rows.map((row) => (
            <tr key={row.x} className="border-t">
              <th scope="row" className="px-3 py-1 text-left font-normal text-text-2">
                {words.x(row.x)}
              </th>
              {row.values.map((value, column) => (
                <td key={spoken[column]?.id} className="px-3 py-1 text-right">
                  {value === undefined ? "–" : words.y(value)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length === 0 ? <p className="px-3 py-2 text-sub text-text-3">No points yet.</p> : null}
    </section>
  );
}
