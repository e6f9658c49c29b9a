import { type Oklch, oklchOf } from "../src/oklch";

/**
 * Kinds of colour vision as matrices on linear RGB, row by row, the ones that Chromium simulates: the three dichromacies after Machado, Oliveira
 * and Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency" (2009), and achromatopsia by luminance.
 */
export const VISIONS = {
  normal: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  protanopia: [0.152, 1.053, -0.205, 0.115, 0.786, 0.099, -0.004, -0.048, 1.052],
  deuteranopia: [0.367, 0.861, -0.228, 0.28, 0.673, 0.047, -0.012, 0.043, 0.969],
  tritanopia: [1.256, -0.077, -0.179, -0.078, 0.931, 0.148, 0.005, 0.691, 0.304],
  achromatopsia: [0.213, 0.715, 0.072, 0.213, 0.715, 0.072, 0.213, 0.715, 0.072],
} as const;

export type Vision = keyof typeof VISIONS;

/** A colour as such eyes see it. */
export function seenAs(vision: Vision, hex: string): Oklch {
  const matrix = VISIONS[vision];
  const rgb = [1, 3, 5].map((at) => linear(Number.parseInt(hex.slice(at, at + 2), 16) / 255));
  const seen = [0, 3, 6].map((row) => rgb.reduce((sum, channel, col) => sum + (matrix[row + col] ?? 0) * channel, 0));
  return oklchOf(`#${seen.map((channel) => byte(channel).toString(16).padStart(2, "0")).join("")}`);
}

/** Lightness, 0–1, as such eyes see it. */
export function lightnessAs(vision: Vision, hex: string): number {
  return seenAs(vision, hex).l;
}

function linear(channel: number): number {
  return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
}

function byte(channel: number): number {
  const clamped = Math.min(1, Math.max(0, channel));
  return Math.round(255 * (clamped <= 0.0031308 ? 12.92 * clamped : 1.055 * clamped ** (1 / 2.4) - 0.055));
}
