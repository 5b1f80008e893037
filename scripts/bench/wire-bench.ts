import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { WebSocket, WebSocketServer } from 'ws';
import type { Clock } from '../../shared/actor/clock.js';
import { UserError } from '../../shared/errors.js';
import type { Link } from '../../shared/link/link.js';
import { listen } from '../../shared/link/listen.js';
import { connectWebSocket } from '../../shared/link/web-socket-client.js';
import { acceptWebSockets } from '../../shared/link/web-socket-server.js';
import { withCProgram } from './c-program.js';
import { timeStats } from './time-stats.js';

/**
 * What carries the bytes: the links of this program, sockets of Node with nothing around them, ws as it is, or sockets of C
 * in a process of their own, where there is a C compiler.
 */
export const CARRIERS = ['unisum', 'node', 'ws', 'c'] as const;
export type Carrier = (typeof CARRIERS)[number];

/** Transfers before the measurement. */
const WARM_UP = 20;
/** Bytes of one read of a plain socket. */
const READ_BYTES = 256 * 2 ** 10;

/** The cost of moving bytes from a process to itself over TCP on the loopback interface, sender and receiver together. */
export interface WireResult {
  readonly carrier: Carrier;
  /** Of one message. */
  readonly bytes: number;
  /** Processor time per million bytes, median of the windows. */
  readonly processorUsPerMb: number;
  readonly fastestUsPerMb: number;
  /** Compared with plain sockets of Node in the same run. */
  readonly ratio?: number;
  /** Collections of the garbage collector per thousand messages. */
  readonly collections?: number;
}

/** A connection: moves one message to its other end, and resolves when the last byte has arrived. */
interface Channel {
  move(): Promise<void>;
  close(): Promise<void>;
}

/** What is measured, and how often. */
export interface WireRequest {
  readonly bytes: number;
  /** In a window. */
  readonly messages: number;
  readonly windows: number;
}

/** Measures all carriers in alternating windows. */
export async function benchWire(request: WireRequest, clock: Clock): Promise<WireResult[]> {
  const withC = await withCProgram('wire.c', ['-O2'], async (program) => {
    const sockets = new CSockets(program, request.bytes);
    try {
      return await measure(request, clock, sockets);
    } finally {
      sockets.close();
    }
  });
  return withC ?? measure(request, clock, undefined);
}

async function measure(
  { bytes, messages, windows }: WireRequest,
  clock: Clock,
  sockets: CSockets | undefined,
): Promise<WireResult[]> {
  // As weights and sums do, the bytes lie in memory that threads share.
  const payload = new Uint8Array(new SharedArrayBuffer(bytes)).fill(1);
  const channels = await Promise.all([openUnisum(payload, clock), openNode(payload), openWs(payload)]);
  const times = new Map<Carrier, number[]>(CARRIERS.map((carrier) => [carrier, []]));
  const collections = new Map<Carrier, number>();
  let seen = 0;
  const observer = new PerformanceObserver((list) => {
    seen += list.getEntries().length;
  });
  observer.observe({ entryTypes: ['gc'] });
  try {
    for (const channel of channels) for (let i = 0; i < WARM_UP; i++) await channel.move();
    await sockets?.processorUs(WARM_UP);
    for (let window = 0; window < windows; window++) {
      for (const [i, channel] of channels.entries()) {
        const carrier = CARRIERS[i] as Carrier;
        seen = 0;
        const begun = process.cpuUsage();
        for (let message = 0; message < messages; message++) await channel.move();
        const { user, system } = process.cpuUsage(begun);
        times.get(carrier)?.push((user + system) / ((bytes * messages) / 1e6));
        // Entries are delivered in a turn of their own.
        await new Promise((resolve) => setImmediate(resolve));
        collections.set(carrier, (collections.get(carrier) ?? 0) + seen);
      }
      if (sockets !== undefined)
        times.get('c')?.push((await sockets.processorUs(messages)) / ((bytes * messages) / 1e6));
    }
  } finally {
    observer.disconnect();
    for (const channel of channels) await channel.close();
  }
  const plain = timeStats(times.get('node') as number[]).median;
  return CARRIERS.filter((carrier) => times.get(carrier)?.length !== 0).map((carrier) => {
    const { median, fastest } = timeStats(times.get(carrier) as number[]);
    const seenOf = collections.get(carrier);
    return {
      ...{ carrier, bytes, processorUsPerMb: median, fastestUsPerMb: fastest },
      ...(carrier === 'node' ? {} : { ratio: median / plain }),
      ...(seenOf === undefined ? {} : { collections: (seenOf * 1000) / (messages * windows) }),
    };
  });
}

