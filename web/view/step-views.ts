import { html, nothing, type TemplateResult } from 'lit-html';
import type { NeuronNumbers, RunFacts, StepDistance, StepFacts } from '../../shared/protocol/view-facts.js';

/** Weights of a neuron that the table shows; the largest gradients come first. */
const WEIGHTS_SHOWN = 64;
/** Places of a filter's map that are shown. */
const PLACES_SHOWN = 36;

/** A float32 in the fewest digits that tell it apart from all others. */
function exact(value: number | string | undefined): string {
  return value === undefined ? '' : typeof value === 'string' ? value : shortest(value);
}

function shortest(value: number): string {
  for (let digits = 1; digits <= 9; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === Math.fround(value)) return String(Number(text));
  }
  return String(value);
}

/** Other pages of the run. */
export function reportsView({ reports }: Pick<RunFacts, 'reports'>): TemplateResult {
  return html`
    <section class="card full" aria-labelledby="reports-title">
      <h2 id="reports-title">Other pages of this run</h2>
      ${
        reports.length === 0
          ? html`<p class="quiet">None yet. unisum report writes run.html, --inspect-gradients gradients.html; lr-find, explain and bench scaling write theirs here with --html.</p>`
          : html`<ul id="reports">${reports.map(({ title, path }) => html`<li><a href=${path} target="_blank" rel="noreferrer">${title}</a></li>`)}</ul>`
      }
    </section>
  `;
}

