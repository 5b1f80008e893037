/** The global object of a dedicated worker, whose type is not among those of a page. */
interface WorkerScope<In, Out> {
  onmessage: ((event: MessageEvent<In>) => void) | null;
  addEventListener(
    type: 'message',
    listener: (event: MessageEvent<In>) => void,
    options?: { readonly signal: AbortSignal },
  ): void;
  postMessage(message: Out, transfer?: Transferable[]): void;
}

/** The calling worker, which receives messages of one type and sends another. */
export function workerScope<In, Out>(): WorkerScope<In, Out> {
  return globalThis as unknown as WorkerScope<In, Out>;
}
