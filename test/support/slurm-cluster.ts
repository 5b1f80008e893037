import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

/** Names of the nodes, all on this machine. */
const NODES = ['n1', 'n2'];
/** Longest wait for something that the cluster does. */
const WAIT_SECONDS = 30;

/** Why no cluster can be started here; undefined when one can. */
export function missingForSlurm(): string | undefined {
  if (process.getuid?.() !== 0) return 'it needs root';
  const absent = ['slurmctld', 'slurmd', 'sbatch'].find(
    (name) => spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0,
  );
  return absent === undefined ? undefined : `${absent} is not installed (Debian: slurm-wlm)`;
}

/**
 * A Slurm cluster of two nodes on this machine: the real daemons, without authentication. Jobs of the partition `high` preempt those
 * of `low`, which are queued again.
 */
export class SlurmCluster {
  private readonly daemons: ChildProcess[] = [];

  private constructor(
    private readonly folder: string,
    private readonly env: NodeJS.ProcessEnv,
  ) {}

  /** @param folder for its files; commands find it by SLURM_CONF in the environment of this process */
  static async start(folder: string): Promise<SlurmCluster> {
    const [control, ...ports] = await Promise.all([0, ...NODES].map(freePort));
    mkdirSync(join(folder, 'state'));
    const conf = join(folder, 'slurm.conf');
    const settings = [
      ...['ClusterName=test', 'SlurmctldHost=localhost', `SlurmctldPort=${control}`],
      ...['AuthType=auth/none', 'CredType=cred/none', 'SlurmUser=root', 'SlurmdUser=root'],
      ...[`StateSaveLocation=${folder}/state`, `SlurmdSpoolDir=${folder}/spool-%n`],
      ...[`SlurmctldPidFile=${folder}/control.pid`, `SlurmdPidFile=${folder}/%n.pid`],
      ...['ProctrackType=proctrack/linuxproc', 'TaskPlugin=task/none', 'SwitchType=switch/none'],
      ...[
        'MpiDefault=none',
        'MailProg=/bin/true',
        'SchedulerParameters=permit_job_expansion',
        'ReturnToService=2',
        'KillWait=20',
      ],
      ...['SelectType=select/cons_tres', 'SelectTypeParameters=CR_Core'],
      ...['PreemptType=preempt/partition_prio', 'PreemptMode=REQUEUE', 'JobRequeue=1'],
      ...NODES.map(
        (name, i) =>
          `NodeName=${name} NodeHostname=localhost NodeAddr=127.0.0.1 Port=${ports[i]} CPUs=2 State=UNKNOWN`,
      ),
      `PartitionName=low Nodes=${NODES.join()} Default=YES MaxTime=INFINITE State=UP PriorityTier=1 GraceTime=40`,
      `PartitionName=high Nodes=${NODES.join()} MaxTime=INFINITE State=UP PriorityTier=9 PreemptMode=OFF`,
    ];
    writeFileSync(conf, `${settings.join('\n')}\n`);
    process.env.SLURM_CONF = conf;
    const cluster = new SlurmCluster(folder, { ...process.env, SLURM_CONF: conf });
    cluster.daemon('slurmctld', '-D', '-f', conf);
    for (const name of NODES) cluster.daemon('slurmd', '-D', '-f', conf, '-N', name);
    cluster.awaits(`sinfo -h -p low -t idle -o %D | grep -qx ${NODES.length}`);
    return cluster;
  }

  /** Runs a command of Slurm. @returns what it prints */
  run(command: string, ...words: string[]): string {
    return execFileSync(command, words, { env: this.env, encoding: 'utf8' });
  }

  /** Waits until a command of the shell succeeds. @throws Error when it does not within a minute */
  awaits(condition: string): void {
    const loop = `until ${condition}; do sleep 0.1; done`;
    const { status } = spawnSync('timeout', [String(WAIT_SECONDS), 'sh', '-c', loop], { env: this.env });
    if (status !== 0) throw new Error(`waited ${WAIT_SECONDS} s for: ${condition}`);
  }

  async stop(): Promise<void> {
    spawnSync('scancel', ['--user=root'], { env: this.env });
    this.awaits('! squeue -h | grep -q .');
    for (const daemon of this.daemons.toReversed()) {
      const ended = new Promise((done) => daemon.once('exit', done));
      daemon.kill('SIGTERM');
      await ended;
    }
    delete process.env.SLURM_CONF;
  }

  private daemon(command: string, ...words: string[]): void {
    const log = openSync(join(this.folder, `${command}-${this.daemons.length}.log`), 'w');
    this.daemons.push(spawn(command, words, { env: this.env, stdio: ['ignore', log, log] }));
    closeSync(log);
  }
}

function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => done(port));
    });
  });
}
