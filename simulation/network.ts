import type { Cancel } from '../shared/actor/clock.js';
import type { VirtualClock } from '../shared/actor/virtual-clock.js';

/** Least time between two frames in one direction: more than the rounding error of a sum of times, which could reorder them. */
const FRAME_GAP_MS = 1e-6;
/** Time between two frames that were held up and arrive in the end. */
const HELD_UP_GAP_MS = 0.1;

export type End = 'coordinator' | 'worker';

/** How long things take on a network. */
export interface NetworkTiming {
  /** Delay of the next frame. */
  delayMs(): number;
  /** How long the next segment behind a first one waits for the link. */
  segmentWaitMs(): number;
  /** Time until the next end notices that its connection is gone. */
  closeNoticeMs(): number;
  /** A worker regards a coordinator as gone that has sent nothing for so long. */
  readonly silenceMs: number;
}

/** Links on which long frames take their time: those of one machine share its port, in each direction. */
export interface Wire {
  readonly latencyMs: number;
  readonly bytesPerMs: number;
  /** Bytes of a segment of weights, of an update or of a partial sum. */
  readonly segmentBytes: number;
}

/** The port of a machine: until when it sends and receives what was sent so far. */
export interface Port {
  sendsUntilMs: number;
  receivesUntilMs: number;
  /** Segments that have passed it. */
  segments: number;
  /** Left out: the wire's. */
  bytesPerMs?: number;
}

/** A machine's wire and the ports at both ends of a connection. */
interface Wired extends Wire {
  readonly ports: Readonly<Record<End, Port>>;
}

/** A frame on its way to the coordinator. */
interface Frame {
  readonly arrive: () => void;
  readonly cancel: Cancel;
}

/** One connection: frames in each direction arrive in order and at most once, unless the worker's end breaks. */
export class Connection {
  private readonly lastMs = { coordinator: 0, worker: 0 };
  private readonly isOpen = { coordinator: true, worker: true };
  private readonly inFlight = new Set<Frame>();
  /** Nothing that is sent from now on arrives; frames in flight may. */
  private isCut = false;
  private stalledUntilMs = 0;
  private heardMs: number;

  constructor(
    readonly id: string,
    private readonly clock: VirtualClock,
    private readonly timing: NetworkTiming,
    /** Called once for each end when it notices that the connection is gone. */
    private readonly onClosed: (end: End, reason: string) => void,
    /** Left out: a long frame takes no longer than a short one. */
    private readonly wired?: Wired,
  ) {
    this.heardMs = clock.nowMs();
    if (timing.silenceMs < Number.POSITIVE_INFINITY) this.checkSilence(timing.silenceMs);
  }

  /** Whether a frame that is sent now arrives without being held up. */
  get carries(): boolean {
    return !this.isCut && this.stalledUntilMs <= this.clock.nowMs();
  }

  /**
   * Sends a frame to one end. It arrives after a delay, unless the connection is gone by then.
   * @param follows it is a part of what the frame before it is of, and is delayed no more than that
   * @param isLong it is a segment
   */
  send(to: End, arrive: () => void, follows = false, isLong = false): void {
    if (this.isCut) return;
    if (to === 'worker') {
      this.deliver(
        to,
        () => {
          if (!this.isOpen.worker) return;
          this.heardMs = this.clock.nowMs();
          arrive();
        },
        follows,
        isLong,
      );
      return;
    }
    const cancel = this.deliver(
      to,
      () => {
        this.inFlight.delete(frame);
        if (this.isOpen.coordinator) arrive();
      },
      follows,
      isLong,
    );
    const frame = { arrive, cancel };
    this.inFlight.add(frame);
  }

  /** One end closes the connection in an orderly way: the other notices after the last frame. */
  close(by: End, reason: string): void {
    if (!this.isOpen[by]) return;
    const other = by === 'worker' ? 'coordinator' : 'worker';
    this.deliver(other, () => this.closeEnd(other, reason));
    this.isCut = true;
    this.clock.after(0, () => this.closeEnd(by, reason));
  }

  /** The connection is cut, or one machine is gone: each end notices in its own time. */
  cut(reason: string): void {
    if (this.isCut) return;
    this.isCut = true;
    for (const end of ['coordinator', 'worker'] as const)
      this.clock.after(this.timing.closeNoticeMs(), () => this.closeEnd(end, reason));
  }

  /** Holds all frames up for a while. */
  stall(ms: number): void {
    this.stalledUntilMs = Math.max(this.stalledUntilMs, this.clock.nowMs() + ms);
  }

  /**
   * Breaks the worker's end: the worker connects again, and the coordinator's end stays open (a half-open connection). Frames
   * in flight arrive `ms` later, when the new connection has long been in use or is gone as well; some of them arrive twice.
   */
  breakWorkerEnd(ms: number, isDuplicated: () => boolean): void {
    if (this.isCut) return;
    this.isCut = true;
    this.closeEnd('worker', 'the connection was reset');
    const frames = [...this.inFlight];
    const duplicates = frames.filter(isDuplicated);
    this.inFlight.clear();
    for (const { cancel } of frames) cancel();
    for (const [i, { arrive }] of [...frames, ...duplicates].entries())
      this.clock.after(ms + i * HELD_UP_GAP_MS, arrive);
  }

  private deliver(to: End, act: () => void, follows = false, isLong = false): Cancel {
    const now = this.clock.nowMs();
    const { wired } = this;
    const arrivesMs =
      wired !== undefined && isLong
        ? passes(wired, to, now)
        : Math.max(now, this.stalledUntilMs) + (follows ? 0 : this.timing.delayMs());
    this.lastMs[to] = Math.max(this.lastMs[to] + FRAME_GAP_MS, arrivesMs);
    return this.clock.after(this.lastMs[to] - now, act);
  }

  private checkSilence(waitMs: number): void {
    this.clock.after(waitMs, () => {
      if (!this.isOpen.worker) return;
      const restMs = this.heardMs + this.timing.silenceMs - this.clock.nowMs();
      if (restMs > 0) return this.checkSilence(restMs);
      this.closeEnd('worker', 'the coordinator was silent');
      this.cut('the worker hung up');
    });
  }

  private closeEnd(end: End, reason: string): void {
    if (!this.isOpen[end]) return;
    this.isOpen[end] = false;
    this.onClosed(end, reason);
  }
}

/** A segment passes the ports at both ends. @returns when it has arrived */
function passes({ latencyMs, bytesPerMs, segmentBytes, ports }: Wired, to: End, nowMs: number): number {
  const from = ports[to === 'worker' ? 'coordinator' : 'worker'];
  const passMs = (port: Port): number => segmentBytes / (port.bytesPerMs ?? bytesPerMs);
  const sentMs = Math.max(nowMs, from.sendsUntilMs) + passMs(from);
  const arrivedMs = Math.max(sentMs + latencyMs, ports[to].receivesUntilMs + passMs(ports[to]));
  from.sendsUntilMs = sentMs;
  ports[to].receivesUntilMs = arrivedMs;
  for (const port of [from, ports[to]]) port.segments += 1;
  return arrivedMs;
}
