type Color = [red: number, green: number, blue: number];

/** Colours of a GIF besides the one that means "as before". */
const COLORS = 255;

/** Of those, the ones that the picture has most of are taken as they are: walls, paths, heat and signs keep their exact colour. */
const EXACT = 176;

/** How often each colour stands in some pictures. */
export class ColorCount {
  readonly #counts = new Map<number, number>();

  /** Counts the pixels of a picture, RGBA as one number each (little endian). */
  add(pixels: Uint32Array): void {
    let run = 0;
    let color = -1;
    for (let at = 0; at <= pixels.length; at++) {
      const next = at < pixels.length ? (pixels[at] ?? 0) & 0xffffff : -2;
      if (next === color) {
        run += 1;
        continue;
      }
      if (run > 0) this.#counts.set(color, (this.#counts.get(color) ?? 0) + run);
      color = next;
      run = 1;
    }
  }

  /** The palette for all that was counted: the most frequent colours exactly, the rest (edges of shapes) by the nearest of what `quantize` makes of them. */
  palette(quantize: (rgba: Uint8Array, colors: number) => Color[]): Color[] {
    const sorted = [...this.#counts].sort((a, b) => b[1] - a[1]).map(([color]) => color);
    if (sorted.length <= COLORS) return sorted.map(channels);
    const rest = sorted.slice(EXACT);
    const rgba = new Uint8Array(4 * rest.length);
    rest.forEach((color, at) => {
      rgba.set([...channels(color), 255], 4 * at);
    });
    return [
      ...sorted.slice(0, EXACT).map(channels),
      ...quantize(rgba, COLORS - EXACT).map(([r, g, b]): Color => [r, g, b]),
    ];
  }
}

/** Finds the nearest colour of a palette; each colour is searched for once. */
export class NearestColor {
  readonly #palette: readonly Color[];
  readonly #known = new Map<number, number>();

  constructor(palette: readonly Color[]) {
    this.#palette = palette;
  }

  /** Index of the nearest colour to RGBA as one number (little endian). */
  indexOf(rgba: number): number {
    const color = rgba & 0xffffff;
    let index = this.#known.get(color);
    if (index === undefined) {
      index = this.#search(color);
      this.#known.set(color, index);
    }
    return index;
  }

  #search(color: number): number {
    const [r, g, b] = channels(color);
    let nearest = 0;
    let least = Number.POSITIVE_INFINITY;
    this.#palette.forEach(([pr, pg, pb], at) => {
      const distance = (r - pr) ** 2 + (g - pg) ** 2 + (b - pb) ** 2;
      if (distance < least) {
        least = distance;
        nearest = at;
      }
    });
    return nearest;
  }
}

function channels(color: number): Color {
  return [color & 255, (color >> 8) & 255, (color >> 16) & 255];
}
