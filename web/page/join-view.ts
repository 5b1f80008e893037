import { html, nothing, type TemplateResult } from 'lit-html';
import { NAME_CHARACTERS_MAX } from '../../shared/protocol/limits.js';
import { type Choice, threadsMax } from './contribution.js';
import { countText } from './number-text.js';
import type { TabPhase, TabWorker } from './tab-worker.js';

/** What the buttons and fields do. */
export interface JoinActions {
  change(part: Partial<Choice>): void;
  join(): void;
  leave(): void;
}

/** The part of the page with which this tab joins and leaves the run. */
export function joinView(tab: TabWorker, choice: Choice, actions: JoinActions): TemplateResult {
  const { phase } = tab;
  const isActive = phase.kind === 'starting' || phase.kind === 'working' || phase.kind === 'leaving';
  return html`
    <section class="card" aria-labelledby="join-title">
      <h2 id="join-title">This machine</h2>
      <p id="join-status" role="status" data-phase=${phase.kind}>${statusText(phase)}</p>
      ${tab.notice === '' ? nothing : html`<p class="quiet">${tab.notice}</p>`}
      ${
        isActive || phase.kind === 'ended'
          ? html`<p>Samples computed: <data id="join-samples" value=${tab.samples}>${countText(tab.samples)}</data></p>`
          : nothing
      }
      ${fields(choice, isActive, actions)}
      ${
        isActive
          ? html`<button id="leave" ?disabled=${phase.kind === 'leaving'} @click=${actions.leave}>Leave the run</button>`
          : html`<button id="join" class="primary" @click=${actions.join}>
            ${phase.kind === 'ended' ? 'Join again' : 'Join the run with this machine'}
          </button>`
      }
    </section>
  `;
}

function statusText(phase: TabPhase): string {
  switch (phase.kind) {
    case 'idle':
      return 'This tab only watches. If you let it join, it computes for the run until you leave or close it. It receives the network, the weights and training data, and runs no code of others.';
    case 'starting':
      return 'Loading the kernels and testing them …';
    case 'working':
      return `Taking part: ${phase.threads} ${phase.threads === 1 ? 'thread' : 'threads'}, ${phase.backend} (${phase.detail})`;
    case 'leaving':
      return 'Leaving …';
    case 'ended':
      return phase.isFailure ? `Not taking part: ${phase.reason}` : `Done: ${phase.reason}`;
  }
}

function fields(choice: Choice, isActive: boolean, { change }: JoinActions): TemplateResult {
  const inputOf = (event: Event): string => (event.target as HTMLInputElement).value;
  const most = threadsMax();
  return html`
    <div class="fields">
      <label>
        Name
        <input
          id="name"
          maxlength=${NAME_CHARACTERS_MAX}
          autocomplete="off"
          .value=${choice.name}
          ?disabled=${isActive}
          @input=${(event: Event) => change({ name: inputOf(event) })}
        />
      </label>
      <label>
        Threads
        <input
          id="threads"
          type="number"
          min="1"
          max=${most}
          .value=${String(choice.threads)}
          ?disabled=${isActive || most === 1}
          @change=${(event: Event) =>
            change({
              ...choice,
              threads: Math.min(most, Math.max(1, Math.round(Number(inputOf(event))) || 1)),
            })}
        />
      </label>
      <label>
        Time in use: ${choice.percent}%
        <input
          id="percent"
          type="range"
          min="10"
          max="100"
          step="10"
          .value=${String(choice.percent)}
          @input=${(event: Event) => change({ percent: Number(inputOf(event)) })}
        />
      </label>
      <label>
        Kernels
        <select
          id="backend"
          ?disabled=${isActive}
          @change=${(event: Event) => change({ backend: inputOf(event) as Choice['backend'] })}
        >
          <option value="wasm" ?selected=${choice.backend === 'wasm'}>fastest of this browser</option>
          <option value="wasm-exact" ?selected=${choice.backend === 'wasm-exact'}>without relaxed SIMD</option>
        </select>
      </label>
    </div>
    ${
      most === 1 && navigator.hardwareConcurrency > 1
        ? html`<p class="quiet">
          One thread only: browsers share memory between threads on https:// pages and on this machine's own
          address (localhost).
        </p>`
        : nothing
    }
  `;
}
