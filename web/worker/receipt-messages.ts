/* The messages between the page of a run's steps and the worker that checks a receipt. Both are of one build. */

import type { Stretch, StretchFindings } from '../../trainer/receipt/stretch-ends.js';
import type { ThreadRequest } from './messages.js';

/** From the page, which sends one. */
export interface ReceiptQuestion {
  readonly kind: 'check';
  /** The text of the receipt. */
  readonly text: string;
  /** Of its file, for people. */
  readonly name: string;
  readonly stretch: Stretch;
  /** Permits asking the server of the page. */
  readonly token: string;
  readonly threads: number;
}

/** From the worker: how far it has come, and in the end what was found, or why nothing is proven. */
export type ReceiptAnswer =
  | ThreadRequest
  | { readonly kind: 'loading'; readonly what: string }
  | { readonly kind: 'computing'; readonly done: number }
  | { readonly kind: 'proven'; readonly findings: StretchFindings }
  | { readonly kind: 'refused'; readonly reason: string };
