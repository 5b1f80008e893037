import { messageOf } from '../../shared/errors.js';
import type { Run } from '../../shared/protocol/messages.js';
import { DelegatingExecutor } from '../../worker/delegating-executor.js';
import type { Executor, Prepared } from '../../worker/executor.js';
import type { ChunkCache } from './chunk-cache.js';

/** Where the chunks of a run's data have come from. */
export interface DataOrigin {
  /** Chunks that this browser had kept. */
  readonly kept: number;
  /** Chunks that the coordinator has sent. */
  readonly fetched: number;
  /** Chunks that were kept and did not have their hash. */
  readonly damaged: number;
}

/** What a cached executor reports. */
export interface CacheReports {
  onData(origin: DataOrigin): void;
  /** A chunk that has arrived is kept now. */
  onKept(): void;
  /** The cache failed, and is not used any more. */
  onFailure(reason: string): void;
}

/** An executor that takes chunks from a cache before they are asked for, and keeps those that arrive. */
export class CachedExecutor extends DelegatingExecutor {
  private run: Run | undefined;
  private origin: DataOrigin = { kept: 0, fetched: 0, damaged: 0 };

  /** @param cache undefined when this browser keeps nothing */
  constructor(
    inner: Executor,
    private cache: ChunkCache | undefined,
    private readonly reports: CacheReports,
  ) {
    super(inner);
  }

  override async prepare(run: Run): Promise<Prepared> {
    this.run = run;
    this.origin = { kept: 0, fetched: 0, damaged: 0 };
    const prepared = await super.prepare(run);
    const missing: number[] = [];
    for (const index of prepared.missing) {
      const bytes = await this.read(run, index);
      // The link has gone meanwhile, and the next one has brought a run, which may be another: its preparation counts.
      if (this.run !== run) return prepared;
      if (bytes !== undefined && super.store(index, bytes)) this.count('kept');
      else {
        if (bytes !== undefined) this.count('damaged');
        missing.push(index);
      }
    }
    return { ...prepared, missing };
  }

  override store(index: number, bytes: Uint8Array): boolean {
    const isValid = super.store(index, bytes);
    if (!isValid) return false;
    this.count('fetched');
    const hash = this.run?.data.chunkHashes[index];
    if (hash !== undefined) void this.keep(hash, bytes);
    return true;
  }

  private async keep(hash: string, bytes: Uint8Array): Promise<void> {
    if (this.cache === undefined) return;
    try {
      await this.cache.keep(hash, bytes);
      this.reports.onKept();
    } catch (error) {
      this.failed(error);
    }
  }

  private async read(run: Run, index: number): Promise<Uint8Array | undefined> {
    try {
      return await this.cache?.read(run.data.chunkHashes[index] as string);
    } catch (error) {
      this.failed(error);
      return undefined;
    }
  }

  private count(what: keyof DataOrigin): void {
    this.origin = { ...this.origin, [what]: this.origin[what] + 1 };
    this.reports.onData(this.origin);
  }

  private failed(error: unknown): void {
    if (this.cache === undefined) return;
    this.cache = undefined;
    this.reports.onFailure(messageOf(error));
  }
}
