import { spawnSync } from 'node:child_process';
import { readFileSync, symlinkSync } from 'node:fs';
import { request } from 'node:https';
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
import {
  CLUSTER,
  type Container,
  type Manifest,
  manifestFiles,
  processOf,
  programFolder,
  readManifests,
  readYaml,
} from '../support/manifest.js';
import { type Program, start, temporaryFolder } from '../support/process.js';
import { smallData, writeFiles } from '../support/process-data.js';
import { programHere } from '../support/program-here.js';

/* The files of examples/cluster: what can be checked without a cluster, and their very commands as processes that are killed. */
const BASE = join(CLUSTER, 'kubernetes', 'base');
const OBJECTS = readManifests(BASE);
const POD = 'unisum-coordinator-0';
/** How often a coordinator is killed and then its worker; each is a kill. */
const ROUNDS = Number(process.env.UNISUM_POD_KILLS ?? 4) / 2;
/** What an overlay makes of the words of the coordinator: a short run on data of its volume. */
const SAVED = ['--data', '/data/digits', '--checkpoint-every', '20', '--json'];
const STEPS = ['--steps', String(1500 * ROUNDS)];
const TIMEOUT_MS = 60_000 * ROUNDS;

function object(kind: string, name: string, objects: readonly Manifest[] = OBJECTS): Manifest {
  const found = objects.find((one) => one.kind === kind && one.metadata.name === name);
  expect(found, `${kind} ${name}`).toBeDefined();
  return found as Manifest;
}

const podOf = (one: Manifest) => one.spec.template.spec;
const COORDINATOR = object('StatefulSet', 'unisum-coordinator');
const WORKER = object('Deployment', 'unisum-worker');

/** A variable of a container's environment. */
interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly fieldRef?: { readonly fieldPath: string };
    readonly resourceFieldRef?: { readonly resource: string };
  };
}

/** The container of a pod. @param volumes folders that stand for its volumes, by name */
function containerOf(pod: Manifest, podName: string, volumes: Readonly<Record<string, string>>): Container {
  const [{ command, args, env, volumeMounts, resources }] = podOf(pod).containers;
  const sources: Record<string, string> = {
    ...{ 'metadata.name': podName, 'metadata.namespace': 'lab', 'limits.cpu': resources.limits.cpu },
  };
  const given = ({ value, valueFrom }: Variable): string =>
    value ??
    (sources[valueFrom?.fieldRef?.fieldPath ?? valueFrom?.resourceFieldRef?.resource ?? ''] as string);
  return {
    ...{ command, args },
    env: Object.fromEntries(env.map((one: Variable) => [one.name, given(one)])),
    mounts: Object.fromEntries(
      volumeMounts.map(({ name, mountPath }: Record<string, string>) => [mountPath, volumes[name as string]]),
    ),
  };
}

/** Status of an answer of a run. */
function statusOf(host: string, port: number, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request({ host, port, path, rejectUnauthorized: false }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0));
    });
    sent.on('error', reject).end();
  });
}

