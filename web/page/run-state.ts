import { type ExamplesNews, TEXTS_MAX, type TextNews } from '../../shared/protocol/example-news.js';
import type { LayersNews } from '../../shared/protocol/layer-news.js';
import type { MembersNews } from '../../shared/protocol/member-news.js';
import { ThinnedCurve } from '../../shared/protocol/thinned-curve.js';
import type {
  CoursePoint,
  EndNews,
  Evaluation,
  EventNews,
  HistoryNews,
  News,
  RunProgressNews,
  StateNews,
} from '../../shared/protocol/watch-messages.js';

/** Most points of a curve: more than a screen shows. */
const POINTS_MAX = 1024;
/** Most evaluations and events that are kept. */
const EVALUATIONS_MAX = 512;
const EVENTS_MAX = 200;
/** Most inspected steps. */
const INSPECTIONS_MAX = 256;

/** What the page knows of the run, as the coordinator's news tell it. */
export class RunState {
  course = new ThinnedCurve<CoursePoint>(POINTS_MAX);
  evaluations = new ThinnedCurve<Evaluation>(EVALUATIONS_MAX);
  readonly events: Omit<EventNews, 'kind'>[] = [];
  progress: RunProgressNews | undefined;
  end: EndNews | undefined;
  /** Test images with the model's answers; told to operators only. */
  examples: ExamplesNews | undefined;
  /** Texts that the model wrote after evaluations; told to operators only. */
  texts = new ThinnedCurve<TextNews>(TEXTS_MAX);
  /** Inspected steps. */
  layers = new ThinnedCurve<LayersNews>(INSPECTIONS_MAX);
  /** The members as they were told last. */
  members: MembersNews | undefined;
  /** What operators have decided. */
  state: StateNews = { kind: 'state', isPaused: false, isClosed: false };

  /** Takes news of the run. */
  take(news: News): void {
    switch (news.kind) {
      case 'progress':
        this.progress = news;
        this.course.add(news);
        return;
      case 'metrics':
        this.evaluations.add(news);
        return;
      case 'event':
        return this.addEvent(news);
      case 'placement': {
        const text = `${news.member} ${news.state === 'active' ? 'is given work' : 'is on standby'}: ${news.reason}`;
        return this.addEvent({ seconds: this.progress?.seconds ?? 0, topic: 'note', text });
      }
      case 'examples':
        this.examples = news;
        return;
      case 'text':
        this.texts.add(news);
        return;
      case 'layers':
        this.layers.add(news);
        return;
      case 'members':
        this.members = news;
        return;
      case 'state':
        this.state = news;
        return;
      case 'history':
        this.restart(news);
        return;
      case 'ended':
        this.end = news;
        return;
      default:
        news satisfies never;
    }
  }

  /** A connection begins: what was known is told again. */
  private restart({ course, evaluations, events }: HistoryNews): void {
    this.course = new ThinnedCurve<CoursePoint>(POINTS_MAX);
    this.evaluations = new ThinnedCurve<Evaluation>(EVALUATIONS_MAX);
    this.layers = new ThinnedCurve<LayersNews>(INSPECTIONS_MAX);
    this.texts = new ThinnedCurve<TextNews>(TEXTS_MAX);
    this.events.length = 0;
    for (const point of course) this.course.add(point);
    for (const evaluation of evaluations) this.evaluations.add(evaluation);
    for (const event of events) this.addEvent(event);
  }

  private addEvent({ seconds, topic, text }: Omit<EventNews, 'kind'>): void {
    this.events.push({ seconds, topic, text });
    if (this.events.length > EVENTS_MAX) this.events.shift();
  }
}
