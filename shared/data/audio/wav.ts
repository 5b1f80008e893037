/*
 * WAV files: "Multimedia Programming Interface and Data Specifications 1.0" (IBM, Microsoft 1991), the extensible format (Microsoft
 * 2001), and 64-bit sizes (RF64, EBU Tech 3306). A program that writes to a pipe does not know the size when it writes the header.
 * It writes 0 or a huge number instead; then the sound extends to the end of the file.
 */
import { UserError } from '../../errors.js';
import { otherContent } from '../other-content.js';

/** A recording: one channel. */
export interface Recording {
  /** Samples per second. */
  readonly sampleRate: number;
  /** From -1 to 1; float files may exceed this range. */
  readonly samples: Float64Array;
}

/** A recording and its number of channels in the file. */
export interface WavRecording extends Recording {
  /** `samples` is the mean of the channels. */
  readonly channels: number;
  /** The largest magnitude in a channel. */
  readonly peak: number;
  /** The sum of the squares of all values, divided by the channels. */
  readonly power: number;
}

/** Accepted sample rates. Others are probably damage, and would need windows of any size. */
const [RATE_MIN, RATE_MAX] = [1000, 768_000];
const CHANNELS_MAX = 1024;
/** Largest magnitude of float values: that of 32-bit integers which were not divided. Powers of far larger ones overflow. */
const PEAK_MAX = 2 ** 31;
/** Sizes from here on mean that the size is unknown: accepted files are far smaller. */
const UNKNOWN_SIZE = 0x7fff0000;

const [PCM, FLOAT, A_LAW, MU_LAW, EXTENSIBLE] = [1, 3, 6, 7, 0xfffe];
/** Unsupported formats, for messages. */
const NAMES: Readonly<Record<number, string>> = {
  2: 'Microsoft ADPCM',
  17: 'IMA ADPCM',
  49: 'GSM 6.10',
  64: 'G.721 ADPCM',
  80: 'MPEG',
  85: 'MP3',
  255: 'AAC',
  353: 'Windows Media',
  [EXTENSIBLE]: 'an extensible format',
};
/** Format identifiers (GUIDs) whose first two bytes are one of the numbers above: their other bytes; the second is Ambisonics. */
const IDENTIFIERS: ReadonlySet<string> = new Set([
  '000000001000800000aa00389b71',
  '00002107d3118644c8c1ca000000',
]);

interface Format {
  readonly kind: number;
  readonly channels: number;
  readonly sampleRate: number;
  readonly frameBytes: number;
  readonly bits: number;
}

/** How a sample is read, and its divisor. */
interface Reader {
  read(view: DataView, at: number): number;
  readonly full: number;
}

/** By format and bytes per sample. A sample with fewer bits than its bytes uses the upper ones. */
const READERS: Readonly<Record<string, Reader>> = {
  [`${PCM} 1`]: { read: (view, at) => view.getUint8(at) - 128, full: 2 ** 7 },
  [`${PCM} 2`]: { read: (view, at) => view.getInt16(at, true), full: 2 ** 15 },
  [`${PCM} 3`]: {
    read: (view, at) => view.getUint16(at, true) + 65536 * view.getInt8(at + 2),
    full: 2 ** 23,
  },
  [`${PCM} 4`]: { read: (view, at) => view.getInt32(at, true), full: 2 ** 31 },
  [`${FLOAT} 4`]: { read: (view, at) => view.getFloat32(at, true), full: 1 },
  [`${FLOAT} 8`]: { read: (view, at) => view.getFloat64(at, true), full: 1 },
  [`${A_LAW} 1`]: { read: (view, at) => fromALaw(view.getUint8(at)), full: 2 ** 15 },
  [`${MU_LAW} 1`]: { read: (view, at) => fromMuLaw(view.getUint8(at)), full: 2 ** 15 },
};

/** ITU-T G.711; returns a 16-bit sample. */
function fromALaw(byte: number): number {
  const code = byte ^ 0x55;
  const [exponent, mantissa] = [(code >> 4) & 7, ((code & 15) << 4) + 8];
  const size = exponent === 0 ? mantissa : (mantissa + 0x100) << (exponent - 1);
  return code & 0x80 ? size : -size;
}

