import { generate } from 'lean-qr';
import { expect, it } from 'vitest';
import { qrLines } from '../../scripts/terminal/qr-code.js';

const LINK = 'https://example.com:7700/#u4PjnBYb3FagmCti96VpAQ';

it('draws a code module by module, light on dark, with a light margin', () => {
  const lines = qrLines(LINK).map((line) => [...line]);
  const width = lines[0]?.length ?? 0;
  // Upper and lower half of a character: light where the terminal prints.
  const isLight = (x: number, y: number): boolean => {
    const character = lines[Math.floor(y / 2)]?.[x] ?? '';
    return character === '█' || character === (y % 2 === 0 ? '▀' : '▄');
  };
  const code = generate(LINK);
  expect(width).toBe(code.size + 4);
  for (let y = 0; y < code.size + 4; y++)
    for (let x = 0; x < width; x++) expect(isLight(x, y), `${x} ${y}`).toBe(!code.get(x - 2, y - 2));
  // It fits a terminal of 80 columns.
  expect(width).toBeLessThan(50);
});
