import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { Interrupts, interruptedStatus } from '../../scripts/terminal/interrupt.js';
import { startProgress } from '../../scripts/terminal/progress.js';
import { formatBar, formatCount, formatDuration, formatPlain } from '../../scripts/terminal/progress-text.js';
import { Rate } from '../../scripts/terminal/rate.js';
import { showWhile } from '../../scripts/terminal/transient-note.js';
import { VirtualClock } from '../../shared/actor/virtual-clock.js';
import type { ProgressState } from '../../trainer/run-logger.js';

const STATE: ProgressState = {
  step: 469,
  steps: 2345,
  epoch: 2,
  epochs: 5,
  loss: 0.3142,
  samples: 60_000,
  workers: 2,
};
const THROUGHPUT = { samplesPerSecond: 123_456, stepsPerSecond: 938 };
const LINE = ' 20%  epoch 2/5  step  469/2345  loss 0.3142   123k samples/s  2 workers  2s left';

describe('progress as text', () => {
  it('shows percent, epoch, step, loss, speed, workers and time left', () => {
    expect(formatPlain(STATE, THROUGHPUT)).toBe(LINE);
  });

  it('shows what is not known yet', () => {
    const start = { ...STATE, step: 0, loss: undefined, workers: 1 };
    expect(formatPlain(start, { samplesPerSecond: 0, stepsPerSecond: 0 })).toBe(
      '  0%  epoch 2/5  step    0/2345  loss -      0 samples/s  1 worker  time left unknown',
    );
  });

  it('shows no time left at the end, whatever the throughput', () => {
    expect(formatPlain({ ...STATE, step: 2345 }, { samplesPerSecond: 0, stepsPerSecond: 0 })).toMatch(
      / {2}0s left$/,
    );
  });

  it('draws a bar in the remaining columns, never longer than the terminal', () => {
    expect(formatBar(STATE, THROUGHPUT, 200)).toBe(`${'█'.repeat(8)}${'░'.repeat(32)} ${LINE}`);
    expect(formatBar(STATE, THROUGHPUT, LINE.length + 11)).toBe(`██${'░'.repeat(8)} ${LINE}`);
    expect(formatBar(STATE, THROUGHPUT, LINE.length + 3)).toBe(LINE);
    for (const columns of [1, 20, 80, 81, 90, 120]) {
      expect(formatBar(STATE, THROUGHPUT, columns).length).toBeLessThanOrEqual(columns);
    }
  });

  it.each([
    [0, '0'],
    [7.4, '7'],
    [999.4, '999'],
    [999.6, '1.00k'],
    [1234, '1.23k'],
    [1_234_567, '1.23M'],
    [5e12, '5.00T'],
  ])('formats the count %d as %s', (value, text) => {
    expect(formatCount(value)).toBe(text);
  });

  it.each([
    [0, '0s'],
    [8.2, '9s'],
    [59.5, '1m00s'],
    [125, '2m05s'],
    [3725, '1h02m'],
    [90_000, '25h00m'],
  ])('formats %d seconds as %s', (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });
});

describe('rate', () => {
  it('is 0 before two times are known', () => {
    const rate = new Rate();
    expect(rate.perSecond()).toBe(0);
    rate.note(5, 100);
    rate.note(5, 200);
    expect(rate.perSecond()).toBe(0);
  });

  it('covers the last seconds only', () => {
    const rate = new Rate();
    for (let ms = 0; ms <= 20_000; ms += 10) rate.note(ms, ms / 10);
    expect(rate.perSecond()).toBeCloseTo(100);
    for (let ms = 20_010; ms <= 26_000; ms += 10) rate.note(ms, 2000 + (ms - 20_000));
    expect(rate.perSecond()).toBeCloseTo(1000);
  });

  it('starts again when the count falls', () => {
    const rate = new Rate();
    for (let ms = 0; ms <= 3000; ms += 100) rate.note(ms, ms);
    for (let ms = 3100; ms <= 4000; ms += 100) {
      rate.note(ms, (ms - 3100) / 10);
      expect(rate.perSecond()).toBeGreaterThanOrEqual(0);
    }
    expect(rate.perSecond()).toBeCloseTo(100);
  });

  it('survives a long pause', () => {
    const rate = new Rate();
    rate.note(0, 0);
    rate.note(60_000, 60);
    rate.note(120_000, 240);
    expect(rate.perSecond()).toBeCloseTo(3);
  });
});

/** A stream that records what is written to it, with the properties of a terminal that progress needs. */
function recorder(isTTY: boolean): { stream: NodeJS.WriteStream; text(): string } {
  let text = '';
  const write = (part: string): boolean => {
    text += part;
    return true;
  };
  const stream = Object.assign(new EventEmitter(), { write, isTTY, columns: 120 });
  return { stream: stream as unknown as NodeJS.WriteStream, text: () => text };
}

describe('a transient note', () => {
  it('is shown during the work and removed afterwards, also when the work fails', async () => {
    const { stream, text } = recorder(true);
    expect(await showWhile('reading data', stream, async () => text())).toBe('reading data ...');
    expect(text()).toBe('reading data ...\x1b[1G\x1b[2K');
    const failed = showWhile('reading data', stream, () => Promise.reject(new Error('no data')));
    await expect(failed).rejects.toThrow('no data');
    expect(text()).toBe('reading data ...\x1b[1G\x1b[2K'.repeat(2));
  });

  it('is not written when the stream is not a terminal', async () => {
    const { stream, text } = recorder(false);
    expect(await showWhile('reading data', stream, async () => 7)).toBe(7);
    expect(text()).toBe('');
  });
});

