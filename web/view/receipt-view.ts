import { html, nothing, type TemplateResult } from 'lit-html';
import { type Cancel, systemClock } from '../../shared/actor/clock.js';
import { randomSeed } from '../../shared/actor/rng.js';
import { UserError } from '../../shared/errors.js';
import { parseReceipt, RECEIPT_BYTES_MAX, type Receipt } from '../../trainer/receipt/receipt-format.js';
import { type Stretch, type StretchFindings, stretchEnds } from '../../trainer/receipt/stretch-ends.js';
import { PageThreads } from '../page/page-threads.js';
import type { ReceiptAnswer, ReceiptQuestion } from '../worker/receipt-messages.js';

/** Longest time for one thing that is loaded: a chunk, a state, the kernels. */
const LOADING_MS_MAX = 90_000;

/** A receipt that was opened. */
interface Opened {
  readonly name: string;
  readonly text: string;
  readonly receipt: Receipt;
  readonly begins: readonly number[];
  readonly ends: readonly number[];
}

type Phase =
  | { readonly kind: 'none' }
  | { readonly kind: 'opened' }
  | { readonly kind: 'working'; readonly what: string; readonly isLoading: boolean }
  | { readonly kind: 'proven'; readonly findings: StretchFindings }
  | { readonly kind: 'refused'; readonly reason: string };

/** Checks receipts in this tab: computes a stretch of the run again, and says what that proves. */
export class ReceiptChecker {
  private opened: Opened | undefined;
  private stretch: Stretch = { from: 0, to: 0 };
  private phase: Phase = { kind: 'none' };
  private threads: PageThreads | undefined;
  private cancelWait: Cancel = () => {};

  /**
   * @param token permits asking the server
   * @param onChange called after every change
   */
  constructor(
    private readonly token: string,
    private readonly onChange: () => void,
  ) {}

  /** The part of the page that checks receipts. */
  view(): TemplateResult {
    const { opened, phase } = this;
    return html`
      <section class="card full" aria-labelledby="receipt-title">
        <h2 id="receipt-title">Check a receipt</h2>
        <p class="quiet">
          A receipt says what a run was made of and what it came to. This tab computes a stretch of the run again, and compares what
          comes out with the receipt. The network, the data and the state that it begins with must have the hashes of the receipt.
        </p>
        <div class="fields">
          <label>receipt
            <input id="receipt-file" type="file" accept=".json,application/json"
              @change=${(event: Event) => void this.openFile((event.target as HTMLInputElement).files?.[0])} />
          </label>
        </div>
        <p class="buttons">
          <button id="receipt-own" @click=${() => void this.openOwn()}>Take the receipt of this run</button>
        </p>
        ${opened === undefined ? nothing : this.stretchView(opened)}
        <p id="receipt-status" role="status" data-phase=${phase.kind}>${statusText(phase, this.stretch)}</p>
        ${phase.kind === 'proven' ? findingsView(phase.findings) : nothing}
      </section>
    `;
  }

  private stretchView({ name, receipt, begins, ends }: Opened): TemplateResult {
    const { from, to } = this.stretch;
    const options = (steps: readonly number[], chosen: number): TemplateResult[] =>
      steps.map((step) => html`<option value=${step} ?selected=${step === chosen}>${step}</option>`);
    const numberOf = (event: Event): number => Number((event.target as HTMLSelectElement).value);
    const isWorking = this.phase.kind === 'working';
    const { step, reason, weightsSha256 } = receipt.end;
    return html`
      <p>
        ${name}: ${receipt.sessions[0]?.recipe}, ${reason} at step ${step}, weights
        <code>${weightsSha256 ?? 'not finite'}</code>
      </p>
      <div class="fields">
        <label>compute from the state of step
          <select id="receipt-from" ?disabled=${isWorking} @change=${(event: Event) => this.choose({ from: numberOf(event), to })}>
            ${options(begins, from)}
          </select>
        </label>
        <label>to step
          <select id="receipt-to" ?disabled=${isWorking} @change=${(event: Event) => this.choose({ from, to: numberOf(event) })}>
            ${options(ends, to)}
          </select>
        </label>
      </div>
      <p class="buttons">
        <button id="receipt-draw" ?disabled=${isWorking} @click=${() => this.draw()}>Draw a stretch</button>
        <button id="receipt-check" class="primary" ?disabled=${isWorking} @click=${() => this.check()}>Compute it again</button>
      </p>
    `;
  }

