import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeHead } from '../../shared/link/frame.js';
import { STRANGERS_MAX } from '../../shared/link/strangers.js';
import { FRAMES_MAX } from '../../shared/link/web-socket-frames.js';
import { STRANGER_BYTES_MAX } from '../../shared/link/web-socket-server.js';
import { HeldRun } from '../support/held-run.js';
import { Peer, sayOverTcp } from '../support/peer.js';
import { run } from '../support/process.js';
import { smallData, writeFiles } from '../support/process-data.js';

/*
 * A run under attack over real sockets: a step is under way, held by a node of the test's own, until everyone has been
 * dealt with. Then it must end with the weights of a run that nobody disturbed, and a log that a person can read.
 */
const ROOT = mkdtempSync(join(tmpdir(), 'unisum-besieged-'));
const DATA = writeFiles(join(ROOT, 'data'), smallData());
const RUN = ['train', '--batch', 64, '--leaf', 8, '--steps', 12, '--json', '--data', DATA];
const WRONG_TOKENS = 1000;
const UPGRADE = [
  'GET /join HTTP/1.1',
  'Host: x',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

const partials = {
  ...{ kind: 'partials', step: 0, range: { from: 0, to: 1 } },
  ...{ nodes: [{ level: 0, index: 0 }], computeMicros: 1 },
};

let held: HeldRun;
let slowLoris: ReturnType<typeof sayOverTcp>;
let sockets: Socket[] = [];

beforeAll(async () => {
  held = await HeldRun.begin(RUN, ROOT);
  slowLoris = sayOverTcp(held.address, `${UPGRADE.slice(0, 2).join('\r\n')}\r\nX-Patience: `);
  await held.hold();
});

afterAll(async () => {
  await held.end();
  rmSync(ROOT, { recursive: true });
});

/** A frame's header as a client sends it, with a mask of zeros. */
function header(first: number, length: readonly number[]): Uint8Array {
  return Uint8Array.from([first, ...length, 0, 0, 0, 0]);
}

/** Becomes a WebSocket by hand and says these bytes over it. Resolves with all that came back. */
function sayRaw(lines: readonly string[], bytes: Uint8Array): Promise<string> {
  return sayOverTcp(held.address, Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), bytes]))
    .answer;
}

