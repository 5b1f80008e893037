/** Most events that wait for a reader. */
const EVENTS_MAX = 4096;

/**
 * Events on their way to a reader that may be slower than the run. When more than EVENTS_MAX wait, the oldest event that
 * `isDispensable` is dropped, or else the oldest.
 */
export class EventQueue<E> {
  private readonly events: E[] = [];
  private end: { readonly error?: unknown } | undefined;
  private wake: () => void = () => {};

  constructor(private readonly isDispensable: (event: E) => boolean) {}

  push(event: E): void {
    this.events.push(event);
    if (this.events.length > EVENTS_MAX) {
      const at = this.events.findIndex(this.isDispensable);
      this.events.splice(Math.max(0, at), 1);
    }
    this.wake();
  }

  /** No event follows. @param failure why, where it is an error: readers throw it after the last event */
  close(failure?: { readonly error: unknown }): void {
    this.end ??= failure ?? {};
    this.wake();
  }

  /** The events from the oldest that waits to the last. */
  async *read(): AsyncGenerator<E, void, void> {
    while (true) {
      const event = this.events.shift();
      if (event !== undefined) {
        yield event;
        continue;
      }
      if (this.end !== undefined) {
        if ('error' in this.end) throw this.end.error;
        return;
      }
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }
}
