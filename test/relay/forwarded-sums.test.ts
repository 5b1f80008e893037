import { expect, it } from 'vitest';
import { ForwardedSums, type SegmentAddition } from '../../relay/forwarded-sums.js';
import type { PartialSum } from '../../shared/engine/step/partial-sum-addition.js';

/** Two segments of sums of two leaves. What is added is the text of the buffers, and of what they held. */
class Below {
  readonly log: string[] = [];
  /** By buffer, what it holds. */
  readonly held = new Map<number, string>();
  /** By segment, the buffers of which it is here. */
  readonly here = new Map<number, readonly number[]>();
  readonly results = new Map<number, string>();
  readonly forwarded: ForwardedSums;
  /** Additions that are under way. */
  private readonly under: (() => void)[] = [];

  constructor() {
    this.forwarded = new ForwardedSums({
      segments: 2,
      cover: (segment) => this.sums(this.here.get(segment)),
      add: ({ sums, segments }, done) => {
        this.log.push(`add ${segments} of ${sums.map(({ buffer }) => buffer)}`);
        for (const segment of segments) this.results.set(segment, this.textOf(sums));
        this.under.push(done);
      },
      copy: (segment) => new TextEncoder().encode(this.results.get(segment)),
      forward: (segments) => this.log.push(`forward ${segments}`),
      retract: () => this.log.push('retract'),
    });
  }

  /** A segment is here of these buffers. */
  arrives(segment: number, ...buffers: number[]): void {
    this.here.set(segment, buffers);
    this.forwarded.arrived(segment);
  }

  /** The addition under way is done. */
  isAdded(): void {
    this.under.shift()?.();
  }

  finish(...buffers: number[]): void {
    this.forwarded.finish(this.sums(buffers) ?? [], () =>
      this.log.push(`done ${[...this.results.values()]}`),
    );
  }

  private textOf(sums: SegmentAddition['sums']): string {
    return sums.map(({ buffer }) => this.held.get(buffer) ?? 'x').join('+');
  }

  private sums(buffers: readonly number[] | undefined): readonly PartialSum[] | undefined {
    return buffers?.map((buffer, index) => ({ node: { level: 0, index }, buffer }));
  }
}

it('forwards what is here of all, and adds it once', () => {
  const below = new Below();
  below.forwarded.arrived(0);
  below.arrives(0, 1, 2);
  below.isAdded();
  below.arrives(1, 1, 2);
  below.isAdded();
  below.finish(1, 2);
  expect(below.log).toEqual(['add 0 of 1,2', 'forward 0', 'add 1 of 1,2', 'forward 1', 'done x+x,x+x']);
});

it('adds and forwards at the end what was not forwarded, and nothing before all is here', () => {
  const below = new Below();
  below.finish(1, 2);
  expect(below.log).toEqual(['add 0,1 of 1,2']);
  below.isAdded();
  expect(below.log.slice(1)).toEqual(['forward 0,1', 'done x+x,x+x']);
});

it('keeps what it has forwarded of one that died, if the answer that counts has the same bits', () => {
  const below = new Below();
  below.arrives(0, 1, 2);
  below.isAdded();
  below.forwarded.released([2]);
  below.finish(1, 3);
  for (let i = 0; i < 2; i++) below.isAdded();
  expect(below.log.slice(2)).toEqual(['add 0,1 of 1,3', 'forward 1', 'done x+x,x+x']);
});

it('retracts what it has forwarded if the answer that counts has other bits', () => {
  const below = new Below();
  below.held.set(2, 'wrong');
  below.arrives(0, 1, 2);
  below.isAdded();
  below.finish(1, 3);
  below.isAdded();
  expect(below.log.slice(2)).toEqual(['add 0,1 of 1,3', 'forward 1', 'retract', 'done x+x,x+x']);
});

it('trusts no buffer that was released since, even if it holds an answer that counts', () => {
  const below = new Below();
  below.held.set(2, 'wrong');
  below.arrives(0, 1, 2);
  below.isAdded();
  below.forwarded.released([2]);
  below.held.set(2, 'x');
  below.finish(1, 2);
  below.isAdded();
  expect(below.log.slice(2)).toEqual(['add 0,1 of 1,2', 'forward 1', 'retract', 'done x+x,x+x']);
});

it('forwards nothing of which a buffer was released while it was added', () => {
  const below = new Below();
  below.arrives(0, 1, 2);
  below.forwarded.released([1]);
  below.here.delete(0);
  below.isAdded();
  below.arrives(0, 3, 2);
  below.isAdded();
  expect(below.log).toEqual(['add 0 of 1,2', 'add 0 of 3,2', 'forward 0']);
});

it('adds again what was being added of others when the answers that count became known', () => {
  const below = new Below();
  below.held.set(2, 'wrong');
  below.arrives(0, 1, 2);
  below.finish(1, 3);
  for (let i = 0; i < 3; i++) below.isAdded();
  expect(below.log).toEqual([
    ...['add 0 of 1,2', 'forward 0', 'add 1,0 of 1,3', 'forward 1', 'retract', 'done x+x,x+x'],
  ]);
});

it('ends an abandoned task when nothing is being added any more, and forwards nothing of it', () => {
  const below = new Below();
  below.arrives(0, 1, 2);
  below.arrives(1, 1, 2);
  below.forwarded.abandon(() => below.log.push('ended'));
  expect(below.log).toEqual(['add 0 of 1,2']);
  below.isAdded();
  below.arrives(1, 1, 2);
  expect(below.log).toEqual(['add 0 of 1,2', 'ended']);
});
