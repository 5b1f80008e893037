import { UserError } from '../../shared/errors.js';

/** How fast a benchmark's network is, in each direction. */
export interface NetworkShape {
  readonly bytesPerSecond: number;
  /** One way. */
  readonly delayMs: number;
}

const RATE_UNITS = { k: 1e3, m: 1e6, g: 1e9 } as const;
const DELAY_UNITS = { us: 1e-3, ms: 1, s: 1e3 } as const;
/** The rates and delays of networks; beyond them is a slip of the pen. */
const BITS_PER_SECOND = { least: 1e4, most: 1e11 } as const;
const DELAY_MS_MAX = 10_000;

/**
 * Reads RATE,DELAY: a number with kbit, mbit or gbit (per second, each way), and a number with us, ms or s (one way), as in
 * "100mbit,10ms". Either may be left out: then the rate is unlimited, or there is no delay.
 * @throws UserError (wrong usage) with this form
 */
export function parseNetworkShape(option: string, text: string): NetworkShape {
  const form = `${option} takes RATE,DELAY, such as 100mbit,10ms: kbit, mbit or gbit a second and us, ms or s one way`;
  const wrong = (why: string): UserError => new UserError(`${form}; ${why}`, 2);
  let bytesPerSecond: number | undefined;
  let delayMs: number | undefined;
  for (const part of text.toLowerCase().split(',')) {
    const rate = /^(\d{1,9}(?:\.\d{1,6})?)([kmg])bit$/.exec(part.trim());
    const delay = /^(\d{1,9}(?:\.\d{1,6})?)(us|ms|s)$/.exec(part.trim());
    if (rate !== null && bytesPerSecond === undefined) {
      const bits = Number(rate[1]) * RATE_UNITS[rate[2] as keyof typeof RATE_UNITS];
      if (bits < BITS_PER_SECOND.least || bits > BITS_PER_SECOND.most)
        throw wrong(`a rate is from 10kbit to 100gbit, not "${part}"`);
      bytesPerSecond = bits / 8;
    } else if (delay !== null && delayMs === undefined) {
      delayMs = Number(delay[1]) * DELAY_UNITS[delay[2] as keyof typeof DELAY_UNITS];
      if (delayMs > DELAY_MS_MAX) throw wrong(`a delay is at most 10s, not "${part}"`);
    } else throw wrong(`not "${text}"`);
  }
  return { bytesPerSecond: bytesPerSecond ?? Number.POSITIVE_INFINITY, delayMs: delayMs ?? 0 };
}

/** "100 Mbit/s, 10 ms". */
export function describeNetworkShape({ bytesPerSecond, delayMs }: NetworkShape): string {
  const rate = Number.isFinite(bytesPerSecond)
    ? `${Number(((bytesPerSecond * 8) / 1e6).toPrecision(4))} Mbit/s`
    : 'unlimited rate';
  return `${rate}, ${delayMs} ms`;
}
