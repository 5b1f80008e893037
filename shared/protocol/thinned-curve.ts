/**
 * Points in the order in which they came, thinned out when there are too many: every second one is dropped, and from then
 * on every second one is skipped. So the points that are kept are evenly spaced over the whole run.
 */
export class ThinnedCurve<Point> {
  private kept: Point[] = [];
  /** One of so many points is kept. */
  private spacing = 1;
  private sinceKept = 0;
  private newest: Point | undefined;

  /** @param pointsMax most points that are kept, an even number */
  constructor(private readonly pointsMax: number) {}

  /** Adds a point. Cheap enough for every step. */
  add(point: Point): void {
    this.newest = point;
    this.sinceKept += 1;
    if (this.sinceKept < this.spacing && this.kept.length > 0) return;
    this.sinceKept = 0;
    this.kept.push(point);
    if (this.kept.length < this.pointsMax) return;
    this.kept = this.kept.filter((_, i) => i % 2 === 0);
    this.spacing *= 2;
    // The last of an even number of points was dropped.
    this.sinceKept = this.spacing / 2;
  }

  /** The points that were kept, and the newest one. */
  points(): readonly Point[] {
    const { kept, newest } = this;
    return newest === undefined || kept.at(-1) === newest ? kept : [...kept, newest];
  }
}
