/*
 * libjpeg-turbo in WebAssembly, by the functions of its TurboJPEG interface (turbojpeg.h): @cwasm/jpeg-turbo exports them as they are.
 * Its own JavaScript decodes to RGBA only and treats warnings as errors.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** TJPF: pixel formats of TurboJPEG by the number of channels. */
const PIXEL_FORMATS = { 1: 6, 3: 0, 4: 11 } as const;
/** An instance with more memory is not kept for the next image: WebAssembly memory never shrinks. */
const KEPT_BYTES_MAX = 2 ** 28;

/** How an image is decoded: grey, RGB, or CMYK as it is stored. */
export interface RawLayout {
  readonly width: number;
  readonly height: number;
  readonly channels: keyof typeof PIXEL_FORMATS;
}

/** What libjpeg made of an image. */
export interface RawPixels {
  readonly pixels: Uint8Array;
  /** Whether libjpeg warned of damaged or unknown bytes. Missing pixels are filled. */
  readonly isWarned: boolean;
}

interface Exports {
  readonly memory: WebAssembly.Memory;
  malloc(bytes: number): number;
  free(at: number): void;
  tjInitDecompress(): number;
  tjDestroy(handle: number): void;
  tjDecompress2(
    handle: number,
    source: number,
    bytes: number,
    target: number,
    width: number,
    pitch: number,
    height: number,
    format: number,
    flags: number,
  ): number;
}

let compiled: WebAssembly.Module | undefined;
/** Replaced after an error, which leaves its memory in an unknown state. */
let kept: Exports | undefined;

/**
 * Decodes a Huffman-coded JPEG of any sampling factors with libjpeg's defaults: accurate integer IDCT, smoothed enlargement of
 * planes that are stored smaller.
 * @param bytes a complete file whose header has the given size
 * @returns undefined when libjpeg cannot decode it
 */
export function decodeRaw(bytes: Uint8Array, { width, height, channels }: RawLayout): RawPixels | undefined {
  const library = load();
  // Until the end is reached, the instance counts as damaged.
  kept = undefined;
  try {
    const size = width * height * channels;
    // Addresses are unsigned.
    const [source, target] = [library.malloc(bytes.length) >>> 0, library.malloc(size) >>> 0];
    const handle = library.tjInitDecompress();
    if (source === 0 || target === 0 || handle === 0) return undefined;
    new Uint8Array(library.memory.buffer, source, bytes.length).set(bytes);
    new Uint8Array(library.memory.buffer, target, size).fill(0);
    const format = PIXEL_FORMATS[channels];
    const status = library.tjDecompress2(handle, source, bytes.length, target, 0, 0, 0, format, 0);
    // Memory that has grown is another buffer.
    const pixels = new Uint8Array(library.memory.buffer, target, size).slice();
    library.tjDestroy(handle);
    library.free(source);
    library.free(target);
    if (library.memory.buffer.byteLength <= KEPT_BYTES_MAX) kept = library;
    return { pixels, isWarned: status !== 0 };
  } catch {
    return undefined;
  }
}

function load(): Exports {
  if (kept !== undefined) return kept;
  const path = createRequire(import.meta.url).resolve('@cwasm/jpeg-turbo/jpeg-turbo.wasm');
  compiled ??= new WebAssembly.Module(readFileSync(path));
  const stop = (): never => {
    throw new Error('libjpeg has given up');
  };
  // libjpeg leaves its functions by longjmp on an error; an exception does the same.
  const imports = {
    env: { setjmp: () => 0, longjmp: stop },
    wasi_snapshot_preview1: {
      ...{ environ_sizes_get: () => 0, environ_get: stop, proc_exit: stop },
      ...{ fd_close: stop, fd_seek: stop, fd_write: stop },
    },
  };
  return new WebAssembly.Instance(compiled, imports).exports as unknown as Exports;
}
