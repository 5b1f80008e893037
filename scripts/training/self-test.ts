import type { Machine } from '../../shared/engine/machine.js';
import { runSelfTest, SELF_TEST_BYTES } from '../../shared/kernels/self-test.js';
import type { SelfTestResult } from '../../shared/protocol/messages.js';

/** Runs every kernel on fixed inputs on this machine's build: what a node brings to prove that its bits are right. */
export function selfTest({ memory, kernels }: Machine): SelfTestResult[] {
  const scratch = memory.allocate(SELF_TEST_BYTES, 'the self-test');
  return runSelfTest(kernels, memory.memory, scratch);
}
