/*
 * The segments of a JPEG file (ITU-T T.81, annex B). Reads the size, the colour space and the Exif orientation, checks limits, and
 * returns the file without metadata: libjpeg reports damaged metadata and damaged pixels in the same way.
 */
import { concatenated } from '../../concatenated.js';
import { UserError } from '../../errors.js';
import { readOrientation } from './exif-orientation.js';
import { checkDimensions, type Orientation } from './image.js';

/** One colour plane of an image. */
export interface Component {
  readonly id: number;
  /** Horizontal and vertical sampling factors: a plane with half of the largest factor has half of the samples. */
  readonly across: number;
  readonly along: number;
}

/** The content of a file's segments. */
export interface JpegSegments {
  readonly width: number;
  readonly height: number;
  readonly components: readonly Component[];
  readonly isArithmetic: boolean;
  readonly orientation: Orientation;
  /** The file without metadata, with canonical JFIF and Adobe segments. */
  readonly essential: Uint8Array;
  /** Where the compressed data of each scan lies in it. */
  readonly scans: readonly ScanPlace[];
}

/** Offsets of the compressed data of a scan. */
export interface ScanPlace {
  readonly begin: number;
  readonly end: number;
}

const MARKER = 0xff;
const [SOI, EOI, SOS, DHT, DAC, APP0, APP1, APP14] = [0xd8, 0xd9, 0xda, 0xc4, 0xcc, 0xe0, 0xe1, 0xee];
/** Supported frame types (baseline, extended, progressive), and whether they are arithmetic coded. */
const FRAMES: ReadonlyMap<number, boolean> = new Map([
  [0xc0, false],
  [0xc1, false],
  [0xc2, false],
  [0xc9, true],
  [0xca, true],
]);
/** Segments that the decoder needs: tables, the restart interval and the number of lines. */
const DECODED = new Set([DHT, DAC, 0xdb, 0xdc, 0xdd]);
/**
 * Most scans of an image; ten are usual. A scan of a few bytes can cover all pixels, so that without a limit a small file takes
 * hours to decode.
 */
const SCANS_MAX = 100;
const SCANNED_PIXELS_MAX = 2 ** 30;

/**
 * @param file names the image in errors
 * @throws UserError that names the file when it is damaged, incomplete or of an unsupported kind
 */
export function readSegments(bytes: Uint8Array, file: string): JpegSegments {
  return new SegmentReader(bytes, file).read();
}

/** Whether a file begins with a JPEG signature. */
export function isJpeg(bytes: Uint8Array): boolean {
  return bytes[0] === MARKER && bytes[1] === SOI && bytes[2] === MARKER;
}

interface Frame {
  readonly width: number;
  readonly height: number;
  readonly components: readonly Component[];
  readonly isArithmetic: boolean;
}

class SegmentReader {
  private at = 2;
  private frame: Frame | undefined;
  private isJfif = false;
  /** The colour transform in the Adobe segment; undefined without one. */
  private transform: number | undefined;
  private orientation: Orientation | undefined;
  private readonly parts: Uint8Array[] = [];
  private partBytes = 0;
  /** In the parts. */
  private readonly scans: ScanPlace[] = [];

  constructor(
    private readonly bytes: Uint8Array,
    private readonly file: string,
  ) {}

  read(): JpegSegments {
    if (!isJpeg(this.bytes)) throw this.broken('it has no JPEG signature');
    for (let marker = this.nextMarker(); marker !== EOI; marker = this.nextMarker()) this.readSegment(marker);
    const { frame } = this;
    if (frame === undefined || this.scans.length === 0) throw this.broken('it has no image data');
    const { components } = frame;
    const hasLuminance = this.hasLuminance(components);
    const hasAdobe = this.transform !== undefined || components.length === 4;
    const begin = concatenated(Uint8Array, [
      Uint8Array.of(MARKER, SOI),
      ...(this.isJfif ? [JFIF_SEGMENT] : []),
      ...(hasAdobe ? [adobeSegment(hasLuminance ? components.length - 2 : 0)] : []),
    ]);
    return {
      ...frame,
      orientation: this.orientation ?? 1,
      essential: concatenated(Uint8Array, [begin, ...this.parts, Uint8Array.of(MARKER, EOI)]),
      scans: this.scans.map((scan) => ({ begin: begin.length + scan.begin, end: begin.length + scan.end })),
    };
  }

  private readSegment(marker: number): void {
    const begin = this.at - 2;
    const end = this.at + this.uint16(this.at);
    const body = this.bytes.subarray(this.at + 2, end);
    if (end > this.bytes.length || body.length !== end - this.at - 2) throw this.truncated();
    this.at = end;
    const isArithmetic = FRAMES.get(marker);
    if (isArithmetic !== undefined) this.readFrame(body, isArithmetic);
    else if (marker === APP0) this.isJfif ||= body.length >= 14 && startsWith(body, 'JFIF\0');
    else if (marker === APP14) {
      if (body.length >= 12 && startsWith(body, 'Adobe')) this.transform = body[11];
    } else if (marker === APP1) {
      if (startsWith(body, 'Exif\0')) this.orientation ??= readOrientation(body) ?? 1;
    } else if (marker === SOS) {
      this.countScan();
      this.skipScan();
    } else if (marker >= 0xc0 && marker <= 0xcf && !DECODED.has(marker))
      throw new UserError(
        `${this.file} is a lossless or hierarchical JPEG, which is not supported; ${convert(this.file)}`,
      );
    if (isArithmetic === undefined && marker !== SOS && !DECODED.has(marker)) return;
    this.parts.push(this.bytes.subarray(begin, this.at));
    this.partBytes += this.at - begin;
    if (marker === SOS) this.scans.push({ begin: this.partBytes - (this.at - end), end: this.partBytes });
  }

