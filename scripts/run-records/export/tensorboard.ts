/*
 * Event files of TensorBoard: TFRecords, each of which holds one message Event (tensorflow/core/util/event.proto), as far as
 * it is written here. A record is
 *
 *     length (uint64), masked CRC-32C of the length (uint32), data, masked CRC-32C of the data (uint32)
 *
 * in little-endian order, with mask(crc) = rotate right by 15 bits, plus 0xa282ead8 (tensorflow/core/lib/hash/crc32c.h).
 */
import { PbfWriter } from 'pbf';
import { crc32c } from '../../../shared/files/crc32c.js';
import type { Series } from './series.js';

const FILE_VERSION = 'brain.Event:2';
const MASK_DELTA = 0xa282ead8;
/** Fields of Event, of Summary, and of Summary.Value. */
const EVENT = { wallTime: 1, step: 2, fileVersion: 3, summary: 5 } as const;
const SUMMARY_VALUE = 1;
const VALUE = { tag: 1, simpleValue: 2 } as const;

/** The name of an event file: TensorBoard looks for this beginning. @param wallSeconds since 1970 */
export function eventFileName(wallSeconds: number): string {
  return `events.out.tfevents.${Math.floor(wallSeconds)}.unisum`;
}

/**
 * The records of an event file, one by one, in the order of the steps.
 * @param wallSeconds the time of all events, in seconds since 1970: a run's record has no times
 */
export function* eventRecords(series: readonly Series[], wallSeconds: number): Generator<Uint8Array> {
  yield record(event(wallSeconds, (writer) => writer.writeStringField(EVENT.fileVersion, FILE_VERSION)));
  const values = new Map<number, (readonly [tag: string, value: number])[]>();
  for (const { tag, points } of series)
    for (const [step, value] of points) {
      const atStep = values.get(step) ?? [];
      atStep.push([tag, value]);
      values.set(step, atStep);
    }
  for (const [step, atStep] of [...values].sort(([a], [b]) => a - b))
    yield record(
      event(wallSeconds, (writer) => {
        writer.writeVarintField(EVENT.step, step);
        writer.writeMessage(EVENT.summary, writeSummary, atStep);
      }),
    );
}

function event(wallSeconds: number, write: (writer: PbfWriter) => void): Uint8Array {
  const writer = new PbfWriter();
  writer.writeDoubleField(EVENT.wallTime, wallSeconds);
  write(writer);
  return writer.finish();
}

function writeSummary(values: readonly (readonly [tag: string, value: number])[], writer: PbfWriter): void {
  for (const value of values) writer.writeMessage(SUMMARY_VALUE, writeValue, value);
}

function writeValue([tag, value]: readonly [tag: string, value: number], writer: PbfWriter): void {
  writer.writeStringField(VALUE.tag, tag);
  writer.writeFloatField(VALUE.simpleValue, value);
}

function record(data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(8 + 4 + data.length + 4);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, masked(crc32c(bytes.subarray(0, 8))), true);
  bytes.set(data, 12);
  view.setUint32(12 + data.length, masked(crc32c(data)), true);
  return bytes;
}

function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0;
}
