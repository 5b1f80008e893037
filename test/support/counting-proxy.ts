import { connect as connectSocket, createServer, type Server, type Socket } from 'node:net';
import { systemClock } from '../../shared/actor/clock.js';

/** Passes connections on to a port, and counts what passes. It may be a slow network. */
export class CountingProxy {
  up = 0;
  down = 0;
  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  static async open(target: number, bytesPerSecond = Number.POSITIVE_INFINITY): Promise<CountingProxy> {
    let proxy: CountingProxy;
    const server = createServer((near) => {
      const far = connectSocket(target, '127.0.0.1');
      const pass = (from: Socket, to: Socket, bytes: Buffer): void => {
        to.write(bytes);
        if (bytesPerSecond === Number.POSITIVE_INFINITY) return;
        from.pause();
        systemClock.after((1000 * bytes.length) / bytesPerSecond, () => from.resume());
      };
      near.on('data', (bytes) => {
        proxy.up += bytes.length;
        pass(near, far, bytes);
      });
      far.on('data', (bytes) => {
        proxy.down += bytes.length;
        pass(far, near, bytes);
      });
      near.on('close', () => far.destroy()).on('error', () => far.destroy());
      far.on('close', () => near.destroy()).on('error', () => near.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    proxy = new CountingProxy(server, (server.address() as { port: number }).port);
    return proxy;
  }

  close(): void {
    this.server.close();
  }
}
