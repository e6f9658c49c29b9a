/** Faces where the page has no others. */
const FIGURES = "ui-monospace, monospace";
const WORDS = "system-ui, sans-serif";

/** Face of numbers on a canvas: the page's own. A canvas takes no `var()`, so it is read where the page declares it. */
export function figureFace(): string {
  return declared("--font-geist-mono", FIGURES);
}

/** Face of words on a canvas. */
export function wordFace(): string {
  return declared("--font-geist", WORDS);
}

const faces = new Map<string, string>();

function declared(token: string, fallback: string): string {
  const known = faces.get(token);
  if (known !== undefined) return known;
  if (typeof document === "undefined" || typeof getComputedStyle === "undefined") return fallback;
  const face = getComputedStyle(document.body).getPropertyValue(token).trim();
  const list = face ? `${face}, ${fallback}` : fallback;
  faces.set(token, list);
  return list;
}
