/*
 * Answers for programs that watch over a run: /healthz and /readyz for those that start and restart it, which say nothing
 * about the run, and /metrics for Prometheus, which needs the token for watching.
 */
import { proofsEqual } from '../protocol/proof.js';
import { type AnswerRequest, textAnswer } from './page-answers.js';

/** Of Prometheus' text format. */
const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
const NOT_STORED = { 'cache-control': 'no-store' } as const;

/**
 * Answers /healthz while this process answers anything, and /readyz while workers are expected.
 * @param notReady why they are not; undefined while they are
 */
export function answerHealth(notReady: () => string | undefined): AnswerRequest {
  return ({ url }) => {
    if (url === '/healthz') return textAnswer(200, 'ok\n', NOT_STORED);
    if (url !== '/readyz') return undefined;
    const reason = notReady();
    return textAnswer(reason === undefined ? 200 : 503, `${reason ?? 'ready'}\n`, NOT_STORED);
  };
}

/**
 * Answers /metrics to requests with "Authorization: Bearer TOKEN".
 * @param token that permits watching
 * @param text of the metrics now
 */
export function answerMetrics(token: string, text: () => string): AnswerRequest {
  return ({ url, headers }) => {
    if (url !== '/metrics') return undefined;
    const [, given = ''] = /^Bearer (\S+)$/i.exec(headers.authorization ?? '') ?? [];
    if (!proofsEqual(token, given))
      return textAnswer(401, 'the token for watching is needed: Authorization: Bearer TOKEN\n', {
        ...{ ...NOT_STORED, 'www-authenticate': 'Bearer realm="unisum"' },
      });
    return textAnswer(200, text(), { ...NOT_STORED, 'content-type': METRICS_TYPE });
  };
}
