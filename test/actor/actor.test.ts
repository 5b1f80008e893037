import { describe, expect, it } from 'vitest';
import { Actor, type ActorFailure, type ActorRef } from '../../shared/actor/actor.js';
import type { Transition } from '../../shared/actor/transition.js';

/** Sums the numbers that it is told. Each number returns as many effects. */
const add: Transition<number, number, string> = (sum, number) => {
  if (number < 0) throw new Error('negative');
  return { state: sum + number, effects: Array.from({ length: number }, (_, i) => `${number}.${i}`) };
};

interface Trace {
  readonly actor: Actor<number, number, string>;
  readonly effects: string[];
  readonly failures: ActorFailure<number>[];
}

function adder(onEffect: (effect: string, self: ActorRef<number>) => void = () => {}, max = 10): Trace {
  const effects: string[] = [];
  const failures: ActorFailure<number>[] = [];
  const actor = new Actor({
    name: 'adder',
    state: 0,
    transition: add,
    perform: (effect, self) => {
      effects.push(effect);
      onEffect(effect, self);
    },
    onFailure: (failure) => failures.push(failure),
    mailboxMessagesMax: max,
  });
  return { actor, effects, failures };
}

describe('an actor', () => {
  it('handles messages in order and performs the effects of each before the next', () => {
    const { actor, effects } = adder((effect, self) => {
      // The actor is busy: this waits until the effects of 3 are done.
      if (effect === '3.0') self.tell(2);
    });
    actor.tell(3);
    actor.tell(1);
    expect(effects).toEqual(['3.0', '3.1', '3.2', '2.0', '2.1', '1.0']);
    expect(actor.state).toBe(6);
  });

  it('does not recurse when its effects send messages to itself', () => {
    let left = 100_000;
    const { actor, failures } = adder((_, self) => {
      if (left-- > 0) self.tell(1);
    });
    actor.tell(1);
    expect(actor.state).toBe(100_001);
    expect(failures).toEqual([]);
  });

  it('stops and reports when a transition throws', () => {
    const { actor, effects, failures } = adder();
    actor.tell(2);
    actor.tell(-1);
    actor.tell(2);
    expect(failures).toEqual([{ name: 'adder', error: new Error('negative'), message: -1 }]);
    expect([actor.stopped, actor.state, effects.length]).toEqual([true, 2, 2]);
  });

  it('stops and reports when an effect throws, and performs no further effects', () => {
    const { actor, effects, failures } = adder((effect) => {
      if (effect === '3.1') throw new Error('no such file');
    });
    actor.tell(3);
    actor.tell(1);
    expect(failures).toEqual([{ name: 'adder', error: new Error('no such file'), message: 3 }]);
    expect(effects).toEqual(['3.0', '3.1']);
  });

  it('stops when more messages wait than its mailbox holds', () => {
    const { actor, failures } = adder((_, self) => {
      for (let i = 0; i < 11; i++) self.tell(0);
    });
    actor.tell(1);
    expect(failures).toEqual([
      { name: 'adder', error: new Error('the mailbox of adder is full: 10 messages wait'), message: 0 },
    ]);
    expect(actor.stopped).toBe(true);
  });

  it('performs nothing and handles nothing after it was stopped', () => {
    const { actor, effects, failures } = adder((effect, self) => {
      self.tell(5);
      if (effect === '3.1') self.stop();
    });
    actor.tell(3);
    actor.tell(1);
    expect(effects).toEqual(['3.0', '3.1']);
    expect(failures).toEqual([]);
  });
});
