import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../shared/actor/clock.js';
import { encodeHead } from '../../shared/link/frame.js';
import { retryDelayMs } from '../../shared/link/retry.js';
import { UNAUTHENTICATED_PEERS_MAX } from '../../shared/link/unauthenticated-peers.js';
import { FRAMES_MAX } from '../../shared/link/web-socket-frames.js';
import { UNAUTHENTICATED_BYTES_MAX } from '../../shared/link/web-socket-server.js';
import { HeldRun } from '../support/held-run.js';
import { Peer, sayOverTcp } from '../support/peer.js';
import { run } from '../support/process.js';
import { smallData, writeFiles } from '../support/process-data.js';

/*
 * A run under attack over real sockets. A worker of the test holds a step until every attack is over. Then the run must
 * end with the weights of an undisturbed run, and a log that is short enough to read.
 */
const ROOT = mkdtempSync(join(tmpdir(), 'unisum-flood-'));
const DATA = writeFiles(join(ROOT, 'data'), smallData());
const RUN = ['train', '--batch', 64, '--leaf', 8, '--steps', 12, '--json', '--data', DATA];
const WRONG_TOKENS = 400;
const UPGRADE = [
  'GET /join HTTP/1.1',
  'Host: x',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

const partialSums = {
  ...{ kind: 'partial-sums', step: 0, range: { from: 0, to: 1 } },
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

/** Opens a WebSocket by hand and sends bytes over it. Resolves with everything that it receives. */
function sayRaw(lines: readonly string[], bytes: Uint8Array): Promise<string> {
  return sayOverTcp(held.address, Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), bytes]))
    .answer;
}

