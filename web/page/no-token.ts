import { html, type TemplateResult } from 'lit-html';

/** The page behind a link without token. @param printer what printed the whole link */
export function noTokenView(printer: string): TemplateResult {
  return html`<main class="cards">
    <section class="card">
      <h1>Unisum</h1>
      <p id="no-token" role="alert">
        This link has no token. Copy the whole link that ${printer} printed, with everything after the #.
      </p>
    </section>
  </main>`;
}
