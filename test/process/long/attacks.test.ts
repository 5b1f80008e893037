import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ATTACKS, type Attacker } from '../../../scripts/dev/attacks/attacks.js';
import { HostileMember } from '../../../scripts/dev/attacks/hostile-member.js';
import { systemClock } from '../../../shared/actor/clock.js';
import { SeededRandom } from '../../../shared/actor/seeded-random.js';
import { NEED_CHUNKS_MAX } from '../../../shared/protocol/limits.js';
import type { Run } from '../../../shared/protocol/messages.js';
import { idxBytes } from '../../data/images/idx-bytes.js';
import { HeldRun } from '../../support/held-run.js';
import { smallData, writeFiles } from '../../support/process-data.js';
import { runHere } from '../../support/program-here.js';

/*
 * Members with the token that attack a run: what the run does about them, and that its weights are those of an undisturbed
 * one. What attacks cost is measured by `npm run measure:attacks`. A worker of the test holds a step meanwhile.
 */
const ROOT = mkdtempSync(join(tmpdir(), 'unisum-attacks-'));
/** So many that the training data have twenty chunks. */
const SAMPLES = 26_000;
const DATA = writeFiles(join(ROOT, 'data'), { ...smallData(), ...manyImages() });
const RUN = ['train', '--batch', 64, '--leaf', 8, '--steps', 12, '--json', '--data', DATA];
/** Members that do not read. */
const UNREAD = 60;
/** What they request, in MiB, if all of it was buffered: the chunks of 16 requests each. */
const REQUESTED_MIB = UNREAD * NEED_CHUNKS_MAX;

let held: HeldRun;

beforeAll(async () => {
  held = await HeldRun.begin(RUN, ROOT);
  await held.hold();
}, 60_000);

afterAll(async () => {
  await held.end();
  rmSync(ROOT, { recursive: true });
});

function manyImages(): Record<string, Uint8Array> {
  const random = new SeededRandom(2);
  const pixels = Uint8Array.from({ length: SAMPLES * 784 }, () => random.below(256));
  const labels = Uint8Array.from({ length: SAMPLES }, () => random.below(10));
  return {
    'train-images-idx3-ubyte': idxBytes([SAMPLES, 28, 28], pixels),
    'train-labels-idx1-ubyte': idxBytes([SAMPLES], labels),
  };
}

function begin(name: string): Attacker {
  const attack = ATTACKS.find((one) => one.name === name);
  if (attack === undefined) throw new Error(`there is no attack "${name}"`);
  return attack.start(held.url, systemClock);
}

/** Resident memory of the coordinator in MiB; undefined on systems that do not say. */
function memory(): number | undefined {
  const file = `/proc/${held.coordinator.pid}/status`;
  if (!existsSync(file)) return undefined;
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(file, 'utf8'))?.[1]) / 1024;
}

/** Requests data, stops reading, and sends pongs that answer no ping. Resolves when it is disconnected. */
function neverRead(): Promise<void> {
  const member = new HostileMember(held.url, 'never reads', (message) => {
    if (message.kind !== 'run') return;
    const { data } = message as Run;
    const chunks = Array.from({ length: NEED_CHUNKS_MAX }, (_, i) => i);
    expect(data.chunkHashes.length).toBeGreaterThan(NEED_CHUNKS_MAX);
    member.say({ kind: 'need', chunks });
    member.socket.pause();
    for (let id = 0; id < 10; id++) member.say({ kind: 'pong', id });
  });
  // A socket that is paused does not notice that it was closed, unless it sends.
  const poke = (): void => {
    const { readyState, OPEN, CLOSED } = member.socket;
    if (readyState === CLOSED) return;
    // On a busy machine it may not be connected yet.
    if (readyState === OPEN) member.socket.ping();
    systemClock.after(200, poke);
  };
  systemClock.after(200, poke);
  return member.closed;
}

describe('a run withstands', () => {
  it('members that request data and do not read: they are disconnected, and its memory does not grow', async () => {
    const before = memory();
    await Promise.all(Array.from({ length: UNREAD }, neverRead));
    const after = memory();
    if (before === undefined || after === undefined) return;
    expect(after - before).toBeLessThan(REQUESTED_MIB / 3);
  });

  it('members that join and leave in a loop: they are counted', async () => {
    const attacker = begin('joining in a loop');
    await held.coordinator.prints(/\n\d+ more joined and \d+ more left; 1 at work\n/);
    attacker.stop();
  });

  it('members that fetch the data in a loop, and ten that are silent: it ends with the right weights', async () => {
    const fetching = begin('fetching in a loop');
    const silent = begin('10 silent');
    await held.coordinator.prints(/at work\n/);
    held.goOn();
    const { status, stdout, stderr } = await held.coordinator.ended;
    fetching.stop();
    silent.stop();
    expect(status, stderr).toBe(0);
    expect(stderr).not.toMatch(/\n +at /);
    expect(stderr.split('\n').length).toBeLessThan(80);
    const { weightsSha256 } = JSON.parse(stdout);
    expect(weightsSha256).toBe(JSON.parse((await runHere(...RUN)).stdout).weightsSha256);
  });
});