describe('the base for Kubernetes', () => {
  it('lists each of its files', () => {
    const { resources } = readYaml<{ resources: string[] }>(join(BASE, 'kustomization.yaml'));
    expect(resources.toSorted()).toEqual(manifestFiles(BASE).toSorted());
    expect(OBJECTS.length).toBeGreaterThanOrEqual(resources.length);
  });

  it('has selectors that select its pods, and ports and volumes that are there', () => {
    const labels = [COORDINATOR, WORKER].map((one) => one.spec.template.metadata.labels);
    for (const one of [COORDINATOR, WORKER]) {
      expect(one.spec.template.metadata.labels).toMatchObject(one.spec.selector.matchLabels);
      const pod = podOf(one);
      const claims = (one.spec.volumeClaimTemplates ?? []).map((claim: Manifest) => claim.metadata.name);
      const volumes = [...claims, ...pod.volumes.map(({ name }: { name: string }) => name)];
      const mounted = pod.containers[0].volumeMounts.map(({ name }: { name: string }) => name);
      expect(mounted.toSorted()).toEqual(volumes.toSorted());
    }
    const service = object('Service', 'unisum');
    expect(labels[0]).toEqual(service.spec.selector);
    expect(COORDINATOR.spec.serviceName).toBe(service.metadata.name);
    const [{ name, containerPort }] = podOf(COORDINATOR).containers[0].ports;
    expect(service.spec.ports).toEqual([expect.objectContaining({ port: containerPort, targetPort: name })]);
    expect(labels[1]).toEqual(object('PodDisruptionBudget', 'unisum-worker').spec.selector.matchLabels);
    const policies = OBJECTS.filter(({ kind }) => kind === 'NetworkPolicy').map(({ spec }) => spec);
    expect(policies.map(({ podSelector }) => podSelector.matchLabels)).toEqual(labels);
    const [to, from] = policies;
    expect(to.ingress[0].ports[0].port).toBe(containerPort);
    expect(to.ingress[0].from[0].podSelector.matchExpressions[0].values).toContain(labels[1]['unisum.part']);
    expect(from.egress[1].to[0].podSelector.matchLabels).toEqual(labels[0]);
    expect(from.egress[1].ports[0].port).toBe(containerPort);
    const [autoscaler] = readManifests(join(CLUSTER, 'kubernetes', 'autoscaling'));
    expect(autoscaler?.spec.scaleTargetRef).toMatchObject({ kind: WORKER.kind, name: WORKER.metadata.name });
    expect(autoscaler?.spec.metrics[0].object.describedObject.name).toBe(service.metadata.name);
  });

  it('has pods without rights, whose root file system is read-only', () => {
    for (const pod of [COORDINATOR, WORKER].map(podOf)) {
      expect(pod.automountServiceAccountToken).toBe(false);
      expect(pod.securityContext).toMatchObject({
        ...{ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      });
      expect(pod.containers[0].securityContext).toEqual({
        ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
      });
    }
    const container = readFileSync(join(CLUSTER, 'Containerfile'), 'utf8');
    const { runAsUser, runAsGroup } = podOf(COORDINATOR).securityContext;
    expect(container).toContain(`\nUSER ${runAsUser}:${runAsGroup}\n`);
  });

  it('has the pods of its Deployment in a JobSet, too, which a queue admits', () => {
    const [set, ...others] = readManifests(join(CLUSTER, 'kubernetes', 'jobset'));
    expect([set?.kind, others.length]).toEqual(['JobSet', 0]);
    expect(set?.metadata.labels).toHaveProperty(['kueue.x-k8s.io/queue-name']);
    const [{ replicas, template }] = (set as Manifest).spec.replicatedJobs;
    expect(replicas).toBe(1);
    expect(template.spec).toMatchObject({
      completionMode: 'Indexed',
      completions: template.spec.parallelism,
    });
    const pod = WORKER.spec.template;
    expect(template.spec.template).toEqual({ ...pod, spec: { ...pod.spec, restartPolicy: 'Never' } });
  });

  it('gives the coordinator words that train understands, and the name that its service gives it', async () => {
    const container = containerOf(COORDINATOR, POD, {});
    const { status, stderr } = await programHere(
      ...[temporaryFolder(), 'slurm', '--dry-run', '--', 'train', ...container.args],
    );
    expect(status, stderr).toBe(0);
    const { env } = processOf({ ...container, mounts: {} }, '');
    expect(env.LISTEN_HOST).toBe(`${POD}.${COORDINATOR.spec.serviceName}.lab.svc.cluster.local`);
  });

  it.runIf(process.platform === 'linux')(
    'trains while its coordinator and its workers are killed, and no bit differs',
    async () => {
      const root = temporaryFolder();
      const bin = programFolder(root);
      const host = ownAddress(0);
      const { secret = '', ...volumes } = folders(root, 'data', 'join', 'tmp', 'secret');
      const data = writeFiles(join(volumes.data as string, 'digits'), smallData());
      const pod = containerOf(COORDINATOR, POD, volumes);
      const coordinator = (): Program => {
        const overlay = { ...pod, args: [...TRAIN, ...STEPS, ...SAVED] };
        const { command, args, env } = processOf(overlay, bin);
        return start(args, root, { command, env: { ...env, LISTEN_HOST: host }, lifeMsMax: TIMEOUT_MS });
      };
      const worker = (name: string): Program => {
        const own = folders(root, `${name}/state`, `${name}/tmp`);
        const { command, args, env } = processOf(containerOf(WORKER, name, { ...own, join: secret }), bin);
        return start([...args, '--name', name], root, { command, env, lifeMsMax: TIMEOUT_MS });
      };
      let working = worker('pod-0');
      // There is no secret yet.
      await working.prints(/waiting for .*join/);
      let leading = coordinator();
      await leading.prints(/worker '/);
      const [{ startupProbe, livenessProbe, readinessProbe, ports }] = podOf(COORDINATOR).containers;
      for (const { httpGet } of [startupProbe, livenessProbe, readinessProbe]) {
        expect(httpGet).toMatchObject({ port: ports[0].name, scheme: 'HTTPS' });
        expect(await statusOf(host, ports[0].containerPort, httpGet.path)).toBe(200);
      }
      // A volume of a secret, as a kubelet makes it.
      const line = readFileSync(join(volumes.join as string, 'join'));
      writeFiles(join(secret, '..now'), { join: line });
      symlinkSync('..now', join(secret, '..data'));
      symlinkSync('..data/join', join(secret, 'join'));
      await leading.prints(/pod-0 joined/);
      for (let round = 1; round <= ROUNDS; round++) {
        const name = `pod-${round}`;
        await killedAfterCheckpoint(leading, root);
        leading = coordinator();
        await leading.prints(/resumes from step [1-9]/);
        await leading.prints(/epoch \d+: /);
        // Without a worker the run waits.
        await killed(working);
        working = worker(name);
        await leading.prints(new RegExp(`${name} joined`));
      }
      // More workers, and fewer.
      const more = worker('more');
      await leading.prints(/more joined/);
      more.signal('SIGTERM');
      expect((await more.ended).status).toBe(143);
      const { status, stdout, stderr } = await leading.ended;
      expect(status, stderr).toBe(0);
      const { weightsSha256 } = JSON.parse(stdout) as TrainResult;
      expect(weightsSha256).toBe(await undisturbed([...TRAIN, ...STEPS], data));
      // A pod that has ended is started again.
      const again = await coordinator().ended;
      expect(again.status, again.stderr).toBe(0);
      expect((JSON.parse(again.stdout) as TrainResult).weightsSha256).toBe(weightsSha256);
      working.signal('SIGTERM');
      expect((await working.ended).status).toBe(143);
    },
    TIMEOUT_MS,
  );
});

const hasKubectl = spawnSync('kubectl', ['kustomize', '--help']).status === 0;
if (!hasKubectl) skipped('cannot build the kustomizations', 'kubectl is not installed');

it.skipIf(!hasKubectl).each([
  ['base', [], []],
  ['autoscaling', ['HorizontalPodAutoscaler'], []],
  ['jobset', ['JobSet'], ['Deployment', 'PodDisruptionBudget']],
])('kubectl builds the kustomization %s', (name, more, less) => {
  const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', join(CLUSTER, 'kubernetes', name)], {
    encoding: 'utf8',
  });
  expect(status, stderr).toBe(0);
  const kinds = stdout.match(/^kind: \w+/gm)?.map((line) => line.slice('kind: '.length));
  const kept = OBJECTS.map(({ kind }) => kind).filter((kind) => !less.includes(kind));
  expect(kinds?.toSorted()).toEqual([...kept, ...more].toSorted());
});
