import { expect, it } from 'vitest';
import { benchWire, CARRIERS } from '../../scripts/bench/wire-bench.js';
import { parseWireOptions } from '../../scripts/commands/bench-options.js';
import { systemClock } from '../../shared/actor/clock.js';

it('moves messages by every carrier, and compares each with plain sockets', async () => {
  const results = await benchWire({ bytes: 300_000, messages: 5, windows: 3 }, systemClock);
  // The one of C needs a compiler.
  const carriers = results.map(({ carrier }) => carrier);
  expect(CARRIERS.filter((carrier) => carrier !== 'c' || carriers.includes('c'))).toEqual(carriers);
  for (const { carrier, processorUsPerMb, fastestUsPerMb, ratio } of results) {
    expect(fastestUsPerMb).toBeGreaterThan(0);
    expect(processorUsPerMb).toBeGreaterThanOrEqual(fastestUsPerMb);
    expect(ratio === undefined).toBe(carrier === 'node');
  }
});

it('takes messages that fit a frame', () => {
  const options = { bytes: '1000', messages: '2', windows: '1' };
  expect(parseWireOptions(options)).toMatchObject({ bytes: 1000, messages: 2, windows: 1, anyLoad: false });
  expect(() => parseWireOptions({ ...options, bytes: '0' })).toThrow('--bytes takes a whole number from 1');
});
