import { type Canvas, createCanvas, loadImage } from "@napi-rs/canvas";

/** Puts a real canvas where a browser has `OffscreenCanvas`. */
export function provideOffscreenCanvas(): void {
  class NodeCanvas {
    constructor(width: number, height: number) {
      // A constructor may give back another object: the canvas itself, so that it can be drawn on others.
      const canvas = createCanvas(width, height) as Canvas & { convertToBlob?: () => Promise<Blob> };
      canvas.convertToBlob = async () =>
        new Blob([new Uint8Array(canvas.toBuffer("image/png"))], { type: "image/png" });
      // biome-ignore lint/correctness/noConstructorReturn: see above.
      return canvas as unknown as NodeCanvas;
    }
  }
  Object.assign(globalThis, { OffscreenCanvas: NodeCanvas });
}

/** A picture's pixels, as `#rrggbb` at a place. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly at: (x: number, y: number) => string;
}

/** Reads a PNG. */
export async function readPng(blob: Blob): Promise<Pixels> {
  const image = await loadImage(Buffer.from(await blob.arrayBuffer()));
  const context = createCanvas(image.width, image.height).getContext("2d");
  context.drawImage(image, 0, 0);
  return pixelsOf(context.getImageData(0, 0, image.width, image.height).data, image.width, image.height);
}

/** Reads RGBA. */
export function pixelsOf(rgba: Uint8ClampedArray | Uint8Array, width: number, height: number): Pixels {
  return {
    width,
    height,
    at: (x, y) => {
      const from = 4 * (Math.floor(y) * width + Math.floor(x));
      return `#${[...rgba.slice(from, from + 3)].map((channel) => channel.toString(16).padStart(2, "0")).join("")}`;
    },
  };
}
