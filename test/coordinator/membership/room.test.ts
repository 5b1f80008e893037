import { describe, expect, it } from 'vitest';
import { remoteMembersMax } from '../../../coordinator/membership/room.js';
import { Script } from '../script.js';
import { hello, NONCE } from '../settings.js';

const FULL = 'the run is full: it has 3 members';

/** A machine connects from an address and joins. @returns the effects of its hello */
function arrives(script: Script, id: string, address: string): string[] {
  script.tell({ kind: 'connected', id, nonce: NONCE, sharesMemory: false, address });
  return script.says(id, hello(id));
}

/** Three members are all that a run can have; they have computed nothing. */
function full(): Script {
  const script = new Script({ connectionsMax: 12 });
  for (const [id, address] of [
    ['a', '10.0.0.1'],
    ['b', '10.0.0.2'],
    ['c', '10.0.0.1'],
  ] as const)
    expect(arrives(script, id, address)).toContain(`admit ${id}`);
  return script;
}

describe('a run with as many members as it can have', () => {
  it('takes one more: the latest idle one of the address with the most makes room', () => {
    const script = full();
    const effects = arrives(script, 'd', '10.0.0.3');
    expect(effects).toContain('admit d');
    expect(effects).toContain(
      'c <- refuse: the run is full, and it has computed nothing: it makes room for others; again after 30000 ms',
    );
    expect([...script.state.scheduling.workers.keys()]).toEqual(['a', 'b', 'd']);
  });

  it('takes none more of that address', () => {
    const script = full();
    expect(arrives(script, 'd', '10.0.0.1')).toContain(`d <- refuse: ${FULL}; again after 30000 ms`);
  });

  it('counts all addresses of an IPv6 network as one', () => {
    const script = new Script({ connectionsMax: 12 });
    for (const [id, address] of [
      ['a', '2001:db8::1'],
      ['b', '10.0.0.2'],
      ['c', '2001:db8::2'],
    ] as const)
      arrives(script, id, address);
    expect(arrives(script, 'd', '2001:db8::3')).toContain(`d <- refuse: ${FULL}; again after 30000 ms`);
    arrives(script, 'e', '10.0.0.3');
    expect([...script.state.membership.members.keys()]).toEqual(['a', 'b', 'e']);
  });

  it('keeps those that have computed something, or whose answers others have confirmed, of networks with few', () => {
    const script = full();
    const { members } = script.state.membership;
    for (const id of ['a', 'b']) Object.assign(members.get(id) ?? {}, { samples: 1 });
    Object.assign(members.get('c')?.standing ?? {}, { confirmed: 1 });
    expect(arrives(script, 'd', '10.0.0.2')).toContain(`d <- refuse: ${FULL}; again after 30000 ms`);
  });

  it('lets no network keep all of the room by computing a leaf with each of its members', () => {
    const script = full();
    const { members } = script.state.membership;
    for (const [id, samples] of [
      ['a', 4],
      ['b', 1],
      ['c', 8],
    ] as const)
      Object.assign(members.get(id) ?? {}, { samples });
    expect(arrives(script, 'd', '10.0.0.3')).toContain(
      'a <- refuse: the run is full, and most of its members are of this network: it makes room for others; again after 30000 ms',
    );
    for (const id of ['b', 'd']) Object.assign(members.get(id) ?? {}, { samples: 1 });
    expect(arrives(script, 'e', '10.0.0.4')).toContain(`e <- refuse: ${FULL}; again after 30000 ms`);
  });

  it('keeps connections for others: watchers, operators, and peers that have not authenticated', () => {
    expect([4096, 896, 100, 2].map(remoteMembersMax)).toEqual([3760, 560, 25, 1]);
  });
});
