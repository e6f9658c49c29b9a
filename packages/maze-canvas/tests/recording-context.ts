/** One thing that was done to a context: a call, or a property that was set. */
export interface Stroke {
  readonly name: string;
  readonly values: readonly unknown[];
}

/** A 2D context that draws nothing and remembers everything, in order. */
export interface RecordingContext {
  readonly context: CanvasRenderingContext2D;
  readonly strokes: Stroke[];
  /** Colours that shapes were filled or stroked with, in order, repeats in a row left out. */
  readonly colors: () => string[];
}

/** Makes a recording context. */
export function recordingContext(): RecordingContext {
  const strokes: Stroke[] = [];
  const set = new Map<PropertyKey, unknown>();
  const context = new Proxy(
    {},
    {
      get: (_target, name) => {
        if (set.has(name)) return set.get(name);
        return (...values: unknown[]) => {
          strokes.push({ name: String(name), values });
          return { addColorStop: () => {} };
        };
      },
      set: (_target, name, value) => {
        set.set(name, value);
        strokes.push({ name: `${String(name)}=`, values: [value] });
        return true;
      },
    },
  ) as CanvasRenderingContext2D;
  const colors = (): string[] => {
    const used: string[] = [];
    let fill = "";
    let stroke = "";
    for (const { name, values } of strokes) {
      if (name === "fillStyle=") fill = typeof values[0] === "string" ? values[0] : "gradient";
      if (name === "strokeStyle=") stroke = String(values[0]);
      const color =
        name.startsWith("fill") && !name.endsWith("=")
          ? fill
          : name.startsWith("stroke") && !name.endsWith("=")
            ? stroke
            : "";
      if (color && used.at(-1) !== color) used.push(color);
    }
    return used;
  };
  return { context, strokes, colors };
}