describe('a run in progress outlasts', () => {
  it('a wrong token a thousand times', async () => {
    for (let i = 0; i < WRONG_TOKENS; i += 20) {
      const peers = Array.from({ length: 20 }, () => Peer.knock(held.url));
      for (const peer of peers) peer.say(await peer.hello({ proof: '0'.repeat(64) }));
      for (const { ended } of peers) expect((await ended).reason).toMatch(/^wrong token: copy the whole/);
    }
  });

  it('a handshake that is played back, and one that is said twice', async () => {
    const member = await Peer.knock(held.url).joins();
    const captured = await member.hello();
    const replay = Peer.knock(held.url);
    await replay.hears('challenge');
    replay.say(captured);
    expect((await replay.ended).reason).toMatch(/^wrong token/);
    member.say(captured);
    expect((await member.ended).reason).toBe('it said hello twice');
  });

  it('a compressed bomb: compression is not agreed to, and what is compressed is no frame', async () => {
    const offered = Peer.knock(held.url, { deflate: true });
    await offered.hears('challenge');
    expect(offered.socket.extensions).toBe('');
    offered.socket.close();
    const bomb = deflateRawSync(Buffer.alloc(50 * 2 ** 20)).subarray(0, 50_000);
    const compressed = header(0xc2, [0xfe, bomb.length >>> 8, bomb.length & 255]);
    const lines = [...UPGRADE, 'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits'];
    const answer = await sayRaw(lines, Buffer.concat([compressed, bomb]));
    expect(answer).toMatch(/^HTTP\/1.1 101 /);
    expect(answer).not.toMatch(/permessage-deflate/i);
    expect(answer).toMatch(/a frame has reserved bits$/);
  });

  it('an oversized frame, before any of it is there', async () => {
    const terabyte = header(0x82, [0xff, 0, 0, 1, 0, 0, 0, 0, 0]);
    expect(await sayRaw(UPGRADE, terabyte)).toMatch(/a message exceeds 65536 bytes$/);
    const many = Peer.knock(held.url);
    await many.hears('challenge');
    const piece = encodeHead({ kind: 'hello', name: 'x'.repeat(40_000) }, STRANGER_BYTES_MAX);
    many.socket.send(piece, { binary: true, fin: false });
    many.socket.send(piece, { binary: true, fin: false });
    // By the bound on a message or by that on a stranger's bytes, whichever it meets first.
    expect([1009, 1006]).toContain((await many.ended).code);
  });

  it.each<[string, (member: Peer) => void, RegExp]>([
    [
      'that answers pings nobody sent',
      (member) => {
        for (let i = 0; i < 1000; i++) member.say({ kind: 'pong', id: i });
      },
      /^it answered pings that nobody sent$/,
    ],
    [
      'whose pong is heavy',
      (member) => member.say({ kind: 'pong', id: 0 }, new Uint8Array(2 ** 20)),
      /^a message carries 1048576 bytes where 0 may come$/,
    ],
    [
      'whose words are long',
      (member) => member.say({ kind: 'leave', reason: 'x'.repeat(2 ** 16) }),
      /^a header exceeds 65536 bytes$/,
    ],
    [
      'whose partial sums are longer than the parameters',
      (member) => member.say(partials, new Uint8Array(2 ** 20)),
      /^a message carries 1048576 bytes where \d{3,5} may come$/,
    ],
    [
      'that asks for the same data over and over',
      (member) => {
        for (let i = 0; i < 100; i++) member.say({ kind: 'need', chunks: [0] });
      },
      /^it asked for data that it was sent$/,
    ],
    [
      'that pings without an end',
      (member) => {
        for (let i = 0; i <= FRAMES_MAX; i++) member.socket.ping();
      },
      /^more than 8192 frames make no message$/,
    ],
  ])('a member with the token %s', async (_what, misbehave, reason) => {
    const member = await Peer.knock(held.url).joins();
    misbehave(member);
    expect((await member.ended).reason).toMatch(reason);
  });

  it('a slow-loris: a request that does not arrive in time is cut off', async () => {
    expect(await slowLoris.answer).toMatch(/^HTTP\/1.1 408 /);
  });

  it('a flood of connections: whoever has something to say gets in, from there and from elsewhere', async () => {
    let closed = 0;
    const mostAreGone = new Promise<void>((resolve) => {
      const flood = (i: number): Socket => {
        const socket = connect(held.address, () => {
          // Some say nothing, some become WebSockets first.
          if (i % 2 === 0) socket.write(`${UPGRADE.join('\r\n')}\r\n\r\n`);
        });
        socket.on('error', () => {});
        socket.on('close', () => ++closed === 2 * STRANGERS_MAX && resolve());
        return socket.resume();
      };
      sockets = Array.from({ length: 3 * STRANGERS_MAX }, (_, i) => flood(i));
    });
    await mostAreGone;
    const elsewhere = Peer.knock(held.url, { from: '127.0.0.2' });
    await elsewhere.joins();
    const there = await Peer.knock(held.url).joins();
    for (const peer of [elsewhere, there]) peer.socket.close();
    await Promise.all([elsewhere.ended, there.ended]);
    for (const socket of sockets) socket.destroy();
  });
});

describe('the run that they besieged', () => {
  it('ends with the right weights, and has said each thing once', async () => {
    held.goOn();
    const { status, stdout, stderr } = await held.coordinator.ended;
    expect(status, stderr).toBe(0);
    expect(stderr).not.toMatch(/\n +at /);
    const inFull = stderr.match(/refused remote-\d+: wrong token/g);
    const counted = [...stderr.matchAll(/refused (\d+) more: wrong token/g)].map(([, count]) =>
      Number(count),
    );
    expect(inFull).toHaveLength(1);
    for (const reason of [
      'a frame has reserved bits',
      'a message exceeds 65536 bytes',
      'it said hello twice',
      'it answered pings that nobody sent',
      'a message carries 1048576 bytes where 0 may come',
      'a header exceeds 65536 bytes',
      'it asked for data that it was sent',
      'more than 8192 frames make no message',
    ])
      expect(
        stderr.match(new RegExp(`refused (remote-\\d+|mallory): ${reason}\n`, 'g')),
        reason,
      ).toHaveLength(1);
    // The handshake that was played back is one of them.
    expect(counted.reduce((sum, count) => sum + count, 1)).toBe(WRONG_TOKENS + 1);
    expect(stderr.split('\n').length).toBeLessThan(60);
    const { weightsSha256 } = JSON.parse(stdout);
    expect(weightsSha256).toBe(JSON.parse((await run(...RUN)).stdout).weightsSha256);
  });
});
