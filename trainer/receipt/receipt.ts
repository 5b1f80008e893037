/*
 * A receipt: what a run was made of and what it came to, in one small file. It has what decides the weights (recipe,
 * options, settings, hashes of the data), the hashes of states on the way, evaluations and the end. Whoever has the
 * recipe and its data can compute all of that again. It also has what no computation can confirm, marked as told.
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readChain } from '../../coordinator/storage/metrics-chain.js';
import { readRunConfig } from '../../coordinator/storage/run-config.js';
import { METRICS_FILE } from '../../coordinator/storage/run-directory.js';
import { UserError } from '../../shared/errors.js';
import { exists, readBoundedFile } from '../../shared/files/read-file.js';
import { shellWord } from '../../shared/shell-word.js';
import { RecordedRun } from '../replay/recorded-run.js';
import {
  MEMBERS_MAX,
  parseReceipt,
  RECEIPT_BYTES_MAX,
  RECEIPT_FORMAT,
  type Receipt,
  STATES_MAX,
} from './receipt-format.js';

/**
 * Makes the receipt of a run.
 * @param path its directory
 * @throws UserError when it is no run, or has not ended
 */
export async function receiptOf(path: string): Promise<Receipt> {
  const { config, started } = await readRunConfig(path);
  const recorded = new RecordedRun();
  const members = new Set<string>();
  let workersMax = 0;
  const file = join(path, METRICS_FILE);
  const chain = await readChain(file, (record, line) => {
    recorded.take(record, line);
    if (typeof record.workers === 'number') workersMax = Math.max(workersMax, record.workers);
    for (const name of [record.member, record.late, ...(Array.isArray(record.helpers) ? record.helpers : [])])
      if (typeof name === 'string' && members.size < MEMBERS_MAX) members.add(name);
  });
  if (chain.fault !== undefined)
    throw new UserError(`line ${chain.fault.line} of ${file} is not part of the chain: ${chain.fault.what}`);
  const { legs, end, lastStep, takenBack, memberEvents } = recorded;
  if (legs.length === 0) throw new UserError(`${file} is missing or empty`);
  if (legs[0]?.state !== null)
    throw new UserError(`${file} begins at step ${legs[0]?.from}: the origin of that state is not recorded`);
  if (end === undefined)
    throw new UserError(
      `${path} has not ended: it is still running, or was killed; finish it with --resume ${shellWord(path)}`,
    );
  return {
    format: RECEIPT_FORMAT,
    sessions: legs.map(({ line: _, ...leg }) => leg),
    states: evenly(
      [...recorded.saved].sort(([a], [b]) => a - b),
      STATES_MAX,
    ).flatMap(([at, states]) => states.slice(0, 1).map(({ value }) => ({ step: at, ...pickState(value) }))),
    evaluations: [...recorded.evaluations].map(([at, { value }]) => ({ step: at, metrics: value as never })),
    end: {
      ...{ step: lastStep, reason: end.reason, weightsSha256: end.weightsSha256 },
      ...(end.divergence !== undefined && { divergence: end.divergence }),
      ...(end.restored !== undefined && { restored: end.restored }),
      ...(end.measured !== undefined && { measured: end.measured as never }),
    },
    told: {
      ...{ recordSha256: chain.hash, started, workersMax, takenBack },
      audit: typeof config.audit === 'number' ? config.audit : null,
      members: [...members].sort(),
      events: Object.fromEntries(memberEvents),
    },
  };
}

/** Whether a path is that of a receipt and not of a run. */
export async function isReceipt(path: string): Promise<boolean> {
  return (await exists(path)) && (await stat(path)).isFile();
}

/** @throws UserError when a file is no receipt */
export async function readReceipt(path: string): Promise<Receipt> {
  return parseReceipt(new TextDecoder().decode(await readBoundedFile(path, RECEIPT_BYTES_MAX)), path);
}

function pickState({ sha256: own, weightsSha256 }: { sha256: string; weightsSha256: string }) {
  return { sha256: own, weightsSha256 };
}

/** So many of a list at most, with the first and the last. */
function evenly<T>(all: readonly T[], most: number): readonly T[] {
  if (all.length <= most) return all;
  return Array.from({ length: most }, (_, i) => all[Math.round((i * (all.length - 1)) / (most - 1))] as T);
}