/** ITU-T G.711; returns a 16-bit sample. */
function fromMuLaw(byte: number): number {
  const code = ~byte;
  const size = ((((code & 15) << 3) + 0x84) << ((code >> 4) & 7)) - 0x84;
  return code & 0x80 ? -size : size;
}

/**
 * Reads a WAV file: PCM of 1 to 32 bits, float of 32 or 64 bits, A-law or mu-law.
 * @param name names the file in errors
 * @throws UserError when the file is of another kind, incomplete or without sound
 */
export function readWav(bytes: Uint8Array, name: string): WavRecording {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const form = bytes.length < 12 ? '' : tag(view, 0);
  if (form === 'RIFX')
    throw new UserError(`${name} is a big-endian WAV file (RIFX), which is not supported; ${convert(name)}`);
  if (!['RIFF', 'RF64', 'BW64'].includes(form) || tag(view, 8) !== 'WAVE')
    throw new UserError(`${name} ${otherContent(bytes) ?? `is not a WAV file; ${convert(name)}`}`);
  let format: Format | undefined;
  let longSize: number | undefined;
  for (let at = 12; at + 8 <= bytes.length; ) {
    if (!isTag(view, at)) throw new UserError(`${name} is damaged at byte ${at}; download or save it again`);
    const chunk = tag(view, at);
    const body = at + 8;
    const size = view.getUint32(at + 4, true);
    if (chunk === 'data') {
      const sound = soundBytes(view, body, form === 'RIFF' ? size : (longSize ?? size), name);
      refuseSecondData(view, body + sound, name);
      return decode(view, body, sound, format, name);
    }
    if (body + size > bytes.length)
      throw new UserError(
        `${name} ends in the middle of its ${chunk.trim()} chunk; download or save it again`,
      );
    if (chunk === 'fmt ' && size >= 16) {
      const other = formatAt(view, body, size);
      if (format !== undefined && JSON.stringify(other) !== JSON.stringify(format))
        throw new UserError(`${name} has two different format chunks; ${convert(name)}`);
      format = other;
    }
    // The size of the data chunk.
    if (chunk === 'ds64' && size >= 16) longSize = Number(view.getBigUint64(body + 8, true));
    at = body + size;
    // Chunks begin at even offsets, but some programs omit the padding.
    if (size & 1 && !isTag(view, at)) at += 1;
  }
  throw noSound(name);
}

/**
 * Refuses a file whose sound is in several chunks, or that is several files in one: the first alone would be a part of it.
 * @param at the end of the sound
 */
function refuseSecondData(view: DataView, at: number, name: string): void {
  let next = at;
  if (!isTag(view, next)) next += 1;
  for (; next + 8 <= view.byteLength && isTag(view, next); ) {
    const chunk = tag(view, next);
    if (chunk === 'data')
      throw new UserError(
        `${name} has its sound in several chunks, which is not supported; ${convert(name)}`,
      );
    if (chunk === 'RIFF')
      throw new UserError(
        `${name} is several WAV files in one; split it, or join their sound: sox ONE TWO OUT`,
      );
    const size = view.getUint32(next + 4, true);
    next += 8 + size + (size & 1);
  }
}

/** Bytes of sound in a data chunk. */
function soundBytes(view: DataView, body: number, size: number, name: string): number {
  const rest = view.byteLength - body;
  if (size >= UNKNOWN_SIZE && size > rest) return rest - bytesOfTexts(view, body);
  // Either the header was never completed, or there is no sound and other chunks may follow.
  if (size === 0) return areChunks(view, body) ? 0 : rest - bytesOfTexts(view, body);
  if (size > rest)
    throw new UserError(
      `${name} ends in the middle of its data chunk (${rest} of ${size} bytes); download or save it again`,
    );
  return size;
}

/** Most bytes of a chunk with texts behind the sound. */
const TEXTS_BYTES_MAX = 2 ** 16;

/**
 * Bytes of a chunk with title, artist and so on behind sound whose size is unknown. It would be taken for a click of sound, as
 * libsndfile does. Its name, its kind and its size, which is exactly the rest of the file, are hardly there by chance.
 */
