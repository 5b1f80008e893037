import type { Clock } from '../../shared/actor/clock.js';
import type { FrameBounds, Link } from '../../shared/link/link.js';
import { type ExamplesNews, TEXTS_MAX, type TextNews } from '../../shared/protocol/example-news.js';
import type { LayersNews } from '../../shared/protocol/layer-news.js';
import type { MembersNews } from '../../shared/protocol/member-news.js';
import { ThinnedCurve } from '../../shared/protocol/thinned-curve.js';
import {
  type CoursePoint,
  type EndNews,
  type Evaluation,
  type EventNews,
  type EventTopic,
  HISTORY_MAX,
  type News,
  type PlacementNews,
  type RunProgressNews,
  type RunReport,
  type StateNews,
  type WatchRight,
} from '../../shared/protocol/watch-messages.js';
import { PacedNews, PERIOD_MS } from './paced-news.js';

/** How many of a kind are sent at once in a period. A run may evaluate, inspect and hedge thousands of times a second. */
const AT_ONCE = { progress: 1, metrics: 8, layers: 4, placement: 2, event: 8 } as const;

/** Most evaluations, and most events, that a new watcher is told: few enough that the link is not closed for them. */
const EVALUATIONS_MAX = 128;
const EVENTS_MAX = 100;
/** Most of each topic of which there are very many. */
const FREQUENT_MAX = 10;
const FREQUENT_TOPICS: readonly EventTopic[] = ['hedged', 'checkpoint'];
/** Most inspected steps that a new watcher is told, and one more; an even number. */
const INSPECTIONS_MAX = 16;
/** Most workers whose placement a new watcher is told. */
const PLACEMENTS_MAX = 64;

/** What a watcher may send: a pong. */
const WATCHER_BOUNDS: FrameBounds = { headerBytesMax: 1024, payloadBytesMax: () => 0 };

type KeptEvent = Omit<EventNews, 'kind'>;

