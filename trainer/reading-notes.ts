import { RecordingChanges } from '../shared/data/audio/recording-changes.js';
import { ImageChanges } from '../shared/data/images/image-changes.js';
import type { Preprocessing } from './preprocessing.js';

/** What happened to images and recordings when they were read. */
export class ReadingNotes {
  readonly images = new ImageChanges();
  readonly recordings: RecordingChanges | undefined;

  constructor(preprocessing: Preprocessing) {
    if (preprocessing.kind === 'recordings') this.recordings = new RecordingChanges(preprocessing.samples);
  }

  /** One line for each kind that occurred. */
  notes(): string[] {
    return [...this.images.notes(), ...(this.recordings?.notes() ?? [])];
  }
}
