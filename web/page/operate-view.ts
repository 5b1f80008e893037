import { html, nothing, type TemplateResult } from 'lit-html';
import type {
  ControlAction,
  Controlled,
  ControlRequest,
  StateNews,
  WatchRight,
} from '../../shared/protocol/watch-messages.js';

/** The person before this page as an operator of the run, if the link permits it. */
export class RunOperator {
  /** What became of the latest request; undefined before the first. */
  answer: Controlled | undefined;
  private send: ((request: ControlRequest) => void) | undefined;

  /** @param onChange called after every change */
  constructor(private readonly onChange: () => void) {}

  /** The link permits operating the run. */
  get isAdmitted(): boolean {
    return this.send !== undefined;
  }

  /** A connection is admitted. */
  admitted(right: WatchRight, ask: (request: ControlRequest) => void): void {
    this.send = right === 'operate' ? ask : undefined;
    this.onChange();
  }

  /** The run has answered. */
  answered(answer: Controlled): void {
    this.answer = answer;
    this.onChange();
  }

  /**
   * Asks for something. What cannot be undone is asked for only after the person has confirmed it.
   * @param member the id of a member, and `name` what it is called
   */
  ask(action: ControlAction, member?: string, name = ''): void {
    const question = QUESTIONS[action]?.(name);
    if (question !== undefined && !confirm(question)) return;
    this.send?.({ action, ...(member !== undefined && { member }) });
  }
}

const QUESTIONS: { readonly [A in ControlAction]?: (member: string) => string } = {
  stop: () => 'Save a checkpoint and end this run?',
  remove: (member) => `Remove ${member}? It may join again.`,
  ban: (member) =>
    `Ban the machine of ${member}, and take out what it has computed and nobody has confirmed?`,
};

/** The part of the page that operates the run. */
export function operateView(operator: RunOperator, { isPaused, isClosed }: StateNews): TemplateResult {
  const { answer } = operator;
  const button = (action: ControlAction, label: string): TemplateResult =>
    html`<button id=${action} @click=${() => operator.ask(action)}>${label}</button>`;
  return html`
    <section class="card" aria-labelledby="operate-title">
      <h2 id="operate-title">Operate the run</h2>
      <p class="buttons">
        ${isPaused ? button('resume', 'Resume') : button('pause', 'Pause')} ${button('save', 'Save a checkpoint')}
        ${button('stop', 'Save and stop')}
        ${isClosed ? button('open', 'Open to newcomers') : button('close', 'Close to newcomers')}
      </p>
      <p id="operate-answer" role="status" data-done=${answer === undefined ? nothing : String(answer.isDone)}>
        ${answer === undefined ? nothing : `${answer.isDone ? 'Done' : 'Not done'}: ${answer.text}.`}
      </p>
    </section>
  `;
}
