/* The page that a coordinator serves: it shows the run, and lets this tab join it. */
import { html, nothing, render } from 'lit-html';
import { systemClock } from '../../shared/actor/clock.js';
import { UserError } from '../../shared/errors.js';
import { watchRun } from '../../shared/link/watch-client.js';
import { connectBrowserLink } from '../link/browser-link.js';
import { atMostEvery } from '../worker/at-most-every.js';
import { CurveChart } from './curve-chart.js';
import { examplesView, textsView } from './examples-view.js';
import { Invitation } from './invite-view.js';
import type { Joining } from './joining.js';
import { layersView } from './layers-view.js';
import { membersView } from './members-view.js';
import { noTokenView } from './no-token.js';
import { operateView, RunOperator } from './operate-view.js';
import { type PageAddress, readAddress } from './page-address.js';
import { gradientChart, lossChart, metricsChart, rateChart } from './run-charts.js';
import { RunState } from './run-state.js';
import { evaluationsView, eventsView, summaryView, type WatchStatus } from './run-view.js';
import { sumTreeView } from './sum-tree-view.js';

/** How often news are drawn, and how often while this tab computes: to draw the page takes as long as a small step. */
const NEWS_MS = 500;
const NEWS_COMPUTING_MS = 2000;

const root = document.getElementById('page') as HTMLElement;
// The page without scripts, which said that it needs them.
root.replaceChildren();

/** The page of a run. */
class RunPage {
  private readonly run = new RunState();
  private status: WatchStatus = { kind: 'connecting', text: 'Connecting …' };
  private readonly operator = new RunOperator(() => this.changed());
  private readonly invitation: Invitation | undefined;
  private charts: Readonly<Record<'loss' | 'metrics' | 'rate' | 'gradient', CurveChart>> | undefined;
  /** Whether the worker of this tab was told that the run is over. A connection that is lost is not restored then. */
  private isOver = false;
  private readonly stop = new AbortController();
  private hasJoining = false;
  /** What this tab joins the run with, once it is loaded. */
  private joining: Joining | undefined;
  private isDrawing = false;

  constructor(private readonly address: PageAddress) {
    const { inviteUrl } = address;
    if (inviteUrl !== undefined) this.invitation = new Invitation(inviteUrl, () => this.changed());
    this.changed();
    void this.watch();
  }

  private async watch(): Promise<void> {
    const period = (): number => (this.joining?.isComputing ? NEWS_COMPUTING_MS : NEWS_MS);
    const drawNews = atMostEvery(period, systemClock, () => this.changed());
    const { watchToken: token, watchUrl, host } = this.address;
    try {
      await watchRun({
        ...{ token, peer: host, clock: systemClock, stop: this.stop.signal },
        connect: () => connectBrowserLink(watchUrl, systemClock),
        onNews: (news) => {
          this.run.take(news);
          drawNews();
        },
        onNotice: (text) => {
          this.setStatus({ kind: 'connecting', text });
          this.stopIfOver();
        },
        onAdmitted: (right, ask) => {
          this.setStatus({ ...this.status, kind: 'watching' });
          this.operator.admitted(right, ask);
        },
        onControlled: (answer) => this.operator.answered(answer),
      });
      this.setStatus({ kind: 'over', text: 'The run is over.' });
    } catch (error) {
      this.setStatus({ kind: 'failed', text: error instanceof UserError ? error.message : String(error) });
    }
  }

  /** While the page is connected, the last news are still on their way. */
  private stopIfOver(): void {
    if (this.isOver && this.status.kind === 'connecting') this.stop.abort();
  }

  private setStatus(status: WatchStatus): void {
    this.status = status;
    this.changed();
  }

  /** Draws the page once before the browser's next frame, however often it has changed. */
  private changed(): void {
    if (this.isDrawing) return;
    this.isDrawing = true;
    requestAnimationFrame(() => {
      this.isDrawing = false;
      this.draw();
    });
  }

  private draw(): void {
    const { run, status } = this;
    const { joinToken } = this.address;
    const inspections = run.layers.points();
    const [course, evaluations] = [run.course.points(), run.evaluations.points()];
    const metrics = metricsChart(evaluations);
    render(
      html`
        <header><h1>Unisum</h1><p class="quiet">N machines, one sum · ${this.address.host}</p></header>
        <main class="cards">
          <div class="cards full">
            ${summaryView(run, status)} ${joinToken === undefined ? nothing : html`<section class="card" id="joining" aria-labelledby="join-title"></section>`}
            ${this.operator.isAdmitted && run.end === undefined ? operateView(this.operator, run.state) : nothing}
            ${run.end === undefined ? this.invitation?.view() : nothing}
          </div>
          <div class="cards full ${inspections.length === 0 ? '' : 'in-pairs'}">
            <section class="card" aria-labelledby="loss-title">
              <h2 id="loss-title">Loss</h2>
              <div class="chart" id="loss-chart"></div>
            </section>
            <section class="card" ?hidden=${metrics.curves.length === 0} aria-labelledby="metrics-title">
              <h2 id="metrics-title">Metrics on test data</h2>
              <div class="chart" id="metrics-chart"></div>
            </section>
            <section class="card" aria-labelledby="rate-title">
              <h2 id="rate-title">Samples per second</h2>
              <div class="chart" id="rate-chart"></div>
            </section>
            <section class="card" ?hidden=${inspections.length === 0} aria-labelledby="gradient-title">
              <h2 id="gradient-title">Gradient norms</h2>
              <div class="chart" id="gradient-chart"></div>
            </section>
          </div>
          ${run.examples === undefined ? nothing : examplesView(run.examples)} ${textsView(run.texts.points())} ${layersView(inspections.at(-1))}
          ${run.members === undefined ? nothing : html`${membersView(run.members, run.end === undefined ? this.operator : undefined)} ${sumTreeView(run.members)}`}
          <div class="cards full in-pairs">${evaluationsView(run)} ${eventsView(run)}</div>
        </main>
      `,
      root,
    );
    if (joinToken !== undefined && !this.hasJoining) {
      this.hasJoining = true;
      void this.loadJoining(joinToken);
    }
    const chart = (id: string): CurveChart => new CurveChart(document.getElementById(id) as HTMLElement);
    this.charts ??= {
      loss: chart('loss-chart'),
      metrics: chart('metrics-chart'),
      rate: chart('rate-chart'),
      gradient: chart('gradient-chart'),
    };
    this.charts.loss.show(lossChart(course, evaluations));
    this.charts.metrics.show(metrics);
    this.charts.rate.show(rateChart(course));
    this.charts.gradient.show(gradientChart(inspections));
  }

  /** Loads what this tab joins the run with. */
  private async loadJoining(joinToken: string): Promise<void> {
    const root = document.getElementById('joining') as HTMLElement;
    try {
      const { Joining } = (await import(
        new URL('./joining.js', import.meta.url).href
      )) as typeof import('./joining.js');
      this.joining = new Joining(root, this.address.joinUrl, joinToken, () => {
        this.isOver = true;
        this.stopIfOver();
      });
    } catch {
      root.textContent = 'What this tab could join with cannot be loaded. Reload the page.';
    }
  }
}

const address = readAddress({ location, history, sessionStorage });
if (address !== undefined) new RunPage(address);
else render(noTokenView('the run'), root);
