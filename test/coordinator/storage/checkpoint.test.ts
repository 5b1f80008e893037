import { describe, expect, it } from 'vitest';
import {
  type Checkpoint,
  decodeCheckpoint,
  encodeCheckpoint,
  encodeInPlace,
  openCheckpoint,
} from '../../../coordinator/storage/checkpoint.js';
import { UserError } from '../../../shared/errors.js';
import { decodeSafetensors } from '../../../shared/files/safetensors-decoding.js';
import { sha256Elsewhere, sha256Hex, sha256InTurns, sha256OfPieces } from '../../../shared/files/sha256.js';
import { canonicalBytes, weightsSha256 } from '../../../shared/files/tensors.js';

const tensors = (...values: number[]) => [
  { name: 'b/kernel', shape: [2], values: Float32Array.from(values) },
  { name: 'a/bias', shape: [], values: Float32Array.of(-0) },
];

const CHECKPOINT: Checkpoint = {
  progress: { step: 7, optimizer: { beta1Power: 0.1 + 0.2 }, best: { step: 5, loss: 1 / 3 } },
  settings: { batch: 4, optimizer: { name: 'adam' } },
  parameters: tensors(1, Number.NaN),
  buffers: [tensors(2, 3), tensors(4, 1e-45)],
};

async function bytesOf(checkpoint: Checkpoint): Promise<Uint8Array> {
  const { pieces } = await encodeCheckpoint(checkpoint, sha256Hex);
  return Uint8Array.from(pieces.flatMap((piece) => [...piece]));
}

/** The whole content, bit by bit; all NaNs are equal. */
function content({ progress, settings, parameters, buffers }: Checkpoint): string {
  const bits = (list: Checkpoint['parameters']) =>
    [...list]
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ name, shape, values }) => [name, shape, [...canonicalBytes(values)]]);
  return JSON.stringify([progress, settings, bits(parameters), buffers.map(bits)]);
}

describe('a checkpoint', () => {
  it('is restored bit for bit, and is an ordinary safetensors file', async () => {
    const bytes = await bytesOf(CHECKPOINT);
    const back = decodeCheckpoint(bytes, 'f');
    expect(content(back)).toBe(content(CHECKPOINT));
    expect(back.weightsSha256).toBe(weightsSha256(CHECKPOINT.parameters));
    expect(decodeSafetensors(bytes, 'f').tensors.map(({ name }) => name)).toEqual([
      'a/bias',
      'b/kernel',
      '~optimizer/0/a/bias',
      '~optimizer/0/b/kernel',
      '~optimizer/1/a/bias',
      '~optimizer/1/b/kernel',
    ]);
  });

  it('is copied before the first await', async () => {
    const parameters = tensors(1, 2);
    const encoding = encodeCheckpoint({ ...CHECKPOINT, parameters }, sha256Elsewhere);
    parameters[0]?.values.fill(9);
    const { weightsSha256: hash } = await encoding;
    expect(hash).toBe(weightsSha256(tensors(1, 2)));
  });

  it('has the same bytes when it is encoded where it is', async () => {
    const { pieces, ...fingerprints } = await encodeInPlace(CHECKPOINT, sha256OfPieces);
    expect(Buffer.concat([...pieces]).equals(await bytesOf(CHECKPOINT))).toBe(true);
    const { pieces: _, ...copied } = await encodeCheckpoint(CHECKPOINT, sha256Hex);
    expect(fingerprints).toEqual(copied);
  });

  it('is read tensor by tensor from a file, which must not change in between', async () => {
    const bytes = await bytesOf({ ...CHECKPOINT, best: tensors(5, 6), residual: tensors(7, 8) });
    const parts = { size: bytes.length, read: (from: number, n: number) => bytes.slice(from, from + n) };
    const saved = await openCheckpoint(parts, 'f', sha256InTurns);
    const whole = decodeCheckpoint(bytes, 'f');
    expect(content(saved)).toBe(content(whole));
    expect(saved.sha256).toBe(whole.sha256);
    const [best, residual] = [saved.best, saved.residual].map((list) =>
      list?.map(({ values }) => [...values]),
    );
    expect([best, residual]).toEqual([
      [[-0], [5, 6]],
      [[-0], [7, 8]],
    ]);
    bytes[bytes.length - 1] = 1;
    expect(() => saved.residual?.map(({ values }) => values)).toThrow('f has changed while it was read');
    await expect(openCheckpoint(parts, 'f', sha256InTurns)).rejects.toThrow('f is damaged');
  });

  it('is refused in one line when it was cut off, at any byte', async () => {
    const bytes = await bytesOf(CHECKPOINT);
    for (let length = 0; length < bytes.length; length++)
      expect(() => decodeCheckpoint(bytes.subarray(0, length), 'f')).toThrow(UserError);
  });

  it('is refused, or has the same content, when any one bit was altered', async () => {
    const bytes = await bytesOf(CHECKPOINT);
    let refused = 0;
    for (let at = 0; at < 8 * bytes.length; at++) {
      const altered = Uint8Array.from(bytes);
      altered[at >> 3] = (altered[at >> 3] as number) ^ (1 << (at & 7));
      try {
        expect(content(decodeCheckpoint(altered, 'f'))).toBe(content(CHECKPOINT));
      } catch (error) {
        expect(error).toBeInstanceOf(UserError);
        refused += 1;
      }
    }
    // Spaces at the end of the header may become other white space, and a NaN another NaN.
    expect(refused).toBeGreaterThan(8 * bytes.length - 64);
  });

  it('that is another safetensors file is refused', async () => {
    const { encodeSafetensors } = await import('../../../shared/files/safetensors-encoding.js');
    const bytes = Uint8Array.from([...encodeSafetensors(tensors(1, 2))].flatMap((piece) => [...piece]));
    expect(() => decodeCheckpoint(bytes, 'w.safetensors')).toThrow(
      'w.safetensors is no checkpoint of this version of unisum; name another',
    );
  });
});
