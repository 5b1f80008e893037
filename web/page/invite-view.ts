import { html, nothing, svg, type TemplateResult } from 'lit-html';
import type { QrCode } from './qr-code.js';

/** Light modules around a code, which readers need (ISO/IEC 18004). */
const MARGIN = 4;

/** Shows the link with which other machines join, to those whose own link permits that, when they ask for it. */
export class Invitation {
  private code: QrCode | undefined;
  private isShown = false;
  private problem = '';

  /**
   * @param url the joining link
   * @param onChange called after every change
   */
  constructor(
    private readonly url: string,
    private readonly onChange: () => void,
  ) {}

  /** The part of the page that invites machines. */
  view(): TemplateResult {
    const { url, code, isShown, problem } = this;
    const isOfThisMachine = /^https?:\/\/(localhost|127\.[\d.]+|\[::1\])[:/]/.test(url);
    return html`
      <section class="card" aria-labelledby="invite-title">
        <h2 id="invite-title">Other machines</h2>
        <p class="buttons">
          <button id="invite" aria-expanded=${isShown} @click=${() => void this.toggle()}>
            ${isShown ? 'Hide the joining link' : 'Show the joining link and its QR code'}
          </button>
        </p>
        ${
          isShown
            ? html`
              <p class="quiet">Those who have this link can join the run with a machine: show it only to those who may.</p>
              <p><code id="invite-link">${url}</code></p>
              ${code === undefined ? html`<p role="status">${problem}</p>` : codeView(code)}
              ${
                isOfThisMachine
                  ? html`<p class="quiet" id="invite-loopback">
                    This address is of this machine only. To let others join, start the run with --listen 0.0.0.0:0, and open the page
                    under the address that it prints.
                  </p>`
                  : nothing
              }
            `
            : nothing
        }
      </section>
    `;
  }

  private async toggle(): Promise<void> {
    this.isShown = !this.isShown;
    this.onChange();
    if (!this.isShown || this.code !== undefined) return;
    try {
      const { qrCode } = (await import(
        new URL('./qr-code.js', import.meta.url).href
      )) as typeof import('./qr-code.js');
      this.code = qrCode(this.url);
    } catch {
      this.problem = 'The QR code cannot be loaded; copy the link.';
    }
    this.onChange();
  }
}

function codeView({ size, path }: QrCode): TemplateResult {
  const side = size + 2 * MARGIN;
  return html`
    <svg id="invite-code" role="img" aria-label="QR code of the joining link" viewBox="${-MARGIN} ${-MARGIN} ${side} ${side}">
      ${svg`<rect x=${-MARGIN} y=${-MARGIN} width=${side} height=${side} fill="#fff"></rect><path d=${path} fill="#000" shape-rendering="crispEdges"></path>`}
    </svg>
  `;
}
