/*
 * Both ends prove that they know the join token without sending it. A proof is a keyed hash over two random nonces, one of
 * each end, so that it cannot be replayed. The role and the version are hashed too, so that one end's proof is not the
 * other's. The proofs alone neither hide the messages nor prevent a man in the middle from relaying them. For join lines
 * that begin with wss://, TLS and the certificate's fingerprint do (shared/link/certificate.ts).
 */

import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { base64url } from '../base64url.js';
import { PROTOCOL_VERSION } from './messages.js';

/** As many as a random identifier has. */
const WORK_TOKEN_CHARACTERS = 22;

/** What a proof is computed over: one attempt to join one run. */
export interface Handshake {
  /** The run's id, from the challenge. */
  readonly run: string;
  /** From the challenge. */
  readonly coordinatorNonce: string;
  /** From the hello. */
  readonly workerNonce: string;
}

/** The worker's proof, in `hello`: 64 hexadecimal digits. */
export function workerProof(token: string, handshake: Handshake): string {
  return proof(token, 'worker', handshake);
}

/** The coordinator's proof, in `run`: 64 hexadecimal digits. */
export function coordinatorProof(token: string, handshake: Handshake): string {
  return proof(token, 'coordinator', handshake);
}

/**
 * The token that permits watching a run. It can be derived from the token for joining, but not the other way round.
 * @returns 43 characters of the base64url alphabet
 */
export function watchToken(token: string): string {
  return base64url(keyedHash(token, 'unisum|watch'));
}

/**
 * The token that permits working for a run. It can be derived from the token for operating it, but not the other way round.
 * @returns 22 characters of the base64url alphabet, 132 bits: people copy them
 */
export function workToken(operateToken: string): string {
  return base64url(keyedHash(operateToken, 'unisum|work')).slice(0, WORK_TOKEN_CHARACTERS);
}

/** Whether two proofs are equal. Takes the same time wherever they differ. */
export function proofsEqual(expected: string, received: string): boolean {
  if (expected.length !== received.length) return false;
  let difference = 0;
  for (let i = 0; i < expected.length; i++) difference |= expected.charCodeAt(i) ^ received.charCodeAt(i);
  return difference === 0;
}

/** HMAC-SHA256(token, "unisum" | version | role | run | coordinator's nonce | worker's nonce). No part may contain a "|". */
function proof(token: string, role: 'worker' | 'coordinator', handshake: Handshake): string {
  const { run, coordinatorNonce, workerNonce } = handshake;
  const text = ['unisum', PROTOCOL_VERSION, role, run, coordinatorNonce, workerNonce].join('|');
  return bytesToHex(keyedHash(token, text));
}

/** HMAC-SHA256. The library's, and not the platform's: a browser has none on a page without TLS. */
function keyedHash(token: string, text: string): Uint8Array {
  return hmac(sha256, utf8ToBytes(token), utf8ToBytes(text));
}
