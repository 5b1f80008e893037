import { assert } from '../errors.js';
import type { RowsJob } from './job.js';
import { layOut, layoutBytes } from './layout.js';
import type { KernelSink } from './ops/op.js';
import type { Frame, Program, RowTensor } from './program.js';

/** A program whose row tensors have their places: ready to be written to tapes. */
export class PlacedProgram<J extends RowsJob> {
  private readonly layout;

  /**
   * @param elsewhere a row tensor that does not live in scratch memory, and where a job wants it
   */
  constructor(
    private readonly program: Program<J>,
    private readonly elsewhere?: { readonly tensor: RowTensor; readonly place: (job: J) => number },
  ) {
    this.layout = layOut(program.instructions, elsewhere === undefined ? [] : [elsewhere.tensor]);
  }

  /** Bytes of scratch memory for so many rows. */
  scratchBytes(rows: number): number {
    return layoutBytes(this.layout.floats, rows) + this.program.roomFloats(rows) * 4;
  }

  /** Writes the program's kernel calls for one job. */
  emit(to: KernelSink, job: J): void {
    const { floats, places } = this.layout;
    const at = (tensor: RowTensor | undefined): number => {
      if (tensor === undefined) return 0;
      if (tensor === this.elsewhere?.tensor) return this.elsewhere.place(job);
      const place = places.get(tensor);
      assert(place !== undefined, 'a row tensor is used that no instruction writes');
      return job.scratch + layoutBytes(place, job.rows);
    };
    const frame: Frame<J> = { job, at, room: job.scratch + layoutBytes(floats, job.rows) };
    for (const instruction of this.program.instructions) instruction.emit(to, frame);
  }
}
