import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { TrainResult } from '../../trainer/result.js';
import {
  folders,
  killed,
  killedAfterCheckpoint,
  ownAddress,
  skipped,
  TRAIN,
  undisturbed,
} from '../support/disturbed-run.js';
import { CLUSTER, processOf, programFolder, readYaml } from '../support/manifest.js';
import { type Program, start, temporaryFolder } from '../support/process.js';
import { smallData, writeFiles } from '../support/process-data.js';
import { programHere } from '../support/program-here.js';

/* The file for Compose and the unit of systemd in examples/cluster: their very commands as processes that are killed. */
const STEPS = ['--steps', '3000'];
const TIMEOUT_MS = 120_000;
const UNIT = join(CLUSTER, 'systemd', 'unisum-worker.service');
const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;
if (!hasSystemd) skipped('cannot verify the unit of systemd', 'systemd-analyze is not installed');

it.skipIf(!hasSystemd)('systemd finds nothing wrong with the unit of a worker', () => {
  // It prints what it ignores, and calls that no failure.
  const { status, stderr } = spawnSync('systemd-analyze', ['verify', UNIT], { encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
});

interface ComposeService {
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes: readonly string[];
  readonly [setting: string]: unknown;
}

interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly volumes: Readonly<Record<string, null>>;
}

describe('the file for Compose, and the unit of systemd', () => {
  const { services, volumes } = readYaml<ComposeFile>(join(CLUSTER, 'compose.yaml'));

  it('has services without rights, whose volumes and files are there', () => {
    expect(Object.keys(services)).toEqual(['coordinator', 'worker']);
    for (const { volumes: used, build, ...service } of Object.values(services)) {
      expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'], user: '1000:1000' });
      expect(service.security_opt).toEqual(['no-new-privileges:true']);
      for (const volume of used) expect(Object.keys(volumes)).toContain(volume.split(':')[0]);
      const { context, dockerfile } = build as Record<string, string>;
      expect(readFileSync(join(CLUSTER, context as string, dockerfile as string), 'utf8')).toMatch(/^USER /m);
    }
    expect(services.coordinator?.hostname).toBe(services.coordinator?.environment?.LISTEN_HOST);
  });

  it('gives the coordinator words that train understands', async () => {
    const words = services.coordinator?.command ?? [];
    const { status, stderr } = await programHere(
      ...[temporaryFolder(), 'slurm', '--dry-run', '--', 'train', ...words],
    );
    expect(status, stderr).toBe(0);
  });

  it.runIf(process.platform === 'linux')(
    'trains while its processes are killed, and no bit differs',
    async () => {
      const root = temporaryFolder();
      const bin = programFolder(root);
      const host = ownAddress(1);
      const shared = folders(root, 'data', 'join');
      const data = writeFiles(join(shared.data as string, 'digits'), smallData());
      const service = (name: string, args: readonly string[], env: Record<string, string>): Program => {
        const { entrypoint, environment = {}, volumes: used } = services[name] as ComposeService;
        const own = folders(root, `${name}/state`);
        const mounts = Object.fromEntries(
          used.map((volume) => {
            const [source = '', path = ''] = volume.split(':');
            return [path, shared[source] as string];
          }),
        );
        const words = {
          ...{ command: entrypoint.map((word) => word.replaceAll('$$', '$')), args },
          env: { XDG_CONFIG_HOME: '/state/config', XDG_CACHE_HOME: '/state/cache', ...environment },
          mounts: { ...mounts, '/state': own.state as string },
        };
        const { command, ...started } = processOf(words, bin);
        return start(started.args, root, { command, env: { ...started.env, ...env } });
      };
      const words = [...TRAIN, ...STEPS, '--data', '/data/digits', '--checkpoint-every', '20', '--json'];
      const coordinator = (): Program => service('coordinator', words, { LISTEN_HOST: host });
      const worker = (name: string): Program =>
        service('worker', [...(services.worker?.command ?? []), '--name', name], {});
      // Its start command and environment, with the path of the join file as a drop-in sets it.
      const [, ...exec] = /^ExecStart=(.*)$/m.exec(readFileSync(UNIT, 'utf8'))?.[1]?.split(' ') ?? [];
      const joinFile = join(shared.join as string, 'join');
      const unit = (name: string): Program =>
        start([...exec.map((word) => word.replace(/^\$\{JOIN_FILE\}$/, joinFile)), '--name', name], root, {
          command: ['/usr/bin/env'],
          env: { PATH: `${bin}:${process.env.PATH}`, XDG_CONFIG_HOME: join(root, 'unit') },
        });
      const working = worker('container-1');
      const machine = unit('machine-1');
      let leading = coordinator();
      await leading.prints(/container-1 joined/);
      await leading.prints(/machine-1 joined/);
      await killedAfterCheckpoint(leading, root);
      leading = coordinator();
      await leading.prints(/resumes from step [1-9]/);
      await leading.prints(/epoch \d+: /);
      await killed(working);
      await killed(machine);
      const workers = [worker('container-2'), unit('machine-2')];
      await leading.prints(/container-2 joined/);
      await leading.prints(/machine-2 joined/);
      const { status, stdout, stderr } = await leading.ended;
      expect(status, stderr).toBe(0);
      expect((JSON.parse(stdout) as TrainResult).weightsSha256).toBe(
        await undisturbed([...TRAIN, ...STEPS], data),
      );
      expect((await (workers[0] as Program).ended).status).toBe(0);
      // The unit stays for the next run.
      (workers[1] as Program).signal('SIGTERM');
      expect((await (workers[1] as Program).ended).status).toBe(143);
    },
    TIMEOUT_MS,
  );
});
