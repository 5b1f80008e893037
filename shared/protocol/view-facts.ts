/* What the page that travels through a run is told, as JSON. */

/** A page of a run that lies in its directory. */
export interface ReportLink {
  readonly title: string;
  /** Beside the page of the run's steps. */
  readonly path: string;
}

/** A run. */
export interface RunFacts {
  readonly path: string;
  readonly recipe: string;
  /** Recorded steps. A run that goes on has more of them later. */
  readonly steps: number;
  /** Why it has ended; null: it has not, or its record does not say so. */
  readonly ended: string | null;
  /** Other pages of the run. */
  readonly reports: readonly ReportLink[];
  /** In the order of the forward pass. */
  readonly layers: readonly {
    readonly name: string;
    readonly op: string;
    readonly parameters: readonly string[];
  }[];
}

type Numbers = Readonly<Record<string, number | string>>;

/** The network after so many steps. */
export interface StepFacts {
  readonly step: number;
  readonly weightsSha256: string;
  /** Whether the record has the same hash; left out: it has none. */
  readonly isAsRecorded?: boolean;
  /** Recorded means of the step that led here. */
  readonly metrics: Numbers;
  readonly evaluation: Numbers;
  /** Ids of the samples of the next batch, in its order. */
  readonly samples: readonly number[];
  readonly parameters: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly norm: number;
  }[];
}

/** How far a parameter is in one state from what it is in another; Euclidean norms. */
export interface StepDistance {
  readonly name: string;
  readonly norm: number;
  readonly otherNorm: number;
  readonly distance: number;
}

/** The weights of a neuron or filter in a parameter. */
export interface NeuronWeights {
  readonly name: string;
  /** Elements of the parameter. */
  readonly indices: readonly number[];
  readonly w: readonly number[];
  /** dL/dw over the whole batch, before clipping; empty for what is not trained. */
  readonly gradient: readonly number[];
  /** w after the step, minus w. */
  readonly update: readonly number[];
}

/** One neuron or filter in one step, for one sample. A filter has a number for each place of its map. */
export interface NeuronNumbers {
  readonly step: number;
  readonly layer: string;
  readonly op: string;
  readonly unit: number;
  readonly units: number;
  /** Id of the sample. */
  readonly sample: number;
  /** The function between z and y; left out: y is z. */
  readonly activation: string | undefined;
  readonly z: readonly number[];
  readonly y: readonly number[];
  /** dL/dz, with the 1 / batch of the mean loss in it. */
  readonly delta: readonly number[];
  /** What the layer reads. */
  readonly x: readonly number[];
  readonly weights: readonly NeuronWeights[];
}

/** What decides the numbers of the steps after one, beside the settings: the network, and the manifests of the data. */
export interface SessionFacts {
  readonly model: unknown;
  readonly train: unknown;
  /** What evaluations use; null: the run evaluates nothing. */
  readonly evaluated: unknown;
}