  private readFrame(body: Uint8Array, isArithmetic: boolean): void {
    const [precision = 0, , , , , count = 0] = body;
    if (this.frame !== undefined) throw this.broken('it has two frame headers');
    if (body.length < 6 || body.length !== 6 + 3 * count) throw this.broken('its frame header is damaged');
    if (precision !== 8)
      throw new UserError(
        `${this.file} has ${precision} bits per colour, and only 8 are supported; ${convert(this.file)}`,
      );
    const [height, width] = [this.uint16(this.at - body.length + 1), this.uint16(this.at - body.length + 3)];
    checkDimensions(this.file, width, height);
    if (count !== 1 && count !== 3 && count !== 4)
      throw new UserError(
        `${this.file} has ${count} colour components; grey (1), colour (3) and CMYK (4) are supported; ${convert(this.file)}`,
      );
    const components = Array.from({ length: count }, (_, i) => {
      const [id, factors] = [body[6 + 3 * i] as number, body[7 + 3 * i] as number];
      return { id, across: factors >> 4, along: factors & 15 };
    });
    if (components.some(({ across, along }) => !(across >= 1 && across <= 4 && along >= 1 && along <= 4)))
      throw this.broken('its sampling factors are damaged');
    const largest = (factor: 'across' | 'along') => Math.max(...components.map((one) => one[factor]));
    const [across, along] = [largest('across'), largest('along')];
    if (components.some((one) => across % one.across !== 0 || along % one.along !== 0))
      throw new UserError(
        `${this.file} stores a colour at a fraction of the image size, such as two thirds, which libjpeg does not support; ` +
          'save it again with usual colour subsampling (4:4:4, 4:2:2 or 4:2:0)',
      );
    this.frame = { width, height, components, isArithmetic };
  }

  private countScan(): void {
    if (this.frame === undefined) throw this.broken('its frame header is missing');
    const scans = this.scans.length + 1;
    const { width, height } = this.frame;
    if (scans > SCANS_MAX || scans * width * height > SCANNED_PIXELS_MAX)
      throw new UserError(
        `${this.file} stores its ${width} x ${height} pixels in ${scans} or more scans, which would take too long ` +
          `to decode; ${convert(this.file)}`,
      );
  }

  /** Skips compressed data, in which 0xff is followed by 0, a restart marker or another 0xff. */
  private skipScan(): void {
    for (;;) {
      const found = this.bytes.indexOf(MARKER, this.at);
      const next = this.bytes[found + 1];
      if (found < 0 || next === undefined) throw this.truncated();
      if (next !== 0 && next !== MARKER && !(next >= 0xd0 && next <= 0xd7)) {
        this.at = found;
        return;
      }
      this.at = found + (next === MARKER ? 1 : 2);
    }
  }

  /** Finds the next marker. Other bytes before it are skipped, as libjpeg does. */
  private nextMarker(): number {
    for (;;) {
      const found = this.bytes.indexOf(MARKER, this.at);
      const marker = this.bytes[found + 1];
      if (found < 0 || marker === undefined) throw this.truncated();
      this.at = found + (marker === MARKER ? 1 : 2);
      // Markers without a segment.
      const isBare = marker <= 0x01 || (marker >= 0xd0 && marker <= SOI);
      if (marker !== MARKER && !isBare) return marker;
    }
  }

  /**
   * Whether colours are stored as YCbCr (of four components, as YCCK) rather than RGB (CMYK), by the rules of libjpeg
   * (`default_decompress_parms`), which other decoders follow.
   */
  private hasLuminance(components: readonly Component[]): boolean {
    if (components.length === 1) return false;
    if (components.length === 4) return this.transform !== undefined && this.transform !== 0;
    if (this.isJfif) return true;
    if (this.transform !== undefined) return this.transform !== 0;
    return String.fromCharCode(...components.map(({ id }) => id)) !== 'RGB';
  }

  private uint16(at: number): number {
    if (at + 2 > this.bytes.length) throw this.truncated();
    return (this.bytes[at] as number) * 256 + (this.bytes[at + 1] as number);
  }

  private truncated(): UserError {
    return this.broken('its end is missing');
  }

  private broken(why: string): UserError {
    return brokenJpeg(this.file, why);
  }
}

export function brokenJpeg(file: string, why: string): UserError {
  return new UserError(`${file} is not a valid JPEG (${why}); save or download it again`);
}

function convert(file: string): string {
  return `convert it: magick ${file} ${file.replace(/\.\w+$/, '')}.png`;
}

const JFIF_SEGMENT = Uint8Array.of(
  ...[MARKER, APP0, 0, 16],
  ...[0x4a, 0x46, 0x49, 0x46, 0],
  ...[1, 1, 0, 0, 1, 0, 1, 0, 0],
);

/** @param transform 0: RGB or CMYK, 1: YCbCr, 2: YCCK */
function adobeSegment(transform: number): Uint8Array {
  return Uint8Array.of(
    ...[MARKER, APP14, 0, 14],
    ...[0x41, 0x64, 0x6f, 0x62, 0x65],
    ...[0, 100, 0, 0, 0, 0, transform],
  );
}

function startsWith(bytes: Uint8Array, text: string): boolean {
  return Array.from(text).every((character, i) => bytes[i] === character.charCodeAt(0));
}
