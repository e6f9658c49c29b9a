/** The parts of gifenc that are used; it brings no types. */
declare module "gifenc" {
  type Color = [red: number, green: number, blue: number];

  interface Encoder {
    writeFrame(
      pixels: Uint8Array,
      width: number,
      height: number,
      options: {
        /** Of the first frame only: then it holds for all. */
        palette?: readonly Color[] | undefined;
        /** Milliseconds; written in hundredths of a second. */
        delay: number;
        /** 0 is for ever. */
        repeat?: number;
        transparent?: boolean;
        transparentIndex?: number;
        /** 1 leaves the frame where the next one is transparent. */
        dispose?: number;
      },
    ): void;
    finish(): void;
    bytesView(): Uint8Array<ArrayBuffer>;
  }

  export function GIFEncoder(options?: { initialCapacity?: number }): Encoder;
  export function quantize(rgba: Uint8Array, colors: number, options?: { format?: "rgb565" | "rgb444" }): Color[];
}
