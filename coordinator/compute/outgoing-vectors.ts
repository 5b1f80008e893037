import type { Link } from '../../shared/link/link.js';
import { PacedSender } from '../../shared/link/paced-sender.js';
import type { Work } from '../../shared/protocol/messages.js';
import {
  joinVectors,
  type Segment,
  type SegmentPlace,
  travelWhole,
  type VectorCut,
} from '../../shared/reduction/segments.js';

/** Vectors to be sent: how they are cut, and where they lie. */
export interface OutgoingVectors {
  readonly cut: VectorCut;
  readonly views: readonly Uint8Array[];
  /** The order in which the segments of each vector are sent. */
  readonly order: readonly number[];
  /** Whether a segment is on this machine, which may be receiving it itself; left out: all are. */
  readonly isHere?: (place: SegmentPlace) => boolean;
}

/**
 * Sends vectors to a member behind the work that they are for. They are read when their turn comes; where the run has gone on
 * by then, nobody needs what the member computes with them.
 */
export class VectorSender {
  private readonly segments: PacedSender;
  /** Sends the segments that are not here yet. */
  private awaited: { readonly place: SegmentPlace; readonly send: () => void }[] = [];
  private isKept = false;

  constructor(private readonly link: Link) {
    this.segments = new PacedSender(link);
  }

  /**
   * Sends work and what comes with it. What has not been sent of earlier vectors is void.
   * @param isKept whether they are sent as they are now, also after `keepUnsent`
   */
  send(work: Work, { cut, views, order, isHere = () => true }: OutgoingVectors, isKept = false): void {
    const { link, segments } = this;
    this.drop();
    this.isKept = isKept;
    if (travelWhole(cut, views.length)) return link.send(work, joinVectors(views));
    link.send(work);
    const { step } = work;
    for (const [vector, view] of views.entries())
      for (const index of order) {
        const { at, bytes } = cut.segments[index] as Segment;
        const place = { vector, index };
        const send = (): void =>
          segments.send({ kind: 'segment', step, ...place }, view.subarray(at, at + bytes));
        if (isHere(place)) send();
        else this.awaited.push({ place, send });
      }
  }

  /** A segment is here now. */
  arrived({ vector, index }: SegmentPlace): void {
    const at = this.awaited.findIndex(({ place }) => place.vector === vector && place.index === index);
    if (at >= 0) this.awaited.splice(at, 1)[0]?.send();
  }

  /** What is not here never comes: it is sent as it is, because nobody needs what the member computes with it. */
  sendAsIs(): void {
    for (const { send } of this.awaited.splice(0)) send();
  }

  /** The vectors are about to change: copies what has not been sent of those that are kept. */
  keepUnsent(): void {
    if (!this.isKept) return;
    this.isKept = false;
    this.segments.copyWaiting();
  }

  /** The link is closed. */
  drop(): void {
    this.awaited = [];
    this.segments.drop();
  }
}
