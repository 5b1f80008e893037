/*
 * The worker that checks a receipt: it computes a stretch of the run again. The server of the page gives network, data and the
 * state that the stretch begins with; all of it must have the hashes of the receipt.
 */
import { UserError } from '../../shared/errors.js';
import type { SessionFacts } from '../../shared/protocol/view-facts.js';
import { parseReceipt } from '../../trainer/receipt/receipt-format.js';
import { checkDataBytes, checkStretch, type StretchMaterial } from '../../trainer/receipt/stretch.js';
import { needsState } from '../../trainer/receipt/stretch-ends.js';
import type { ThreadNews } from './messages.js';
import type { ReceiptAnswer, ReceiptQuestion } from './receipt-messages.js';
import { webPlatform } from './web-platform.js';
import { workerScope } from './worker-scope.js';

const scope = workerScope<ReceiptQuestion | ThreadNews, ReceiptAnswer>();

scope.onmessage = async ({ data }) => {
  // For worker-threads.ts.
  if (data.kind === 'thread') return;
  try {
    await check(data);
  } catch (error) {
    scope.postMessage({
      kind: 'refused',
      reason: error instanceof UserError ? error.message : String(error),
    });
  }
};

async function check({ text, name, stretch, token, threads }: ReceiptQuestion): Promise<void> {
  const receipt = parseReceipt(text, name);
  const material = await materialOf(stretch.from, needsState(receipt, stretch), (path, query) =>
    ask(path, query, token),
  );
  scope.postMessage({ kind: 'loading', what: 'the kernels' });
  const findings = await checkStretch(receipt, stretch, material, {
    ...{ threads, backend: 'wasm', platform: webPlatform(crossOriginIsolated) },
    onProgress: (done) => scope.postMessage({ kind: 'computing', done }),
  });
  scope.postMessage({ kind: 'proven', findings });
}

type Ask = (path: string, query: Readonly<Record<string, string>>) => Promise<Response>;

async function materialOf(from: number, hasState: boolean, askFor: Ask): Promise<StretchMaterial> {
  const step = String(from);
  scope.postMessage({ kind: 'loading', what: 'the network' });
  const { model, train, evaluated } = (await (await askFor('session.json', { step })).json()) as SessionFacts;
  checkDataBytes(evaluated === null ? [train] : [train, evaluated]);
  const bytesAt = async (path: string, query: Readonly<Record<string, string>>): Promise<Uint8Array> =>
    new Uint8Array(await (await askFor(path, { step, ...query })).arrayBuffer());
  const dataOf = async (manifest: unknown, set: string): Promise<StretchMaterial['train']> => {
    const { chunkHashes } = manifest as { chunkHashes: readonly string[] };
    const chunks: Uint8Array[] = [];
    while (chunks.length < chunkHashes.length) {
      const index = chunks.length;
      scope.postMessage({
        kind: 'loading',
        what: `chunk ${index + 1} of ${chunkHashes.length} of the ${set === 'train' ? 'training' : 'evaluated'} data`,
      });
      chunks.push(await bytesAt('chunk.bin', { set, index: String(index) }));
    }
    return { manifest, chunks };
  };
  const data = {
    train: await dataOf(train, 'train'),
    ...(evaluated !== null && { evaluated: await dataOf(evaluated, 'evaluated') }),
  };
  if (!hasState) return { model, ...data };
  scope.postMessage({ kind: 'loading', what: `the state of step ${from}` });
  return { model, ...data, state: await bytesAt('state.bin', {}) };
}

/** @throws UserError with what the server says */
async function ask(path: string, query: Readonly<Record<string, string>>, token: string): Promise<Response> {
  const response = await fetch(new URL(`../view/${path}?${new URLSearchParams(query)}`, import.meta.url), {
    headers: { authorization: `Bearer ${token}` },
  });
  if (!response.ok) throw new UserError((await response.text()).trim());
  return response;
}
