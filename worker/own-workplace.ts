import { isChunk } from '../shared/data/verify-chunk.js';
import { Crew } from '../shared/engine/crew.js';
import { DataStore } from '../shared/engine/data-store.js';
import { granuleOf } from '../shared/engine/granule.js';
import type { ComputeMemory, MemoryMark } from '../shared/engine/memory.js';
import type { Partial } from '../shared/engine/partials.js';
import { leastBytes, linkBytes } from '../shared/engine/run-bytes.js';
import type { RunPlace } from '../shared/engine/step-compiler.js';
import type { Team } from '../shared/engine/team.js';
import { assert, UserError } from '../shared/errors.js';
import { checkFields } from '../shared/graph/fields.js';
import { createPlan } from '../shared/graph/plan.js';
import { parseModel } from '../shared/graph/resolve.js';
import type { Run } from '../shared/protocol/messages.js';
import type { Range } from '../shared/sum/leaves.js';
import type { Prepared, Workplace } from './workplace.js';

/** What is laid out for one run. */
interface Layout {
  /** Tells whether the run of a later connection is the same. */
  readonly fingerprint: string;
  readonly place: RunPlace;
  readonly crew: Crew;
}

/** A node's own memory and threads, for a run whose coordinator is elsewhere: weights and data come over the link. */
export class OwnWorkplace implements Workplace {
  private layout: Layout | undefined;
  /** What lies before every run's: threads and their kernels. */
  private readonly bare: MemoryMark;
  /** What the threads are at. */
  private computing: Promise<unknown> = Promise.resolve();

  /** @param bytesMax what a run may take of this machine's memory, with all that is held for its link */
  constructor(
    private readonly memory: ComputeMemory,
    private readonly team: Team,
    private readonly bytesMax = Number.POSITIVE_INFINITY,
  ) {
    this.bare = memory.mark();
  }

  async prepare(run: Run): Promise<Prepared> {
    const { model, settings, data } = run;
    const fingerprint = JSON.stringify([model, settings, data]);
    if (this.layout?.fingerprint !== fingerprint) {
      // Of the run before: it may still be computed for a link that is gone.
      await this.computing.catch(() => undefined);
      this.layout = undefined;
      this.memory.rewind(this.bare);
      this.layout = this.layOut(run, fingerprint);
    }
    const { place } = this.layout;
    return { missing: place.data.missing(), weightBytes: place.plan.parameterFloats * 4 };
  }

  store(index: number, bytes: Uint8Array): boolean {
    const { data } = this.laidOut().place;
    if (!isChunk(data.manifest, index, bytes)) return false;
    data.put(index, bytes);
    return true;
  }

  loadWeights(bytes: Uint8Array): void {
    const { memory, weights, plan } = this.laidOut().place;
    assert(
      bytes.byteLength === plan.parameterFloats * 4,
      'weights are of another size than the node was told',
    );
    memory.u8(weights, bytes.byteLength).set(bytes);
  }

  compute(step: number, leaves: Range): Promise<readonly Partial[]> {
    const threads = { from: 0, to: this.team.threads };
    const work = this.laidOut().crew.compute(step, { threads, leaves });
    this.computing = work;
    return work;
  }

  payload(partials: readonly Partial[]): Uint8Array {
    const { memory, plan } = this.laidOut().place;
    const vectorBytes = plan.vectorFloats * 4;
    const [only] = partials;
    // The usual case, an aligned range: its one vector goes out from where it lies.
    if (partials.length === 1 && only !== undefined) return memory.u8(only.slot, vectorBytes);
    const payload = new Uint8Array(partials.length * vectorBytes);
    for (const [i, { slot }] of partials.entries())
      payload.set(memory.u8(slot, vectorBytes), i * vectorBytes);
    return payload;
  }

  private layOut({ model, settings, data }: Run, fingerprint: string): Layout {
    const { memory, team, bytesMax } = this;
    const plan = createPlan(parseModel(model));
    checkFields(plan.fields, data.fields);
    const { seed, batch, leafSize, granule } = settings;
    if (granule % granuleOf(plan, leafSize) !== 0)
      throw new UserError(`the run would cut groups of ${plan.group} samples; ask for one that does not`);
    const size = { plan, data, batch, leafSize, granule, threads: team.threads };
    const onLink = linkBytes(size);
    const needed = this.bare.end + leastBytes(size) + onLink;
    if (needed > bytesMax)
      throw new UserError(
        `the run needs ${mebibytes(needed)} of memory here, and may have ${mebibytes(bytesMax)}: ` +
          'allow more with --memory, or join from a larger machine',
      );
    memory.limit(bytesMax - onLink);
    const place: RunPlace = {
      memory,
      plan,
      leafSize,
      data: new DataStore(memory, data, seed),
      weights: memory.allocate(plan.parameterFloats * 4, 'parameters'),
    };
    return { fingerprint, place, crew: new Crew(this.team, place, { batch, granule }) };
  }

  private laidOut(): Layout {
    assert(this.layout !== undefined, 'a node was handed work before its run');
    return this.layout;
  }
}

function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}
