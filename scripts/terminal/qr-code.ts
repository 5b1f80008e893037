import { generate } from 'lean-qr';

/** Light modules around a code, which readers need (ISO/IEC 18004 asks for four; phones read two). */
const MARGIN = 2;
/** What two modules above each other look like on a dark terminal, where a printed character is light. */
const HALVES = ['█', '▀', '▄', ' '] as const;

/** A text as a QR code: lines of half blocks, two rows of modules each. */
export function qrLines(text: string): string[] {
  const code = generate(text);
  const lines: string[] = [];
  for (let y = -MARGIN; y < code.size + MARGIN; y += 2) {
    let line = '';
    for (let x = -MARGIN; x < code.size + MARGIN; x++)
      line += HALVES[2 * Number(code.get(x, y)) + Number(code.get(x, y + 1))];
    lines.push(line);
  }
  return lines;
}