/** The network after so many steps. */
export function stepView({
  step,
  weightsSha256,
  isAsRecorded,
  metrics,
  evaluation,
  parameters,
}: StepFacts): TemplateResult {
  const told =
    isAsRecorded === undefined
      ? 'The record has no hash of this step.'
      : isAsRecorded
        ? 'As recorded.'
        : 'Not as recorded!';
  const facts = Object.entries({ ...metrics, ...evaluation });
  return html`<div class="cards full in-pairs">
    <section class="card" aria-labelledby="step-title">
      <h2 id="step-title">After step ${step}</h2>
      <p>SHA-256 of the weights: <code id="weights-hash">${weightsSha256}</code> <span id="recorded">${told}</span></p>
      ${facts.length === 0 ? nothing : html`<dl>${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${exact(value)}</dd></div>`)}</dl>`}
    </section>
    <section class="card" aria-labelledby="parameters-title">
      <h2 id="parameters-title">Parameters</h2>
      <div class="scroll" tabindex="0" role="region" aria-labelledby="parameters-title">
        <table id="parameters">
          <thead><tr><th scope="col">name</th><th scope="col">shape</th><th scope="col">norm</th></tr></thead>
          <tbody>
            ${parameters.map(({ name, shape, norm }) => html`<tr><th scope="row">${name}</th><td>${shape.join(' × ')}</td><td>${norm.toPrecision(6)}</td></tr>`)}
          </tbody>
        </table>
      </div>
    </section>
  </div>`;
}

/** A neuron or filter, in the symbols of the article; beside it the same of another step, where one is compared. */
export function neuronView(
  neuron: NeuronNumbers | undefined,
  other: NeuronNumbers | undefined,
): TemplateResult {
  if (neuron === undefined)
    return html`<section class="card full"><p id="no-neuron" class="quiet">No step follows: go to an earlier one to see z, y, δ and gradients.</p></section>`;
  const { layer, op, unit, step, sample, activation, weights } = neuron;
  const f = activation ?? 'identity';
  return html`
    <section class="card full" aria-labelledby="neuron-title">
      <h2 id="neuron-title">${layer} (${op}), unit ${unit}, in step ${step + 1}</h2>
      <p class="quiet">
        Sample ${sample}. z is the sum of the layer, y = f(z) with f = ${f}, δ = ∂L/∂z with the 1/batch of the mean loss. ∂L/∂w is the
        sum over the whole batch. Δw is what the optimizer added to w.
      </p>
      <div class="scroll" tabindex="0" role="region" aria-label="z, y and δ">
        <table id="numbers">
          <thead>
            <tr><th scope="col">place</th>${heads(step, other)}</tr>
          </thead>
          <tbody>
            ${neuron.z.slice(0, PLACES_SHOWN).map(
              (_, i) => html`<tr>
                <th scope="row">${i}</th>
                ${cells(neuron, i)} ${other === undefined ? nothing : cells(other, i)}
              </tr>`,
            )}
          </tbody>
        </table>
      </div>
      ${neuron.z.length > PLACES_SHOWN ? html`<p class="quiet">The first ${PLACES_SHOWN} of ${neuron.z.length} places.</p>` : nothing}
      ${weights.map((one, i) => weightsView(one, other?.weights[i], neuron, i))}
    </section>
  `;
}

function heads(step: number, other: NeuronNumbers | undefined): TemplateResult[] {
  const named = (at: number): TemplateResult[] =>
    ['z', 'y', 'δ'].map(
      (name) => html`<th scope="col">${name}${other === undefined ? nothing : html` at ${at}`}</th>`,
    );
  return [...named(step), ...(other === undefined ? [] : named(other.step))];
}

function cells({ z, y, delta }: NeuronNumbers, i: number): TemplateResult {
  const mark = (name: string): string | typeof nothing => (i === 0 ? name : nothing);
  return html`<td data-number=${mark('z')}>${exact(z[i])}</td><td data-number=${mark('y')}>${exact(y[i])}</td><td data-number=${mark('delta')}>${exact(delta[i])}</td>`;
}

function weightsView(
  { name, indices, w, gradient, update }: NeuronNumbers['weights'][number],
  other: NeuronNumbers['weights'][number] | undefined,
  { x }: NeuronNumbers,
  table: number,
): TemplateResult {
  const order = indices
    .map((_, i) => i)
    .sort((a, b) => Math.abs(gradient[b] ?? 0) - Math.abs(gradient[a] ?? 0));
  // The weights of a dense layer stand beside what they are multiplied with.
  const hasX = x.length === indices.length;
  return html`
    <h3 id="weights-${table}">${name}</h3>
    <div class="scroll" tabindex="0" role="region" aria-labelledby="weights-${table}">
      <table class="weights" data-parameter=${name}>
        <thead>
          <tr>
            <th scope="col">element</th>
            ${hasX ? html`<th scope="col">x</th>` : nothing}
            <th scope="col">w</th><th scope="col">∂L/∂w</th><th scope="col">Δw</th>
            ${other === undefined ? nothing : html`<th scope="col">w of the other step</th><th scope="col">∂L/∂w of it</th>`}
          </tr>
        </thead>
        <tbody>
          ${order.slice(0, WEIGHTS_SHOWN).map(
            (i) => html`<tr data-element=${indices[i] ?? 0}>
              <th scope="row">${indices[i]}</th>
              ${hasX ? html`<td>${exact(x[i])}</td>` : nothing}
              <td>${exact(w[i])}</td><td>${exact(gradient[i])}</td><td>${exact(update[i])}</td>
              ${other === undefined ? nothing : html`<td>${exact(other.w[i])}</td><td>${exact(other.gradient[i])}</td>`}
            </tr>`,
          )}
        </tbody>
      </table>
    </div>
    ${indices.length > WEIGHTS_SHOWN ? html`<p class="quiet">The ${WEIGHTS_SHOWN} of ${indices.length} weights with the largest ∂L/∂w.</p>` : nothing}
  `;
}

/** How far two steps are from each other. */
export function distancesView(distances: readonly StepDistance[]): TemplateResult | typeof nothing {
  if (distances.length === 0) return nothing;
  return html`
    <section class="card full" aria-labelledby="distances-title">
      <h2 id="distances-title">Two steps</h2>
      <div class="scroll" tabindex="0" role="region" aria-labelledby="distances-title">
        <table id="distances">
          <thead>
            <tr><th scope="col">parameter</th><th scope="col">norm</th><th scope="col">norm of the other</th><th scope="col">distance</th></tr>
          </thead>
          <tbody>
            ${distances.map(({ name, norm, otherNorm, distance }) => html`<tr><th scope="row">${name}</th><td>${norm.toPrecision(6)}</td><td>${otherNorm.toPrecision(6)}</td><td>${distance.toPrecision(6)}</td></tr>`)}
          </tbody>
        </table>
      </div>
    </section>
  `;
}
