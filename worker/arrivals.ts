import type { SegmentPlace } from '../shared/reduction/segments.js';
import type { Vectors } from './executor.js';

/** A wait for segments. */
interface Wait {
  /** Those that are missing. */
  readonly missing: Set<number>;
  readonly resolve: () => void;
}

/** Lets a computation wait for segments of vectors that arrive. */
export class Arrivals {
  private segments = 0;
  private missing = new Set<number>();
  private readonly waits = new Set<Wait>();

  /** These vectors will arrive. What was expected before and is missing never comes. */
  expect({ count, cut }: Vectors): void {
    this.stopWaiting();
    this.segments = cut.segments.length;
    for (let key = 0; key < count * this.segments; key++) this.missing.add(key);
  }

  /** A segment has arrived. */
  arrived(place: SegmentPlace): void {
    const key = this.keyOf(place);
    this.missing.delete(key);
    for (const wait of this.waits) if (wait.missing.delete(key) && wait.missing.size === 0) this.end(wait);
  }

  /** Nothing more arrives. */
  stopWaiting(): void {
    this.missing.clear();
    for (const wait of this.waits) this.end(wait);
  }

  /** Whether none of these is missing. @param places left out: all that are expected */
  areHere(places?: readonly SegmentPlace[]): boolean {
    if (places === undefined) return this.missing.size === 0;
    return !places.some((place) => this.missing.has(this.keyOf(place)));
  }

  /** Resolves when these are here, or never come. @param places left out: all that are expected */
  async here(places?: readonly SegmentPlace[]): Promise<void> {
    const keys = places?.map((place) => this.keyOf(place)).filter((key) => this.missing.has(key));
    const missing = new Set(keys ?? this.missing);
    if (missing.size > 0) await new Promise<void>((resolve) => this.waits.add({ missing, resolve }));
  }

  private end(wait: Wait): void {
    this.waits.delete(wait);
    wait.resolve();
  }

  private keyOf({ vector, index }: SegmentPlace): number {
    return vector * this.segments + index;
  }
}
