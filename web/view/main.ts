/* The page that travels through a run: it goes to any step, and shows the numbers of a neuron or filter there. */

import { html, nothing, render, type TemplateResult } from 'lit-html';
import { systemClock } from '../../shared/actor/clock.js';
import { messageOf } from '../../shared/errors.js';
import type { NeuronNumbers, RunFacts, StepDistance, StepFacts } from '../../shared/protocol/view-facts.js';
import { noTokenView } from '../page/no-token.js';
import { readAddress } from '../page/page-address.js';
import { ReceiptChecker } from './receipt-view.js';
import { distancesView, neuronView, reportsView, stepView } from './step-views.js';

/** Between two looks whether the run has gone on. */
const REFRESH_MS = 1000;

const root = document.getElementById('page') as HTMLElement;
root.replaceChildren();

/** What is chosen. */
interface Choice {
  readonly step: number;
  /** Place in the batch of the step after it. */
  readonly sample: number;
  readonly layer: string;
  readonly unit: number;
  /** A step to compare with; undefined: none. */
  readonly other: number | undefined;
  /** Steps from one picture to the next while it plays. */
  readonly jump: number;
}

/** What is shown, all of it for one choice. */
interface Shown {
  readonly facts: StepFacts;
  readonly neuron: NeuronNumbers | undefined;
  readonly otherNeuron: NeuronNumbers | undefined;
  readonly distances: readonly StepDistance[];
}

/** The page of a run's steps. */
class ViewPage {
  private run: RunFacts | undefined;
  private choice: Choice = { step: 0, sample: 0, layer: '', unit: 0, other: undefined, jump: 1 };
  private shown: Shown | undefined;
  private problem: string | undefined;
  private isBusy = false;
  private isStale = false;
  private isPlaying = false;
  /** Goes to the newest step whenever there is one. */
  private isFollowing = false;

  private readonly receipt: ReceiptChecker;

  constructor(private readonly token: string) {
    this.receipt = new ReceiptChecker(token, () => this.draw());
    void this.begin();
  }

  private async begin(): Promise<void> {
    try {
      this.run = await this.ask<RunFacts>('run.json', {});
      const layer = this.run.layers.find(({ parameters }) => parameters.length > 0)?.name ?? '';
      await this.change({ layer });
      systemClock.after(REFRESH_MS, () => void this.refresh());
    } catch (error) {
      this.problem = messageOf(error);
      this.draw();
    }
  }

  /** Looks whether the run has gone on. A page that nobody sees asks nothing. */
  private async refresh(): Promise<void> {
    try {
      if (!document.hidden && !this.isBusy) {
        const before = this.run?.steps;
        this.run = await this.ask<RunFacts>('run.json', {});
        if (this.isFollowing && this.run.steps !== before) await this.change({ step: this.run.steps });
        else this.draw();
      }
    } catch (error) {
      this.problem = messageOf(error);
      this.draw();
    }
    systemClock.after(REFRESH_MS, () => void this.refresh());
  }

