import { request as ask, createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { onTestFinished } from 'vitest';

/** A proxy that offers a server below a path, as a web server for several sites does. */
export interface PathProxy {
  /** What browsers open. */
  readonly url: string;
  /** Where it connects from now on. */
  port: number;
}

/**
 * Starts a proxy. It removes the path, and says for whom it connects.
 * @param client the address that it says requests come from
 */
export async function startPathProxy(path: string, client: string): Promise<PathProxy> {
  let port = 0;
  const headersOf = ({ headers }: IncomingMessage) => ({ ...headers, 'x-forwarded-for': client });
  const pathOf = ({ url = '' }: IncomingMessage): string => url.slice(path.length);
  const server = createServer((request, response) => {
    const { method } = request;
    const asked = ask({
      host: '127.0.0.1',
      port,
      method,
      path: pathOf(request),
      headers: headersOf(request),
    });
    asked.on('response', (answer) => {
      response.writeHead(answer.statusCode as number, answer.headers);
      answer.pipe(response);
    });
    asked.on('error', () => response.destroy());
    request.pipe(asked);
  });
  server.on('upgrade', (request, socket, head) => {
    const upstream = connect(port, '127.0.0.1');
    const lines = Object.entries(headersOf(request)).map(([name, value]) => `${name}: ${value}\r\n`);
    upstream.write(`GET ${pathOf(request)} HTTP/1.1\r\n${lines.join('')}\r\n`);
    upstream.write(head);
    for (const [from, to] of [
      [socket, upstream],
      [upstream, socket],
    ] as const) {
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`,
    get port() {
      return port;
    },
    set port(value: number) {
      port = value;
    },
  };
}
