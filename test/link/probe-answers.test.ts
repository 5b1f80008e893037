import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { answerHealth, answerMetrics } from '../../shared/link/probe-answers.js';

const asked = (url: string, authorization?: string): IncomingMessage =>
  ({ url, headers: { ...(authorization !== undefined && { authorization }) } }) as IncomingMessage;
const text = (body: Uint8Array | undefined): string => new TextDecoder().decode(body);

describe('probes', () => {
  it('are answered without a token, and say nothing about the run', () => {
    let reason: string | undefined;
    const answer = answerHealth(() => reason);
    expect(answer(asked('/readyz'))?.status).toBe(200);
    reason = 'the run is over';
    expect(answer(asked('/healthz'))).toMatchObject({ status: 200 });
    const notReady = answer(asked('/readyz'));
    expect([notReady?.status, text(notReady?.body)]).toEqual([503, 'the run is over\n']);
    for (const other of ['/', '/healthz/', '/readyz?x', '/metrics'])
      expect(answer(asked(other))).toBeUndefined();
  });
});

describe('metrics', () => {
  const answer = answerMetrics('watch-token', () => 'unisum_steps_total 1\n');

  it('are given for the token for watching', () => {
    const { status, headers, body } = answer(asked('/metrics', 'Bearer watch-token')) ?? {};
    expect([status, text(body)]).toEqual([200, 'unisum_steps_total 1\n']);
    expect(headers?.['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
  });

  it.each([
    undefined,
    '',
    'Bearer',
    'Bearer wrong',
    'Basic watch-token',
    'Bearer watch-token x',
    'Bearer watch-tokem',
  ])('are not given for %s', (authorization) => {
    const refused = answer(asked('/metrics', authorization));
    expect(refused?.status).toBe(401);
    expect(text(refused?.body)).not.toContain('unisum_');
  });
});
