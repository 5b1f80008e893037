/** A WAV file. @param write puts sample `i` of all channels' into the data */
export function wavBytes(
  { kind = 1, channels = 1, rate = 8000, bits = 16 },
  samples: number,
  write: (view: DataView, at: number, i: number) => void,
  extra: { before?: Uint8Array; extensible?: boolean; identifier?: string } = {},
): Uint8Array {
  const step = bits / 8;
  const size = samples * channels * step;
  const before = extra.before ?? new Uint8Array();
  const formatSize = extra.extensible ? 40 : 16;
  const bytes = new Uint8Array(12 + before.length + 8 + formatSize + 8 + size);
  const view = new DataView(bytes.buffer);
  const text = (at: number, value: string): void => bytes.set(Buffer.from(value, 'latin1'), at);
  text(0, 'RIFF');
  view.setUint32(4, bytes.length - 8, true);
  text(8, 'WAVE');
  bytes.set(before, 12);
  let at = 12 + before.length;
  text(at, 'fmt ');
  view.setUint32(at + 4, formatSize, true);
  view.setUint16(at + 8, extra.extensible ? 0xfffe : kind, true);
  view.setUint16(at + 10, channels, true);
  view.setUint32(at + 12, rate, true);
  view.setUint32(at + 16, rate * channels * step, true);
  view.setUint16(at + 20, channels * step, true);
  view.setUint16(at + 22, bits, true);
  if (extra.extensible) {
    view.setUint16(at + 24, 22, true);
    view.setUint16(at + 26, bits, true);
    view.setUint16(at + 32, kind, true);
    bytes.set(Buffer.from(extra.identifier ?? '000000001000800000aa00389b71', 'hex'), at + 34);
  }
  at += 8 + formatSize;
  text(at, 'data');
  view.setUint32(at + 4, size, true);
  for (let i = 0; i < samples * channels; i++) write(view, at + 8 + i * step, i);
  return bytes;
}

/** One channel of 16 bits, from numbers from -1 to 1. */
export function wavOf(samples: Float64Array, rate = 8000): Uint8Array {
  return wavBytes({ rate }, samples.length, (view, at, i) =>
    view.setInt16(at, Math.round((samples[i] as number) * 32767), true),
  );
}

/** Little-endian numbers of 4 bytes, and letters. */
export const parts = (...values: (string | number)[]): Buffer =>
  Buffer.concat(
    values.map((value) => {
      if (typeof value === 'string') return Buffer.from(value, 'latin1');
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32LE(value);
      return bytes;
    }),
  );

/** The file with another byte at a place. */
export function changedAt(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[at] = value;
  return copy;
}
