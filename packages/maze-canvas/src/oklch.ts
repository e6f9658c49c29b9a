/**
 * Colour in OKLCH, in which equal steps of lightness look equal. Conversion after Björn Ottosson, "A perceptual color space for image
 * processing" (2020).
 */
export interface Oklch {
  /** Lightness, 0–1. */
  readonly l: number;
  /** Chroma, 0 to about 0.37. */
  readonly c: number;
  /** Hue in degrees. */
  readonly h: number;
}

/** Reads `#rrggbb`. */
export function oklchOf(hex: string): Oklch {
  const [r, g, b] = [1, 3, 5].map((at) => linear(Number.parseInt(hex.slice(at, at + 2), 16) / 255)) as [
    number,
    number,
    number,
  ];
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  const lightness = 0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s;
  const a = 1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s;
  const bb = 0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s;
  const hue = (Math.atan2(bb, a) * 180) / Math.PI;
  return { l: lightness, c: Math.hypot(a, bb), h: hue < 0 ? hue + 360 : hue };
}

/** Writes `#rrggbb`. A colour that a screen can't show loses chroma until it can; its lightness stays. */
export function hexOf(color: Oklch): string {
  let low = 0;
  let high = color.c;
  let rgb = linearRgb(color);
  if (!isShowable(rgb)) {
    // Sixteen halvings put the chroma within 0.00001 of the edge.
    for (let halving = 0; halving < 16; halving++) {
      const middle = (low + high) / 2;
      if (isShowable(linearRgb({ ...color, c: middle }))) low = middle;
      else high = middle;
    }
    rgb = linearRgb({ ...color, c: low });
  }
  return `#${rgb.map((channel) => byte(channel).toString(16).padStart(2, "0")).join("")}`;
}

/** Colour between two others: lightness and chroma linear, hue along the shorter arc. `t` is 0–1. */
export function mixOklch(from: Oklch, to: Oklch, t: number): Oklch {
  let arc = to.h - from.h;
  if (arc > 180) arc -= 360;
  if (arc < -180) arc += 360;
  const h = (from.h + arc * t + 360) % 360;
  return { l: from.l + (to.l - from.l) * t, c: from.c + (to.c - from.c) * t, h };
}

function linearRgb({ l: lightness, c, h }: Oklch): [number, number, number] {
  const a = c * Math.cos((h * Math.PI) / 180);
  const b = c * Math.sin((h * Math.PI) / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
}

function isShowable(rgb: readonly number[]): boolean {
  // Half of a byte's step in linear light near black is 0.00015; what rounds to a showable byte is showable.
  return rgb.every((channel) => channel >= -0.0001 && channel <= 1.0001);
}

function linear(channel: number): number {
  return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
}

function byte(channel: number): number {
  const clamped = Math.min(1, Math.max(0, channel));
  const gamma = clamped <= 0.0031308 ? 12.92 * clamped : 1.055 * clamped ** (1 / 2.4) - 0.055;
  return Math.round(gamma * 255);
}
