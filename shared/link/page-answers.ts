import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { browserRefusal, isEncryptedPublicly, ownPath } from './browser-requests.js';

/** What is answered to an HTTP request. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** Answers a request; undefined when there is nothing at its path. */
export type AnswerRequest = (request: IncomingMessage) => Answer | undefined;

/** A file of the page, in memory. */
export interface PageFile {
  /** MIME type. */
  readonly type: string;
  readonly bytes: Uint8Array;
  /** The same, compressed with gzip. */
  readonly gzip: Uint8Array;
}

/**
 * What a browser may do with the page: scripts, workers, styles and connections of this server only, WebAssembly, no
 * frames.
 */
const POLICY: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; img-src 'self'; " +
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  // A later run on the same port may be of another version.
  'cache-control': 'no-store',
};

/** Isolation, which gives a page shared memory. */
const ISOLATION: Readonly<Record<string, string>> = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

/** Whether a browser accepts the isolation: only of encrypted connections, and of those that stay on this machine. */
function mayIsolate(socket: Socket, host = ''): boolean {
  return 'encrypted' in socket || /^(localhost|127\.[\d.]+|\[::1\])(:\d+)?$/.test(host);
}

/**
 * Answers GET and HEAD requests from a fixed table of files.
 * @param files by path, such as "/page/main.js"
 * @param listenHost see browserRefusal
 * @param publicUrl see browserRefusal
 */
export function answerPages(
  files: ReadonlyMap<string, PageFile>,
  listenHost: string,
  publicUrl?: string,
): AnswerRequest {
  return ({ method, url = '', headers, socket }) => {
    const file = files.get(ownPath(url, publicUrl));
    if (file === undefined) return undefined;
    const refusal = browserRefusal(headers, listenHost, publicUrl);
    if (refusal !== undefined) return textAnswer(421, `${refusal}\n`);
    if (method !== 'GET' && method !== 'HEAD')
      return textAnswer(405, 'only GET and HEAD\n', { allow: 'GET, HEAD' });
    const isCompressed = /\bgzip\b/.test(String(headers['accept-encoding'] ?? ''));
    return {
      status: 200,
      headers: {
        ...POLICY,
        ...((mayIsolate(socket, headers.host) || isEncryptedPublicly(headers.host ?? '', publicUrl)) &&
          ISOLATION),
        'content-type': file.type,
        ...{ vary: 'accept-encoding', ...(isCompressed && { 'content-encoding': 'gzip' }) },
      },
      body: isCompressed ? file.gzip : file.bytes,
    };
  };
}

/** An answer in plain text. */
export function textAnswer(status: number, text: string, headers: Record<string, string> = {}): Answer {
  return {
    status,
    headers: { 'content-type': 'text/plain; charset=utf-8', ...headers },
    body: Buffer.from(text),
  };
}
