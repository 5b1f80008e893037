import * as v from 'valibot';
import { PROTOCOL_VERSION } from './messages.js';

/** A peer sent something that is not a message of this protocol. The error's message can be sent back and shown. */
export class ProtocolError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ProtocolError';
  }
}

/**
 * Validates a message of one direction.
 * @throws ProtocolError when it is malformed, or the peer has another protocol version
 */
export function checked<T>(schema: v.GenericSchema<unknown, T>, value: unknown): T {
  checkVersion(value);
  // One fault is enough to refuse a message. A search for all faults would be work that a malicious peer can cause.
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = v.getDotPath(issue);
  // The path has names of our own fields only. Nothing that the peer sent is repeated.
  throw new ProtocolError(`not a message of this protocol: ${path ?? 'kind'} is wrong`);
}

/** Another version may have other fields too: the error must name the version, not the first field that differs. */
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
