import { spawnSync } from 'node:child_process';

const ADDRESS = '10.77.0';
let made = 0;

/**
 * Virtual machines for network tests: network namespaces, each connected to a switch. The first one is the coordinator's.
 * Needs Linux, root and iproute2.
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

  /** The namespace of a machine, in which programs can be started. */
  machine(i: number): string {
    return `${this.prefix}-${i}`;
  }

  address(i: number): string {
    return `${ADDRESS}.${i + 1}`;
  }

  /** Disconnects a machine from the switch. Neither end is notified. */
  disconnect(i: number): void {
    ip('-n', this.hub, 'link', 'set', port(i), 'nomaster');
  }

  /** Connects a machine to the switch again. */
  reconnect(i: number): void {
    ip('-n', this.hub, 'link', 'set', port(i), 'master', 'switch');
  }

  /** Applies a queueing discipline to a machine's link, in both directions, such as `netem delay 5ms loss 1%`. */
  shape(i: number, ...discipline: readonly string[]): void {
    must('tc', ['-n', this.hub, 'qdisc', 'replace', 'dev', port(i), 'root', ...discipline]);
    must('tc', ['-n', this.machine(i), 'qdisc', 'replace', 'dev', 'cable', 'root', ...discipline]);
  }

  /** Packets that the queues of a machine's link have dropped so far. */
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
    this.reconnect(i);
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

/** Why no network with such a discipline can be created here, as one line; undefined when it can. */
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

/** @throws Error with the command's message when it fails */
function must(command: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (error !== undefined) throw new Error(`${command} of iproute2 cannot be run (${error.message})`);
  if (status !== 0)
    throw new Error(`\`${command} ${args.join(' ')}\`: ${stderr.trim().replaceAll('\n', ' ')}`);
  return stdout;
}
