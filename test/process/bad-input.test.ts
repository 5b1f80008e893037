import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sha256Hex } from '../../shared/files/sha256.js';
import { type Ended, temporaryFolder } from '../support/process.js';
import { smallData, writeFiles } from '../support/process-data.js';
import { programHere, runHere } from '../support/program-here.js';

/** Every refusal is one line that names the remedy, with nothing on stdout and no stack trace. */
function expectRefusal(ended: Ended, status: 1 | 2, line: string | RegExp): void {
  expect(ended).toMatchObject({ status, stdout: '' });
  expect(ended.stderr).toMatch(/^unisum: [^\n]*\n$/);
  if (typeof line === 'string') expect(ended.stderr).toBe(`unisum: ${line}\n`);
  else expect(ended.stderr).toMatch(line);
}

describe('wrong usage is refused with one line and status 2', () => {
  const COPY = 'copy the whole join line that "unisum train --listen" prints';
  it.each([
    [['train', 'mnist-mpl'], 'there is no recipe "mnist-mpl"; did you mean mnist-mlp?'],
    [['trian'], "unknown command 'trian' (Did you mean train?)"],
    [['train', '--bach', '32'], "unknown option '--bach' (Did you mean --batch?)"],
    [['train', '--batch', '0'], '--batch takes a whole number from 1 to 1048576, not "0"'],
    [['train', '--batch', '-3'], '--batch takes a whole number from 1 to 1048576, not "-3"'],
    [['train', '--batch', '1.5'], '--batch takes a whole number from 1 to 1048576, not "1.5"'],
    [['train', '--workers', 'two'], '--workers takes a whole number from 1 to 1024, not "two"'],
    [['train', '--workers', '0'], '--workers 0 needs --listen HOST:PORT, so that remote workers can join'],
    [
      ['train', '--batch', '64', '--leaf', '65'],
      '--leaf-size 65 exceeds the batch of 64 samples: take at most 64',
    ],
    [
      ['train', '--listen', 'here'],
      '"here" is not an address to listen on; write host:port, such as 127.0.0.1:7070',
    ],
    [['worker', 'nowhere'], `the join URL is malformed: it must begin with ws:// or wss://; ${COPY}`],
    [
      ['worker', 'ws://127.0.0.1:7070/'],
      `the join URL is malformed: the token after # is missing (quote the URL in your shell); ${COPY}`,
    ],
    [
      ['worker', 'ws://127.0.0.1:7070/#abc'],
      `the join URL is malformed: the token after # is incomplete or altered; ${COPY}`,
    ],
  ])('%j', async (args, line) => {
    expectRefusal(await runHere(...args), 2, line);
  });
});

describe('what is missing is named with its remedy, status 1', () => {
  it('a folder without data', async () => {
    const folder = temporaryFolder();
    const need = 'needs a folder with train-images-idx3-ubyte, train-labels-idx1-ubyte';
    const ended = await runHere('train', '--data', folder);
    expectRefusal(ended, 1, new RegExp(`${folder} has no train-images-idx3-ubyte; --data ${need}`));
  });

  it('a truncated file', async () => {
    const files = smallData();
    const name = 'train-images-idx3-ubyte';
    const folder = writeFiles(temporaryFolder(), { ...files, [name]: files[name].subarray(0, 1000) });
    const line = `${join(folder, name)} is truncated: 1000 bytes, where its header promises 392016`;
    expectRefusal(
      await runHere('train', '--data', folder),
      1,
      new RegExp(`${line}; download the file again and unpack it`),
    );
  });

  it('an altered file', async () => {
    const files = smallData();
    const sums = Object.entries(files).map(([name, bytes]) => `${sha256Hex(bytes)}  ${name}\n`);
    files['t10k-labels-idx1-ubyte'][20] = 3;
    const folder = writeFiles(temporaryFolder(), { ...files, SHA256SUMS: sums.join('') });
    const line = 't10k-labels-idx1-ubyte does not match its checksum in SHA256SUMS; download the file again';
    expectRefusal(await runHere('train', '--data', folder), 1, new RegExp(line));
  });

  it('a port in use', async () => {
    const data = writeFiles(temporaryFolder(), smallData());
    const other = createServer();
    const port = await new Promise<number>((resolve) => {
      other.listen(0, '127.0.0.1', () => resolve((other.address() as { port: number }).port));
    });
    const ended = await runHere('train', '--data', data, '--listen', `127.0.0.1:${port}`);
    other.close();
    const line = `cannot listen on 127.0.0.1:${port}: the port is in use; choose another one, or 0 for any free port`;
    expectRefusal(ended, 1, line);
  });

  it('a run directory inside a file', async () => {
    const folder = writeFiles(temporaryFolder(), { file: '' });
    const line =
      'cannot use file/run as the run directory: part of the path is a file, not a directory; choose another path';
    expectRefusal(await programHere(folder, 'train', '--run-dir', 'file/run'), 1, line);
  });

  it.runIf(process.platform === 'linux')('a run directory that is not writable', async () => {
    const line = 'cannot use /proc/run as the run directory: no such file or directory; check the path';
    expectRefusal(await runHere('train', '--run-dir', '/proc/run'), 1, line);
  });

  it('a run directory with other files, which are kept', async () => {
    const folder = writeFiles(temporaryFolder(), { thesis: 'years of work' });
    const line = `${folder} holds other files; name a new or empty directory with --run-dir DIR`;
    expectRefusal(await runHere('train', '--run-dir', folder), 2, line);
  });
});