/** The program wire.c. */
class CSockets {
  readonly #child;
  readonly #lines: AsyncIterator<string>;

  constructor(program: string, bytes: number) {
    this.#child = spawn(program, [String(bytes)], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** Processor time of so many messages, in microseconds. */
  async processorUs(messages: number): Promise<number> {
    this.#child.stdin.write(`${messages}\n`);
    const { value, done } = await this.#lines.next();
    if (done === true) throw new UserError('the C program of the benchmark ended without a result');
    return Number(value);
  }

  close(): void {
    this.#child.kill();
  }
}

async function openUnisum(payload: Uint8Array, clock: Clock): Promise<Channel> {
  const listening = await listen({ host: '127.0.0.1', port: 0 }, { clock });
  const accepted = new Promise<Link>((resolve) =>
    acceptWebSockets(listening, { clock, listenHost: '127.0.0.1' }, resolve),
  );
  const receiver = await connectWebSocket(
    { host: '127.0.0.1', port: listening.port, token: 't'.repeat(22) },
    clock,
  );
  const sender = await accepted;
  let arrived = (): void => {};
  for (const link of [sender, receiver]) link.admit();
  sender.open({ message: () => {}, closed: () => {} });
  receiver.open({
    message: ({ payload }) => {
      receiver.recycle(payload);
      arrived();
    },
    closed: () => {},
  });
  return {
    move: () =>
      new Promise((resolve) => {
        arrived = resolve;
        sender.send({ kind: 'work' }, payload);
      }),
    close: async () => {
      receiver.close('measured');
      await listening.close();
    },
  };
}

/** The least that Node needs: bytes are written from where they lie, and read into one buffer. */
async function openNode(payload: Uint8Array): Promise<Channel> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  let [left, arrived] = [0, (): void => {}];
  const receiver = connect({
    ...{ host: '127.0.0.1', port: (server.address() as AddressInfo).port },
    onread: {
      buffer: new Uint8Array(READ_BYTES),
      callback: (bytes: number) => {
        left -= bytes;
        if (left === 0) arrived();
        return true;
      },
    },
  });
  const [sender] = await accepted;
  sender.setNoDelay();
  return {
    move: () =>
      new Promise((resolve) => {
        arrived = resolve;
        left = payload.length;
        sender.write(payload);
      }),
    close: async () => {
      receiver.destroy();
      sender.destroy();
      server.close();
    },
  };
}

/** ws as it is: a message is assembled in new memory. The sender is the server's side, which masks nothing. */
async function openWs(payload: Uint8Array): Promise<Channel> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[WebSocket]>;
  const { port } = server.address() as AddressInfo;
  const receiver = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
  const [sender] = await accepted;
  let arrived = (): void => {};
  receiver.on('message', () => arrived());
  // Bytes that threads share must be copied before they wait to be sent: here into one buffer that is reused.
  const copy = new Uint8Array(payload.length);
  return {
    move: () =>
      new Promise((resolve) => {
        arrived = resolve;
        copy.set(payload);
        sender.send(copy, { binary: true });
      }),
    close: async () => {
      receiver.terminate();
      sender.terminate();
      server.close();
    },
  };
}
