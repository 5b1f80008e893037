/*
 * Both ends prove that they know the join token without sending it: a keyed hash over what both have just drawn at
 * random, so that neither answer can be used again. Role and version are hashed too: one end's proof is not the
 * other's. This alone does not hide the conversation and does not keep a man in the middle from passing it on: where the
 * join line begins with wss://, TLS and the certificate's fingerprint do (shared/link/certificate.ts).
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { PROTOCOL_VERSION } from './version.js';

/** What a proof is about: one attempt to join one run. */
export interface Handshake {
  /** The run's id, from the challenge. */
  readonly run: string;
  /** From the challenge. */
  readonly coordinatorNonce: string;
  /** From the hello. */
  readonly nodeNonce: string;
}

/** What a node sends in `hello`: 64 hexadecimal digits. */
export function nodeProof(token: string, handshake: Handshake): string {
  return proof(token, 'node', handshake);
}

/** What a coordinator sends in `run`: 64 hexadecimal digits. */
export function coordinatorProof(token: string, handshake: Handshake): string {
  return proof(token, 'coordinator', handshake);
}

/**
 * The token that gives the right to watch a run: whoever may join can make it, and nobody can make the other from it.
 * @returns 43 characters of the base64url alphabet
 */
export function watchToken(token: string): string {
  return createHmac('sha256', token).update('unisum|watch').digest('base64url');
}

/** Whether two proofs are equal; takes the same time wherever they differ. */
export function proofsEqual(expected: string, received: string): boolean {
  const [a, b] = [Buffer.from(expected), Buffer.from(received)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** HMAC-SHA256(token, "unisum" | version | role | run | coordinator's nonce | node's nonce). No part may hold a "|". */
function proof(token: string, role: 'node' | 'coordinator', handshake: Handshake): string {
  const { run, coordinatorNonce, nodeNonce } = handshake;
  const text = ['unisum', PROTOCOL_VERSION, role, run, coordinatorNonce, nodeNonce].join('|');
  return createHmac('sha256', token).update(text).digest('hex');
}
