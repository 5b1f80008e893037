import type { Clock } from '../../../shared/actor/clock.js';
import { inflateChunk } from '../../../shared/data/chunk-compression.js';
import { Device } from '../../../shared/engine/device.js';
import { nodePlatform } from '../../../shared/engine/node-platform.js';
import { connectWebSocket } from '../../../shared/link/web-socket-client.js';
import { parseJoinUrl } from '../../../shared/protocol/join-url.js';
import { RemoteExecutor } from '../../../worker/remote-executor.js';
import { WorkerActor } from '../../../worker/run-worker.js';
import { TurnExecutor, Turns } from './turn-executor.js';

/** Members of a run that share one thread and one memory: the worker's own actor and link, many in a process. */
export class LightMembers {
  private readonly members: WorkerActor[] = [];
  private readonly turns = new Turns();
  private prepared = 0;
  private onPrepared = (): void => {};
  private readonly executor: RemoteExecutor;

  private constructor(
    private readonly device: Device,
    private readonly joinUrl: string,
    private readonly clock: Clock,
  ) {
    this.executor = new RemoteExecutor(device);
  }

  static async start(joinUrl: string, clock: Clock): Promise<LightMembers> {
    return new LightMembers(await Device.start(1, 'auto', nodePlatform()), joinUrl, clock);
  }

  /** More of them join, all at once. Resolves when all are admitted. */
  join(count: number): Promise<void> {
    const address = parseJoinUrl(this.joinUrl);
    const { backend, detail } = this.device.threadPool;
    const selfTest = this.device.selfTest();
    const { token } = address;
    for (let i = 0; i < count; i++) {
      const name = `light-${this.members.length + 1}`;
      const member = new WorkerActor({
        identity: { ...{ name, backend, detail, token, selfTest }, threads: 1 },
        executor: new TurnExecutor(this.executor, this.turns, () => {
          this.prepared += 1;
          this.onPrepared();
        }),
        ...{ clock: this.clock, inflate: inflateChunk },
        connect: () => connectWebSocket(address, this.clock),
        onNotice: () => {},
      });
      this.members.push(member);
    }
    return new Promise((resolve) => {
      this.onPrepared = () => this.prepared >= this.members.length && resolve();
      this.onPrepared();
    });
  }

  /** All leave. @returns why some have ended before */
  async leave(): Promise<string[]> {
    for (const member of this.members) member.leave();
    const ends = await Promise.all(this.members.map(({ ended }) => ended));
    await this.device.stop();
    return ends.filter(({ exitReason }) => exitReason !== 'left').map(({ reason }) => reason);
  }
}