  /** @throws Error with what the server says */
  private async ask<T>(path: string, query: Readonly<Record<string, string | number>>): Promise<T> {
    const words = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)]));
    const response = await fetch(`./view/${path}?${words}`, {
      headers: { authorization: `Bearer ${this.token}` },
    });
    if (!response.ok) throw new Error((await response.text()).trim());
    return (await response.json()) as T;
  }

  /** Shows another choice. While one is computed, only the latest is kept. */
  private async change(part: Partial<Choice>): Promise<void> {
    this.choice = { ...this.choice, ...part };
    this.isStale = true;
    const isFirst = !this.isBusy;
    this.isBusy = true;
    this.draw();
    if (!isFirst) return;
    while (this.isStale) {
      this.isStale = false;
      await this.load(this.choice);
    }
    this.isBusy = false;
    this.draw();
  }

  private async load({ step, sample, layer, unit, other }: Choice): Promise<void> {
    try {
      const last = this.run?.steps ?? 0;
      const facts = await this.ask<StepFacts>('step.json', { step });
      const neuronAt = async (at: number): Promise<NeuronNumbers | undefined> =>
        at < last && layer !== ''
          ? this.ask<NeuronNumbers>('neuron.json', { step: at, sample, layer, unit })
          : undefined;
      this.shown = {
        facts,
        neuron: await neuronAt(step),
        otherNeuron: other === undefined ? undefined : await neuronAt(other),
        distances: other === undefined ? [] : await this.ask<StepDistance[]>('compare.json', { step, other }),
      };
      this.problem = undefined;
    } catch (error) {
      this.problem = messageOf(error);
      this.isPlaying = false;
    }
    this.draw();
  }

  /** Goes on from step to step, each when the one before is shown. */
  private async play(): Promise<void> {
    this.isPlaying = true;
    const last = this.run?.steps ?? 0;
    while (this.isPlaying && this.choice.step < last) {
      await this.change({ step: Math.min(last, this.choice.step + this.choice.jump) });
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
    this.isPlaying = false;
    this.draw();
  }

  private draw(): void {
    const { run, shown, problem } = this;
    render(
      html`
        <header><h1>Unisum</h1><p class="quiet">${run === undefined ? 'Steps of a run' : `${run.recipe} · ${run.path}`}</p></header>
        <main class="cards">
          ${run === undefined ? nothing : this.controls(run)}
          ${shown === undefined ? nothing : html`${stepView(shown.facts)} ${neuronView(shown.neuron, shown.otherNeuron)} ${distancesView(shown.distances)}`}
          ${problem === undefined ? nothing : html`<section class="card full"><p id="problem" role="alert">${problem}</p></section>`}
          ${run === undefined ? nothing : html`${reportsView(run)} ${this.receipt.view()}`}
        </main>
      `,
      root,
    );
  }

  private controls({ steps, layers, ended }: RunFacts): TemplateResult {
    const { step, sample, layer, unit, other, jump } = this.choice;
    const batch = this.shown?.facts.samples ?? [];
    const units = this.shown?.neuron?.units ?? 1;
    const state = this.isBusy ? 'computing' : 'ready';
    const within = (value: number, most: number, least = 0): number => Math.max(least, Math.min(most, value));
    // What is made of a number that is out of bounds stands in its place, also where it is what was shown before.
    const whole = ({ target }: Event, most: number, least?: number): number => {
      const input = target as HTMLInputElement;
      const value = within(Math.floor(Number(input.value) || 0), most, least);
      input.value = String(value);
      return value;
    };
    return html`
      <section class="card full" aria-labelledby="go-title">
        <h2 id="go-title">Go to a step</h2>
        <p id="status" role="status" data-state=${state}>
          ${this.isBusy ? `Computing step ${step} …` : `Step ${step} of ${steps}.`}
        </p>
        <p class="quiet" id="run-end">
          ${ended === null ? 'Its record goes on: steps that the run adds appear here.' : `The run has ended: ${ended}.`}
        </p>
        <div class="fields">
          <label>step
            <input id="step" type="number" min="0" max=${steps} .value=${String(step)}
              @change=${(event: Event) => this.change({ step: whole(event, steps) })} />
          </label>
          <label>position in the run
            <input id="slider" type="range" min="0" max=${steps} .value=${String(step)}
              @change=${(event: Event) => this.change({ step: whole(event, steps) })} />
          </label>
          <label>sample of the batch
            <select id="sample" .value=${String(sample)} @change=${(event: Event) => this.change({ sample: Number((event.target as HTMLSelectElement).value) })}>
              ${batch.map((id, i) => html`<option value=${i} ?selected=${i === sample}>${id}</option>`)}
            </select>
          </label>
          <label>layer
            <select id="layer" @change=${(event: Event) => this.change({ layer: (event.target as HTMLSelectElement).value, unit: 0 })}>
              ${layers.map(({ name, op }) => html`<option value=${name} ?selected=${name === layer}>${name} (${op})</option>`)}
            </select>
          </label>
          <label>neuron or filter
            <input id="unit" type="number" min="0" max=${units - 1} .value=${String(unit)}
              @change=${(event: Event) => this.change({ unit: whole(event, units - 1) })} />
          </label>
          <label>compare with step
            <input id="other" type="number" min="0" max=${steps} .value=${other === undefined ? '' : String(other)}
              @change=${(event: Event) => this.change({ other: (event.target as HTMLInputElement).value === '' ? undefined : whole(event, steps) })} />
          </label>
          <label>steps at a time
            <input id="jump" type="number" min="1" max=${Math.max(1, steps)} .value=${String(jump)}
              @change=${(event: Event) => {
                this.choice = { ...this.choice, jump: whole(event, Math.max(1, steps), 1) };
              }} />
          </label>
        </div>
        <div class="buttons">
          <button id="back" ?disabled=${step === 0} @click=${() => this.change({ step: within(step - jump, steps) })}>Back</button>
          <button id="forward" ?disabled=${step >= steps} @click=${() => this.change({ step: within(step + jump, steps) })}>Forward</button>
          <button id="play" class="primary" @click=${() => (this.isPlaying ? this.pause() : void this.play())}>
            ${this.isPlaying ? 'Pause' : 'Play'}
          </button>
          <button id="follow" aria-pressed=${this.isFollowing} @click=${() => this.follow()}>
            ${this.isFollowing ? 'Stop following' : 'Follow the run'}
          </button>
        </div>
      </section>
    `;
  }

  private follow(): void {
    this.isFollowing = !this.isFollowing;
    if (this.isFollowing) void this.change({ step: this.run?.steps ?? 0 });
    else this.draw();
  }

  private pause(): void {
    this.isPlaying = false;
    this.draw();
  }
}

const token = readAddress({ location, history, sessionStorage })?.joinToken;
if (token !== undefined) new ViewPage(token);
else render(noTokenView('unisum view'), root);
