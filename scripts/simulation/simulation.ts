import { coordinate } from '../../coordinator/coordinator.js';
import { SeededRandom } from '../../shared/actor/seeded-random.js';
import { VirtualClock } from '../../shared/actor/virtual-clock.js';
import { EXPECTED_HASHES } from '../../shared/kernels/self-test-hashes.js';
import type { NodeToCoordinator } from '../../shared/protocol/messages.js';
import { hashText, undisturbed } from './arithmetic.js';
import { Connection } from './network.js';
import { simulatedSettings, TOKEN } from './settings.js';
import { type Coordinate, type Sending, VirtualCoordinator } from './virtual-coordinator.js';
import { VirtualNode } from './virtual-node.js';

/** What is simulated. The same plan takes the same course everywhere. */
export interface SimulationPlan {
  readonly seed: number;
  readonly workers: number;
  readonly steps: number;
  /** Whether anything goes wrong. */
  readonly faults: boolean;
}

/** The result, as `--json` prints it. */
export interface SimulationResult extends Omit<SimulationPlan, 'faults'> {
  readonly finalHash: string;
  readonly expectedHash: string;
  /** How often each kind of fault happened. */
  readonly faults: Readonly<Record<string, number>>;
  readonly virtualSeconds: number;
  readonly messages: number;
}

/** Faults stop after this time; from then on everyone who is honest can work. */
const FAULTS_MS = 20_000;
/** A run that has not ended by then stands still. */
const LIMIT_MS = 20 * 60_000;
/** Mean time between two faults. */
const FAULT_EVERY_MS = 60;
/** A liar's answers that are wrong, one in so many. */
const LIE_EVERY = 4;

/**
 * Runs the production coordinator and nodes over a network that a seed decides: delays, cut connections, partitions,
 * frozen and dead machines; or, in one run of four, a member that lies where everything is audited.
 *
 * @param trace told what happens, with virtual time
 * @param decide another coordinator, to see that its faults are found
 * @throws Error when a step is not given its canonical sum, an honest member is expelled, sums pile up or the run
 * stands still
 */
export function simulate(
  plan: SimulationPlan,
  trace: (text: string) => void = () => {},
  decide: Coordinate = coordinate,
): SimulationResult {
  return new Simulation(plan, trace, decide).run();
}

class Simulation {
  private readonly clock = new VirtualClock();
  private readonly random: SeededRandom;
  private readonly coordinator: VirtualCoordinator;
  private readonly nodes: VirtualNode[] = [];
  private readonly links = new Map<string, { link: Connection; node: VirtualNode }>();
  private readonly faults: Record<string, number> = {};
  private readonly lies: boolean;
  private messages = 0;
  private names = 0;

  constructor(
    private readonly plan: SimulationPlan,
    private readonly write: (text: string) => void,
    decide: Coordinate,
  ) {
    this.random = new SeededRandom(plan.seed);
    // Who lies is found out only where somebody else can do its work: in these runs nobody else fails.
    this.lies = plan.faults && plan.workers >= 4 && this.random.chance(0.25);
    const world = {
      nowMs: () => this.clock.nowMs(),
      after: (ms: number, act: () => void) => void this.clock.after(ms, act),
      trace: (text: string) => this.trace(text),
      drop: (id: string, reason: string) => this.links.get(id)?.link.close('coordinator', reason),
      toNode: this.toNode,
    };
    const settings = simulatedSettings(plan, {
      audit: this.lies ? 1 : this.random.below(3) / 4,
      minWorkers: this.lies ? plan.workers : 1,
    });
    this.coordinator = new VirtualCoordinator(settings, world, decide);
    for (let i = 0; i < plan.workers; i++) this.add();
    if (plan.faults && !this.lies) this.disturb();
  }

  run(): SimulationResult {
    const { seed, workers, steps } = this.plan;
    while (!this.coordinator.isComplete) {
      if (this.clock.nowMs() > LIMIT_MS || !this.clock.runNext())
        throw new Error(`the run stands still in step ${this.coordinator.state.step}`);
    }
    const finalHash = hashText(this.coordinator.weights);
    const expectedHash = hashText(undisturbed(steps, (step) => this.coordinator.leavesOf(step)));
    if (finalHash !== expectedHash) throw new Error(`the run ended with ${finalHash}, not ${expectedHash}`);
    const virtualSeconds = this.clock.nowMs() / 1000;
    return {
      seed,
      workers,
      steps,
      finalHash,
      expectedHash,
      faults: this.faults,
      virtualSeconds,
      messages: this.messages,
    };
  }

