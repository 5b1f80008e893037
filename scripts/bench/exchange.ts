import { CODECS, type Codec } from '../../shared/codec/codec.js';
import type { Sync } from '../../shared/optim/local-updates.js';
import { parseSync } from '../../trainer/options/learning-options.js';
import { oneOf } from '../../trainer/options/option-values.js';

/** What the machines of a run exchange, and how often. */
export interface Exchange {
  /** As it is written on the command line. */
  readonly name: string;
  readonly sync: Sync;
  readonly compress: Codec;
}

/** Float32 sums and weights in every step. */
export const PLAIN: Exchange = { name: 'step', sync: 'step', compress: 'none' };

/**
 * `step`, `step+int8` or `local:replicas=4,steps=30+int4`: what `train` takes as `--sync` and `--compress`.
 * @throws {UserError} (wrong usage)
 */
export function parseExchange(text: string): Exchange {
  const [mode = '', ...codec] = text.split('+');
  const sync = parseSync(mode) ?? 'step';
  const compress = codec.length === 0 ? 'none' : oneOf('--exchange', codec.join('+'), CODECS);
  return sync === 'step' && compress === 'none' ? PLAIN : { name: text, sync, compress };
}
