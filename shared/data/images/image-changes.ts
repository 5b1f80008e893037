import type { ReadImage } from './read-image.js';

/** An image without a larger value, of 255, looks black. */
const DARK_MAX = 31;

/** Counts what happened to images when they were read, and which of them look wrong. */
export class ImageChanges {
  private rotated = 0;
  private transparent = 0;
  private cmyk = 0;
  private deep = 0;
  private animated = 0;
  private dark = 0;

  add(image: ReadImage): void {
    if (image.orientation !== 1) this.rotated += 1;
    if (image.isTransparent) this.transparent += 1;
    if (image.isCmyk) this.cmyk += 1;
    if (image.isDeep) this.deep += 1;
    if (image.isAnimated) this.animated += 1;
    if (image.pixels.every((value) => value <= DARK_MAX)) this.dark += 1;
  }

  /** One line for each kind that occurred. */
  notes(): string[] {
    const note = (what: string, count: number) => (count === 0 ? [] : [`${what}: ${count}`]);
    return [
      ...note('rotated by their Exif orientation', this.rotated),
      ...note('with transparency, which is dropped', this.transparent),
      ...note('converted from CMYK', this.cmyk),
      ...note('with 16 bits, of which the upper 8 are kept', this.deep),
      ...note('animated, of which the first picture is read', this.animated),
      ...note(
        `nearly black, with no value above ${DARK_MAX} of 255 (if they use few of their bits, such as 12 of 16, multiply their values)`,
        this.dark,
      ),
    ];
  }
}