describe('a run in progress withstands', () => {
  it('hundreds of wrong tokens', async () => {
    for (let i = 0; i < WRONG_TOKENS; i += 20) {
      // Each network gets in at a bounded rate.
      const from = `127.0.1.${i / 20}`;
      const peers = Array.from({ length: 20 }, () => Peer.connect(held.url, { from }));
      for (const peer of peers) peer.say(await peer.hello({ proof: '0'.repeat(64) }));
      for (const { ended } of peers) expect((await ended).reason).toMatch(/^wrong token: copy the whole/);
    }
  });

  it('a replayed handshake, and a repeated one', async () => {
    const member = await Peer.connect(held.url).joins();
    const captured = await member.hello();
    const replay = Peer.connect(held.url);
    await replay.hears('challenge');
    replay.say(captured);
    expect((await replay.ended).reason).toMatch(/^wrong token/);
    member.say(captured);
    expect((await member.ended).reason).toBe('sent "hello" twice');
  });

  it('a compression bomb: compression is not negotiated, and a compressed frame is refused', async () => {
    const offered = Peer.connect(held.url, { deflate: true });
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

  it('an oversized frame, refused before its payload arrives', async () => {
    const terabyte = header(0x82, [0xff, 0, 0, 1, 0, 0, 0, 0, 0]);
    expect(await sayRaw(UPGRADE, terabyte)).toMatch(/a message exceeds 65536 bytes$/);
    const many = Peer.connect(held.url);
    await many.hears('challenge');
    const piece = encodeHead({ kind: 'hello', name: 'x'.repeat(40_000) }, UNAUTHENTICATED_BYTES_MAX);
    many.socket.send(piece, { binary: true, fin: false });
    many.socket.send(piece, { binary: true, fin: false });
    // Whichever limit is reached first: that of a message, or that of an unauthenticated peer's bytes.
    expect([1009, 1006]).toContain((await many.ended).code);
  });

  it.each<[string, (member: Peer) => void, RegExp]>([
    [
      'that answers pings nobody sent',
      (member) => {
        for (let i = 0; i < 1000; i++) member.say({ kind: 'pong', id: i });
      },
      /^answered pings that were not sent$/,
    ],
    [
      'whose pong is heavy',
      (member) => member.say({ kind: 'pong', id: 0 }, new Uint8Array(2 ** 20)),
      /^a message has a payload of 1048576 bytes, more than 0$/,
    ],
    [
      'that sends a long message',
      (member) => member.say({ kind: 'leave', reason: 'x'.repeat(2 ** 16) }),
      /^a header exceeds 65536 bytes$/,
    ],
    [
      'that sends partial sums longer than the parameters',
      (member) => member.say(partialSums, new Uint8Array(2 ** 20)),
      /^a message has a payload of 1048576 bytes, more than \d{3,5}$/,
    ],
    [
      'that requests the same data again and again',
      (member) => {
        for (let i = 0; i < 100; i++) member.say({ kind: 'need', chunks: [0] });
      },
      /^requested chunks that it was sent already$/,
    ],
    [
      'that pings without end',
      (member) => {
        for (let i = 0; i <= FRAMES_MAX; i++) member.socket.ping();
      },
      /^a message has 65 frames, too many for its bytes$/,
    ],
  ])('a member with the token %s', async (_what, misbehave, reason) => {
    const member = await Peer.connect(held.url).joins();
    misbehave(member);
    expect((await member.ended).reason).toMatch(reason);
  });

  it('a slow loris: a request that does not arrive in time is closed', async () => {
    expect(await slowLoris.answer).toMatch(/^HTTP\/1.1 408 /);
  });

  it('a flood of connections: valid peers still get in, from the same network and from others', async () => {
    let closed = 0;
    const mostAreGone = new Promise<void>((resolve) => {
      const flood = (i: number): Socket => {
        const socket = connect(held.address, () => {
          // Some send nothing, some open a WebSocket first.
          if (i % 2 === 0) socket.write(`${UPGRADE.join('\r\n')}\r\n\r\n`);
        });
        socket.on('error', () => {});
        socket.on('close', () => ++closed === 2 * UNAUTHENTICATED_PEERS_MAX && resolve());
        return socket.resume();
      };
      sockets = Array.from({ length: 3 * UNAUTHENTICATED_PEERS_MAX }, (_, i) => flood(i));
    });
    await mostAreGone;
    const elsewhere = await Peer.connect(held.url, { from: '127.0.0.2' }).joins();
    const there = await joinsInTheEnd();
    for (const peer of [elsewhere, there]) peer.socket.close();
    await Promise.all([elsewhere.ended, there.ended]);
    for (const socket of sockets) socket.destroy();
  });

  it('readers of pages that never read: valid peers get in, and others are answered', async () => {
    const asked = Array.from({ length: 3 * UNAUTHENTICATED_PEERS_MAX }, () => {
      const socket = connect(held.address);
      socket.on('error', () => {});
      socket.pause();
      // The largest file, and not compressed: more than a connection takes that nobody reads.
      socket.write('GET /kernels/exact.wasm HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
      return socket;
    });
    sockets.push(...asked);
    await Promise.all(asked.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
    await joinsAndReads('127.0.0.3');
    for (const socket of asked) socket.destroy();
  });

  it('readers of pages that read a byte now and then: valid peers get in meanwhile, and others are answered', async () => {
    let bytesRead = 0;
    // From a network of their own: connections of each get in at a bounded rate.
    const from = { ...held.address, localAddress: '127.0.0.6' };
    const asked = Array.from({ length: UNAUTHENTICATED_PEERS_MAX }, () => {
      const socket = connect(from);
      socket.on('error', () => {});
      // A byte with each turn of the event loop in which more has arrived, which is far less than arrives.
      socket.on('readable', () => setImmediate(() => (bytesRead += socket.read(1)?.length ?? 0)));
      socket.write('GET /kernels/exact.wasm HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
      return socket;
    });
    sockets.push(...asked);
    await Promise.all(asked.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
    await joinsAndReads('127.0.0.5');
    expect(bytesRead).toBeGreaterThan(0);
    for (const socket of asked) socket.destroy();
  });

  it('a flood of requests for pages: valid peers get in meanwhile, and others are answered', async () => {
    let isOver = false;
    let answered = 0;
    const flood = async (): Promise<void> => {
      while (!isOver) {
        await sayOverTcp(held.address, 'GET /page/main.js HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n').answer;
        answered += 1;
      }
    };
    const floods = Array.from({ length: 50 }, flood);
    await joinsAndReads('127.0.0.4');
    isOver = true;
    await Promise.all(floods);
    expect(answered).toBeGreaterThanOrEqual(50);
  });

  /**
   * Joins from the network of a flood. Of one network the latest connection is served first, so what a flood overtakes is
   * closed unserved, and connects again as a worker does.
   */
  async function joinsInTheEnd(): Promise<Peer> {
    for (let failures = 1; ; failures++) {
      try {
        return await Peer.connect(held.url).joins();
      } catch (error) {
        const delayMs = retryDelayMs(failures);
        if (delayMs === undefined) throw error;
        await new Promise<void>((resolve) => void systemClock.after(delayMs, resolve));
      }
    }
  }

  async function joinsAndReads(from: string): Promise<void> {
    const elsewhere = await Peer.connect(held.url, { from }).joins();
    const there = await joinsInTheEnd();
    const fromElsewhere = { ...held.address, localAddress: from };
    const page = await sayOverTcp(fromElsewhere, 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n').answer;
    expect(page).toContain('<title>Unisum</title>');
    for (const peer of [elsewhere, there]) peer.socket.close();
    await Promise.all([elsewhere.ended, there.ended]);
  }
});

describe('the attacked run', () => {
  it('ends with the right weights, and has logged each refusal once', async () => {
    held.goOn();
    const { status, stdout, stderr } = await held.coordinator.ended;
    expect(status, stderr).toBe(0);
    expect(stderr).not.toMatch(/\n +at /);
    const logged = stderr.match(/refused remote-\d+: wrong token/g);
    const counted = [...stderr.matchAll(/refused (\d+) more: wrong token/g)].map(([, count]) =>
      Number(count),
    );
    expect(logged).toHaveLength(1);
    for (const reason of [
      'a frame has reserved bits',
      'a message exceeds 65536 bytes',
      'sent "hello" twice',
      'answered pings that were not sent',
      'a message has a payload of 1048576 bytes, more than 0',
      'a header exceeds 65536 bytes',
      'requested chunks that it was sent already',
      'a message has 65 frames, too many for its bytes',
    ])
      expect(
        stderr.match(new RegExp(`refused (remote|mallory)-\\d+: ${reason}\n`, 'g')),
        reason,
      ).toHaveLength(1);
    // The replayed handshake is one of them.
    expect(counted.reduce((sum, count) => sum + count, 1)).toBe(WRONG_TOKENS + 1);
    expect(stderr.split('\n').length).toBeLessThan(60);
    const { weightsSha256 } = JSON.parse(stdout);
    expect(weightsSha256).toBe(JSON.parse((await run(...RUN)).stdout).weightsSha256);
  });
});
