import * as v from 'valibot';
import type { CoordinatorToNode, NodeToCoordinator } from './messages.js';
import { CoordinatorToNodeSchema, NodeToCoordinatorSchema } from './schema.js';
import { PROTOCOL_VERSION } from './version.js';

/** A peer said something that is no message of this protocol. The message is a reason to send back and to show. */
export class ProtocolError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ProtocolError';
  }
}

/**
 * A message of a coordinator, out of what came over a wire.
 * @throws ProtocolError when it is none, or the coordinator speaks another version
 */
export function parseCoordinatorMessage(value: unknown): CoordinatorToNode {
  return checked(CoordinatorToNodeSchema, value);
}

/**
 * A message of a node, out of what came over a wire.
 * @throws ProtocolError when it is none, or the node speaks another version
 */
export function parseNodeMessage(value: unknown): NodeToCoordinator {
  return checked(NodeToCoordinatorSchema, value);
}

/**
 * A message of one direction, out of what came over a wire.
 * @throws ProtocolError when it is none, or the peer speaks another version
 */
export function checked<T>(schema: v.GenericSchema<unknown, T>, value: unknown): T {
  checkVersion(value);
  // One fault is enough to refuse a message; looking for all of them is work that a hostile peer would choose.
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = v.getDotPath(issue);
  // Names fields of ours only: what the peer sent is not repeated, it could be anything.
  throw new ProtocolError(`not a message of this protocol: ${path ?? 'kind'} is wrong`);
}

/** Another version may have other fields too: its number is what must be told, not the first field that differs. */
function checkVersion(value: unknown): void {
  if (typeof value !== 'object' || value === null || !('kind' in value) || !('version' in value)) return;
  const { kind, version } = value;
  if (kind !== 'hello' && kind !== 'watch' && kind !== 'challenge') return;
  if (!Number.isSafeInteger(version) || version === PROTOCOL_VERSION) return;
  const peer = kind === 'challenge' ? 'the coordinator' : kind === 'hello' ? 'the worker' : 'the watcher';
  throw new ProtocolError(
    `${peer} speaks protocol version ${version}, this side ${PROTOCOL_VERSION}; install the same version of unisum on both`,
  );
}