  private async openFile(file: File | undefined): Promise<void> {
    if (file === undefined) return;
    if (file.size > RECEIPT_BYTES_MAX)
      return this.enter({ kind: 'refused', reason: `${file.name} is too large for a receipt` });
    this.open(file.name, await file.text());
  }

  private async openOwn(): Promise<void> {
    const response = await fetch('./view/receipt.json', {
      headers: { authorization: `Bearer ${this.token}` },
    });
    const text = await response.text();
    if (response.ok) this.open('the receipt of this run', text);
    else this.enter({ kind: 'refused', reason: text.trim() });
  }

  private open(name: string, text: string): void {
    this.stop();
    this.opened = undefined;
    try {
      const receipt = parseReceipt(text, name);
      this.opened = { name, text, receipt, ...stretchEnds(receipt) };
      this.draw();
    } catch (error) {
      this.enter({ kind: 'refused', reason: error instanceof UserError ? error.message : String(error) });
    }
  }

  /** Takes one of the shortest stretches at random: whoever has written the receipt does not know which. */
  private draw(): void {
    const { begins = [], ends = [] } = this.opened ?? {};
    const from = begins[randomSeed() % Math.max(1, begins.length)] ?? 0;
    this.choose({ from, to: ends.find((step) => step > from) ?? from });
  }

  private choose(stretch: Stretch): void {
    this.stretch = stretch;
    this.enter({ kind: 'opened' });
  }

  private check(): void {
    if (this.opened === undefined) return;
    const { name, text } = this.opened;
    this.stop();
    const worker = new Worker(new URL('../worker/receipt-worker.js', import.meta.url), {
      type: 'module',
      name: 'receipt',
    });
    const pageThreads = new PageThreads(worker);
    this.threads = pageThreads;
    worker.addEventListener('message', ({ data }: MessageEvent<ReceiptAnswer>) =>
      this.answered(data, pageThreads),
    );
    worker.addEventListener('error', ({ message = 'it could not be loaded' }) =>
      this.enter({ kind: 'refused', reason: `what computes has ended: ${message}` }),
    );
    const threads = crossOriginIsolated ? Math.max(1, navigator.hardwareConcurrency - 1) : 1;
    worker.postMessage({
      ...{ kind: 'check', name, text, threads },
      stretch: this.stretch,
      token: this.token,
    } satisfies ReceiptQuestion);
    this.enter({ kind: 'working', what: 'loading', isLoading: true });
  }

  private answered(answer: ReceiptAnswer, threads: PageThreads): void {
    if (answer.kind === 'start-thread' || answer.kind === 'stop-threads') return threads.handle(answer);
    const { from, to } = this.stretch;
    if (answer.kind === 'loading')
      return this.enter({ kind: 'working', what: `loading ${answer.what}`, isLoading: true });
    if (answer.kind === 'computing')
      return this.enter({
        kind: 'working',
        what: `computing: ${answer.done} of ${to - from} steps`,
        isLoading: false,
      });
    this.stop();
    this.enter(answer);
  }

  private stop(): void {
    this.threads?.terminate();
    this.threads = undefined;
  }

  private giveUp(what: string): void {
    this.stop();
    this.enter({ kind: 'refused', reason: `${what} took more than ${LOADING_MS_MAX / 1000} s; try again` });
  }

  private enter(phase: Phase): void {
    this.phase = phase;
    this.cancelWait();
    if (phase.kind === 'working' && phase.isLoading)
      this.cancelWait = systemClock.after(LOADING_MS_MAX, () => this.giveUp(phase.what));
    this.onChange();
  }
}

function statusText(phase: Phase, { from, to }: Stretch): string {
  switch (phase.kind) {
    case 'none':
      return 'No receipt is open.';
    case 'opened':
      return `${to - from} steps are to be computed.`;
    case 'working':
      return `${phase.what} …`;
    case 'proven':
      return `What was computed again is as the receipt says: steps ${from + 1} to ${to}.`;
    case 'refused':
      return `Not proven: ${phase.reason}`;
  }
}

function findingsView({ proven, notProven }: StretchFindings): TemplateResult {
  const list = (id: string, lines: readonly string[]): TemplateResult =>
    html`<ul id=${id}>${lines.map((line) => html`<li>${line}</li>`)}</ul>`;
  return html`
    <h3>Proven</h3>
    ${list('receipt-proven', proven)}
    <h3>Not proven</h3>
    ${list('receipt-not-proven', notProven)}
  `;
}
