import { PARTS_MAX, PATH_IDS_MAX } from '../shared/protocol/limits.js';
import type { SumPart } from '../shared/protocol/messages.js';
import type { ComputedPart } from './relay-state.js';

/**
 * What a relay says of its sums: who has computed which part of them. Of very many the parts of those below other relays are left
 * out, so that those relays answer for them; or all are, so that this relay answers for all.
 * @param hashOf the hash of the sums that a member has sent; to be called before they are added
 */
export function accountOf(
  computed: readonly ComputedPart[],
  hashOf: (part: ComputedPart) => string,
): readonly SumPart[] | undefined {
  if (computed.length > PARTS_MAX) return undefined;
  const own = computed.map((part): SumPart => {
    const { memberId, name, range } = part;
    return { path: memberId, name, range, hash: hashOf(part) };
  });
  const below = computed.flatMap(({ memberId, parts }) =>
    parts.map((part): SumPart => ({ ...part, path: `${memberId}/${part.path}` })),
  );
  const isDeep = below.some(({ path }) => path.split('/').length > PATH_IDS_MAX);
  return isDeep || own.length + below.length > PARTS_MAX ? own : [...own, ...below];
}
