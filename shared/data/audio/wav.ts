import { UserError } from '../../errors.js';

/** A recording: one channel. */
export interface Recording {
  /** Samples a second. */
  readonly sampleRate: number;
  /** From -1 to 1. */
  readonly samples: Float64Array;
}

const PCM = 1;
const FLOAT = 3;
const EXTENSIBLE = 0xfffe;

interface Format {
  readonly kind: number;
  readonly channels: number;
  readonly sampleRate: number;
  readonly bits: number;
}

/** How a number of so many bits is read, and what it is divided by. */
const READERS: Readonly<Record<string, { read(view: DataView, at: number): number; full: number }>> = {
  [`${PCM} 8`]: { read: (view, at) => view.getUint8(at) - 128, full: 2 ** 7 },
  [`${PCM} 16`]: { read: (view, at) => view.getInt16(at, true), full: 2 ** 15 },
  [`${PCM} 24`]: {
    read: (view, at) => view.getUint16(at, true) + 65536 * view.getInt8(at + 2),
    full: 2 ** 23,
  },
  [`${PCM} 32`]: { read: (view, at) => view.getInt32(at, true), full: 2 ** 31 },
  [`${FLOAT} 32`]: { read: (view, at) => view.getFloat32(at, true), full: 1 },
  [`${FLOAT} 64`]: { read: (view, at) => view.getFloat64(at, true), full: 1 },
};

/**
 * Reads a WAV file: PCM of 8, 16, 24 or 32 bits, or floats of 32 or 64. Several channels become their mean.
 *
 * "Multimedia Programming Interface and Data Specifications 1.0" (IBM, Microsoft 1991).
 *
 * @param name of the file, for errors
 * @throws UserError when it is no such file, or cut short
 */
export function readWav(bytes: Uint8Array, name: string): Recording {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || tag(view, 0) !== 'RIFF' || tag(view, 8) !== 'WAVE')
    throw new UserError(`${name} is no WAV file; convert it, for example with: sox ${name} out.wav`);
  let format: Format | undefined;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const size = view.getUint32(at + 4, true);
    const body = at + 8;
    if (body + size > bytes.length)
      throw new UserError(`${name} ends in the middle of its ${tag(view, at).trim()} part; fetch it again`);
    if (tag(view, at) === 'fmt ' && size >= 16) format = formatAt(view, body, size);
    if (tag(view, at) === 'data') return decode(view, body, size, format, name);
    // Parts begin at even offsets.
    at = body + size + (size & 1);
  }
  throw new UserError(`${name} has no sound in it; fetch it again`);
}

function formatAt(view: DataView, at: number, size: number): Format {
  const kind = view.getUint16(at, true);
  return {
    // The extended form says what it holds in the first two bytes of an identifier.
    kind: kind === EXTENSIBLE && size >= 26 ? view.getUint16(at + 24, true) : kind,
    channels: view.getUint16(at + 2, true),
    sampleRate: view.getUint32(at + 4, true),
    bits: view.getUint16(at + 14, true),
  };
}

function decode(
  view: DataView,
  at: number,
  size: number,
  format: Format | undefined,
  name: string,
): Recording {
  const reader = format && READERS[`${format.kind} ${format.bits}`];
  if (format === undefined || reader === undefined || format.channels === 0)
    throw new UserError(
      `${name} is not PCM or float; convert it, for example with: sox ${name} -b 16 -e signed out.wav`,
    );
  const { channels, sampleRate, bits } = format;
  const step = bits / 8;
  const samples = new Float64Array(Math.floor(size / (step * channels)));
  for (let i = 0; i < samples.length; i++) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++)
      sum += reader.read(view, at + (i * channels + channel) * step);
    samples[i] = sum / (channels * reader.full);
  }
  return { sampleRate, samples };
}

function tag(view: DataView, at: number): string {
  return String.fromCharCode(...[0, 1, 2, 3].map((i) => view.getUint8(at + i)));
}
