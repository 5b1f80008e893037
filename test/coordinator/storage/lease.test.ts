import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LEASE_FILE, Lease } from '../../../coordinator/storage/lease.js';
import { VirtualClock } from '../../../shared/actor/virtual-clock.js';
import { UserError } from '../../../shared/errors.js';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'unisum-lease-'));
  file = join(folder, LEASE_FILE);
  clock = new VirtualClock();
});
afterEach(() => rmSync(folder, { recursive: true }));

let clock: VirtualClock;
const read = (): Record<string, unknown> => JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;

/** A lease as another process has left it: this one's, but for what is given. */
function leaseOf(differences: object, ageSeconds = 0): void {
  rmSync(file, { force: true });
  const lease = Lease.take(folder, clock);
  const own = read();
  lease.release();
  writeFileSync(file, JSON.stringify({ ...own, nonce: 'another', ...differences }));
  const writtenAt = statSync(file).mtimeMs / 1000;
  utimesSync(file, writtenAt, writtenAt - ageSeconds);
}

const isHeld = (): boolean => {
  try {
    Lease.take(folder, clock).release();
    return false;
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return true;
  }
};

describe('the lease of a run directory', () => {
  it('refuses a second process in one line that names the holder and the fix, until it is released', () => {
    const lease = Lease.take(folder, clock);
    expect(() => Lease.take(folder, clock)).toThrow(
      new RegExp(
        `^${folder} is in use by process ${process.pid} on ${hostname()} since \\d{4}-[^ ]+; wait until it ends or stop it, or train into another folder with --run-dir DIR$`,
      ),
    );
    lease.release();
    lease.release();
    expect(existsSync(file)).toBe(false);
    expect(isHeld()).toBe(false);
  });

  it.runIf(process.platform === 'linux').each<[string, object]>([
    ['was killed', { pid: 2 ** 22 + 1 }],
    ['has ended, and another process has its number now', { started: '1' }],
    ['ran before the machine was started anew', { boot: 'another' }],
  ])('is free when the process that held it %s', (_, differences) => {
    leaseOf(differences);
    expect(isHeld()).toBe(false);
  });

  it.runIf(process.platform === 'linux')(
    'is free when its holder was killed and nobody has noticed',
    async () => {
      const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
      await new Promise((resolve) => child.once('spawn', resolve));
      const started = readFileSync(`/proc/${child.pid}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ')[19];
      leaseOf({ pid: child.pid, started });
      expect(isHeld()).toBe(true);
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
      expect(isHeld()).toBe(false);
    },
  );

  it.each<[string, object]>([
    ['another machine', { host: 'elsewhere' }],
    ['another container of the same name', { namespace: 'pid:[1]' }],
  ])('is held from %s as long as its heartbeat is seen', (_, differences) => {
    leaseOf(differences);
    expect(isHeld()).toBe(true);
    leaseOf(differences, 19);
    expect(isHeld()).toBe(true);
    leaseOf(differences, 21);
    expect(isHeld()).toBe(false);
  });

  it('says of a holder elsewhere when its claim lapses', () => {
    leaseOf({ host: 'elsewhere' });
    expect(() => Lease.take(folder, clock)).toThrow(
      /on elsewhere since [^\n]*\(if that machine is gone, its claim lapses 20 s after its last sign of life\)$/,
    );
  });

  it.each([
    ['nothing', ''],
    ['something else', '{"pid":"x"}'],
    [
      'a name that would break the line',
      '{"pid":1,"host":"a\\nb","since":"","nonce":"","boot":null,"namespace":null,"started":null}',
    ],
  ])('that says %s is one that is being written, for a while', (_, text) => {
    writeFileSync(file, text);
    expect(() => Lease.take(folder, clock)).toThrow(
      /is in use by another process, which has just begun; [^\n]*$/,
    );
    utimesSync(file, 1, 1);
    expect(isHeld()).toBe(false);
  });

  it('is kept alive by its holder, who learns when somebody else has it', () => {
    const lease = Lease.take(folder, clock);
    const problems: string[] = [];
    lease.onLost = ({ message }) => problems.push(message);
    const text = readFileSync(file, 'utf8');
    utimesSync(file, 1, 1);
    clock.advance(5000);
    expect(readFileSync(file, 'utf8')).toBe(text);
    leaseOf({ host: 'elsewhere' }, 0);
    clock.advance(5000);
    expect(problems).toEqual([
      `${folder} was taken over by another process; train into another folder with --run-dir DIR`,
    ]);
    lease.release();
    expect(read().host).toBe('elsewhere');
    clock.advance(60_000);
    expect(problems).toHaveLength(1);
  });

  it('is looked at before something is written, when its holder was paused', () => {
    const lease = Lease.take(folder, clock);
    lease.confirm();
    leaseOf({ host: 'elsewhere' }, 0);
    // A moment ago it was ours, and nobody takes a lease in a moment.
    lease.confirm();
    const late = new (class extends VirtualClock {
      override nowMs(): number {
        return super.nowMs() + pausedMs;
      }
    })();
    let pausedMs = 0;
    rmSync(file);
    const paused = Lease.take(folder, late);
    pausedMs = 60_000;
    paused.confirm();
    leaseOf({ host: 'elsewhere' }, 0);
    paused.confirm();
    pausedMs = 120_000;
    expect(() => paused.confirm()).toThrow(/ was taken over by another process; /);
    expect(() => paused.confirm()).toThrow(/ was taken over by another process; /);
    lease.release();
  });

  it('is waited for, and taken when its holder has released it', async () => {
    const holder = Lease.take(folder, clock);
    const told: string[] = [];
    let taken: Lease | undefined;
    const waiting = Lease.takeWhenFree(folder, clock, (who) => told.push(who)).then((lease) => {
      taken = lease;
    });
    for (let i = 0; i < 10; i++) {
      clock.advance(500);
      await Promise.resolve();
    }
    expect(told).toEqual([expect.stringMatching(/^process \d+ on \S+ since \S+$/)]);
    expect(taken).toBeUndefined();
    holder.release();
    clock.advance(500);
    await waiting;
    taken?.confirm();
    expect(isHeld()).toBe(true);
    taken?.release();
  });

  it('leaves nothing behind', () => {
    for (const [differences, age] of [
      [{ boot: 'another' }, 0],
      [{ host: 'elsewhere' }, 21],
    ] as const) {
      leaseOf(differences, age);
      expect(isHeld()).toBe(false);
      expect(readdirSync(folder)).toEqual([]);
    }
  });
});
