import { html, nothing, type TemplateResult } from 'lit-html';
import { NAME_CHARACTERS_MAX } from '../../shared/protocol/limits.js';
import { KEPT_BYTES_MAX } from '../worker/chunk-cache.js';
import type { Power } from './battery.js';
import { type Choice, threadsMax } from './contribution.js';
import { countText } from './number-text.js';
import type { TabPhase, TabWorker } from './tab-worker.js';

/** What the buttons and fields do. */
export interface JoinActions {
  change(part: Partial<Choice>): void;
  pauseOnBattery(isWished: boolean): void;
  join(): void;
  leave(): void;
  /** Deletes the data that this browser keeps. */
  clear(): void;
}

/** What is shown beside the state of the tab. */
export interface JoinSettings {
  readonly choice: Choice;
  readonly power: Power;
  readonly pausesOnBattery: boolean;
  /** Bytes of data that this browser keeps; undefined when it cannot keep any. */
  readonly keptBytes: number | undefined;
}

/** The part of the page with which this tab joins and leaves the run. */
export function joinView(tab: TabWorker, settings: JoinSettings, actions: JoinActions): TemplateResult {
  const { phase } = tab;
  const isActive = phase.kind !== 'idle' && phase.kind !== 'ended';
  return html`
      <h2 id="join-title">This machine</h2>
      <p id="join-status" role="status" data-phase=${phase.kind}>${statusText(phase)}</p>
      ${tab.notice === '' ? nothing : html`<p class="quiet">${tab.notice}</p>`}
      ${
        isActive || phase.kind === 'ended'
          ? html`<p>Samples computed: <data id="join-samples" value=${tab.samples}>${countText(tab.samples)}</data></p>`
          : nothing
      }
      ${dataView(tab)} ${fields(settings.choice, isActive, actions)} ${batteryView(settings, actions)}
      ${
        isActive
          ? html`<button id="leave" ?disabled=${phase.kind === 'leaving'} @click=${actions.leave}>Leave the run</button>`
          : html`<button id="join" class="primary" @click=${actions.join}>
            ${phase.kind === 'ended' ? 'Join again' : 'Join the run with this machine'}
          </button>`
      }
      ${keptView(tab, settings.keptBytes, actions)}
  `;
}

function keptView(tab: TabWorker, keptBytes: number | undefined, { clear }: JoinActions): TemplateResult {
  if (tab.keepsNoData !== '')
    return html`<p class="quiet" id="kept">This browser keeps no training data for the next time: ${tab.keepsNoData}.</p>`;
  if (keptBytes === undefined)
    return html`<p class="quiet" id="kept">This browser keeps no training data for the next time.</p>`;
  return html`
    <p class="quiet" id="kept">
      This browser keeps the training data that it was sent, at most ${mebibytes(KEPT_BYTES_MAX)} MiB, so that it is sent
      once. The oldest is deleted first. Kept now: <data id="kept-bytes" value=${keptBytes}>${mebibytes(keptBytes)} MiB</data>.
    </p>
    <button id="clear-kept" ?disabled=${keptBytes === 0} @click=${clear}>Delete the kept data</button>
  `;
}

function mebibytes(bytes: number): string {
  return bytes === 0 || bytes >= 2 ** 20 ? String(Math.round(bytes / 2 ** 20)) : (bytes / 2 ** 20).toFixed(2);
}

function dataView({ data }: TabWorker): TemplateResult | typeof nothing {
  if (data === undefined) return nothing;
  const { kept, fetched, damaged } = data;
  return html`
    <p id="join-data" data-kept=${kept} data-fetched=${fetched} data-damaged=${damaged}>
      Chunks of training data: ${kept} kept in this browser, ${fetched} fetched${damaged === 0 ? nothing : html`; ${damaged} kept here had changed and were not used`}.
    </p>
  `;
}

function batteryView(
  { power, pausesOnBattery }: JoinSettings,
  { pauseOnBattery }: JoinActions,
): TemplateResult {
  if (power === 'unknown')
    return html`<p class="quiet" id="no-battery">No pause on battery: this browser does not tell this page where the power comes from.</p>`;
  return html`
    <p>
      <label class="choice">
        <input
          id="pause-on-battery"
          type="checkbox"
          .checked=${pausesOnBattery}
          @change=${(event: Event) => pauseOnBattery((event.target as HTMLInputElement).checked)}
        />
        Pause on battery
      </label>
    </p>
  `;
}

function statusText(phase: TabPhase): string {
  switch (phase.kind) {
    case 'idle':
      return 'This tab only watches. If you let it join, it computes for the run until you leave or close it. It receives the network, the weights and training data, keeps the data for the next time, and runs no code of others.';
    case 'starting':
      return 'Loading the kernels and testing them …';
    case 'working':
      return `Taking part: ${phase.threads} ${phase.threads === 1 ? 'thread' : 'threads'}, ${phase.backend} (${phase.detail})`;
    case 'leaving':
      return 'Leaving …';
    case 'paused':
      return 'Paused: this machine runs on battery. It joins again when it is charged.';
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
          @change=${({ target }: Event) => {
            const input = target as HTMLInputElement;
            const threads = Math.min(most, Math.max(1, Math.round(Number(input.value)) || 1));
            // Also where it is what was shown before.
            input.value = String(threads);
            change({ threads });
          }}
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