function bytesOfTexts(view: DataView, body: number): number {
  const end = view.byteLength;
  for (let at = Math.max(body, end - TEXTS_BYTES_MAX); at + 12 <= end; at++)
    if (
      view.getUint8(at) === 0x4c &&
      tag(view, at) === 'LIST' &&
      tag(view, at + 8) === 'INFO' &&
      at + 8 + view.getUint32(at + 4, true) === end
    )
      return end - at;
  return 0;
}

function areChunks(view: DataView, from: number): boolean {
  let at = from;
  while (at + 8 <= view.byteLength && isTag(view, at)) {
    const size = view.getUint32(at + 4, true);
    at += 8 + size + (size & 1);
  }
  return at >= view.byteLength;
}

function formatAt(view: DataView, at: number, size: number): Format {
  const kind = view.getUint16(at, true);
  // The first two bytes of an extensible format's identifier are the format.
  const end = Array.from({ length: 14 }, (_, i) => (size >= 40 ? view.getUint8(at + 26 + i) : 0));
  const isKnown = IDENTIFIERS.has(end.map((byte) => byte.toString(16).padStart(2, '0')).join(''));
  return {
    kind: kind === EXTENSIBLE && isKnown ? view.getUint16(at + 24, true) : kind,
    channels: view.getUint16(at + 2, true),
    sampleRate: view.getUint32(at + 4, true),
    frameBytes: view.getUint16(at + 12, true),
    bits: view.getUint16(at + 14, true),
  };
}

function decode(
  view: DataView,
  at: number,
  size: number,
  format: Format | undefined,
  name: string,
): WavRecording {
  if (format === undefined)
    throw new UserError(`${name} has no format chunk before its data; ${convert(name)}`);
  const { kind, channels, sampleRate, frameBytes, bits } = format;
  const step = Math.ceil(bits / 8);
  const reader = READERS[`${kind} ${step}`];
  const isExact = kind === PCM || bits === step * 8;
  if (reader === undefined || !isExact || channels === 0 || channels > CHANNELS_MAX)
    throw new UserError(
      `${name} is not PCM, float, A-law or mu-law (${NAMES[kind] ?? `format ${kind}`}, ${bits} bits, ` +
        `${channels} channels); ${convert(name)}`,
    );
  if (frameBytes !== step * channels)
    throw new UserError(
      `${name} has an inconsistent header: ${channels} samples of ${bits} bits do not take ${frameBytes} bytes; ${convert(name)}`,
    );
  if (sampleRate < RATE_MIN || sampleRate > RATE_MAX)
    throw new UserError(
      `${name} has a sample rate of ${sampleRate} Hz, and ${RATE_MIN} to ${RATE_MAX} are supported; check the file`,
    );
  const samples = new Float64Array(Math.floor(size / frameBytes));
  if (samples.length === 0) throw noSound(name);
  let [peak, power] = [0, 0];
  for (let i = 0; i < samples.length; i++) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) {
      const value = reader.read(view, at + i * frameBytes + channel * step);
      sum += value;
      peak = Math.max(peak, Math.abs(value));
      power += value * value;
    }
    samples[i] = sum / (channels * reader.full);
  }
  const wrong = samples.findIndex((sample) => !Number.isFinite(sample));
  if (wrong >= 0)
    throw new UserError(
      `${name} has a sample that is not finite (${samples[wrong]} at ${wrong}); record or convert it again`,
    );
  if (peak / reader.full > PEAK_MAX)
    throw new UserError(
      `${name} has values up to ${peak}, and sound is between -1 and 1; check the file, or convert it again`,
    );
  return {
    sampleRate,
    samples,
    channels,
    peak: peak / reader.full,
    power: power / (channels * reader.full * reader.full),
  };
}

function noSound(name: string): UserError {
  return new UserError(`${name} has no sound; download or record it again`);
}

function convert(name: string): string {
  return `convert it, for example with: sox ${name} -b 16 -e signed ${name.replace(/\.\w+$/, '')}-pcm.wav`;
}

function tag(view: DataView, at: number): string {
  return String.fromCharCode(...[0, 1, 2, 3].map((i) => view.getUint8(at + i)));
}

/** Whether a chunk may begin here: its name consists of letters, digits and spaces. */
function isTag(view: DataView, at: number): boolean {
  return at + 4 <= view.byteLength && /^[A-Za-z][\w ]{3}$/.test(tag(view, at));
}
