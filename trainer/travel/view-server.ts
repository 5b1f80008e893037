import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../shared/actor/clock.js';
import { randomIdentifier } from '../../shared/actor/rng.js';
import { messageOf, UserError } from '../../shared/errors.js';
import { browserRefusal } from '../../shared/link/browser-requests.js';
import { type ListenAddress, listen } from '../../shared/link/listen.js';
import { type Answer, answerPages, textAnswer } from '../../shared/link/page-answers.js';
import { hostAndPort } from '../../shared/protocol/join-url.js';
import type { RunFacts } from '../../shared/protocol/view-facts.js';
import { readPageFiles } from '../page-files.js';
import { RunReports } from './run-reports.js';
import type { TravelView } from './travel-view.js';

/** Requests that wait for those before them, at most. */
const WAITING_MAX = 16;

/** A page that travels through a run. */
export interface ViewServer {
  /** With the token in its fragment. */
  readonly url: string;
  close(): Promise<void>;
}

/** Serves the page of a run. @throws UserError when the address is not available */
export async function serveView(view: TravelView, address: ListenAddress, clock: Clock): Promise<ViewServer> {
  const token = randomIdentifier();
  const pages = answerPages(await readPageFiles('view'), address.host);
  // A link sends no token, so the path itself is the secret.
  const reports = new RunReports(view.path, `/view/reports/${randomIdentifier()}/`);
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  const answerRequest = (request: IncomingMessage): ReturnType<typeof pages> | Promise<Answer> => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const isReport = url.pathname.startsWith('/view/reports/');
    if (!isReport && !/^\/view\/\w+\.(json|bin)$/.test(url.pathname)) return pages(request);
    const refusal = browserRefusal(request.headers, address.host);
    if (refusal !== undefined) return textAnswer(421, `${refusal}\n`);
    if (request.method !== 'GET') return textAnswer(405, 'only GET\n', { allow: 'GET' });
    if (isReport) return reportAnswer(reports, url.pathname);
    if (!isToken(request.headers.authorization, token))
      return textAnswer(401, 'open the whole link that was printed\n');
    if (waiting >= WAITING_MAX) return textAnswer(503, 'too many requests wait; ask again\n');
    waiting += 1;
    const answer = last
      .then(() => answerOf(view, reports, url))
      .finally(() => {
        waiting -= 1;
      });
    last = answer;
    return answer;
  };
  const listening = await listen(address, { clock, answerRequest });
  const close = async (): Promise<void> => {
    await listening.close();
    await last;
    await view.close();
  };
  return { url: `http://${hostAndPort({ host: address.host, port: listening.port })}/view#${token}`, close };
}

async function reportAnswer(reports: RunReports, pathname: string): Promise<Answer> {
  const answer = await reports.answer(pathname).catch(() => undefined);
  return answer ?? textAnswer(404, 'there is nothing here\n');
}

async function answerOf(
  view: TravelView,
  reports: RunReports,
  { pathname, searchParams }: URL,
): Promise<Answer> {
  const number = (name: string): number => {
    const text = searchParams.get(name) ?? '';
    if (!/^\d{1,15}$/.test(text))
      throw new UserError(`${name} is a whole number, not ${JSON.stringify(text)}`);
    return Number(text);
  };
  try {
    switch (pathname) {
      case '/view/run.json':
        return json({ ...(await view.facts()), reports: await reports.list() } satisfies RunFacts);
      case '/view/step.json':
        return json(await view.step(number('step')));
      case '/view/compare.json':
        return json(await view.compare(number('step'), number('other')));
      case '/view/receipt.json':
        return json(await view.receipt());
      case '/view/session.json':
        return json(view.session(number('step')));
      case '/view/chunk.bin':
        return bytes(view.chunk(searchParams.get('set') ?? '', number('step'), number('index')));
      case '/view/state.bin':
        return bytes(await view.checkpoint(number('step')));
      case '/view/neuron.json': {
        const layer = searchParams.get('layer') ?? '';
        return json(await view.neuron(number('step'), number('sample'), layer, number('unit')));
      }
      default:
        return textAnswer(404, 'there is nothing here\n');
    }
  } catch (error) {
    // Whatever went wrong, the page says it and goes on.
    const text = messageOf(error);
    return textAnswer(error instanceof UserError ? 400 : 500, `${text}\n`);
  }
}

/** JSON has no NaN or infinity: they become words. */
function json(value: unknown): Answer {
  const text = JSON.stringify(value, (_, one: unknown) =>
    typeof one === 'number' && !Number.isFinite(one) ? String(one) : one,
  );
  return { status: 200, headers: headersOf('application/json'), body: Buffer.from(text) };
}

function bytes(body: Uint8Array): Answer {
  return { status: 200, headers: headersOf('application/octet-stream'), body };
}

function headersOf(type: string): Record<string, string> {
  return { 'content-type': type, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };
}

function isToken(header: string | undefined, token: string): boolean {
  const [given, own] = [Buffer.from(header ?? ''), Buffer.from(`Bearer ${token}`)];
  return given.length === own.length && timingSafeEqual(given, own);
}
