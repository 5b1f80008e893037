import { createHmac } from 'node:crypto';
import { expect, it } from 'vitest';
import { coordinatorProof, type Handshake, nodeProof, proofsEqual } from '../../shared/protocol/proof.js';

const handshake: Handshake = { run: 'run-1', coordinatorNonce: 'c'.repeat(22), nodeNonce: 'n'.repeat(22) };
const token = 't'.repeat(22);

it('is the keyed hash that the protocol names', () => {
  const text = `unisum|1|node|run-1|${'c'.repeat(22)}|${'n'.repeat(22)}`;
  expect(nodeProof(token, handshake)).toBe(createHmac('sha256', token).update(text).digest('hex'));
});

it('differs by token, role, run and either nonce', () => {
  const proofs = [
    nodeProof(token, handshake),
    coordinatorProof(token, handshake),
    nodeProof('u'.repeat(22), handshake),
    nodeProof(token, { ...handshake, run: 'run-2' }),
    nodeProof(token, { ...handshake, coordinatorNonce: 'd'.repeat(22) }),
    nodeProof(token, { ...handshake, nodeNonce: 'd'.repeat(22) }),
  ];
  expect(new Set(proofs).size).toBe(proofs.length);
});

it('is compared whole', () => {
  const proof = nodeProof(token, handshake);
  const altered = proof.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
  expect(proofsEqual(proof, proof)).toBe(true);
  expect(proofsEqual(proof, altered)).toBe(false);
  expect(proofsEqual(proof, proof.slice(0, -1))).toBe(false);
  expect(proofsEqual(proof, '')).toBe(false);
});