describe('progress', () => {
  it('prints a plain line every few seconds, and the last state at the end', () => {
    let nowMs = 0;
    const { stream, text } = recorder(false);
    const progress = startProgress(stream, () => nowMs);
    for (let step = 0; step <= 12; step++) {
      nowMs = step * 1000;
      progress.update({ ...STATE, step, steps: 12, samples: step * 128 });
      if (step === 7) progress.say('a worker joined');
    }
    progress.stop();
    const steps = [...text().matchAll(/step +(\d+)\/12|joined/g)].map(([whole, step]) => step ?? whole);
    expect(steps).toEqual(['0', '5', 'joined', '10', '12']);
    expect(text()).toContain('step 10/12  loss 0.3142    128 samples/s  2 workers  2s left\n');
  });

  it('leaves time in which nothing was trained out of the throughput', () => {
    let nowMs = 0;
    const { stream, text } = recorder(false);
    const progress = startProgress(stream, () => nowMs);
    progress.update({ ...STATE, step: 0, steps: 20, samples: 0 });
    nowMs = 1000;
    progress.update({ ...STATE, step: 1, steps: 20, samples: 128 });
    nowMs = 9000;
    progress.paused(8000);
    nowMs = 10_000;
    progress.update({ ...STATE, step: 2, steps: 20, samples: 256 });
    expect(text()).toContain('step  2/20  loss 0.3142    128 samples/s');
  });

  it('counts from the begin of training, also where the first steps are reported together', () => {
    let nowMs = 0;
    const { stream, text } = recorder(false);
    const progress = startProgress(stream, () => nowMs);
    progress.begin({ samples: 1000, step: 100 });
    nowMs = 32_000;
    for (let step = 101; step <= 104; step++)
      progress.update({ ...STATE, step, steps: 104, samples: 1000 + 2 * (step - 100) });
    progress.stop();
    expect(text()).toMatch(/step 104\/104 .* 0\.25 samples\/s/);
  });

  it('counts anew where training begins again after a wait', () => {
    let nowMs = 0;
    const { stream, text } = recorder(false);
    const progress = startProgress(stream, () => nowMs);
    progress.begin({ samples: 0, step: 0 });
    nowMs = 1000;
    progress.update({ ...STATE, step: 1, steps: 20, samples: 128 });
    nowMs = 60_000;
    progress.begin({ samples: 128, step: 1 });
    nowMs = 61_000;
    progress.update({ ...STATE, step: 2, steps: 20, samples: 256 });
    expect(text()).toMatch(/step {2}2\/20 .* 128 samples\/s .* 18s left/);
  });

  it('prints the last state once', () => {
    const { stream, text } = recorder(false);
    const progress = startProgress(stream, () => 0);
    progress.update(STATE);
    progress.stop();
    expect(text().match(/step/g)).toHaveLength(1);
  });

  it('draws a bar on a terminal, with messages above it', () => {
    let nowMs = 0;
    const { stream, text } = recorder(true);
    const progress = startProgress(stream, () => nowMs);
    progress.say('before');
    progress.update({ ...STATE, step: 0 });
    nowMs = 50;
    progress.update({ ...STATE, step: 100 });
    progress.say('joined');
    nowMs = 1000;
    progress.update({ ...STATE, step: 2345 });
    progress.stop();
    expect(text()).toMatch(/^before\n/);
    expect(text()).toContain('joined\n');
    expect(text()).toMatch(/░+ +0% .*joined\n.*█+ 100% /s);
    expect(text()).not.toContain('step  100/');
    expect(text().endsWith('\n')).toBe(true);

    const ended = text();
    progress.stop();
    progress.say('after');
    expect(text()).toBe(`${ended}after\n`);
  });

  it('writes nothing to a terminal when there was no progress', () => {
    const { stream, text } = recorder(true);
    startProgress(stream, () => 0).stop();
    expect(text()).toBe('');
  });
});

describe('interrupts', () => {
  function interrupts(): { source: EventEmitter; clock: VirtualClock; statuses: number[]; all: Interrupts } {
    const source = new EventEmitter();
    const clock = new VirtualClock();
    const statuses: number[] = [];
    return { source, clock, statuses, all: new Interrupts(source, clock, (status) => statuses.push(status)) };
  }

  it('are left to the system until a command reads the signal', () => {
    const { source, all } = interrupts();
    expect(source.listenerCount('SIGTERM')).toBe(0);
    all.hold()();
    expect(source.listenerCount('SIGTERM')).toBe(0);
    expect(all.signal).toBe(all.signal);
    expect([source.listenerCount('SIGINT'), source.listenerCount('SIGTERM')]).toEqual([1, 1]);
  });

  it('abort at the first signal, exit at the second, and take no echo for a second', () => {
    const { source, clock, statuses, all } = interrupts();
    const { signal } = all;
    all.hold();
    expect(signal.aborted).toBe(false);
    source.emit('SIGINT');
    expect(signal.aborted).toBe(true);
    expect(interruptedStatus(signal)).toBe(130);
    clock.advance(20);
    source.emit('SIGINT');
    expect(statuses).toEqual([]);
    clock.advance(2000);
    source.emit('SIGTERM');
    expect(statuses).toEqual([130]);
  });

  it('exit within a second, but for a command that holds on to save', () => {
    const { source, clock, statuses, all } = interrupts();
    expect(all.signal.aborted).toBe(false);
    source.emit('SIGTERM');
    clock.advance(999);
    expect(statuses).toEqual([143]);

    const saving = interrupts();
    expect(saving.all.signal.aborted).toBe(false);
    const release = saving.all.hold();
    saving.source.emit('SIGTERM');
    saving.clock.advance(60_000);
    expect(saving.statuses).toEqual([]);
    release();
    release();
    saving.clock.advance(999);
    expect(saving.statuses).toEqual([143]);
  });
});
