import { connect, createServer, type Socket } from 'node:net';

/** A TCP proxy for a local port, which can reset its connections in the middle of a transfer. */
export class CuttingProxy {
  /** Bytes that are still forwarded; then all connections are reset. */
  private left = Number.POSITIVE_INFINITY;
  private onCut: () => void = () => {};
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: ReturnType<typeof createServer>,
    readonly port: number,
  ) {}

  /** @param target the port that it forwards to */
  static async start(target: number): Promise<CuttingProxy> {
    let proxy: CuttingProxy | undefined;
    const server = createServer((near) => proxy?.pass(near, connect(target, '127.0.0.1')));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    proxy = new CuttingProxy(server, (server.address() as { port: number }).port);
    return proxy;
  }

  /** Resets all connections after so many more bytes. Resolves when it has. */
  cutAfter(bytes: number): Promise<void> {
    this.left = bytes;
    return new Promise((resolve) => {
      this.onCut = resolve;
    });
  }

  close(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }

  private pass(near: Socket, far: Socket): void {
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.sockets.add(from);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.sockets.delete(from);
        to.destroy();
      });
      from.on('data', (bytes: Buffer) => {
        const part = bytes.subarray(0, this.left);
        this.left -= part.length;
        to.write(part, () => {
          if (part.length < bytes.length) this.cut();
        });
      });
    }
  }

  private cut(): void {
    this.left = Number.POSITIVE_INFINITY;
    for (const socket of this.sockets) socket.resetAndDestroy();
    this.onCut();
  }
}
