import { html, nothing, type TemplateResult } from 'lit-html';
import type { LayerRow, LayersNews } from '../../shared/protocol/layer-news.js';
import { measureText } from './number-text.js';

/** A part of dead units from which on a layer is marked. */
const MANY_DEAD = 0.5;

/** What backprop did in the latest inspected step, layer by layer. */
export function layersView(news: LayersNews | undefined): TemplateResult {
  return html`
    <section class="card full" aria-labelledby="layers-title">
      <h2 id="layers-title">Layers</h2>
      ${
        news === undefined
          ? html`<p class="quiet">
            Not inspected. A run that is started with --inspect-gradients shows gradients, updates and dead units of each layer
            here.
          </p>`
          : html`
            <p class="quiet">In step ${news.step + 1}</p>
            <div class="scroll" tabindex="0" role="region" aria-labelledby="layers-title">
              <table id="layers">
                <thead>
                  <tr>
                    <th scope="col">layer</th>
                    <th scope="col">output, rms</th>
                    <th scope="col">error term, rms</th>
                    <th scope="col">gradient, norm</th>
                    <th scope="col">update, norm</th>
                    <th scope="col">update / weights</th>
                    <th scope="col">dead units</th>
                  </tr>
                </thead>
                <tbody>
                  ${news.layers.map(rowView)}
                </tbody>
              </table>
            </div>
          `
      }
    </section>
  `;
}

function rowView({
  name,
  op,
  activation,
  error,
  deadUnits,
  gradientNorm,
  updateNorm,
  updateRatio,
}: LayerRow): TemplateResult {
  const figure = (value: number | undefined): string => (value === undefined ? '' : measureText(value));
  const isDead = deadUnits !== undefined && deadUnits >= MANY_DEAD;
  return html`<tr>
    <th scope="row">${name} <span class="quiet">${op}</span></th>
    <td>${figure(activation)}</td>
    <td>${figure(error)}</td>
    <td>${figure(gradientNorm)}</td>
    <td>${figure(updateNorm)}</td>
    <td>${figure(updateRatio)}</td>
    <td>${deadUnits === undefined ? '' : `${Math.round(100 * deadUnits)}%`}${isDead ? html` <strong>many</strong>` : nothing}</td>
  </tr>`;
}
