import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { SavedCheckpoint } from '../../coordinator/storage/checkpoint.js';
import type { CheckpointStore } from '../../coordinator/storage/checkpoint-store.js';
import { readChain } from '../../coordinator/storage/metrics-chain.js';
import { readRunConfig } from '../../coordinator/storage/run-config.js';
import { checkpointsIn, METRICS_FILE } from '../../coordinator/storage/run-directory.js';
import { createPlan, type Plan } from '../../shared/compiler/plan.js';
import { UserError } from '../../shared/errors.js';
import { type Tensor, weightsSha256 } from '../../shared/files/tensors.js';
import { checkpointBytesMax, firstWeightsBytesMax } from '../file-bounds.js';
import { type Leg, RecordedRun } from '../replay/recorded-run.js';
import type { Computers, SessionRequest } from '../replay/replay.js';
import { type ResolvedSession, resolveLegs, type SessionResolver } from '../replay/session-check.js';
import { loadParameters } from '../trained-model.js';
import { type Recomputed, recompute } from './recompute.js';

/** How a run is opened. */
export interface TravelRequest {
  readonly resolve: SessionResolver;
  readonly computers: Computers;
}

/** A run in a directory, finished or not, whose steps can be computed again. */
export class TravelRun {
  private constructor(
    readonly path: string,
    readonly recorded: RecordedRun,
    /** Hash of the last line of its record. */
    readonly recordSha256: string,
    private readonly sessions: ReadonlyMap<Leg, ResolvedSession>,
    private readonly initial: readonly Tensor[] | undefined,
    readonly plan: Plan,
    private readonly store: CheckpointStore,
    private readonly request: TravelRequest,
    /** Of its record when it was read. */
    private readonly recordBytes: number,
  ) {}

  /**
   * Reads what a run has recorded, and loads its recipe and data.
   * @throws UserError when it is no run, or its recipe and data are not those that it was trained with
   */
  static async open(path: string, request: TravelRequest): Promise<TravelRun> {
    const recorded = new RecordedRun();
    const { config } = await readRunConfig(path);
    const recordBytes = await recordBytesOf(path);
    const chain = await readChain(join(path, METRICS_FILE), (record, line) => recorded.take(record, line));
    // A run that is still running, or was killed, may end within a line.
    if (chain.fault !== undefined && !chain.fault.isTorn)
      throw new UserError(
        `line ${chain.fault.line} of ${join(path, METRICS_FILE)} is not part of the chain: ${chain.fault.what}`,
      );
    const [first] = recorded.legs;
    if (first === undefined) throw new UserError(`${join(path, METRICS_FILE)} is missing or empty`);
    if (first.state !== null)
      throw new UserError(
        `${join(path, METRICS_FILE)} begins at step ${first.from}: the origin of that state is not recorded`,
      );
    const sessions = await resolveLegs(recorded.legs, config, request.resolve).catch((error: unknown) => {
      if (!(error instanceof UserError)) throw error;
      const which = `${path}, a run of ${first.recipe},`;
      throw new UserError(`${which} cannot be computed again: ${error.message}`, error.exitCode);
    });
    const { request: session, weights } = sessions.get(first) as ResolvedSession;
    const plan = createPlan(session.recipe.model(session.data));
    const initial =
      weights === undefined ? undefined : await loadParameters(weights, firstWeightsBytesMax(plan.model));
    if (initial !== undefined && weightsSha256(initial) !== first.weights)
      throw new UserError(`the weights in ${weights} are not the initial weights of ${path}`);
    const store = checkpointsIn(path, { bytesMax: checkpointBytesMax(plan.model) });
    return new TravelRun(path, recorded, chain.hash, sessions, initial, plan, store, request, recordBytes);
  }

  /** The run as its record is now: the same object where nothing was added. */
  async reread(): Promise<TravelRun> {
    const isSame = (await recordBytesOf(this.path)) === this.recordBytes;
    return isSame ? this : TravelRun.open(this.path, this.request);
  }

  /** The steps of the run. */
  get lastStep(): number {
    return this.recorded.lastStep;
  }

  /** The part of the run that a step, counted from 1, belongs to. */
  legOf(step: number): Leg {
    const { legs } = this.recorded;
    return legs.findLast(({ from }) => from < step) ?? (legs[0] as Leg);
  }

  /** What decides the numbers of a step, counted from 1. */
  requestOf(step: number): SessionRequest {
    return (this.sessions.get(this.legOf(step)) as ResolvedSession).request;
  }

  /**
   * The newest checkpoint file that is no later than a step and holds what was recorded.
   * @param isEligible leaves others out
   */
  async nearest(
    step: number,
    isEligible: (step: number) => boolean = () => true,
  ): Promise<SavedCheckpoint | undefined> {
    const steps = (await this.store.steps()).filter((one) => one <= step && isEligible(one));
    for (const one of steps.reverse()) {
      const state = await this.kept(one);
      if (state !== undefined) return state;
    }
    return undefined;
  }

  /** The checkpoint file of a step, if it is there and holds what was recorded. */
  async kept(step: number): Promise<SavedCheckpoint | undefined> {
    const recorded = this.recorded.saved.get(step) ?? [];
    const [state] = await this.store.loadWhole([step]);
    return state !== undefined && recorded.some(({ value }) => value.sha256 === state.sha256)
      ? state
      : undefined;
  }

  /**
   * Computes states of the run again, under the settings that it had at each step.
   * @param steps ascending
   * @param from the state to begin with; undefined: the first weights
   */
  async recompute(steps: readonly number[], from: SavedCheckpoint | undefined): Promise<Recomputed> {
    const states = new Map<number, SavedCheckpoint>();
    const means = new Map<number, Readonly<Record<string, number>>>();
    const evaluations = new Map<number, Readonly<Record<string, number>>>();
    const { legs } = this.recorded;
    const last = steps.at(-1) ?? 0;
    let state = from;
    for (const [i, leg] of legs.entries()) {
      const begin = state?.progress.step ?? 0;
      const end = legs[i + 1]?.from ?? Number.POSITIVE_INFINITY;
      const isLater = end <= begin && legs[i + 1] !== undefined && last > end;
      if (isLater || leg.from > last || (i > 0 && leg.from === last && states.has(last))) continue;
      const to = Math.min(end, last);
      const wanted = steps.filter((step) => begin <= step && step <= to && !states.has(step));
      const asked = wanted.at(-1) === to ? wanted : [...wanted, to];
      const start = { state, parameters: state === undefined ? this.initial : undefined };
      const { request } = this.sessions.get(leg) as ResolvedSession;
      const part = await recompute(request, start, asked, this.request.computers);
      for (const step of wanted) {
        const one = part.states.get(step);
        if (one !== undefined) states.set(step, one);
      }
      for (const [step, value] of part.means) means.set(step, value);
      for (const [step, value] of part.evaluations) evaluations.set(step, value);
      state = part.states.get(to);
      if (to === last || state === undefined) break;
    }
    return { states, means, evaluations };
  }
}

async function recordBytesOf(path: string): Promise<number> {
  try {
    return (await stat(join(path, METRICS_FILE))).size;
  } catch {
    // It is missing, which its reader says.
    return 0;
  }
}
