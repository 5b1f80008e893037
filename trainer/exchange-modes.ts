import type { ExchangeMode, ExchangeSettings } from '../coordinator/state/run-settings.js';
import type { Codec } from '../shared/codec/codec.js';
import type { Plan } from '../shared/compiler/plan.js';
import { resultLayout, roundBytes } from '../shared/engine/local/round-memory.js';
import { sumCodecOf } from '../shared/engine/step/sum-codec.js';
import type { SumLayout } from '../shared/engine/step/sum-layout.js';
import { UserError } from '../shared/errors.js';
import { localOf, localUpdates } from '../shared/optim/local-updates.js';
import type { LearningSettings } from './learning-settings.js';
import { checkLocalRun, type LocalRunSettings, replicaRule } from './local-run.js';

/** What decides what is exchanged. */
type ExchangeRequest = LocalRunSettings & Pick<LearningSettings, 'seed' | 'leafSize'>;

/** What a remote worker receives and sends in a step, and what it would in other modes that this run could use. */
export function exchangeOf(
  request: ExchangeRequest,
  plan: Plan,
  { layout, weightBytes }: { readonly layout: SumLayout; readonly weightBytes: number },
): ExchangeSettings {
  return { bytes: weightBytes + 4 * layout.floats, others: othersOf(request, plan) };
}

/** The codecs that are suggested: the one that costs no accuracy, and the one that sends least. */
const SUGGESTED = ['int8', 'int4'] as const;

/**
 * Modes that exchange less. A run of single steps could have a codec, or be one of local updates with the default settings, with
 * the codec that it has or with int4; a round could have a codec.
 */
function othersOf(request: ExchangeRequest, plan: Plan): ExchangeMode[] {
  const { compress = 'none' } = request;
  const local = localOf(request.sync);
  const codecs = compress === 'none' ? SUGGESTED : [];
  if (local !== undefined)
    return codecs.map((codec) => {
      const bytes = roundExchange({ ...request, compress: codec }, plan);
      return { option: `--compress ${codec}`, bytes, steps: 1 };
    });
  const sync = localUpdates();
  const option = `--sync local:replicas=${sync.replicas},steps=${sync.steps}`;
  const rounds = canBeLocal({ ...request, sync }, plan)
    ? ([compress, ...codecs.slice(-1)] as const).map((codec) => {
        const bytes = roundExchange({ ...request, sync, compress: codec }, plan);
        const coded = codec === compress ? option : `${option} --compress ${codec}`;
        return { option: coded, bytes, steps: sync.steps };
      })
    : [];
  return [...codecs.slice(0, 1).map((codec) => stepWith(codec, request, plan)), ...rounds];
}

/** Single steps with a codec. */
function stepWith(codec: Codec, request: ExchangeRequest, plan: Plan): ExchangeMode {
  const { sumBytes = 0, updateBytes = 0 } = sumCodecOf(codec, plan, request) ?? {};
  return { option: `--compress ${codec}`, bytes: sumBytes + updateBytes, steps: 1 };
}

/** Bytes of a replica's result and of what a member begins a round with. */
function roundExchange(request: ExchangeRequest, plan: Plan): number {
  const rule = replicaRule(request, 1, plan);
  if (rule === undefined) return 0;
  return 4 * resultLayout(plan, rule).floats + (rule.codec?.updateBytes ?? roundBytes(plan, rule));
}

function canBeLocal(request: LocalRunSettings, { parameters }: Plan): boolean {
  try {
    checkLocalRun(request, parameters);
    return true;
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}
