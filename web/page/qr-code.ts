/* Loaded when somebody asks for a code: most people never do. */
import { generate } from 'lean-qr';

/** A text as a QR code. */
export interface QrCode {
  /** Modules of each side. */
  readonly size: number;
  /** The dark modules as a path of SVG, a unit each. */
  readonly path: string;
}

export function qrCode(text: string): QrCode {
  const code = generate(text);
  let path = '';
  for (let y = 0; y < code.size; y++)
    for (let x = 0; x < code.size; x++) if (code.get(x, y)) path += `M${x} ${y}h1v1h-1z`;
  return { size: code.size, path };
}
