import { html, nothing, type TemplateResult } from 'lit-html';
import { countText, durationText, measureText, rateText } from './number-text.js';
import { currentRate, meanRate } from './run-charts.js';
import type { RunState } from './run-state.js';

/** Events that are shown; older ones are in the run's own log. */
const EVENTS_SHOWN = 50;
/** Evaluations in the table. */
const EVALUATIONS_SHOWN = 12;

/** The connection to the run. */
export interface WatchStatus {
  readonly kind: 'connecting' | 'watching' | 'over' | 'failed';
  readonly text: string;
}

/** The state of the run in numbers. */
export function summaryView(run: RunState, status: WatchStatus): TemplateResult {
  const { progress, end } = run;
  const course = run.course.points();
  const rate = currentRate(course);
  const done = progress === undefined ? 0 : progress.step / progress.steps;
  const samplesLeft =
    progress === undefined
      ? Number.NaN
      : (progress.samples / progress.step) * (progress.steps - progress.step);
  return html`
    <section class="card" aria-labelledby="run-title">
      <h2 id="run-title">The run</h2>
      <p id="run-status" role="status" data-status=${status.kind}>${statusText(run, status)}</p>
      ${
        progress === undefined
          ? nothing
          : html`
            <progress max="1" .value=${done} aria-label="steps done">${Math.round(done * 100)}%</progress>
            <dl>
              ${fact('step', `${countText(progress.step)} of ${countText(progress.steps)}`, 'run-step')}
              ${fact('epoch', `${progress.epoch} of ${progress.epochs}`)}
              ${fact('loss', measureText(progress.loss))}
              ${fact('workers', countText(progress.workers), 'run-workers')}
              ${
                end === undefined
                  ? html`${fact('rate', rateText(rate))} ${fact('time left', durationText(samplesLeft / meanRate(course)))}`
                  : html`${fact('rate', rateText(end.samples / end.seconds))} ${fact('took', durationText(end.seconds))}`
              }
            </dl>
          `
      }
      ${
        end === undefined
          ? nothing
          : html`<p>SHA-256 of the weights: <code id="weights-hash">${end.weightsSha256}</code></p>`
      }
    </section>
  `;
}

function statusText({ end, state: { isPaused, isClosed } }: RunState, { text }: WatchStatus): string {
  if (end !== undefined) return endText(end.exitReason);
  return [
    text,
    ...(isPaused ? ['An operator has paused the run.'] : []),
    ...(isClosed ? ['It is closed to newcomers.'] : []),
  ].join(' ');
}

function endText(exitReason: 'finished' | 'stopped' | 'interrupted'): string {
  if (exitReason === 'finished') return 'The run is finished.';
  return exitReason === 'stopped'
    ? 'The run was stopped early: it no longer got better.'
    : 'The run was interrupted.';
}

function fact(name: string, value: string, id?: string): TemplateResult {
  return html`<div><dt>${name}</dt><dd id=${id ?? nothing}>${value}</dd></div>`;
}

/** The latest evaluations as a table. */
export function evaluationsView(run: RunState): TemplateResult {
  const evaluations = run.evaluations.points().slice(-EVALUATIONS_SHOWN).reverse();
  const names = [...new Set(evaluations.flatMap(({ metrics }) => Object.keys(metrics)))];
  return html`
    <section class="card" aria-labelledby="evaluations-title">
      <h2 id="evaluations-title">Evaluations</h2>
      ${
        evaluations.length === 0
          ? html`<p class="quiet">None yet.</p>`
          : html`
            <div id="evaluations" class="scroll" tabindex="0" role="region" aria-labelledby="evaluations-title">
              <table>
                <thead>
                  <tr><th scope="col">epoch</th>${names.map((name) => html`<th scope="col">${name}</th>`)}</tr>
                </thead>
                <tbody>
                  ${evaluations.map(
                    ({ epoch, metrics }) => html`<tr>
                      <th scope="row">${Number.isInteger(epoch) ? epoch : epoch.toFixed(2)}</th>
                      ${names.map((name) => html`<td>${name in metrics ? measureText(metrics[name] as number) : ''}</td>`)}
                    </tr>`,
                  )}
                </tbody>
              </table>
            </div>
          `
      }
    </section>
  `;
}

/** What happened, the latest first. */
export function eventsView(run: RunState): TemplateResult {
  const events = run.events.slice(-EVENTS_SHOWN).reverse();
  return html`
    <section class="card" aria-labelledby="events-title">
      <h2 id="events-title">What happened</h2>
      ${
        events.length === 0
          ? html`<p class="quiet">Nothing yet.</p>`
          : html`<ol id="events" class="scroll" tabindex="0" reversed>
            ${events.map(({ seconds, topic, text }) => html`<li data-topic=${topic}><span class="quiet">${durationText(seconds)}</span> ${text}</li>`)}
          </ol>`
      }
    </section>
  `;
}
