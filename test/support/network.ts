import { spawnSync } from 'node:child_process';

const ADDRESS = '10.77.0';
let made = 0;

/**
 * Machines and cables, as far as programs can tell: network namespaces, each with one cable to a switch between them. The
 * first is the coordinator's. Needs root and iproute2, and Linux.
 */
export class Network {
  private readonly prefix = `unisum-${process.pid}-${made++}`;
  private readonly spaces: string[] = [];

  /** @param machines at least one */
  constructor(machines: number) {
    try {
      this.add(this.hub);
      ip('-n', this.hub, 'link', 'add', 'switch', 'type', 'bridge');
      ip('-n', this.hub, 'link', 'set', 'switch', 'up');
      for (let i = 0; i < machines; i++) this.connect(i);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** The namespace of a machine, to start programs in. */
  machine(i: number): string {
    return `${this.prefix}-${i}`;
  }

  address(i: number): string {
    return `${ADDRESS}.${i + 1}`;
  }

  /** Nothing passes between a machine and the others any more, and neither end is told. */
  part(i: number): void {
    ip('-n', this.hub, 'link', 'set', port(i), 'nomaster');
  }

  /** Everything passes again. */
  heal(i: number): void {
    ip('-n', this.hub, 'link', 'set', port(i), 'master', 'switch');
  }

  /** Puts a machine behind a queue of the kernel's, in both directions, such as `netem delay 5ms loss 1%`. */
  shape(i: number, ...discipline: readonly string[]): void {
    must('tc', ['-n', this.hub, 'qdisc', 'replace', 'dev', port(i), 'root', ...discipline]);
    must('tc', ['-n', this.machine(i), 'qdisc', 'replace', 'dev', 'cable', 'root', ...discipline]);
  }

  /** Packets that the queues before and behind a machine have lost so far. */
  lost(i: number): number {
    return [
      [this.hub, port(i)],
      [this.machine(i), 'cable'],
    ]
      .map(([space, device]) =>
        must('tc', ['-n', space as string, '-s', 'qdisc', 'show', 'dev', device as string]),
      )
      .reduce((sum, text) => sum + Number(/dropped (\d+)/.exec(text)?.[1] ?? Number.NaN), 0);
  }

  close(): void {
    for (const space of this.spaces.splice(0)) ip('netns', 'del', space);
  }

  private get hub(): string {
    return `${this.prefix}-hub`;
  }

  private connect(i: number): void {
    this.add(this.machine(i));
    ip(
      '-n',
      this.hub,
      'link',
      'add',
      port(i),
      'type',
      'veth',
      'peer',
      'name',
      'cable',
      'netns',
      this.machine(i),
    );
    this.heal(i);
    ip('-n', this.hub, 'link', 'set', port(i), 'up');
    ip('-n', this.machine(i), 'addr', 'add', `${this.address(i)}/24`, 'dev', 'cable');
    ip('-n', this.machine(i), 'link', 'set', 'cable', 'up');
    ip('-n', this.machine(i), 'link', 'set', 'lo', 'up');
  }

  private add(space: string): void {
    ip('netns', 'add', space);
    this.spaces.push(space);
  }
}

/** Why no network can be made here with such a queue, as one line; undefined: it can. */
export function missing(...discipline: readonly string[]): string | undefined {
  let network: Network | undefined;
  try {
    network = new Network(1);
    if (discipline.length > 0) network.shape(0, ...discipline);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  } finally {
    network?.close();
  }
}

function port(i: number): string {
  return `port-${i}`;
}

function ip(...args: readonly string[]): void {
  must('ip', args);
}

/** @throws Error with what the command says when it cannot do it */
function must(command: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (error !== undefined) throw new Error(`${command} of iproute2 cannot be run (${error.message})`);
  if (status !== 0)
    throw new Error(`\`${command} ${args.join(' ')}\`: ${stderr.trim().replaceAll('\n', ' ')}`);
  return stdout;
}
