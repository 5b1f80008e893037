/** Means over samples by name, such as loss and accuracy. */
export type Metrics = Readonly<Record<string, number>>;

/** A step that is done, as the coordinator reports it. */
export interface StepRecord {
  /** Steps done, this one included. */
  readonly step: number;
  /** Samples in its batch. */
  readonly batch: number;
  /** Over the batch. */
  readonly means: Metrics;
  /** Members at work. */
  readonly members: number;
}

/** Someone who watches a run: a progress bar, the run directory. Changes nothing. */
export interface Observer {
  stepped(record: StepRecord): void;
  /** Means over the whole evaluation set, after so many steps. */
  evaluated(step: number, means: Metrics): void;
  notice(text: string): void;
}
