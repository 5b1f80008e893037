import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { encodeHead } from '../../shared/link/frame.js';
import { PROTOCOL_VERSION } from '../../shared/protocol/messages.js';
import { HeldRun } from '../support/held-run.js';
import { sayOverTcp } from '../support/peer.js';
import { smallData, writeFiles } from '../support/process-data.js';
import { runHere } from '../support/program-here.js';

/*
 * Hostile and confused peers of a run in progress. A worker of the test holds a step until all of them are refused. Then
 * the run must end with the weights of an undisturbed run.
 */
const ROOT = mkdtempSync(join(tmpdir(), 'unisum-hostile-'));
const DATA = writeFiles(join(ROOT, 'data'), smallData());
const RUN = ['train', '--batch', 64, '--leaf', 8, '--steps', 12, '--json', '--data', DATA];
const NONCE = 'n'.repeat(22);

let held: HeldRun;

beforeAll(async () => {
  held = await HeldRun.begin(RUN, ROOT);
  await held.hold();
});

afterAll(async () => {
  await held.end();
  rmSync(ROOT, { recursive: true });
});

/** Sends a frame over WebSocket in reply to the challenge. Resolves with the close code and reason. */
function sayOverWebSocket(
  ...frames: readonly (Uint8Array | string)[]
): Promise<{ code: number; reason: string }> {
  return new Promise((resolve, reject) => {
    const { host, port } = held.address;
    const socket = new WebSocket(`ws://${host}:${port}/join`);
    socket.once('message', () => {
      for (const frame of frames) socket.send(frame);
    });
    socket.on('error', reject);
    socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
  });
}

function hello(changes: object = {}): Uint8Array {
  return encodeHead(
    {
      kind: 'hello',
      version: PROTOCOL_VERSION,
      nonce: NONCE,
      proof: '0'.repeat(64),
      name: 'mallory',
      backend: 'wasm',
      detail: 'simd',
      threads: 1,
      selfTest: [{ kernel: 'copyVector', hash: '0'.repeat(64) }],
      ...changes,
    },
    0,
  );
}

describe('a run in progress refuses', () => {
  it('random bytes over TCP', async () => {
    expect(
      await sayOverTcp(
        held.address,
        Uint8Array.from({ length: 4096 }, (_, i) => (i * 89) & 255),
      ).answer,
    ).toMatch(/^HTTP\/1.1 400 /);
  });

  it('wrong requests over HTTP', async () => {
    expect(
      await sayOverTcp(
        held.address,
        'GET /join HTTP/1.1\r\nHost: x\r\nUpgrade: toaster\r\nConnection: Upgrade\r\n\r\n',
      ).answer,
    ).toMatch(/^HTTP\/1.1 4\d\d /);
    expect(
      await sayOverTcp(
        held.address,
        'GET /etc HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
      ).answer,
    ).toMatch(/^HTTP\/1.1 404 /);
  });

  it.each([
    ['bytes that are not a frame', Uint8Array.from({ length: 300 }, (_, i) => (i * 89) & 255)],
    ['text', 'let me in'],
    ['an empty frame', new Uint8Array(0)],
    ['a header that is not an object', Uint8Array.from([1, 0, 0, 0, 7, 0, 0, 0])],
  ])('%s over WebSocket', async (_what, frame) => {
    expect((await sayOverWebSocket(frame)).code).toBe(1002);
  });

  it.each([
    ['an unknown message', encodeHead({ kind: 'gimme', all: true }, 0), /not a message/],
    ['a message with an unknown field', hello({ admin: true }), /not a message/],
    ['a hello with a wrong proof', hello(), /wrong token: copy the whole join line/],
    ['a ready message before the handshake', encodeHead({ kind: 'ready' }, 0), /sent "ready" out of turn/],
    [
      'partial sums that were not requested',
      encodeHead(
        {
          kind: 'partial-sums',
          step: 6,
          range: { from: 0, to: 4 },
          nodes: [{ level: 2, index: 0 }],
          computeMicros: 1,
        },
        0,
      ),
      /partial sums/,
    ],
    [
      'a hello of another protocol version',
      hello({ version: PROTOCOL_VERSION + 1, colour: 'blue' }),
      new RegExp(
        `protocol version ${PROTOCOL_VERSION + 1}, this side ${PROTOCOL_VERSION}; install the same version of unisum on both`,
      ),
    ],
  ])('%s', async (_what, frame, reason) => {
    expect((await sayOverWebSocket(frame)).reason).toMatch(reason);
    await held.coordinator.prints(new RegExp(`refused [^\\n]*${reason.source}`));
  });

  it('a worker with a wrong token, which learns why', async () => {
    const wrong = await runHere(
      'worker',
      held.url.replace(/#.*/, `#${'x'.repeat(22)}`),
      '--json',
      '--name',
      'lost',
    );
    expect(wrong.status).toBe(1);
    expect(wrong.stderr).toMatch(
      /\nunisum: 127\.0\.0\.1:\d+: wrong token: copy the whole join line that the run printed\n$/,
    );
    expect(JSON.parse(wrong.stdout)).toMatchObject({
      samples: 0,
      reason: expect.stringMatching(/^wrong token/),
    });
  });
});

describe('the disturbed run', () => {
  it('ends with the right weights, and does not wait for a silent peer', async () => {
    const silent = connect(held.address);
    await new Promise((resolve) => silent.once('connect', resolve));
    const gone = new Promise((resolve) => silent.once('close', resolve));
    held.goOn();
    const { status, stdout, stderr } = await held.coordinator.ended;
    expect(status, stderr).toBe(0);
    expect(stderr).not.toMatch(/\n +at /);
    const { weightsSha256, workers } = JSON.parse(stdout);
    expect(workers).toHaveLength(1);
    expect(weightsSha256).toBe(JSON.parse((await runHere(...RUN)).stdout).weightsSha256);
    await gone;
  });
});

describe('a worker', () => {
  it('refuses a coordinator of another protocol version', async () => {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    await new Promise((resolve) => server.once('listening', resolve));
    server.on('connection', (socket) => {
      socket.send(encodeHead({ kind: 'challenge', version: 99, run: 'run', nonce: NONCE }, 0));
    });
    const { port } = server.address() as { port: number };
    const { status, stdout, stderr } = await runHere('worker', `ws://127.0.0.1:${port}/#${'x'.repeat(22)}`);
    server.close();
    expect(status).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(
      new RegExp(
        `\\nunisum: [^\\n]*the coordinator speaks protocol version 99, this side ${PROTOCOL_VERSION}; install[^\\n]*\\n$`,
      ),
    );
  });
});
