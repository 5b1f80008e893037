/*
 * A digit that is drawn, recognised in the page by a model that Unisum has trained. The model is the folder ./model beside the page:
 *
 *     npx unisum train mnist-cnn --run-dir digits
 *     npx unisum export digits --out public/model
 */
import { load } from 'unisum/browser';

/** Sides of a picture of MNIST, and of the box inside of it that the digit fills. */
const [SIDE, BOX] = [28, 20];
const STROKE_WIDTH = 22;

const [canvas, button, status, list] = ['canvas', 'button', 'output', 'ol'].map((name) =>
  document.querySelector(name),
);
const drawing = canvas.getContext('2d', { willReadFrequently: true });
Object.assign(drawing, { lineWidth: STROKE_WIDTH, lineCap: 'round', lineJoin: 'round', strokeStyle: '#fff' });

const model = await load('./model').catch((error) => {
  status.textContent = error.message;
  throw error;
});

const bars = Array.from({ length: 10 }, (_, digit) => {
  const item = document.createElement('li');
  const [name, bar, share] = ['span', 'meter', 'span'].map((tag) => document.createElement(tag));
  name.textContent = String(digit);
  bar.setAttribute('aria-label', `probability of ${digit}`);
  item.append(name, bar, share);
  list.append(item);
  return { bar, share };
});

canvas.addEventListener('pointerdown', (event) => {
  canvas.setPointerCapture(event.pointerId);
  drawing.beginPath();
  drawing.moveTo(...placeOf(event));
  drawTo(event);
});
canvas.addEventListener('pointermove', (event) => {
  if (canvas.hasPointerCapture(event.pointerId)) drawTo(event);
});
button.addEventListener('click', clear);
button.disabled = false;
clear();

function clear() {
  drawing.clearRect(0, 0, canvas.width, canvas.height);
  for (const { bar, share } of bars) [bar.value, share.textContent] = [0, ''];
  status.textContent = 'Draw a digit above';
}

function drawTo(event) {
  drawing.lineTo(...placeOf(event));
  drawing.stroke();
  recognise();
}

/** Where the pointer is, in pixels of the canvas, which the page may show at another size. */
function placeOf({ offsetX, offsetY }) {
  const scale = canvas.width / canvas.clientWidth;
  return [offsetX * scale, offsetY * scale];
}

let isBusy = false;
let isAsked = false;

/** Predicts what is drawn. Movements while it computes are answered by one more prediction. */
async function recognise() {
  isAsked = true;
  if (isBusy) return;
  isBusy = true;
  while (isAsked) {
    isAsked = false;
    const outputs = await model.predict(picture());
    bars.forEach(({ bar, share }, digit) => {
      bar.value = outputs[digit];
      share.textContent = `${(outputs[digit] * 100).toFixed(1)} %`;
    });
    const [answer] = model.read(outputs);
    status.textContent = `This is a ${answer.class}`;
  }
  isBusy = false;
}

/** What is drawn, as MNIST has it: 20 pixels long at most, with its centre of mass in the middle. @returns 28 * 28 bytes */
function picture() {
  const { width, height } = canvas;
  const alpha = (data, at) => data[4 * at + 3];
  const { data } = drawing.getImageData(0, 0, width, height);
  const mass = { left: width, top: height, right: 0, bottom: 0, sum: 0, x: 0, y: 0 };
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const ink = alpha(data, y * width + x);
      if (ink === 0) continue;
      mass.left = Math.min(mass.left, x);
      mass.right = Math.max(mass.right, x + 1);
      mass.top = Math.min(mass.top, y);
      mass.bottom = Math.max(mass.bottom, y + 1);
      mass.sum += ink;
      mass.x += ink * (x + 0.5);
      mass.y += ink * (y + 0.5);
    }
  const scale = BOX / Math.max(mass.right - mass.left, mass.bottom - mass.top);
  const small = new OffscreenCanvas(SIDE, SIDE).getContext('2d');
  small.imageSmoothingQuality = 'high';
  small.translate(SIDE / 2, SIDE / 2);
  small.scale(scale, scale);
  small.translate(-mass.x / mass.sum, -mass.y / mass.sum);
  small.drawImage(canvas, 0, 0);
  const pixels = small.getImageData(0, 0, SIDE, SIDE).data;
  return Uint8Array.from({ length: SIDE * SIDE }, (_, at) => alpha(pixels, at));
}
