import { expect, it } from 'vitest';
import { Audience } from '../../coordinator/audience.js';
import { VirtualClock } from '../../shared/actor/virtual-clock.js';
import { linkInProcess } from '../../shared/link/in-process.js';
import type { News } from '../../shared/protocol/watch-messages.js';
import { record } from '../link/recorder.js';

const PROOF = '0'.repeat(64);

function progress(step: number): News {
  return { kind: 'progress', step, steps: 9, epoch: 1, epochs: 1, loss: 1, samples: step, workers: 1 };
}
const METRICS: News = { kind: 'metrics', step: 4, epoch: 1, metrics: { testLoss: 1 } };

/** Someone who watches, and what has come there, by kind and step. */
function watcher(audience: Audience, id: string): { told: () => Promise<string[]> } {
  const [mine, theirs] = linkInProcess(['run', id]);
  const heard = record(theirs);
  record(mine);
  audience.seat(id, mine, PROOF);
  return {
    told: async () => {
      mine.send({ kind: 'stop' });
      const before = heard.received.length;
      await heard.arrived(before + 1);
      return heard.received.splice(0).map(({ message }) => {
        const { kind, step } = message as { kind: string; step?: number };
        return step === undefined ? kind : `${kind} ${step}`;
      });
    },
  };
}

it('is told of progress at once, then four times a second, and always of the latest', async () => {
  const clock = new VirtualClock();
  const audience = new Audience(clock);
  const one = watcher(audience, 'one');
  for (let step = 1; step <= 3; step++) audience.publish(progress(step));
  expect(await one.told()).toEqual(['watching', 'progress 1', 'stop']);
  clock.advance(250);
  expect(await one.told()).toEqual(['progress 3', 'stop']);
  clock.advance(10_000);
  expect(await one.told()).toEqual(['stop']);
  audience.publish(progress(4));
  expect(await one.told()).toEqual(['progress 4', 'stop']);
});

it('is told of an evaluation at once, behind the progress until then; who comes late is told the latest', async () => {
  const audience = new Audience(new VirtualClock());
  const one = watcher(audience, 'one');
  for (const news of [progress(1), progress(2), METRICS]) audience.publish(news);
  expect(await one.told()).toEqual(['watching', 'progress 1', 'progress 2', 'metrics 4', 'stop']);
  const late = watcher(audience, 'late');
  expect(await late.told()).toEqual(['watching', 'progress 2', 'metrics 4', 'stop']);
  audience.leave('one');
  audience.publish(METRICS);
  expect(await one.told()).toEqual(['stop']);
  expect(await late.told()).toEqual(['metrics 4', 'stop']);
});

it('leaves no timer behind when the run is over', async () => {
  const clock = new VirtualClock();
  const audience = new Audience(clock);
  const one = watcher(audience, 'one');
  for (const news of [progress(1), progress(2)]) audience.publish(news);
  audience.close();
  clock.advance(1000);
  expect(await one.told()).toEqual(['watching', 'progress 1', 'stop']);
});
