import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  CHAIN_START,
  type ChainEnd,
  chained,
  readChain,
} from '../../../coordinator/storage/metrics-chain.js';
import type { MetricsRecord } from '../../../coordinator/storage/record-text.js';
import { refusalOf } from '../../support/refusal.js';

const FOLDER = mkdtempSync(join(tmpdir(), 'unisum-chain-'));
const FILE = join(FOLDER, 'metrics.jsonl');
afterAll(() => rmSync(FOLDER, { recursive: true }));

function textOf(records: readonly MetricsRecord[]): string {
  let previous = CHAIN_START;
  return records
    .map((record) => {
      const { line, hash } = chained(previous, record);
      previous = hash;
      return line;
    })
    .join('');
}

async function read(text: string | Uint8Array): Promise<ChainEnd & { records: MetricsRecord[] }> {
  writeFileSync(FILE, text);
  const records: MetricsRecord[] = [];
  const end = await readChain(FILE, (record) => {
    records.push(record);
  });
  return { ...end, records };
}

const RECORDS = [{ step: 0 }, { step: 1, loss: 0.1, note: '"chain":"' }, { step: 2, loss: Number.NaN }];
const TEXT = textOf(RECORDS);

describe('the chain of metrics.jsonl', () => {
  it('can be recomputed by anyone', () => {
    let previous = '0'.repeat(64);
    for (const line of TEXT.trimEnd().split('\n')) {
      const at = line.lastIndexOf(',"chain":"');
      const text = `${line.slice(0, at)}}`;
      const { chain } = JSON.parse(line) as { chain: string };
      expect(chain).toBe(createHash('sha256').update(previous).update(text).digest('hex'));
      previous = chain;
    }
  });

  it('is read as it was written', async () => {
    const { records, lines, bytes, hash, fault } = await read(TEXT);
    expect(records).toEqual([RECORDS[0], RECORDS[1], { step: 2, loss: 'NaN' }]);
    expect({ lines, bytes, fault }).toEqual({ lines: 3, bytes: TEXT.length, fault: undefined });
    expect(TEXT).toContain(hash);
    expect(await read('')).toMatchObject({ lines: 0, bytes: 0, hash: CHAIN_START });
  });

  it('is read across the pieces in which a long file comes', async () => {
    const many = Array.from({ length: 30_000 }, (_, step) => ({ step, text: 'ä'.repeat(step % 50) }));
    const { records, fault } = await read(textOf(many));
    expect(fault).toBeUndefined();
    expect(records).toEqual(many);
  });

  it('ends at a line that is cut off, wherever that is', async () => {
    for (let length = 0; length < TEXT.length; length++) {
      const whole = TEXT.slice(0, length).split('\n').length - 1;
      const { lines, bytes, fault } = await read(TEXT.slice(0, length));
      expect(lines).toBe(whole);
      const end = TEXT.slice(0, length).lastIndexOf('\n') + 1;
      expect(bytes).toBe(end);
      if (length === end) expect(fault).toBeUndefined();
      else expect(fault).toEqual({ line: whole + 1, what: 'the file ends within it', isTorn: true });
    }
  });

  it('ends at a line of which a byte was altered, whichever it is', async () => {
    const bytes = Buffer.from(TEXT);
    const second = TEXT.indexOf('\n') + 1;
    const third = TEXT.indexOf('\n', second) + 1;
    for (let at = second; at < third; at++) {
      const altered = Buffer.from(bytes);
      altered[at] = (altered[at] as number) ^ 1;
      const { lines, fault } = await read(altered);
      expect(lines).toBe(1);
      expect(fault).toMatchObject({ line: 2, isTorn: false });
    }
  });

  it.each([
    ['two of a name', '{"step":1,"step":2}'],
    ['spaces', '{"step": 1}'],
    ['a number in another spelling', '{"step":1.0}'],
    ['a number beyond all numbers', '{"step":1e999}'],
    ['no object', '[1]'],
  ])('ends at a line with %s, though its hash fits', async (_, text) => {
    const previous = (await read(TEXT)).hash;
    const hash = createHash('sha256').update(previous).update(text).digest('hex');
    const { lines, fault } = await read(`${TEXT}${text.slice(0, -1)},"chain":"${hash}"}\n`);
    expect(lines).toBe(3);
    expect(fault?.what).toMatch(/is not (JSON as this program writes it|an object with a hash)/);
  });

  it.each([
    ['lines in another order', [1, 0, 2]],
    ['a line left out', [0, 2]],
    ['a line twice', [0, 1, 1, 2]],
  ])('ends at %s', async (_, order) => {
    const all = TEXT.split('\n');
    const { fault } = await read(order.map((i) => `${all[i]}\n`).join(''));
    expect(fault?.what).toBe('its hash does not fit: it, or a line before it, was altered');
  });

  it.skipIf(process.platform === 'win32')(
    'is not read through a link, for a resume would write there',
    async () => {
      const link = join(FOLDER, 'link');
      writeFileSync(FILE, TEXT);
      symlinkSync(FILE, link);
      expect(await refusalOf(readChain(link, () => {}))).toMatch(
        /link: it is a symbolic link; put the file itself/,
      );
    },
  );

  it('holds no more than a line of a file without line breaks', async () => {
    expect((await read(Buffer.alloc(3 * 2 ** 20))).fault).toEqual({
      line: 1,
      what: 'it has more than 1048576 bytes',
      isTorn: false,
    });
  });
});