/** The watchers of a run. They are sent what the run's own terminal shows, and have no influence on the run. */
export class Watchers {
  private readonly links = new Map<string, { readonly link: Link; readonly right: WatchRight }>();
  /** What a new watcher is sent first. */
  private readonly course = new ThinnedCurve<CoursePoint>(HISTORY_MAX / 2);
  private readonly evaluations = new ThinnedCurve<Evaluation>(EVALUATIONS_MAX);
  private readonly layers = new ThinnedCurve<LayersNews>(INSPECTIONS_MAX);
  private readonly events: KeptEvent[] = [];
  /** The latest of each worker. */
  private readonly placements = new Map<string, PlacementNews>();
  private progress: RunProgressNews | undefined;
  private examples: ExamplesNews | undefined;
  private readonly texts = new ThinnedCurve<TextNews>(TEXTS_MAX);
  private state: StateNews | undefined;
  private end: EndNews | undefined;
  private readonly startedMs: number;
  private readonly paced: PacedNews<News>;
  private answersDueMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly clock: Clock) {
    this.startedMs = clock.nowMs();
    this.paced = new PacedNews(clock, (news) => this.send(news));
  }

  /** A peer has proven the right to watch, or to operate. @param proof the coordinator's own */
  add(
    id: string,
    link: Link,
    { proof, right }: { readonly proof: string; readonly right: WatchRight },
  ): void {
    this.links.set(id, { link, right });
    link.admit(WATCHER_BOUNDS);
    link.send({ kind: 'watching', proof, right });
    link.send(this.history());
    for (const news of [
      this.progress,
      ...this.placements.values(),
      ...this.layers.points(),
      this.state,
      this.end,
    ])
      if (news !== undefined) link.send(news);
    if (right !== 'operate') return;
    for (const answers of [this.examples, ...this.texts.points()])
      if (answers !== undefined) link.send(answers);
  }

  /** Whether anybody watches. */
  get isWatched(): boolean {
    return this.links.size > 0;
  }

  /** Whether anybody watches who may see data. */
  get isOperated(): boolean {
    return [...this.links.values()].some(({ right }) => right === 'operate');
  }

  /** Whether answers of the model are due. They cost time, and people can follow few. Those that are due are made. */
  takesAnswers(): boolean {
    const nowMs = this.clock.nowMs();
    const isDue = nowMs >= this.answersDueMs;
    if (isDue) this.answersDueMs = nowMs + PERIOD_MS;
    return isDue;
  }

  /** The latest progress and evaluation. */
  get latest(): {
    readonly progress?: RunProgressNews | undefined;
    readonly evaluation?: Evaluation | undefined;
  } {
    return { progress: this.progress, evaluation: this.evaluations.points().at(-1) };
  }

  /** Tells all watchers who the members are. Where they come from is for operators only. */
  publishMembers(news: MembersNews): void {
    const members = news.members.map(({ address: _, ...row }) => row);
    const forWatchers = { ...news, members };
    for (const { link, right } of this.links.values()) link.send(right === 'operate' ? news : forWatchers);
  }

  /** A watcher's link is gone. */
  remove(id: string): void {
    this.links.delete(id);
  }

  /** Tells all watchers what the run reports: at once what is rare, and the rest as often as people can follow. */
  publish(report: RunReport): void {
    switch (report.kind) {
      case 'progress':
        return this.publishProgress({ ...report, seconds: this.seconds() });
      case 'metrics': {
        const { kind: _, ...evaluation } = report;
        this.evaluations.add(evaluation);
        return this.paced.add(report.kind, report, AT_ONCE.metrics);
      }
      case 'event': {
        const event = { seconds: this.seconds(), topic: report.topic, text: report.text };
        this.keepEvent(event);
        const news = { kind: 'event', ...event } as const;
        if (FREQUENT_TOPICS.includes(report.topic))
          return this.paced.add(`event ${report.topic}`, news, AT_ONCE.event);
        return this.sendAtOnce(news);
      }
      case 'placement':
        this.keepPlacement(report);
        return this.paced.add(`placement ${report.member}`, report, AT_ONCE.placement);
      case 'examples':
        this.examples = report;
        return this.sendAtOnce(report);
      case 'text':
        this.texts.add(report);
        return this.sendAtOnce(report);
      case 'layers':
        this.layers.add(report);
        return this.paced.add(report.kind, report, AT_ONCE.layers);
      case 'state':
        this.state = report;
        return this.sendAtOnce(report);
      case 'ended':
        this.end = report;
        return this.sendAtOnce(report);
      default:
        report satisfies never;
    }
  }

  private publishProgress(news: RunProgressNews): void {
    const { step, loss, samples, seconds } = news;
    this.progress = news;
    this.course.add({ step, loss, samples, seconds });
    this.paced.add(news.kind, news, AT_ONCE.progress);
  }

  private history(): News {
    const evaluations = this.evaluations.points();
    return { kind: 'history', course: this.course.points(), evaluations, events: [...this.events] };
  }

  private seconds(): number {
    return (this.clock.nowMs() - this.startedMs) / 1000;
  }

  /** Nothing more is sent. */
  close(): void {
    this.paced.close();
  }

  /** So many hedges and checkpoints happen that a few of them would leave no place for anything else. */
  private keepEvent(event: KeptEvent): void {
    const { events } = this;
    events.push(event);
    const alike = events.filter(({ topic }) => topic === event.topic);
    const frequent = FREQUENT_TOPICS.includes(event.topic) && alike.length > FREQUENT_MAX;
    const surplus = frequent ? alike[0] : events.length > EVENTS_MAX ? events[0] : undefined;
    if (surplus !== undefined) events.splice(events.indexOf(surplus), 1);
  }

  /** With so many kept for new watchers, no placement of another worker is. */
  private keepPlacement(news: PlacementNews): void {
    const { placements } = this;
    if (placements.size < PLACEMENTS_MAX || placements.has(news.member)) placements.set(news.member, news);
  }

  private sendAtOnce(news: News): void {
    this.paced.flush();
    this.send(news);
  }

  private send(news: News): void {
    const isData = news.kind === 'examples' || news.kind === 'text';
    for (const { link, right } of this.links.values()) if (!isData || right === 'operate') link.send(news);
  }
}
