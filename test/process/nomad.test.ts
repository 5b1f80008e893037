import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CLUSTER, readYaml } from '../support/manifest.js';
import { temporaryFolder } from '../support/process.js';
import { programHere } from '../support/program-here.js';

/* The job for Nomad in examples/cluster: what can be checked without a cluster. Compose has the same words, and runs them. */
interface Check {
  readonly Path: string;
  readonly [setting: string]: unknown;
}

interface Task {
  readonly User: string;
  readonly Config: {
    readonly entrypoint: readonly string[];
    readonly args: readonly string[];
    readonly [setting: string]: unknown;
  };
  readonly Env: Readonly<Record<string, string>>;
  readonly Templates?: readonly { readonly DestPath: string; readonly EmbeddedTmpl: string }[];
  readonly VolumeMounts?: readonly { readonly Volume: string; readonly Destination: string }[];
  readonly KillSignal: string;
  readonly Resources: { readonly Cores?: number };
}

interface Group {
  readonly Name: string;
  readonly Count: number;
  readonly Networks?: readonly { readonly ReservedPorts: readonly { readonly Label: string }[] }[];
  readonly Volumes?: Readonly<Record<string, unknown>>;
  readonly Services?: readonly { readonly PortLabel: string; readonly Checks: readonly Check[] }[];
  readonly RestartPolicy: { readonly Mode: string };
  readonly Tasks: readonly [Task];
}

const { Job } = JSON.parse(readFileSync(join(CLUSTER, 'nomad', 'unisum.nomad.json'), 'utf8')) as {
  readonly Job: { readonly ID: string; readonly TaskGroups: readonly [Group, Group] };
};
const [leading, working] = Job.TaskGroups;
const [coordinator, worker] = [leading.Tasks[0], working.Tasks[0]];

type Services = Record<'coordinator' | 'worker', { entrypoint: readonly string[] }>;
const { services } = readYaml<{ services: Services }>(join(CLUSTER, 'compose.yaml'));

describe('the job for Nomad', () => {
  it('has a coordinator with a volume and workers, which are started again and told to leave', () => {
    expect([leading.Name, leading.Count, working.Name]).toEqual(['coordinator', 1, 'workers']);
    for (const { RestartPolicy, Tasks } of [leading, working]) {
      // The other mode gives up.
      expect(RestartPolicy.Mode).toBe('delay');
      expect(Tasks[0]).toMatchObject({ User: '1000:1000', KillSignal: 'SIGTERM' });
      expect(Tasks[0].Config).toMatchObject({ readonly_rootfs: true, cap_drop: ['all'] });
    }
    const [mount] = coordinator.VolumeMounts ?? [];
    expect(Object.keys(leading.Volumes ?? {})).toEqual([mount?.Volume]);
    for (const path of Object.values(coordinator.Env)) expect(path).toMatch(`${mount?.Destination}/`);
  });

  it('asks the port of the run for its health', () => {
    const [service] = leading.Services ?? [];
    expect(service?.Checks.map(({ Path }) => Path)).toEqual(['/healthz', '/readyz']);
    // The run has a certificate of its own.
    for (const check of service?.Checks ?? [])
      expect(check).toMatchObject({ Type: 'http', Protocol: 'https', TLSSkipVerify: true });
    const [port] = leading.Networks?.[0]?.ReservedPorts ?? [];
    expect(service?.PortLabel).toBe(port?.Label);
    expect(coordinator.Config.entrypoint[2]).toContain(`--listen "$NOMAD_ADDR_${port?.Label}"`);
  });

  it('gives the coordinator the script of Compose, and words that train understands', async () => {
    const here = services.coordinator.entrypoint.map((word) =>
      word
        .replaceAll('$$', '$')
        .replace('"$LISTEN_HOST:7700"', '"$NOMAD_ADDR_run"')
        .replace('/join/join', '/data/join'),
    );
    expect(coordinator.Config.entrypoint).toEqual(here);
    const { status, stderr } = await programHere(
      ...[temporaryFolder(), 'slurm', '--dry-run', '--', 'train', ...coordinator.Config.args],
    );
    expect(status, stderr).toBe(0);
  });

  it('gives workers their token by a file, as many threads as cores, and words that worker understands', async () => {
    const [template] = worker.Templates ?? [];
    const [program, ...words] = worker.Config.entrypoint;
    expect([program, ...words]).toEqual(expect.arrayContaining(['unisum', `/${template?.DestPath}`]));
    // What a group may read without a policy.
    expect(template?.EmbeddedTmpl).toContain(`"nomad/jobs/${Job.ID}/${working.Name}"`);
    expect(worker.Config.args).toEqual(['--threads', String(worker.Resources.Cores)]);
    const { status, stderr } = await programHere(temporaryFolder(), 'slurm', '--dry-run', '--', ...words);
    expect(status, stderr).toBe(0);
  });
});
