import type { RunEvent } from '../coordinator/state/observer.js';
import type { GradientStats, LayerStats } from '../shared/engine/passes/gradient-inspector.js';
import { LAYERS_SHOWN_MAX, type LayerRow, type LayersNews } from '../shared/protocol/layer-news.js';
import { NAME_CHARACTERS_MAX } from '../shared/protocol/limits.js';
import { toPlainText } from '../shared/protocol/text.js';
import type { EventTopic } from '../shared/protocol/watch-messages.js';

/** An event of a run in plain words, for those who watch; undefined where they are told in another way. */
export function describeEvent(
  event: RunEvent,
): { readonly topic: EventTopic; readonly text: string } | undefined {
  switch (event.event) {
    case 'hedge': {
      const { step, from, to, late, helpers } = event;
      const others = helpers === 1 ? 'another worker' : `${helpers} other workers`;
      return {
        topic: 'hedged',
        text: `${late} is late: ${leaves(from, to)} of step ${step} go to ${others} too`,
      };
    }
    case 'checkpoint':
      return { topic: 'checkpoint', text: `the state after step ${event.step} is saved` };
    case 'expelled': {
      const { member, from, to, step, parameter } = event;
      const text = `${member} was expelled: its sums over ${leaves(from, to)} of step ${step} are wrong, first in ${parameter}`;
      return { topic: 'expelled', text };
    }
    case 'banned':
      return { topic: 'expelled', text: `the machine of ${event.member} is banned` };
    case 'rolled-back': {
      const { member, since, step, to } = event;
      const text = `back from step ${step} to step ${to}: nobody has confirmed what ${member} sent since step ${since}`;
      return { topic: 'went-back', text };
    }
    case 'restored':
      return { topic: 'went-back', text: `the best weights are restored, those of step ${event.to}` };
    case 'assignment':
    case 'placement':
    case 'layout':
    case 'member-placement':
      return undefined;
    default:
      return event satisfies never;
  }
}

function leaves(from: number, to: number): string {
  return to - from === 1 ? `leaf ${from}` : `leaves ${from} to ${to - 1}`;
}

/** An inspected step for those who watch. */
export function layersNews({ step, layers }: GradientStats): LayersNews {
  return { kind: 'layers', step, layers: layers.slice(0, LAYERS_SHOWN_MAX).map(layerRow) };
}

function layerRow({ name, op, activation, error, deadUnits, parameters }: LayerStats): LayerRow {
  // The norm over all parameters of a layer; and the update relative to all of its weights.
  const over = (norms: readonly number[]): number => Math.hypot(...norms);
  const weights = over(parameters.map(({ weightNorm }) => weightNorm));
  const isDone = parameters.some(({ updateRatio }) => updateRatio !== undefined);
  const moved = over(parameters.map(({ weightNorm, updateRatio = 0 }) => updateRatio * weightNorm));
  return {
    name: toPlainText(name, NAME_CHARACTERS_MAX),
    ...{ op, activation },
    ...(error !== undefined && { error }),
    ...(deadUnits !== undefined && { deadUnits }),
    ...(parameters.length > 0 && {
      gradientNorm: over(parameters.map(({ gradientNorm }) => gradientNorm)),
    }),
    ...(isDone && weights > 0 && { updateNorm: moved, updateRatio: moved / weights }),
  };
}