  /** A machine comes, at once or late. */
  private add(): void {
    const name = `node-${++this.names}`;
    const selfTest = Object.entries(EXPECTED_HASHES).map(([kernel, hash]) => ({ kernel, hash }));
    const identity = { name, backend: 'wasm', detail: 'virtual', threads: 1, token: TOKEN, selfTest };
    const isLiar = this.lies && this.names === 1;
    const node = new VirtualNode(name, identity, 0.5 + this.random.below(8) / 2, {
      nowMs: () => this.clock.nowMs(),
      after: (ms, act) => void this.clock.after(ms, act),
      leavesOf: (step) => this.coordinator.leavesOf(step),
      nonce: () => this.nonce(),
      connect: (self) => this.connect(self),
      toCoordinator: this.toCoordinator,
      lie: () =>
        isLiar && this.random.below(LIE_EVERY) === 0 ? this.count('lie', 1 + this.random.next()) : 0,
      ended: (self, ending) => this.ended(self, ending),
    });
    this.nodes.push(node);
    this.clock.after(this.random.chance(0.2) ? this.random.below(3000) : this.random.below(20), () =>
      node.tell({ kind: 'retry' }),
    );
  }

  private ended(node: VirtualNode, ending: string): void {
    this.trace(`${node.name} ended: ${ending}`);
    if (ending.startsWith('refused') && !node.hasLied)
      throw new Error(`${node.name} is honest and was ${ending}`);
    if (ending.startsWith('failed')) throw new Error(`${node.name} ${ending}`);
    if (ending.startsWith('lost')) this.add();
  }

  private connect(node: VirtualNode): Connection {
    const id = `link-${this.links.size + 1}`;
    const link = new Connection(id, this.clock, this.random, (end, reason) => {
      this.trace(`${end} of ${id}: closed, ${reason}`);
      if (end === 'coordinator') this.coordinator.tell({ kind: 'disconnected', id, reason });
      else if (node.link === link) node.tell({ kind: 'closed', reason });
    });
    this.links.set(id, { link, node });
    link.send('coordinator', () =>
      this.coordinator.tell({ kind: 'connected', id, nonce: this.nonce(), sharesMemory: false }),
    );
    return link;
  }

  private readonly toNode = ({ id, message }: Sending, payload: Uint8Array): void => {
    const to = this.links.get(id);
    this.trace(`coordinator to ${to?.node.name}: ${describe(message)}`);
    this.messages += 1;
    to?.link.send('node', () => {
      if (to.node.link === to.link) to.node.tell({ kind: 'received', message, payload });
    });
  };

  private readonly toCoordinator = (
    link: Connection,
    message: NodeToCoordinator,
    sums: readonly number[],
  ): void => {
    this.messages += 1;
    link.send('coordinator', () => {
      this.trace(`${this.links.get(link.id)?.node.name} to coordinator: ${describe(message)}`);
      this.coordinator.tell({ kind: 'received', id: link.id, message, slots: this.coordinator.takeIn(sums) });
    });
  };

  /** Something goes wrong, now and then. */
  private disturb(): void {
    this.clock.after(1 + this.random.below(2 * FAULT_EVERY_MS), () => {
      if (this.clock.nowMs() > FAULTS_MS || this.coordinator.isComplete) return;
      const alive = this.nodes.filter(({ isDead }) => !isDead);
      const node = alive[this.random.below(alive.length)];
      if (node !== undefined) this.harm(node);
      this.disturb();
    });
  }

  private harm(node: VirtualNode): void {
    const { link } = node;
    switch (this.random.below(4)) {
      case 0:
        this.count('cut', 0);
        return link?.cut('the cable was pulled');
      case 1:
        this.count('partition', 0);
        return link?.stall(this.random.below(6000));
      case 2:
        this.count('pause', 0);
        node.pausedUntilMs = this.clock.nowMs() + this.random.below(5000);
        return;
      default: {
        this.count('crash', 0);
        node.isDead = true;
        // Without power nobody hears anything of it: only its silence tells.
        if (this.random.chance(0.5)) link?.stall(LIMIT_MS);
        else link?.cut('the machine is gone');
        // Another takes its place, or the same one after a restart: it remembers nothing.
        this.clock.after(this.random.below(2000), () => this.add());
      }
    }
  }

  private count<T>(fault: string, value: T): T {
    this.faults[fault] = (this.faults[fault] ?? 0) + 1;
    this.trace(`fault: ${fault}`);
    return value;
  }

  private nonce(): string {
    return String(this.random.next()).padStart(22, 'n');
  }

  private trace(text: string): void {
    this.write(`${this.clock.nowMs().toFixed(1).padStart(9)} ms  ${text}`);
  }
}

function describe(message: {
  readonly kind: string;
  readonly step?: number;
  readonly range?: { from: number; to: number };
}): string {
  const { kind, step, range } = message;
  return range === undefined ? kind : `${kind} ${step} [${range.from},${range.to})`;
}
