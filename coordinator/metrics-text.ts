/*
 * A run as metrics for Prometheus, in its text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats): base
 * units, and names that end with their unit, counters with _total.
 */
import type { Evaluation, RunProgressNews } from '../shared/protocol/watch-messages.js';
import type { CoordinatorState } from './coordinator-state.js';
import { memberTable } from './member-table.js';

/** One line: labels, and a value. */
type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

/** What the run has reported last. */
interface Reported {
  readonly progress?: RunProgressNews | undefined;
  readonly evaluation?: Evaluation | undefined;
}

/** The text of all metrics. */
export function metricsText(
  state: CoordinatorState,
  { progress, evaluation }: Reported,
  nowMs: number,
): string {
  const { training, settings, membership, checkpointing } = state;
  const { members } = memberTable(state, nowMs);
  const isWatcher = ({ phase }: { readonly phase: string }): boolean => phase === 'watching';
  const watchers = [...membership.members.values()].filter(isWatcher);
  const standings = new Set(membership.standings.machines.values());
  const expelled = (why: 'wrong' | 'silent'): number =>
    [...standings].reduce((sum, standing) => sum + standing[why], 0);
  const perMember = (value: (row: (typeof members)[number]) => number | undefined): Sample[] =>
    members.flatMap((row): Sample[] => {
      const of = value(row);
      return of === undefined ? [] : [[{ member: row.name, id: row.id }, of]];
    });
  const counts = (['here', 'active', 'standby', 'preparing'] as const).map(
    (kind): Sample => [{ state: kind }, members.filter((row) => row.state === kind).length],
  );
  return [
    metric('unisum_run_info', 'gauge', 'The run.', [[{ run: settings.runId }, 1]]),
    metric('unisum_steps_total', 'counter', 'Steps done.', one(training.step)),
    metric('unisum_steps_planned', 'gauge', 'Steps of the whole run.', one(settings.steps)),
    metric('unisum_samples_total', 'counter', 'Samples done.', one(progress?.samples)),
    metric('unisum_loss', 'gauge', 'Running mean of the training loss.', one(progress?.loss)),
    metric(
      ...(['unisum_evaluation', 'gauge', 'Metrics of the latest evaluation.'] as const),
      Object.entries(evaluation?.metrics ?? {}).map(([name, value]): Sample => [{ metric: name }, value]),
    ),
    metric(
      'unisum_paused',
      'gauge',
      'Whether an operator has paused the run.',
      one(Number(training.isPaused)),
    ),
    metric('unisum_closed', 'gauge', 'Whether newcomers are refused.', one(Number(membership.isClosed))),
    metric('unisum_members', 'gauge', 'Members by what they do.', counts),
    metric('unisum_watchers', 'gauge', 'Connected watchers and operators.', one(watchers.length)),
    metric('unisum_expulsions_total', 'counter', 'Expulsions of machines.', [
      [{ reason: 'wrong' }, expelled('wrong')],
      [{ reason: 'silent' }, expelled('silent')],
    ]),
    metric(
      ...(['unisum_checkpoint_step', 'gauge', 'Steps in the latest durable checkpoint.'] as const),
      one(checkpointing.durableStep < 0 ? undefined : checkpointing.durableStep),
    ),
    metric(
      ...(['unisum_member_samples_total', 'counter', 'Samples of a member that count.'] as const),
      perMember(({ samples }) => samples),
    ),
    metric(
      ...(['unisum_member_samples_per_second', 'gauge', 'What the threads of a member compute.'] as const),
      perMember(({ speed }) => speed),
    ),
    metric(
      ...(['unisum_member_round_trip_seconds', 'gauge', 'Shortest time from a ping to its pong.'] as const),
      perMember(({ roundTripMs }) => roundTripMs && roundTripMs / 1000),
    ),
    metric(
      ...(['unisum_member_exchange_seconds', 'gauge', 'Time of an exchange, without computing.'] as const),
      perMember(({ exchangeMs }) => exchangeMs && exchangeMs / 1000),
    ),
  ].join('');
}

function one(value: number | undefined): Sample[] {
  return value === undefined ? [] : [[{}, value]];
}

/** A metric with its lines; nothing where there are none. */
function metric(name: string, type: 'counter' | 'gauge', help: string, samples: readonly Sample[]): string {
  if (samples.length === 0) return '';
  const lines = samples.map(([labels, value]) => `${name}${labelText(labels)} ${valueText(value)}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

function labelText(labels: Sample[0]): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function valueText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}
