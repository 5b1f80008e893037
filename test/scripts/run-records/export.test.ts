import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { PbfReader } from 'pbf';
import { describe, expect, it } from 'vitest';
import { exportRun } from '../../../scripts/run-records/export/export-run.js';
import { readRun } from '../../../scripts/run-records/run-record.js';
import { crc32c } from '../../../shared/files/crc32c.js';
import { temporaryFolder } from '../../support/process.js';
import { begun, evaluation, step, writeRun } from './run-folders.js';

/** CRC-32C by its definition: the remainder of the message as a polynomial, bit by bit, most significant bit first. */
function remainder(bytes: Uint8Array): number {
  const reversed = (value: bigint, bits: number): bigint =>
    BigInt(`0b${[...value.toString(2).padStart(bits, '0')].reverse().join('')}`);
  let message = 0n;
  for (const byte of bytes) message = (message << 8n) | reversed(BigInt(byte), 8);
  const bits = BigInt(bytes.length * 8);
  // The first 32 bits are inverted, and 32 zero bits follow the message.
  message = (message << 32n) ^ (0xffffffffn << bits);
  for (let bit = bits + 31n; bit >= 32n; bit--)
    if ((message >> bit) & 1n) message ^= 0x11edc6f41n << (bit - 32n);
  return Number(reversed(message ^ 0xffffffffn, 32));
}

const masked = (crc: number): number =>
  Number((BigInt((crc >>> 15) | (crc << 17)) + 0xa282ead8n) & 0xffffffffn);

/** Events of a file, with all check sums checked. */
function eventsOf(bytes: Uint8Array): Record<string, unknown>[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const events: Record<string, unknown>[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Number(view.getBigUint64(at, true));
    expect(view.getUint32(at + 8, true)).toBe(masked(remainder(bytes.subarray(at, at + 8))));
    const data = bytes.subarray(at + 12, at + 12 + length);
    expect(view.getUint32(at + 12 + length, true)).toBe(masked(remainder(data)));
    const values: Record<string, number> = {};
    const event: Record<string, unknown> = { values };
    new PbfReader(data).readFields((tag, _, reader) => {
      if (tag === 1) event.wallTime = reader.readDouble();
      if (tag === 2) event.step = reader.readVarint();
      if (tag === 3) event.fileVersion = reader.readString();
      if (tag === 5)
        reader.readMessage((field, __, summary) => {
          if (field !== 1) return;
          const value = { tag: '', simple: Number.NaN };
          summary.readMessage((inner, ___, own) => {
            if (inner === 1) value.tag = own.readString();
            if (inner === 2) value.simple = own.readFloat();
          }, undefined);
          values[value.tag] = value.simple;
        }, undefined);
    }, undefined);
    events.push(event);
    at += 12 + length + 4;
  }
  return events;
}

const LINES = [
  begun({ steps: 300, learningRate: 0.5 }),
  ...[step(1, 2, 3), { ...evaluation(1, 0.25), 'testA,"b"': 1 }, { ...step(2, 0), loss: 'NaN' }],
];

describe('metrics for other tools', () => {
  it('crc32c is the remainder that the standard defines', () => {
    // RFC 3720, appendix B.4: 32 zeros, 32 ones, and the digits that every CRC is checked with.
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
    expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283);
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 4, maxLength: 40 }),
        (bytes) => crc32c(bytes) === remainder(bytes),
      ),
      { seed: 1, numRuns: 50 },
    );
  });

  it('are an event file of TensorBoard, with good check sums', async () => {
    const folder = temporaryFolder();
    const run = await readRun(await writeRun(folder, 'r', LINES, '2026-01-01T00:00:00.500Z'));
    const file = await exportRun(run, 'tensorboard', join(folder, 'logs/r'));
    expect(file).toBe(join(folder, 'logs/r/events.out.tfevents.1767225600.unisum'));
    const [version, ...events] = eventsOf(readFileSync(file));
    const wallTime = 1767225600.5;
    expect(version).toEqual({ wallTime, fileVersion: 'brain.Event:2', values: {} });
    const always = { 'learningRate/training': 0.5 };
    const first = { 'loss/training': 2, 'loss/test': 0.25, 'a,"b"/test': 1, 'members/training': 3 };
    expect(events).toEqual([
      { wallTime, step: 1, values: { ...always, ...first } },
      { wallTime, step: 2, values: { ...always, 'loss/training': Number.NaN, 'members/training': 1 } },
    ]);
  });

  it('are a table of CSV', async () => {
    const folder = temporaryFolder();
    const run = await readRun(await writeRun(folder, 'r', LINES));
    const text = readFileSync(await exportRun(run, 'csv', folder), 'utf8');
    expect(text.split('\n')).toEqual([
      'step,loss/training,loss/test,"a,""b""/test",learningRate/training,members/training',
      '1,2,0.25,1,0.5,3',
      '2,NaN,,,0.5,1',
      '',
    ]);
  });
});
