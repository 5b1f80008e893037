/*
 * JPEG decoding. libjpeg-turbo in WebAssembly decodes, so that pixels equal those of Pillow and OpenCV on every machine. There are
 * two builds: that of libjpeg.ts gives access to all colour spaces, sampling factors and warnings, but lacks arithmetic coding. The
 * other one has it, for grey and usual colours.
 */
import { createRequire } from 'node:module';
import { UserError } from '../../errors.js';
import { decodeDespiteExtraBytes } from './extra-bytes.js';
import { type Channels, type StoredImage, withChannels } from './image.js';
import { brokenJpeg, type Component, type JpegSegments, readSegments } from './jpeg-segments.js';

/** A decoder with more memory is not kept for the next image. WebAssembly memory never shrinks. */
const KEPT_BYTES_MAX = 2 ** 28;
/** What decodes arithmetic coding. */
const PACKAGE = '@cornerstonejs/codec-libjpeg-turbo-8bit';
const DECODER = '@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs';
const DAMAGED = 'its compressed data is damaged';

/**
 * Decodes a JPEG: baseline, progressive or arithmetic coded; grey, colour or CMYK. Pixels are in stored order; the Exif
 * orientation is returned beside them.
 * @param file names the image in errors
 * @throws UserError that names the file when it is not a valid JPEG
 */
export async function readJpeg(
  bytes: Uint8Array,
  file: string,
  channels: Channels,
): Promise<StoredImage & { readonly isCmyk: boolean }> {
  const segments = readSegments(bytes, file);
  const { width, height, components, orientation, isArithmetic } = segments;
  const pixels = isArithmetic ? await decodeArithmetic(segments, file) : decodeHuffman(segments, file);
  const has = pixels.length === width * height ? 1 : 3;
  if (pixels.length !== width * height * has) throw brokenJpeg(file, DAMAGED);
  const isCmyk = components.length === 4;
  return { width, height, pixels: withChannels(pixels, has, channels), orientation, isCmyk };
}

/**
 * Whether the sampling factors are among those that the TurboJPEG interface supports (`TJSAMP` in turbojpeg.h): 4:4:4, 4:2:2, 4:2:0,
 * 4:1:1, 4:4:0 and 4:4:1.
 */
function hasUsualSampling([first, ...colours]: readonly Component[]): boolean {
  if (first === undefined) return false;
  if (colours.length === 0) return true;
  const { across, along } = first;
  const isEach = (a: number, b: number) =>
    colours.every((colour) => colour.across === a && colour.along === b);
  if (isEach(1, 1)) return ['1 1', '2 1', '2 2', '4 1', '1 2', '1 4'].includes(`${across} ${along}`);
  if (across === 2 && along === 2) return isEach(1, 2) || isEach(2, 1);
  return isEach(across, along) && across * along <= 3;
}

/** The parts of @cornerstonejs/codec-libjpeg-turbo-8bit that are used here. */
interface Decoder {
  getEncodedBuffer(bytes: number): Uint8Array;
  decode(): void;
  getDecodedBuffer(): Uint8ClampedArray;
  delete(): void;
}
interface DecoderModule {
  readonly HEAPU8: Uint8Array;
  readonly JPEGDecoder: new () => Decoder;
}

/** Loaded once, and again after an error: an error leaves its memory in an unknown state. */
let loaded: Promise<DecoderModule> | undefined;

/**
 * The package is optional, because it is large and such images are rare.
 * @throws UserError when it is not installed
 */
function loadDecoder(file: string): Promise<DecoderModule> {
  const require = createRequire(import.meta.url);
  try {
    require.resolve(DECODER);
  } catch {
    throw new UserError(
      `${file} is a JPEG with arithmetic coding, for which the package ${PACKAGE} is needed: npm install ${PACKAGE}`,
    );
  }
  const load = require(DECODER) as (options: object) => Promise<DecoderModule>;
  const silent = () => {};
  loaded ??= load({ print: silent, printErr: silent });
  return loaded;
}

/** Returns grey or RGB pixels. Warnings of libjpeg are errors here, because it fills missing data with grey. */
async function decodeArithmetic({ components, essential }: JpegSegments, file: string): Promise<Uint8Array> {
  if (components.length > 3 || !hasUsualSampling(components))
    throw brokenJpeg(file, 'arithmetic coding of such colours is not supported');
  const module = await loadDecoder(file);
  try {
    const decoder = new module.JPEGDecoder();
    decoder.getEncodedBuffer(essential.length).set(essential);
    decoder.decode();
    const { buffer } = decoder.getDecodedBuffer();
    decoder.delete();
    if (module.HEAPU8.length > KEPT_BYTES_MAX) loaded = undefined;
    return new Uint8Array(buffer);
  } catch {
    loaded = undefined;
    throw brokenJpeg(file, DAMAGED);
  }
}

/** Returns grey or RGB pixels. */
function decodeHuffman(segments: JpegSegments, file: string): Uint8Array {
  const { width, height, components, essential, scans } = segments;
  const channels = components.length as 1 | 3 | 4;
  const pixels = decodeDespiteExtraBytes(essential, { width, height, channels }, scans);
  if (pixels === undefined) throw brokenJpeg(file, DAMAGED);
  return channels === 4 ? fromInverseCmyk(pixels) : pixels;
}

/**
 * RGB of inverted CMYK, which Photoshop stores and other decoders expect: a colour is what cyan, magenta or yellow leave of what
 * black leaves, divided by 255 as Pillow does, (p + 128 + (p + 128 >> 8)) >> 8.
 */
function fromInverseCmyk(inks: Uint8Array): Uint8Array {
  const pixels = new Uint8Array((inks.length / 4) * 3);
  for (let from = 0, to = 0; from < inks.length; from += 4) {
    const light = inks[from + 3] as number;
    for (let i = 0; i < 3; i++) {
      const product = (255 - (inks[from + i] as number)) * light + 128;
      pixels[to++] = light - ((product + (product >> 8)) >> 8);
    }
  }
  return pixels;
}
