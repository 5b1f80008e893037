import { html, nothing, type TemplateResult } from 'lit-html';
import { ref } from 'lit-html/directives/ref.js';
import type { ExampleRow, ExamplesNews, TextNews } from '../../shared/protocol/example-news.js';
import { countText } from './number-text.js';

/** Test images with the model's answers, and some of its mistakes. */
export function examplesView(news: ExamplesNews): TemplateResult {
  const { step, fixed, mistakes, tried, right, subject } = news;
  const strip = (rows: readonly ExampleRow[]): TemplateResult =>
    html`<ul class="strip">${rows.map((row) => exampleView(row, news))}</ul>`;
  return html`
    <section class="card full" aria-labelledby="examples-title">
      <h2 id="examples-title">Test ${subject}</h2>
      <p class="quiet">
        ${countText(right)} of ${countText(tried)} answers are right, after step ${countText(step)}. Only operators see data.
      </p>
      <div id="examples">${strip(fixed)}</div>
      <h3>Mistakes</h3>
      ${mistakes.length === 0 ? html`<p class="quiet">None among these.</p>` : strip(mistakes)}
    </section>
  `;
}

/** Texts that the model wrote after evaluations, the latest first. */
export function textsView(texts: readonly TextNews[]): TemplateResult | typeof nothing {
  if (texts.length === 0) return nothing;
  return html`
    <section class="card full" aria-labelledby="texts-title">
      <h2 id="texts-title">How the model goes on from a text</h2>
      <p class="quiet">After evaluations, always from the same prompt and draws. Only operators see data.</p>
      <ol id="texts" reversed>
        ${[...texts]
          .reverse()
          .map(
            ({ step, prompt, text }) =>
              html`<li data-step=${step}><span class="quiet">step ${countText(step)}:</span> <b>${prompt}</b>${text}</li>`,
          )}
      </ol>
    </section>
  `;
}

function exampleView(row: ExampleRow, { width, height, channels, subject }: ExamplesNews): TemplateResult {
  const { label, answer, probability } = row;
  const isRight = label === answer;
  const percent = Number.isNaN(probability) ? '' : `${Math.round(100 * probability)}%`;
  const what = subject === 'images' ? 'an image' : 'the spectrogram';
  const draw = (element: Element | undefined): void => {
    if (element instanceof HTMLCanvasElement) paint(element, row.pixels, channels);
  };
  return html`<li class="${isRight ? 'right' : 'wrong'} ${subject}">
    <canvas width=${width} height=${height} role="img" aria-label="${what} of ${label}" ${ref(draw)}></canvas>
    <span>${isRight ? `${label} ✓` : `${answer} ✗, is ${label}`}</span> <span class="quiet">${percent}</span>
  </li>`;
}

/** Draws bytes as pixels. */
function paint(canvas: HTMLCanvasElement, pixels: string, channels: 1 | 3): void {
  if (canvas.dataset.pixels === pixels) return;
  canvas.dataset.pixels = pixels;
  const bytes = atob(pixels.replaceAll('-', '+').replaceAll('_', '/'));
  const context = canvas.getContext('2d') as CanvasRenderingContext2D;
  const image = context.createImageData(canvas.width, canvas.height);
  for (let i = 0; i < canvas.width * canvas.height; i++)
    for (let channel = 0; channel < 4; channel++)
      image.data[4 * i + channel] =
        channel === 3 ? 255 : bytes.charCodeAt(i * channels + (channels === 1 ? 0 : channel));
  context.putImageData(image, 0, 0);
}
