import type { Link } from '../../shared/link/link.js';
import { PacedSender } from '../../shared/link/paced-sender.js';
import type { Work } from '../../shared/protocol/messages.js';
import { joinVectors, type Segment, travelWhole, type VectorCut } from '../../shared/reduction/segments.js';

/** Vectors to be sent: how they are cut, and where they lie. */
export interface OutgoingVectors {
  readonly cut: VectorCut;
  readonly views: readonly Uint8Array[];
  /** The order in which the segments of each vector are sent. */
  readonly order: readonly number[];
}

/**
 * Sends vectors to a member behind the work that they are for. They are read when their turn comes; where the run has gone on
 * by then, nobody needs what the member computes with them.
 */
export class VectorSender {
  private readonly segments: PacedSender;

  constructor(private readonly link: Link) {
    this.segments = new PacedSender(link);
  }

  /** Sends work and what comes with it. What has not been sent of earlier vectors is void. */
  send(work: Work, { cut, views, order }: OutgoingVectors): void {
    const { link, segments } = this;
    segments.drop();
    if (travelWhole(cut, views.length)) return link.send(work, joinVectors(views));
    link.send(work);
    const { step } = work;
    for (const [vector, view] of views.entries())
      for (const index of order) {
        const { at, bytes } = cut.segments[index] as Segment;
        segments.send({ kind: 'segment', step, vector, index }, view.subarray(at, at + bytes));
      }
  }

  /** The link is closed. */
  drop(): void {
    this.segments.drop();
  }
}
