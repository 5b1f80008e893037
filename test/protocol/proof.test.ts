import { createHmac } from 'node:crypto';
import { expect, it } from 'vitest';
import { coordinatorProof, type Handshake, proofsEqual, workerProof } from '../../shared/protocol/proof.js';

const handshake: Handshake = { run: 'run-1', coordinatorNonce: 'c'.repeat(22), workerNonce: 'n'.repeat(22) };
const token = 't'.repeat(22);

it('is the keyed hash that proof.ts documents', () => {
  const text = `unisum|8|worker|run-1|${'c'.repeat(22)}|${'n'.repeat(22)}`;
  expect(workerProof(token, handshake)).toBe(createHmac('sha256', token).update(text).digest('hex'));
});

it('differs by token, role, run and either nonce', () => {
  const proofs = [
    workerProof(token, handshake),
    coordinatorProof(token, handshake),
    workerProof('u'.repeat(22), handshake),
    workerProof(token, { ...handshake, run: 'run-2' }),
    workerProof(token, { ...handshake, coordinatorNonce: 'd'.repeat(22) }),
    workerProof(token, { ...handshake, workerNonce: 'd'.repeat(22) }),
  ];
  expect(new Set(proofs).size).toBe(proofs.length);
});

it('is compared as a whole', () => {
  const proof = workerProof(token, handshake);
  const altered = proof.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
  expect(proofsEqual(proof, proof)).toBe(true);
  expect(proofsEqual(proof, altered)).toBe(false);
  expect(proofsEqual(proof, proof.slice(0, -1))).toBe(false);
  expect(proofsEqual(proof, '')).toBe(false);
});
