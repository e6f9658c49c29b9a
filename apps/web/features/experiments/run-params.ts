/** Parameters of a run as they were logged, nested keys joined by dots. */
export type RunParams = Readonly<Record<string, string>>;

/** Runs that differ in these only are the same experiment made again. */
const SEED_KEYS: ReadonlySet<string> = new Set(["seed", "seeds"]);

/** Whether a parameter says which random numbers were drawn, and nothing else. */
export function isSeedKey(key: string): boolean {
  return SEED_KEYS.has(key) || /^seeds\.\d+$/.test(key);
}

/** One parameter over several runs. */
export interface ParamRow {
  readonly key: string;
  /** By run, in the order of the runs; undefined where a run has no such parameter. */
  readonly values: readonly (string | undefined)[];
  /** Whether all runs agree. */
  readonly equal: boolean;
}

/** Every parameter of some runs, by key; seeds last, for they explain least. */
export function paramRows(runs: readonly RunParams[]): ParamRow[] {
  const keys = [...new Set(runs.flatMap((params) => Object.keys(params)))];
  keys.sort((left, right) => Number(isSeedKey(left)) - Number(isSeedKey(right)) || (left < right ? -1 : 1));
  return keys.map((key) => {
    const values = runs.map((params) => (Object.hasOwn(params, key) ? params[key] : undefined));
    return { key, values, equal: values.every((value) => value === values[0]) };
  });
}

/** The parameters in which runs differ. */
export function paramDifferences(runs: readonly RunParams[]): ParamRow[] {
  return paramRows(runs).filter((row) => !row.equal);
}

/** Puts runs together that differ in nothing but their seed. Groups and their members keep the order of the runs. */
export function groupBySeed<Run>(runs: readonly Run[], paramsOf: (run: Run) => RunParams): Run[][] {
  const groups = new Map<string, Run[]>();
  for (const run of runs) {
    const kept = Object.entries(paramsOf(run))
      .filter(([key]) => !isSeedKey(key))
      .sort(([left], [right]) => (left < right ? -1 : 1));
    // A run without parameters is of a program that logs none: nothing says that it is like another one.
    const name = kept.length === 0 ? `alone ${groups.size}` : JSON.stringify(kept);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [run]);
    else group.push(run);
  }
  return [...groups.values()];
}
