/*
 * The key of a machine: a worker keeps an Ed25519 key pair on its disk, and proves at every join that it has it. So a run
 * knows a machine again that it has expelled, whatever name and address it comes with. A machine can make up another key, but
 * then it has proven nothing yet.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { type MachineProof, PROTOCOL_VERSION } from '../protocol/messages.js';
import type { Handshake } from '../protocol/proof.js';

/** A new key, as the text of a file (PKCS #8 in PEM). */
export function createMachineKey(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** @returns undefined when the text holds no Ed25519 key */
export function parseMachineKey(text: string): KeyObject | undefined {
  try {
    const key = createPrivateKey(text);
    return key.asymmetricKeyType === 'ed25519' ? key : undefined;
  } catch {
    return undefined;
  }
}

/** Proves that this machine has its key. The proof is good for one attempt to join one run. */
export function proveMachine(key: KeyObject, handshake: Handshake): MachineProof {
  const { x } = createPublicKey(key).export({ format: 'jwk' });
  return { key: String(x), signature: sign(null, signedText(handshake), key).toString('base64url') };
}

/** Whether a proof is of its key, and of this attempt to join. */
export function isMachineProven({ key, signature }: MachineProof, handshake: Handshake): boolean {
  try {
    const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: key }, format: 'jwk' });
    return verify(null, signedText(handshake), publicKey, Buffer.from(signature, 'base64url'));
  } catch {
    // Not every 32 bytes are a key.
    return false;
  }
}

/** A seal that nobody can put on a text without the key. */
export function sealText(key: KeyObject, text: string): string {
  return sign(null, sealedText(text), key).toString('base64url');
}

/** Whether a text has the seal of this key. */
export function isSealed(key: KeyObject, text: string, seal: string): boolean {
  return verify(null, sealedText(text), createPublicKey(key), Buffer.from(seal, 'base64url'));
}

/** A proof to join a run is no seal. */
function sealedText(text: string): Buffer {
  return Buffer.from(`unisum seal\n${text}`);
}

/** No part may contain a "|". */
function signedText({ run, coordinatorNonce, workerNonce }: Handshake): Buffer {
  return Buffer.from(['unisum', PROTOCOL_VERSION, 'machine', run, coordinatorNonce, workerNonce].join('|'));
}
